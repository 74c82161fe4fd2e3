// SPDX-License-Identifier: Apache-2.0
// What holds after every call, in every build. O(followers + gated messages).
#include "core/base/check.h"
#include "core/raft/raft.h"

namespace flaredb::raft {

void Raft::CheckState() const {
  log_.CheckState();
  INVARIANT(handed_out_index_ <= log_.commit_index());
  INVARIANT(log_.last_id().term <= term());
  INVARIANT(durable_token_ <= issued_token_ && hard_state_token_ <= issued_token_);
  INVARIANT(!pending_any_);
  INVARIANT(staged_ == nullptr || staged_->term == term())
      << "a part of a snapshot outlived its term";
  INVARIANT(staged_ == nullptr || staged_->base.last.index > log_.commit_index())
      << "a part of a snapshot that is not needed any more is kept";
  for (const Gated& gated : gated_) {
    INVARIANT(durable_token_ < gated.gate && gated.gate <= issued_token_);
  }
  if (std::holds_alternative<Candidate>(role_)) {
    INVARIANT(hard_state_.vote == id_);
  }
  if (const auto* follower = std::get_if<Follower>(&role_)) {
    INVARIANT(follower->leader != id_);
  }
  if (const auto* leader = std::get_if<Leader>(&role_)) {
    INVARIANT(hard_state_token_ <= durable_token_) << "a leader's term is durable";
    INVARIANT(log_.last_id().term == term()) << "a leader has an entry of its own";
    INVARIANT(!leader->lease_void || !HoldsLease(now_));
    INVARIANT(!leader->resting || log_.commit_index() == log_.last_index());
    INVARIANT(leader->remote_readers.size() <= leader->reads.size());
    for (const Progress& follower : leader->followers) {
      INVARIANT(follower.match_index() < follower.next_index());
      INVARIANT(follower.next_index() <= log_.last_index().next());
      INVARIANT(follower.acked_round <= leader->round);
      INVARIANT(!leader->resting || (follower.match_index() == log_.last_index() &&
                                     follower.commit_acked == log_.commit_index()))
          << "a leader rests though it knows that peer " << follower.id() << " lacks something";
    }
  }
}

Raft::Before Raft::Remember() const {
  return {hard_state_, role(), log_.commit_index(), handed_out_index_, durable_token_};
}

void Raft::CheckTransition(const Before& before) const {
  INVARIANT(hard_state_.term >= before.hard_state.term);
  if (hard_state_.term == before.hard_state.term) {
    INVARIANT(!before.hard_state.vote || hard_state_.vote == before.hard_state.vote)
        << "two votes in term " << term();
    INVARIANT(role() != Role::kLeader || before.role == Role::kLeader ||
              before.role == Role::kCandidate)
        << "leadership without an election";
  } else {
    INVARIANT(role() != Role::kLeader) << "leadership without a durable vote";
  }
  INVARIANT(log_.commit_index() >= before.commit_index);
  INVARIANT(handed_out_index_ >= before.handed_out_index);
  INVARIANT(durable_token_ >= before.durable_token);
}

}  // namespace flaredb::raft
