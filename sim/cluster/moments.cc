// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/moments.h"

#include <variant>

#include "core/cluster/directory.h"
#include "core/store/outbox.h"
#include "sim/invariants/raft_message.h"

namespace flaredb::sim {

Moments MomentsOf(const raft::View& before, const raft::View& after,
                  const store::Effects& effects) {
  Moments moments = 0;
  if (effects.commit) {
    for (const env::LogWrite& write : effects.commit->log) {
      if (!write.persist.append.empty()) moments |= Bit(Moment::kWroteLog);
      if (write.persist.install) moments |= Bit(Moment::kInstalled);
      if (write.persist.base != nullptr && !write.persist.install) {
        moments |= Bit(Moment::kCompacted);
      }
      if (write.create || write.destroy) moments |= Bit(Moment::kTurnover);
      if (write.persist.truncate_from) moments |= Bit(Moment::kTruncated);
      if (write.persist.hard_state && write.persist.hard_state->vote) {
        moments |= Bit(Moment::kVoted);
      }
    }
    if (!effects.commit->data.empty()) moments |= Bit(Moment::kApplied);
    for (const Mutation& mutation : effects.commit->data.mutations) {
      if (mutation.key == cluster::kDirectoryRowKey) moments |= Bit(Moment::kKeptDirectory);
      if (!store::IsOutboxRow(mutation.key)) continue;
      moments |= Bit(mutation.value ? Moment::kAccepted : Moment::kReleased);
    }
  }
  for (const store::Send& send : effects.sends) {
    const raft::Message* message = RaftMessageIn(send);
    if (message == nullptr) {
      if (const auto* reply = std::get_if<store::ForwardedReply>(&send.message)) {
        moments |= Bit(Moment::kAnswered);
        if (std::holds_alternative<kv::NamespaceReply>(reply->reply.result)) {
          moments |= Bit(Moment::kParcelApplied);
        }
      } else if (const auto* request = std::get_if<store::ForwardedRequest>(&send.message)) {
        if (std::holds_alternative<kv::NamespaceCommand>(request->request.operation)) {
          moments |= Bit(Moment::kShipped);
        }
        if (std::holds_alternative<store::ExecuteRequest>(request->request.operation)) {
          moments |= Bit(Moment::kToldPd);
        }
      } else if (std::holds_alternative<cluster::RollCall>(send.message)) {
        moments |= Bit(Moment::kCalledRoll);
      } else if (std::holds_alternative<cluster::RollAnswer>(send.message)) {
        moments |= Bit(Moment::kAnsweredRoll);
      }
      continue;
    }
    const raft::Body& body = message->body;
    if (const auto* append = std::get_if<raft::AppendRequest>(&body)) {
      if (!append->entries.empty()) moments |= Bit(Moment::kSentAppend);
    } else if (const auto* reply = std::get_if<raft::AppendReply>(&body)) {
      if (std::holds_alternative<raft::AppendAccept>(reply->result)) {
        moments |= Bit(Moment::kSentAccept);
      }
    } else if (const auto* vote = std::get_if<raft::VoteReply>(&body)) {
      if (vote->granted) moments |= Bit(Moment::kSentVote);
    } else if (std::holds_alternative<raft::SnapshotRequest>(body)) {
      moments |= Bit(Moment::kSentSnapshot);
    } else if (std::holds_alternative<raft::TimeoutNow>(body)) {
      moments |= Bit(Moment::kHandedOver);
    }
  }
  if (after.role == raft::Role::kLeader && before.role != raft::Role::kLeader) {
    moments |= Bit(Moment::kElected);
  }
  if (after.conf != before.conf) moments |= Bit(Moment::kChangedConf);
  if (after.commit_index > before.commit_index) moments |= Bit(Moment::kCommitted);
  if (!effects.replies.empty()) moments |= Bit(Moment::kAnswered);
  return moments;
}

}  // namespace flaredb::sim
