// SPDX-License-Identifier: Apache-2.0
// Changes of the configuration: thesis 4. A configuration is in force from its append on; voters
// change through a joint one only.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/probe.h"
#include "core/raft/raft.h"

namespace flaredb::raft {

ChangeResult Raft::ChangeMembers(Instant now, absl::Span<const MemberChange> changes,
                                 Effects* effects) {
  ChangeResult result = NotLeader{leader_id()};
  Guarded(now, effects, [&] {
    if (!is_leader()) return;
    StopResting();
    if (const auto refusal = MayChange(changes)) {
      result = *refusal;
      return;
    }
    auto next = std::get<ConfState>(Change(conf(), changes));
    const std::vector<Member> met = Met(next);
    AppendConf(Pin(std::move(next), met));
    result = Proposed{term(), log_.last_index(), log_.last_index()};
    ReplicateToAll();
  });
  if (!poison_.empty()) return NotLeader{};
  return result;
}

std::optional<ChangeRefusal> Raft::MayChange(absl::Span<const MemberChange> changes) const {
  const auto& leader = std::get<Leader>(role_);
  if (leader.transfer) return ChangeRefusal::kTransferInProgress;
  if (!log_.Has({term(), log_.commit_index()})) {
    REACHED(kChangeBeforeFirstCommit);
    return ChangeRefusal::kLeaderIsNew;
  }
  if (confs_.latest_index() > log_.commit_index() || conf().joint()) {
    return ChangeRefusal::kChangeInProgress;
  }
  const auto next = Change(conf(), changes);
  if (const auto* refusal = std::get_if<ChangeRefusal>(&next)) return *refusal;
  for (const MemberChange& change : changes) {
    if (change.kind != MemberChange::Kind::kPromote || change.id == id_) continue;
    const Progress& learner = leader.Of(change.id);
    if (!learner.incarnation() || !learner.caught_up() || !InContact(learner)) {
      REACHED(kPromotionTooEarly);
      return ChangeRefusal::kNotCaughtUp;
    }
  }
  return std::nullopt;
}

void Raft::AppendConf(ConfState next) {
  const std::string payload = EncodeConfState(next);
  const NewEntry entry{EntryKind::kConf, payload};
  AppendToLog(EntrySlice(EntryBlock::Create(term(), log_.last_index().next(), {&entry, 1})));
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return;
  FollowEverybody();
  leader->tend_conf = true;
  // Whoever is to prove the lease may be somebody else now.
  leader->lease_start.reset();
  leader->round_news = true;
}

// Makes the followers those of the configuration in force. Whoever stays keeps his progress.
void Raft::FollowEverybody() {
  auto& leader = std::get<Leader>(role_);
  std::erase_if(leader.followers, [&](const Progress& follower) {
    if (conf().IsMember(follower.id())) return false;
    std::erase_if(leader.snapshots, [&](const SnapshotSend& send) {
      if (send.follower != follower.id()) return false;
      REACHED(kReceiverRemoved);
      effects_->snapshots.push_back(DropSnapshot{send.id});
      return true;
    });
    return true;
  });
  for (const PeerId id : conf().Everybody()) {
    if (id == id_ || leader.Find(id) != nullptr) continue;
    const auto at = std::lower_bound(leader.followers.begin(), leader.followers.end(), id,
                                     [](const Progress& p, PeerId x) { return p.id() < x; });
    leader.followers.insert(
        at, Progress(id, ++last_session_, conf().Find(id).incarnation, log_.last_index(), now_));
  }
}

// The lives of members that this leader has met and that `next` does not know.
std::vector<Member> Raft::Met(const ConfState& next) const {
  std::vector<Member> met;
  for (const Progress& follower : std::get<Leader>(role_).followers) {
    if (follower.incarnation() && next.IsMember(follower.id()) &&
        !next.Find(follower.id()).incarnation) {
      met.push_back({follower.id(), StoreId(), follower.incarnation()});
    }
  }
  if (!met.empty() && next.IsMember(id_) && !next.Find(id_).incarnation) {
    met.push_back({id_, StoreId(), incarnation_});
  }
  return met;
}

// Once the configuration in force is committed: ends its joint phase, leaves a group that this
// leader is no voter of (thesis 4.2.2), or pins voters that it has met since. A new configuration
// is in force at once, so nothing here is proposed twice; a successor that inherits the same state
// does the same (etcd issue 12136).
void Raft::TendConfiguration() {
  auto& leader = std::get<Leader>(role_);
  if (!leader.tend_conf || confs_.latest_index() > log_.commit_index() ||
      !log_.Has({term(), log_.commit_index()})) {
    return;
  }
  leader.tend_conf = false;
  if (conf().joint()) {
    AppendConf(LeaveJoint(conf()));
  } else if (!conf().IsVoter(id_)) {
    REACHED(kLeaderRemoved);
    HandOver();
    BecomeFollower(term(), PeerId());
    return;
  } else {
    std::vector<Member> met = Met(conf());
    std::erase_if(met, [&](const Member& member) { return !conf().IsVoter(member.id); });
    if (met.empty()) return;
    REACHED(kPinsProposed);
    AppendConf(Pin(conf(), met));
  }
  CountRounds();
  ReplicateToAll();
}

}  // namespace flaredb::raft
