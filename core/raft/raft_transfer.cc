// SPDX-License-Identifier: Apache-2.0
// Handing leadership over: thesis 3.10.
#include <algorithm>

#include "core/base/check.h"
#include "core/base/probe.h"
#include "core/raft/raft.h"

namespace flaredb::raft {

std::optional<TransferRefusal> Raft::TransferLeadership(Instant now, PeerId target,
                                                        Effects* effects) {
  std::optional<TransferRefusal> refusal = TransferRefusal::kNotLeader;
  Guarded(now, effects, [&] {
    auto* leader = std::get_if<Leader>(&role_);
    if (leader == nullptr) return;
    if (target == id_) {
      refusal = TransferRefusal::kIsLeader;
    } else if (!std::binary_search(conf().voters.begin(), conf().voters.end(), target)) {
      refusal = TransferRefusal::kNotVoter;
    } else if (leader->transfer && leader->transfer->target != target) {
      refusal = TransferRefusal::kInProgress;
    } else {
      refusal.reset();
      StopResting();
      if (!leader->transfer) leader->transfer = Transfer{target, now + config_.election_timeout};
      TellTransferee();
    }
  });
  if (!poison_.empty()) return TransferRefusal::kNotLeader;
  return refusal;
}

// Tells the target to campaign once it has the whole log, durably: its acknowledgement says so.
void Raft::TellTransferee() {
  auto& leader = std::get<Leader>(role_);
  if (!leader.transfer || leader.transfer->told) return;
  const Progress& target = leader.Of(leader.transfer->target);
  if (target.match_index() != log_.last_index()) {
    REACHED(kTransferWaitsForLog);
    return;
  }
  SOMETIMES(kLeaseVoided, HoldsLease(now_));
  leader.transfer->told = true;
  // The request may be long on its way: no lease in this term is safe from it any more.
  leader.lease_void = true;
  Send(target.id(), TimeoutNow{log_.last_id()}, IoToken(), target.incarnation());
}

// A leader that must go asks the best successor to campaign at once. A courtesy: elections would
// come to the same end, an election timeout later.
void Raft::HandOver() {
  const Progress* successor = BestSuccessor();
  if (successor == nullptr) return;
  const Index held = std::min(successor->match_index(), log_.last_index());
  if (held < log_.base().index) return;
  Send(successor->id(), TimeoutNow{log_.IdAt(held)}, IoToken(), successor->incarnation());
}

// The voter in contact that has the most of the log.
const Progress* Raft::BestSuccessor() const {
  const Progress* best = nullptr;
  for (const Progress& follower : std::get<Leader>(role_).followers) {
    if (!conf().IsVoter(follower.id()) || !InContact(follower)) continue;
    if (best == nullptr || follower.match_index() > best->match_index()) best = &follower;
  }
  return best;
}

void Raft::On(const Message& message, const TimeoutNow& request) {
  const auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || (follower->leader && follower->leader != message.from)) return;
  SOMETIMES(kSuccessorLostLog, !log_.Has(request.last_log));
  if (!MayCampaign() || DiskStalled() || !log_.Has(request.last_log)) return;
  BecomeCandidate(/*leadership_transfer=*/true);
}

}  // namespace flaredb::raft
