// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/waits.h"

#include <algorithm>
#include <utility>

#include "core/base/types.h"
#include "sim/invariants/progress.h"
#include "sim/invariants/quorum.h"
#include "sim/world/sentence.h"

namespace flaredb::sim {
namespace {

std::string Store(const raft::View& view, const Names& names) {
  return Names::Store(names.NodeOf(view.id));
}

// A candidate counts itself from when its vote is on its disk.
std::optional<std::string> OfCandidate(const raft::View& view, const Names& names) {
  const bool asks = view.role == raft::Role::kPreCandidate;
  if (!asks && view.durable_token != view.issued_token) return std::nullopt;
  const auto said = [&](PeerId peer, bool yes) {
    if (peer == view.id) return yes;
    return std::find(view.votes.begin(), view.votes.end(), std::make_pair(peer, yes)) !=
           view.votes.end();
  };
  const bool won = IsQuorum(view.conf, [&](PeerId peer) { return said(peer, true); });
  const bool can = IsQuorum(view.conf, [&](PeerId peer) { return !said(peer, false); });
  if (!won && can) return std::nullopt;
  return Sentence(Store(view, names), " goes on asking for ", asks ? "encouragement" : "votes",
                  " in term ", view.term, ", but ",
                  won ? "a quorum has said yes." : "so many have said no that no quorum is left.");
}

std::optional<std::string> OfLeader(const raft::View& view, const LogImage& issued,
                                    const Names& names) {
  const auto has = [&](Index index) {
    return IsQuorum(view.conf, [&](PeerId peer) {
      if (peer == view.id) return view.durable_index >= index;
      const raft::ProgressView* progress = ProgressOf(view, peer);
      return progress != nullptr && progress->match_index >= index;
    });
  };
  // Not what a new configuration alone makes a quorum of: the answers to that one are yet to come.
  for (Index next = std::max(view.commit_index.next(), view.conf_index);
       next <= view.last_log.index && has(next); ++next) {
    if (issued.TermAt(next) != view.term) continue;  // Thesis 3.6.2.
    return Sentence(Store(view, names), ", leader of term ", view.term, ", has committed up to ",
                    view.commit_index, ", but knows a quorum that has ", next, ".");
  }
  if (view.read_round > view.round && QuorumAnswered(view, view.round)) {
    return Sentence(Store(view, names), ", leader of term ", view.term,
                    ", does not begin the round of contact that a read waits for, though that "
                    "before it is over.");
  }
  if (view.read_round != 0 && QuorumAnswered(view, view.read_round)) {
    return Sentence(Store(view, names), ", leader of term ", view.term,
                    ", lets a read wait though a quorum has answered round ", view.read_round,
                    ", which proves it.");
  }
  for (const raft::ProgressView& progress : view.progress) {
    const bool lacks = progress.next_index <= view.last_log.index;
    const bool in_log = progress.next_index > view.base.index;
    if (!lacks || !in_log || !progress.may_send || progress.fetching) continue;
    return Sentence(Store(view, names), ", leader of term ", view.term, ", does not send ",
                    names.Tell(progress.peer), " index ", progress.next_index,
                    " though it lacks it and nothing stands in the way.");
  }
  // Its owner answers within the turn in which it is asked.
  for (const raft::ProgressView& progress : view.progress) {
    if (progress.state != raft::ProgressState::kSnapshot ||
        progress.snapshot_step != raft::SnapshotStep::kView) {
      continue;
    }
    return Sentence(Store(view, names), ", leader of term ", view.term,
                    ", still waits to hear what its snapshot for ", names.Tell(progress.peer),
                    " covers, but has been told.");
  }
  const bool settled =
      view.conf_index <= view.commit_index && issued.TermAt(view.commit_index) == view.term;
  if (settled && view.conf.joint()) {
    return Sentence(Store(view, names), ", leader of term ", view.term,
                    ", does not end the joint phase though it is committed since index ",
                    view.conf_index, ".");
  }
  if (settled && !view.conf.IsVoter(view.id)) {
    return Sentence(Store(view, names), " goes on leading in term ", view.term,
                    " though it is no voter since index ", view.conf_index, ", committed.");
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> NeedlessWait(const raft::View& view, const LogImage& issued,
                                        const Names& names) {
  switch (view.role) {
    case raft::Role::kFollower:
      break;
    case raft::Role::kPreCandidate:
    case raft::Role::kCandidate:
      if (auto wait = OfCandidate(view, names)) return wait;
      break;
    case raft::Role::kLeader:
      if (auto wait = OfLeader(view, issued, names)) return wait;
      break;
  }
  const bool asks = view.role != raft::Role::kFollower || view.backlog.reads > 0;
  if (asks && !view.resting && view.deadline == Instant::Max()) {
    return Sentence(Store(view, names), " waits for others in term ", view.term,
                    " and would wait for ever.");
  }
  const auto of_followers = static_cast<size_t>(
      std::count_if(view.progress.begin(), view.progress.end(),
                    [](const raft::ProgressView& progress) { return progress.fetching; }));
  if (view.handed_out_index < view.commit_index && view.backlog.fetches == of_followers) {
    return Sentence(Store(view, names), " has committed up to ", view.commit_index,
                    ", but hands out nothing after ", view.handed_out_index, ".");
  }
  return std::nullopt;
}

std::optional<std::string> NeedlessWaitAtStart(const raft::View& view, Instant now,
                                               const Names& names) {
  const bool alone = view.conf.voters.size() == 1 && view.conf.IsVoter(view.id);
  if (!alone || view.conf.joint() || view.conf_index > view.commit_index || view.deadline <= now) {
    return std::nullopt;
  }
  return Sentence(Store(view, names), " is the only voter, but does not campaign at once.");
}

std::optional<std::string> NeedlessSnapshot(const raft::View& before, const raft::View& after,
                                            const Names& names) {
  if (before.term != after.term) return std::nullopt;
  for (const raft::ProgressView& now : after.progress) {
    const raft::ProgressView* was = ProgressOf(before, now.peer);
    const bool same = was != nullptr && now.state == raft::ProgressState::kSnapshot &&
                      was->state == now.state && was->snapshot == now.snapshot;
    if (!same || now.match_index <= was->match_index) continue;
    const bool covers = now.snapshot_step != raft::SnapshotStep::kView;
    if (now.match_index < after.base.index && !(covers && now.match_index >= now.snapshot_end)) {
      continue;
    }
    return Sentence(Store(after, names), ", leader of term ", after.term,
                    ", goes on with a snapshot for ", names.Tell(now.peer),
                    ", which has come to index ", now.match_index, " and needs it no more.");
  }
  return std::nullopt;
}

std::optional<std::string> NeedlessWaitInRecovery(const raft::View& before, const raft::View& after,
                                                  Instant now, const Names& names) {
  const bool disk_works = before.durable_token == before.issued_token;
  const bool waits = after.deadline > now || after.promised_until > now;
  if (!disk_works || after.role != raft::Role::kFollower || !waits) return std::nullopt;
  return Sentence(Store(after, names), " recovers in term ", after.term,
                  ", but does not campaign at once.");
}

}  // namespace flaredb::sim
