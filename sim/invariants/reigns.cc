// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/reigns.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/raft/membership.h"
#include "sim/invariants/progress.h"
#include "sim/invariants/quorum.h"
#include "sim/invariants/raft_message.h"
#include "sim/world/sentence.h"

namespace flaredb::sim {
namespace {

bool Leads(const raft::View& view) { return view.role == raft::Role::kLeader; }

bool BringsCommands(const raft::Persist& persist) {
  for (const raft::EntrySlice& slice : persist.append) {
    for (uint32_t i = 0; i < slice.size(); ++i) {
      if (slice.at(i).kind == raft::EntryKind::kCommand) return true;
    }
  }
  return false;
}

// Whether `leader` tells somebody to campaign at once.
bool HandsOver(const store::Send& send, PeerId leader) {
  const raft::Message* message = RaftMessageIn(send);
  return message != nullptr && message->from == leader &&
         std::holds_alternative<raft::TimeoutNow>(message->body);
}

}  // namespace

void Reigns::OnTurn(Instant now, absl::Span<const store::Event> events, const raft::View& before,
                    const raft::View& after, const store::Effects& effects) {
  const bool disk_moved =
      before.durable_token == before.issued_token || after.durable_token != before.durable_token;
  if (disk_moved) disk_moved_at_[after.id] = now;
  if (!Leads(before) && !Leads(after)) return;

  const bool goes_on = Leads(before) && after.term == before.term;
  Reign& reign = reigns_[after.id];
  if (Leads(after) && reign.term != after.term) {
    reign = Reign();
    reign.term = after.term;
    reign.own_entry = after.last_log.index;
    reign.last_turn = now;
  }
  if (goes_on) Hear(now, events, before);
  if (goes_on && !Leads(after)) return CheckResignation(now, before, after, effects);
  if (!Leads(after)) return;
  for (const PeerId peer : after.conf.Everybody()) reign.heard.try_emplace(peer, now);
  CheckRight(now, before, after);
  CheckPieces(now, before, after, effects);
  CheckLease(now, after, effects);
  if (goes_on) {
    CheckCommands(before, after, effects);
    CheckHandOver(now, before, after, effects);
    CheckCatchUp(now, before, after);
    CheckPromotions(now, before, after);
  }
  if (reign.ends.empty() || reign.ends.back().second != after.last_log.index) {
    reign.ends.emplace_back(now, after.last_log.index);
  }
}

void Reigns::OnDiskFailed(Instant now, const raft::View& last, const store::Effects& effects) {
  if (Leads(last)) CheckFarewell(now, last, last, effects);
}

// As in the core, what another life says does not count.
void Reigns::Hear(Instant now, absl::Span<const store::Event> events, const raft::View& before) {
  std::map<PeerId, Instant>& heard = reigns_[before.id].heard;
  if (before.resting) {
    for (auto& [peer, when] : heard) when = now;  // Until now nobody was to answer.
  }
  for (const store::Event& event : events) {
    const raft::Message* message = RaftMessageIn(event);
    if (message == nullptr || message->to != before.id || message->term != before.term ||
        AnsweredSession(*message) == 0) {
      continue;
    }
    const Incarnation life = before.conf.Find(message->from).incarnation;
    if (!life || life == message->from_incarnation) heard[message->from] = now;
  }
}

bool Reigns::DiskStalls(Instant now, const raft::View& view) const {
  return view.durable_token < view.issued_token &&
         now - disk_moved_at_.at(view.id) >= disk_stall_timeout_;
}

bool Reigns::HearsQuorum(const raft::ConfState& conf, PeerId leader, Instant since) const {
  const std::map<PeerId, Instant>& heard = reigns_.at(leader).heard;
  return IsQuorum(conf, [&](PeerId voter) {
    const auto when = heard.find(voter);
    return voter == leader || (when != heard.end() && when->second > since);
  });
}

void Reigns::CheckResignation(Instant now, const raft::View& before, const raft::View& after,
                              const store::Effects& effects) {
  const Instant since = now - election_timeout_;
  const bool silence =
      !HearsQuorum(before.conf, after.id, since) || !HearsQuorum(after.conf, after.id, since);
  // What ended in this very turn came before it could resign for it.
  const bool disk_stalls = after.durable_token == before.durable_token && DiskStalls(now, before);
  const bool removed = !after.conf.IsVoter(after.id) && after.conf_index <= after.commit_index;
  if (silence) return;
  if (disk_stalls || removed) return CheckFarewell(now, before, after, effects);
  Fail(after.id, "resigns in term " + std::to_string(after.term.value()) +
                     ", but hears a quorum of " + names_->Tell(after.conf) +
                     ", its disk works, and no committed configuration removes it.");
}

void Reigns::CheckFarewell(Instant now, const raft::View& before, const raft::View& after,
                           const store::Effects& effects) {
  if (std::any_of(effects.sends.begin(), effects.sends.end(),
                  [&](const store::Send& send) { return HandsOver(send, after.id); })) {
    return;
  }
  const std::map<PeerId, Instant>& heard = reigns_[after.id].heard;
  for (const raft::ProgressView& follower : before.progress) {
    const auto when = heard.find(follower.peer);
    const bool hears =
        follower.recently_active && when != heard.end() && when->second > now - election_timeout_;
    if (!hears || !after.conf.IsVoter(follower.peer) || follower.match_index < after.base.index) {
      continue;
    }
    return Fail(after.id,
                Sentence("resigns in term ", after.term, " and hears ", names_->Tell(follower.peer),
                         ", a voter, but tells nobody to campaign in its place."));
  }
}

void Reigns::CheckRight(Instant now, const raft::View& before, const raft::View& after) {
  Reign& reign = reigns_[after.id];
  const Duration passed = now - std::exchange(reign.last_turn, now);
  // To rest and to wake is contact enough for the core, and may be over within a turn.
  const bool silence = !may_rest_ && !HearsQuorum(after.conf, after.id, now - election_timeout_);
  if (after.resting || after.conf != before.conf || (!silence && !DiskStalls(now, after))) {
    reign.overdue = Duration();
    return;
  }
  reign.overdue = reign.overdue + std::min(passed, election_timeout_ / 4);
  if (reign.overdue < election_timeout_) return;
  Fail(after.id, "leads term " + std::to_string(after.term.value()) + " on, but " +
                     (silence ? "has heard no quorum of " + names_->Tell(after.conf) +
                                    " for two election timeouts."
                              : "its disk has been busy with one write for too long."));
}

void Reigns::CheckCommands(const raft::View& before, const raft::View& after,
                           const store::Effects& effects) {
  if (!before.transferee || before.transferee != after.transferee || !effects.commit) return;
  const std::vector<env::LogWrite>& log = effects.commit->log;
  const bool brings_commands = std::any_of(log.begin(), log.end(), [&](const env::LogWrite& write) {
    return write.region == names_->region() && BringsCommands(write.persist);
  });
  if (!brings_commands) return;
  Fail(after.id, "takes in a command while it hands leadership over to " +
                     names_->Tell(after.transferee) + ".");
}

void Reigns::CheckHandOver(Instant now, const raft::View& before, const raft::View& after,
                           const store::Effects& effects) {
  // One that has ended may be followed by the next in the same turn.
  Reign& reign = reigns_[after.id];
  if (after.transferee != before.transferee || now - reign.hands_over_since >= election_timeout_) {
    reign.hands_over_since = now;
    reign.told = false;
  }
  for (const store::Send& send : effects.sends) {
    if (!HandsOver(send, after.id)) continue;
    const PeerId to = RaftMessageIn(send)->to;
    if (to == after.transferee && std::exchange(reign.told, true)) {
      return Fail(after.id, "tells " + names_->Tell(to) + " once more to campaign at once.");
    }
    const raft::ProgressView* successor = ProgressOf(after, to);
    if (successor == nullptr || successor->match_index >= before.last_log.index) continue;
    return Fail(after.id, Sentence("tells ", names_->Tell(successor->peer),
                                   " to campaign at once, which has acknowledged its log up to ",
                                   successor->match_index, " of ", before.last_log.index, "."));
  }
}

void Reigns::CheckPieces(Instant now, const raft::View& before, const raft::View& after,
                         const store::Effects& effects) {
  for (const store::Send& send : effects.sends) {
    const raft::Message* message = RaftMessageIn(send);
    if (message == nullptr || message->from != after.id) continue;
    const auto* request = std::get_if<raft::SnapshotRequest>(&message->body);
    if (request == nullptr) continue;
    NotePiece(
        after.id, message->to,
        {request->chunk->id, request->chunk->number, now, request->chunk->base.last.index, now});
  }
  const std::map<PeerId, Piece>& pieces = reigns_[after.id].pieces;
  for (const raft::ProgressView& follower : after.progress) {
    const raft::ProgressView* earlier = ProgressOf(before, follower.peer);
    if (follower.state != raft::ProgressState::kSnapshot) continue;
    if (earlier != nullptr && earlier->state == follower.state &&
        earlier->snapshot_piece != follower.snapshot_piece && follower.snapshot_moved_at != now) {
      Fail(after.id, Sentence("goes on with piece ", follower.snapshot_piece, " of a snapshot for ",
                              names_->Tell(follower.peer), ", but does not see that it moves."));
    }
    if (follower.snapshot_step != raft::SnapshotStep::kAnswer) continue;
    const auto last = pieces.find(follower.peer);
    if (last == pieces.end() || now - last->second.sent < election_timeout_ + heartbeat_interval_) {
      continue;
    }
    Fail(after.id, "does not send " + names_->Tell(follower.peer) + " piece " +
                       std::to_string(last->second.number) +
                       " of a snapshot again, which went unanswered.");
  }
}

// What the state machine covers is at most what was handed out.
void Reigns::AfterTurn(Instant now, const raft::View& before, const raft::View& after,
                       const raft::Config& config) {
  const bool goes_on = Leads(before) && Leads(after) && after.term == before.term;
  if (!goes_on || after.base == before.base) return;
  const Reign& reign = reigns_[after.id];
  const uint64_t covered = after.handed_out_index.value();
  for (const raft::ProgressView& follower : after.progress) {
    const raft::ProgressView* earlier = ProgressOf(before, follower.peer);
    if (earlier == nullptr || earlier->state != follower.state) continue;
    Index needed = Index::Max();
    if (follower.state == raft::ProgressState::kSnapshot) {
      const auto piece = reign.pieces.find(follower.peer);
      if (piece == reign.pieces.end()) continue;
      const Index end = piece->second.base;
      if (now - piece->second.began < config.snapshot_hold_timeout &&
          covered - end.value() <= config.snapshot_hold_entries_max) {
        needed = end;
      }
    } else if (earlier->recently_active && follower.recently_active) {
      // What it said in this very turn may have come too late.
      const auto when = reign.heard.find(follower.peer);
      if (when == reign.heard.end() || when->second <= now - election_timeout_ ||
          when->second == now) {
        continue;
      }
      needed = std::max(follower.match_index,
                        Index(covered - std::min(covered, config.compact_retain_entries_max)));
    }
    if (after.base.index <= needed) continue;
    return Fail(after.id,
                Sentence("deletes its log up to ", after.base.index, ", but ",
                         names_->Tell(follower.peer), " needs what follows ", needed, "."));
  }
}

void Reigns::NotePiece(PeerId leader, PeerId to, const Piece& piece) {
  const auto [last, first_time] = reigns_[leader].pieces.try_emplace(to, piece);
  const Piece before = std::exchange(last->second, piece);
  if (before.id == piece.id) last->second.began = before.began;
  const bool again = !first_time && before.id == piece.id && before.number == piece.number;
  if (!again || piece.sent - before.sent >= election_timeout_) return;
  Fail(leader, Sentence("sends ", names_->Tell(to), " piece ", piece.number,
                        " of a snapshot again, which may still be answered."));
}

void Reigns::CheckLease(Instant now, const raft::View& after, const store::Effects& effects) {
  Reign& reign = reigns_[after.id];
  reign.handed_over = reign.handed_over || std::any_of(effects.sends.begin(), effects.sends.end(),
                                                       [&](const store::Send& send) {
                                                         return HandsOver(send, after.id);
                                                       });
  if (after.round > std::exchange(reign.last_round, after.round)) {
    reign.rounds.emplace_back(after.round, now);
  }
  // What a quorum of the one has answered proves nothing to one of the other. Whether this turn's
  // round began before is not known.
  if (std::exchange(reign.conf_index, after.conf_index) != after.conf_index) reign.rounds.clear();
  if (reign.rounds.empty()) return;
  while (reign.rounds.size() > 1 && QuorumAnswered(after, reign.rounds[1].first)) {
    reign.rounds.pop_front();
  }
  const auto& [round, began] = reign.rounds.front();
  if (after.lease_valid || reign.handed_over || after.commit_index < reign.own_entry ||
      !QuorumAnswered(after, round) || now >= began + lease_) {
    return;
  }
  Fail(after.id, "holds no lease in term " + std::to_string(after.term.value()) +
                     ", but a quorum has answered round " + std::to_string(round) +
                     ", from which one follows.");
}

void Reigns::CheckCatchUp(Instant now, const raft::View& before, const raft::View& after) {
  Reign& reign = reigns_[after.id];
  for (const raft::ProgressView& follower : after.progress) {
    const raft::ProgressView* earlier = ProgressOf(before, follower.peer);
    if (earlier == nullptr || after.last_log != before.last_log ||
        earlier->match_index != after.last_log.index) {
      reign.whole_at.erase(follower.peer);
    } else if (follower.acked_round > earlier->acked_round) {
      const auto [since, first_time] = reign.whole_at.try_emplace(follower.peer, now);
      const bool in_time = now - std::exchange(since->second, now) < election_timeout_;
      if (first_time || !in_time || follower.caught_up) continue;
      return Fail(after.id, "does not see that " + names_->Tell(follower.peer) +
                                " has caught up, which has twice answered that it lacks nothing.");
    }
  }
}

void Reigns::CheckPromotions(Instant now, const raft::View& before, const raft::View& after) {
  auto& ends = reigns_[after.id].ends;
  const Instant then = now - election_timeout_ * 3;
  while (ends.size() > 1 && ends[1].first <= then) ends.pop_front();
  if (after.conf == before.conf || ends.empty() || ends.front().first > then) return;
  for (const raft::ProgressView& voter : after.progress) {
    const bool promoted = after.conf.IsVoter(voter.peer) && !before.conf.IsVoter(voter.peer);
    if (!promoted || voter.match_index >= ends.front().second) continue;
    return Fail(after.id, Sentence("makes ", names_->Tell(voter.peer), " a voter, which has ",
                                   "acknowledged its log up to ", voter.match_index,
                                   ", but three election timeouts before that log went up to ",
                                   ends.front().second, " already."));
  }
}

void Reigns::Fail(PeerId leader, const std::string& what) {
  report_->Fail(FailureKind::kSafety, "REIGN", names_->Tell(leader) + " " + what);
}

}  // namespace flaredb::sim
