// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/answers.h"

#include <algorithm>
#include <variant>

#include "sim/invariants/raft_message.h"
#include "sim/world/sentence.h"

namespace flaredb::sim {
namespace {

// Up to where `from` accepts the log of `to` in this turn; zero: it does not.
Index AcceptedIn(const store::Effects& effects, PeerId from, PeerId to) {
  Index highest;
  for (const store::Send& send : effects.sends) {
    const raft::Message* message = RaftMessageIn(send);
    if (message == nullptr || message->from != from || message->to != to) continue;
    const auto* reply = std::get_if<raft::AppendReply>(&message->body);
    const auto* accept =
        reply != nullptr ? std::get_if<raft::AppendAccept>(&reply->result) : nullptr;
    if (accept != nullptr) highest = std::max(highest, accept->match_index);
  }
  return highest;
}

}  // namespace

void Answers::OnTurn(uint32_t node, const std::optional<AppendOffer>& offer, const Replica& replica,
                     Incarnation life, const store::Effects& effects) {
  const raft::View& view = replica.view;
  Owed& owed = owed_[node];
  const bool follows = view.role == raft::Role::kFollower && view.leader;
  // Where somebody lives who was removed is not known for long.
  if (!follows || !view.conf.IsMember(view.leader)) {
    owed = Owed();
    return;
  }
  if (owed.from != view.id || owed.to != view.leader || owed.term != view.term) {
    owed = {view.id, view.leader, view.term, Index(), IoToken()};
  }
  if (offer && !offer->accept_unanswered && offer->last.index > owed.index &&
      Agrees(*offer, view, life, replica.issued)) {
    owed.index = offer->last.index;
    owed.gate = view.issued_token;
  }
  if (AcceptedIn(effects, owed.from, owed.to) >= owed.index) owed.index = Index();
  if (!owed.index || view.durable_token < owed.gate) return;
  report_->Fail(FailureKind::kSafety, "APPEND",
                Sentence(Names::Store(node), " has had on its disk all that its leader of term ",
                         view.term, " sent, but has not told ", names_->Tell(view.leader),
                         " that it has the log up to ", owed.index, "."));
}

}  // namespace flaredb::sim
