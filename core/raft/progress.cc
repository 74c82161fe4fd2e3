// SPDX-License-Identifier: Apache-2.0
#include "core/raft/progress.h"

#include <algorithm>

#include "core/base/check.h"

namespace flaredb::raft {

bool Progress::MaySend(const Config& config) const {
  if (state_ != ProgressState::kReplicate) return state_ == ProgressState::kProbe && !probe_sent_;
  return inflights_.count() < config.inflight_appends_max &&
         inflights_.bytes() < config.inflight_bytes_max;
}

void Progress::OnSent(Index last_index, size_t bytes) {
  if (state_ == ProgressState::kProbe) {
    probe_sent_ = true;
    return;
  }
  INVARIANT(last_index >= next_index_);
  inflights_.Add(last_index, bytes);
  MoveTo(last_index.next());
}

bool Progress::OnAccept(Index match_index) {
  inflights_.AcceptedUpTo(match_index);
  probe_sent_ = false;
  if (state_ == ProgressState::kProbe && match_index >= match_index_) {
    state_ = ProgressState::kReplicate;
    MoveTo(match_index.next());
  }
  if (match_index <= match_index_) return false;
  match_index_ = match_index;
  MoveTo(std::max(next_index_, match_index.next()));
  return true;
}

bool Progress::OnReject(Index prev_index, Index agree_index) {
  if (state_ == ProgressState::kSnapshot) return false;
  // What was accepted once stays accepted; and a probe is answered for its own position only.
  if (prev_index <= match_index_) return false;
  if (state_ == ProgressState::kProbe && prev_index != next_index_.prev()) return false;
  state_ = ProgressState::kProbe;
  probe_sent_ = false;
  inflights_.Clear();
  MoveTo(std::max(match_index_, std::min(agree_index, prev_index.prev())).next());
  return true;
}

void Progress::MoveTo(Index next_index) {
  if (next_index != next_index_) fetch_id = 0;
  next_index_ = next_index;
}

void Progress::BecomeSnapshot() {
  state_ = ProgressState::kSnapshot;
  inflights_.Clear();
  fetch_id = 0;
}

void Progress::LeaveSnapshot() {
  state_ = ProgressState::kProbe;
  // Waits for a sign of life, so that a snapshot that fails at once is not begun anew at once.
  probe_sent_ = true;
}

void Progress::MeasureRound(Instant now, Index last_index, Duration election_timeout) {
  const bool in_time = now - round_began_ < election_timeout;
  if (match_index_ < round_target_) {
    caught_up_ = caught_up_ && in_time;
    return;
  }
  caught_up_ = in_time;
  round_target_ = last_index;
  round_began_ = now;
}

bool Progress::Meet(Incarnation incarnation) {
  if (!incarnation_) incarnation_ = incarnation;
  return incarnation_ == incarnation;
}

void Progress::HashInto(Hasher* hasher) const {
  hasher->Add(id_).Add(session_).Add(incarnation_).Add(static_cast<uint64_t>(state_));
  hasher->Add(match_index_).Add(next_index_).Add(probe_sent_ ? 1 : 0);
  inflights_.HashInto(hasher);
  hasher->Add(acked_round).Add(round_target_);
  hasher->Add(commit_acked).Add(commit_sent).Add(fetch_id).Add(caught_up_ ? 1 : 0);
}

}  // namespace flaredb::raft
