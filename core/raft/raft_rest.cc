// SPDX-License-Identifier: Apache-2.0
// Groups that have nothing to do cost nothing: no heartbeats, no deadlines. What a heartbeat told
// the followers, that their leader lives, the stores tell each other once for all their groups.
#include <algorithm>

#include "core/raft/raft.h"

namespace flaredb::raft {

bool Raft::resting() const {
  if (const auto* leader = std::get_if<Leader>(&role_)) return leader->resting;
  const auto* follower = std::get_if<Follower>(&role_);
  return follower != nullptr && follower->resting;
}

// Nobody wants anything, nobody lacks anything, and everybody is there to agree.
bool Raft::MayRest() const {
  const auto& leader = std::get<Leader>(role_);
  if (config_.rest_after == Duration::Max() || now_ - leader.busy_at < config_.rest_after) {
    return false;
  }
  if (log_.commit_index() != log_.last_index() || log_.durable_index() != log_.last_index() ||
      conf().joint() || !conf().IsVoter(id_) || leader.transfer || !leader.reads.empty()) {
    return false;
  }
  // Heard since somebody last wanted something: a leader that wakes takes everybody for present,
  // and would rest again and again above a link that carries nothing to it.
  return std::all_of(leader.followers.begin(), leader.followers.end(), [&](const Progress& f) {
    return f.match_index() == log_.last_index() && f.commit_acked == log_.commit_index() &&
           InContact(f) && f.last_contact > leader.busy_at;
  });
}

void Raft::Rest() {
  auto& leader = std::get<Leader>(role_);
  leader.resting = true;
  for (const Progress& follower : leader.followers) {
    Send(follower.id(), HeartbeatRequest{follower.session(), leader.round, log_.last_id()},
         IoToken(), follower.incarnation());
  }
  ReleaseMemory();
}

// Most groups of a store rest. What one holds then is what it needs to wake: everybody has all
// entries on the disk, and queues begin again with the first that wants something.
void Raft::ReleaseMemory() {
  log_.ReleaseMemory();
  gated_.shrink_to_fit();
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return;
  for (Progress& follower : leader->followers) follower.ReleaseIfEmpty();
  leader->uncommitted.ReleaseIfEmpty();
  leader->rounds.ReleaseIfEmpty();
  leader->reads.ReleaseIfEmpty();
}

// Somebody wants something of this leader. Nothing in one that does not rest.
void Raft::StopResting() {
  auto& leader = std::get<Leader>(role_);
  leader.busy_at = now_;
  if (!leader.resting) return;
  leader.resting = false;
  // Nobody was to answer while the group rested, so nobody's silence counts.
  for (Progress& follower : leader.followers) follower.last_contact = now_;
  leader.heartbeat_due = now_;
}

bool Raft::AgreesToRest(const HeartbeatRequest& request) const {
  return request.rest_at.index && request.rest_at == log_.last_id() &&
         request.rest_at.index == log_.commit_index() &&
         log_.durable_index() == log_.last_index() && std::get<Follower>(role_).reads.empty();
}

void Raft::Wake(Instant now, Effects* effects) {
  Guarded(now, effects, [&] {
    if (is_leader()) {
      if (resting()) StopResting();
    } else if (auto* follower = std::get_if<Follower>(&role_)) {
      if (!follower->resting) return;
      follower->resting = false;
      // Everybody wakes at the same time; spread them.
      DrawElectionTimeout();
      election_due_ = now_ + (election_timeout_ - config_.election_timeout);
    }
    INVARIANT(!resting()) << "it was woken";
  });
}

}  // namespace flaredb::raft
