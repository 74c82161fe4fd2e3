// SPDX-License-Identifier: Apache-2.0
// What others may see of a replica.
#include <algorithm>
#include <variant>

#include "core/base/hash.h"
#include "core/raft/raft.h"

namespace flaredb::raft {
namespace {

void ShowSnapshot(const SnapshotSend& send, ProgressView* view) {
  view->snapshot = send.id;
  if (send.base) view->snapshot_end = send.base->last.index;
  view->snapshot_moved_at = send.moved;
  if (send.outstanding != nullptr) {
    view->snapshot_step = SnapshotStep::kAnswer;
    view->snapshot_piece = send.outstanding->number;
  } else if (send.reading) {
    view->snapshot_step = SnapshotStep::kRead;
    view->snapshot_piece = *send.reading;
  }
}

}  // namespace

View Raft::view() const {
  View view;
  view.id = id_;
  view.role = role();
  view.term = term();
  view.vote = hard_state_.vote;
  view.leader = leader_id();
  view.commit_index = log_.commit_index();
  view.handed_out_index = handed_out_index_;
  view.base = log_.base();
  view.last_log = log_.last_id();
  view.durable_index = log_.durable_index();
  view.durable_token = durable_token_;
  view.issued_token = issued_token_;
  view.conf = conf();
  view.conf_index = confs_.latest_index();
  view.confs = confs_.size();
  view.resting = resting();
  view.promised_until = leader_fresh_until_;
  view.backlog = backlog();
  view.deadline = next_deadline();
  const auto show = [&](const Votes& votes) {
    for (const auto& [id, ballot] : votes) view.votes.emplace_back(id, ballot == Ballot::kGranted);
  };
  if (const auto* asking = std::get_if<PreCandidate>(&role_)) show(asking->votes);
  if (const auto* candidate = std::get_if<Candidate>(&role_)) show(candidate->votes);
  if (const auto* leader = std::get_if<Leader>(&role_)) {
    view.progress.reserve(leader->followers.size());
    for (const Progress& follower : leader->followers) {
      ProgressView& shown = view.progress.emplace_back();
      shown.peer = follower.id();
      shown.state = follower.state();
      shown.match_index = follower.match_index();
      shown.next_index = follower.next_index();
      shown.acked_round = follower.acked_round;
      shown.recently_active = InContact(follower);
      shown.caught_up = follower.caught_up();
      shown.inflight_appends = follower.inflights().count();
      shown.inflight_bytes = follower.inflights().bytes();
      shown.may_send = follower.MaySend(config_);
      shown.fetching = follower.fetch_id != 0;
      for (const SnapshotSend& send : leader->snapshots) {
        if (send.follower == follower.id()) ShowSnapshot(send, &shown);
      }
    }
    if (leader->transfer) view.transferee = leader->transfer->target;
    view.round = leader->round;
    view.read_round = leader->reads.provable_round();
    view.lease_valid = HoldsLease(now_);
  }
  return view;
}

Backlog Raft::backlog() const {
  Backlog held;
  held.gated_messages = gated_.size();
  held.fetches = apply_fetch_id_ != 0 ? 1 : 0;
  held.snapshots = staged_ != nullptr ? 1 : 0;
  const size_t window = resting() ? 0 : config_.window_bytes_max;
  held.entry_bytes = log_.window_bytes() - std::min(log_.window_bytes(), window);
  if (const auto* follower = std::get_if<Follower>(&role_)) held.reads = follower->reads.size();
  const auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return held;
  held.proposals = leader->uncommitted.size();
  held.proposal_bytes = leader->uncommitted_bytes;
  held.reads = leader->reads.size() + leader->remote_readers.size();
  held.snapshots += leader->snapshots.size();
  for (const Progress& follower : leader->followers) held.fetches += follower.fetch_id != 0 ? 1 : 0;
  return held;
}

// Everything that a future call could act by, times and the random generator apart. Tokens count
// by their distance from the durable one, which is all that matters of them.
uint64_t Raft::state_hash() const {
  Hasher hasher;
  hasher.Add(id_).Add(incarnation_).Add(poison_);
  hasher.Add(hard_state_.term).Add(hard_state_.vote);
  log_.HashInto(&hasher);
  confs_.HashInto(&hasher);
  hasher.Add(handed_out_index_).Add(apply_fetch_id_).Add(last_fetch_id_).Add(last_read_id_);
  hasher.Add(last_session_).Add(last_snapshot_id_);
  hasher.Add(issued_token_ - durable_token_);
  hasher.Add(std::max(hard_state_token_, durable_token_) - durable_token_);
  hasher.Add(staged_ != nullptr);
  if (staged_ != nullptr) {
    HashInto(staged_->base, &hasher);
    hasher.Add(staged_->id).Add(staged_->number).Add(staged_->checksum);
  }
  hasher.Add(gated_.size());
  for (const Gated& gated : gated_) {
    hasher.Add(gated.gate - durable_token_);
    HashInto(gated.message, &hasher);
  }
  hasher.Add(role_.index());
  std::visit([&](const auto& role) { HashRole(role, &hasher); }, role_);
  return hasher.value();
}

void Raft::HashRole(const Follower& follower, Hasher* hasher) const {
  hasher->Add(follower.leader).Add(follower.resting);
  follower.reads.HashInto(hasher);
}

void Raft::HashRole(const PreCandidate& candidate, Hasher* hasher) const {
  HashVotes(candidate.votes, hasher);
}

void Raft::HashRole(const Candidate& candidate, Hasher* hasher) const {
  HashVotes(candidate.votes, hasher);
  hasher->Add(candidate.own_vote <= durable_token_);
}

void Raft::HashRole(const Leader& leader, Hasher* hasher) const {
  for (const Progress& follower : leader.followers) follower.HashInto(hasher);
  hasher->Add(leader.uncommitted.size()).Add(leader.uncommitted_bytes);
  for (const auto& [last, bytes] : leader.uncommitted) hasher->Add(last).Add(bytes);
  hasher->Add(leader.tend_conf).Add(leader.round).Add(leader.rounds.size());
  hasher->Add(leader.round_news).Add(leader.lease_start.has_value()).Add(leader.lease_void);
  leader.reads.HashInto(hasher);
  for (const RemoteReader& reader : leader.remote_readers) {
    hasher->Add(reader.id).Add(reader.peer).Add(reader.request);
  }
  hasher->Add(leader.transfer.has_value());
  if (leader.transfer) hasher->Add(leader.transfer->target).Add(leader.transfer->told);
  hasher->Add(leader.snapshots.size());
  for (const SnapshotSend& send : leader.snapshots) {
    hasher->Add(send.follower).Add(send.id).Add(send.checksum).Add(send.base.has_value());
    if (send.base) HashInto(*send.base, hasher);
    hasher->Add(send.reading.value_or(~uint64_t{0}));
    hasher->Add(send.outstanding != nullptr ? send.outstanding->number + 1 : 0);
  }
  hasher->Add(leader.resting);
}

void Raft::HashVotes(const Votes& votes, Hasher* hasher) {
  hasher->Add(votes.size());
  for (const auto& [id, ballot] : votes) hasher->Add(id).Add(static_cast<uint64_t>(ballot));
}

}  // namespace flaredb::raft
