// SPDX-License-Identifier: Apache-2.0
#include "core/raft/raft.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/check.h"
#include "core/base/probe.h"

namespace flaredb::raft {
namespace {

bool IsCampaign(const Message& message) {
  return std::holds_alternative<VoteRequest>(message.body) ||
         std::holds_alternative<PreVoteRequest>(message.body);
}

// Whether nothing is lost if only the newer of two answers to the same leader leaves.
bool Supersedes(const Message& newer, const Message& older) {
  if (std::holds_alternative<HeartbeatReply>(newer.body)) {
    return std::holds_alternative<HeartbeatReply>(older.body);
  }
  const auto accepted = [](const Message& message) -> std::optional<Index> {
    const auto* reply = std::get_if<AppendReply>(&message.body);
    const auto* accept = reply != nullptr ? std::get_if<AppendAccept>(&reply->result) : nullptr;
    return accept != nullptr ? std::optional(accept->match_index) : std::nullopt;
  };
  const std::optional<Index> now = accepted(newer);
  const std::optional<Index> before = accepted(older);
  return now && before && *now >= *before;
}

// What an Effects held before a call, so that a failed call can be withdrawn.
class Mark {
 public:
  explicit Mark(const Effects& effects)
      : sends_(effects.sends.size()),
        persists_(effects.persists.size()),
        applies_(effects.applies.size()),
        reads_(effects.reads.size()),
        fetches_(effects.fetches.size()),
        snapshots_(effects.snapshots.size()),
        role_change_(effects.role_change) {}

  void Withdraw(Effects* effects) const {
    effects->sends.erase(effects->sends.begin() + sends_, effects->sends.end());
    effects->persists.erase(effects->persists.begin() + persists_, effects->persists.end());
    effects->applies.erase(effects->applies.begin() + applies_, effects->applies.end());
    effects->reads.erase(effects->reads.begin() + reads_, effects->reads.end());
    effects->fetches.erase(effects->fetches.begin() + fetches_, effects->fetches.end());
    effects->snapshots.erase(effects->snapshots.begin() + snapshots_, effects->snapshots.end());
    effects->role_change = role_change_;
  }

 private:
  const ptrdiff_t sends_;
  const ptrdiff_t persists_;
  const ptrdiff_t applies_;
  const ptrdiff_t reads_;
  const ptrdiff_t fetches_;
  const ptrdiff_t snapshots_;
  const std::optional<RoleChange> role_change_;
};

}  // namespace

Raft::Raft(const Config& config, PeerId id, Recovered recovered, Rng rng, Instant now)
    : config_(config),
      id_(id),
      incarnation_(recovered.incarnation),
      rng_(rng),
      hard_state_(recovered.hard_state),
      log_(recovered.base, std::move(recovered.terms), recovered.last_index,
           std::max(recovered.base.index, recovered.applied_index)),
      confs_(recovered.base.index, std::move(recovered.conf), std::move(recovered.confs)),
      role_(Follower{}),
      leader_fresh_until_(now + config.election_timeout),
      handed_out_index_(log_.commit_index()),
      last_fetch_id_(rng_.Next() >> 1),
      last_read_request_(last_fetch_id_),
      now_(now) {
  INVARIANT(id_ && incarnation_);
  INVARIANT(hard_state_.term >= log_.last_id().term);
  INVARIANT(confs_.latest_index() <= log_.last_index());
  DrawElectionTimeout();
  // Nobody else to wait for. Not before that is committed: the leader that makes this replica the
  // only voter may hold a lease by what an earlier life told it.
  const bool alone = conf().voters == std::vector<PeerId>{id_} && !conf().joint();
  if (alone && confs_.latest_index() <= log_.commit_index()) {
    election_due_ = now;
    leader_fresh_until_ = now;
  }
  last_role_change_ = {role(), term(), leader_id()};
}

void Raft::Guarded(Instant now, Effects* effects, absl::FunctionRef<void()> body) {
  if (!poison_.empty()) return;
  const Mark mark(*effects);
  const Before before = Remember();
  effects_ = effects;
  try {
    INVARIANT(now >= now_) << "time went back from " << now_ << " to " << now;
    now_ = now;
    body();
    if (is_leader()) TendConfiguration();
    IssuePersist();
    HandOutCommitted();
    NoteRoleChange();
    CheckState();
    CheckTransition(before);
    INVARIANT(!SABOTAGED()) << "the simulator breaks one";
  } catch (const InvariantViolation& violation) {
    poison_ = violation.what();
    mark.Withdraw(effects);
  }
  effects_ = nullptr;
}

void Raft::OnMessage(Instant now, Message&& message, Effects* effects) {
  Guarded(now, effects, [&] { Receive(std::move(message)); });
}

void Raft::OnPersisted(Instant now, IoToken token, Effects* effects) {
  Guarded(now, effects, [&] {
    INVARIANT(token <= issued_token_) << "token " << token << " was never issued";
    if (token <= durable_token_) return;
    durable_token_ = token;
    disk_moved_at_ = now;
    log_.OnPersisted(token);

    for (Gated& gated : gated_) {
      SOMETIMES(kGatedOutdated, gated.gate <= durable_token_ && gated.message.term != term());
      // A promise of an earlier term binds nobody any more; dropping it loses a message at most.
      if (gated.gate <= durable_token_ && gated.message.term == term()) {
        effects_->sends.push_back(std::move(gated.message));
      }
    }
    std::erase_if(gated_, [&](const Gated& gated) { return gated.gate <= durable_token_; });

    if (std::holds_alternative<Candidate>(role_)) CountElection();
    if (is_leader()) MaybeCommit();
    log_.TrimWindow(BUGGIFY(kDropWindow) ? 0 : config_.window_bytes_max);
  });
}

void Raft::OnFetched(Instant now, uint64_t fetch_id, EntrySlices entries, Effects* effects) {
  Guarded(now, effects, [&] {
    INVARIANT(!entries.empty());
    if (fetch_id == apply_fetch_id_) {
      apply_fetch_id_ = 0;
      INVARIANT(entries.front().first_index() == handed_out_index_.next());
      INVARIANT(entries.back().last_index() <= log_.commit_index());
      handed_out_index_ = entries.back().last_index();
      effects_->applies.push_back({std::move(entries)});
      return;
    }
    auto* leader = std::get_if<Leader>(&role_);
    if (leader == nullptr || fetch_id == 0) return;
    for (Progress& follower : leader->followers) {
      if (follower.fetch_id != fetch_id) continue;
      follower.fetch_id = 0;
      INVARIANT(entries.front().first_index() == follower.next_index());
      SendAppend(&follower, std::move(entries), /*accept_unanswered=*/false);
      Replicate(&follower);
      return;
    }
  });
}

bool Raft::Wants(uint64_t fetch_id) const {
  if (!poison_.empty() || fetch_id == 0) return false;
  if (fetch_id == apply_fetch_id_) return true;
  const auto* leader = std::get_if<Leader>(&role_);
  return leader != nullptr &&
         std::any_of(leader->followers.begin(), leader->followers.end(),
                     [&](const Progress& follower) { return follower.fetch_id == fetch_id; });
}

void Raft::OnDeadline(Instant now, Effects* effects) {
  if (now < next_deadline()) return;
  Guarded(now, effects, [&] {
    if (is_leader()) {
      OnLeaderDeadline();
    } else if (DiskStalled()) {
      DrawElectionTimeout();  // A vote of one's own could not be written either.
    } else if (now < leader_fresh_until_) {
      // What holds others off holds this replica off: its own voice counts as well (thesis 4.2.3).
      election_due_ = leader_fresh_until_;
    } else if (MayCampaign()) {
      BecomePreCandidate();
    } else {
      BecomeFollower(term(), PeerId());
    }
    INVARIANT(next_deadline() > now_) << "a deadline that was handled is still due";
  });
}

ProposeResult Raft::Propose(Instant now, EntryBlockRef block, Effects* effects) {
  ProposeResult result = NotLeader{leader_id()};
  Guarded(now, effects, [&] {
    auto* leader = std::get_if<Leader>(&role_);
    if (leader == nullptr) return;
    const size_t bytes = block->bytes(0, block->size());
    const bool full = !leader->uncommitted.empty() &&
                      leader->uncommitted_bytes + bytes > config_.uncommitted_bytes_max;
    SOMETIMES(kProposalRefusedFull, full);
    SOMETIMES(kProposalDuringTransfer, leader->transfer.has_value());
    if (full || leader->transfer || BUGGIFY(kRefuseProposal)) {
      result = Busy{};
      return;
    }
    StopResting();
    EntryBlock::Place(block, term(), log_.last_index().next());
    EntrySlice entries(std::move(block));
    result = Proposed{term(), entries.first_index(), entries.last_index()};
    leader->uncommitted.push_back({entries.last_index(), bytes});
    leader->uncommitted_bytes += bytes;
    AppendToLog(std::move(entries));
    ReplicateToAll();
  });
  if (!poison_.empty()) return NotLeader{};
  return result;
}

void Raft::Campaign(Instant now, Effects* effects) {
  Guarded(now, effects, [&] {
    // Its own voice would break what it promised the leader that it hears (thesis 4.2.3).
    if (!LeaderIsFresh() && MayCampaign() && !DiskStalled()) BecomePreCandidate();
  });
}

void Raft::OnDiskFailed(Instant now, Effects* effects) {
  Guarded(now, effects, [&] {
    if (is_leader()) {
      StopResting();
      HandOver();
    }
    BecomeFollower(term(), PeerId());
  });
  if (poison_.empty()) poison_ = kDiskFailed;
}

bool Raft::Recover(Instant now, const RecoveryPlan& plan, Effects* effects) {
  bool done = false;
  Guarded(now, effects, [&] {
    if (plan.chosen != id_ || plan.chosen_log != log_.last_id() || plan.term <= term()) return;
    done = true;
    BecomeFollower(plan.term, PeerId());
    SetHardState({plan.term, id_});
    AppendConf(plan.conf);
    election_due_ = now_;
    leader_fresh_until_ = now_;
  });
  return done && poison_.empty();
}

Instant Raft::next_deadline() const {
  if (!poison_.empty()) return Instant::Max();
  if (resting()) return Instant::Max();
  if (const auto* leader = std::get_if<Leader>(&role_)) {
    if (leader->transfer) return std::min(leader->heartbeat_due, leader->transfer->deadline);
    return leader->heartbeat_due;
  }
  if (MayCampaign()) return election_due_;
  const auto* follower = std::get_if<Follower>(&role_);
  return follower != nullptr && !follower->reads.empty() ? election_due_ : Instant::Max();
}

// --- The term rule: thesis figure 3.1, "rules for servers".

void Raft::Receive(Message&& message) {
  INVARIANT(message.to == id_) << "a message for peer " << message.to;
  if (message.to_incarnation && message.to_incarnation != incarnation_) return;
  if (IsCampaign(message) && !HearCampaign(message)) return;
  if (message.term < term()) {
    AnswerStale(message);
    return;
  }
  if (message.term > term() && !ObserveTerm(message)) return;
  // Whatever comes from a member, other than the agreement to rest, is a reason not to.
  if (resting() && is_leader() && conf().IsMember(message.from) &&
      !std::holds_alternative<HeartbeatReply>(message.body)) {
    StopResting();
  }
  std::visit([&](auto& body) { On(message, std::move(body)); }, message.body);
}

// False: another life of a voter than the one that the configuration names; it has lost what it
// promised. And a leader that campaigns does not lead any more, whatever those believe that rest
// under it.
bool Raft::HearCampaign(const Message& campaign) {
  const Incarnation pinned = conf().Find(campaign.from).incarnation;
  if (pinned && pinned != campaign.from_incarnation) return false;
  auto* follower = std::get_if<Follower>(&role_);
  if (follower != nullptr && follower->resting && follower->leader == campaign.from &&
      campaign.term >= term()) {
    follower->resting = false;
    election_due_ = now_ + election_timeout_;
  }
  return true;
}

// Moves to the message's newer term. False: the message is ignored, term and all.
bool Raft::ObserveTerm(const Message& message) {
  // A replica that lost touch must not depose a leader whom others hear (thesis 4.2.3). Should the
  // leader itself reach the campaigner, the answer to its append carries the newer term, so a
  // campaigner is never shut out for good.
  const auto* vote = std::get_if<VoteRequest>(&message.body);
  const bool invited = vote != nullptr && vote->leadership_transfer;
  if (IsCampaign(message) && !invited && LeaderIsFresh()) {
    REACHED(kCampaignUnheard);
    return false;
  }
  BecomeFollower(message.term, PeerId());
  return true;
}

// Tells the sender of an outdated request which term it is.
void Raft::AnswerStale(const Message& message) {
  if (const auto* pre_vote = std::get_if<PreVoteRequest>(&message.body)) {
    Send(message.from, PreVoteReply{pre_vote->campaign_term, false}, IoToken());
  } else if (std::holds_alternative<VoteRequest>(message.body)) {
    Send(message.from, VoteReply{false}, IoToken());
  } else if (std::holds_alternative<AppendRequest>(message.body) ||
             std::holds_alternative<HeartbeatRequest>(message.body) ||
             std::holds_alternative<SnapshotRequest>(message.body)) {
    // Session and round stay empty: they belong to the sender's old term, and under this one's they
    // could name a round of a leadership that the same replica won since.
    Send(message.from, HeartbeatReply{}, IoToken());
  } else if (const auto* read = std::get_if<ReadRequest>(&message.body)) {
    Send(message.from, ReadReply{read->request, Index()}, IoToken());
  }
}

// --- Effects.

void Raft::Hold(IoToken gate, Message&& message) {
  // A disk that hangs must not pile up an answer for each heartbeat and each probe.
  const size_t superseded = std::erase_if(gated_, [&](const Gated& older) {
    return older.gate == gate && older.message.to == message.to &&
           Supersedes(message, older.message);
  });
  SOMETIMES(kGatedSuperseded, superseded > 0);
  gated_.emplace_back(gate, std::move(message));
}

// Covers everything changed so far, this call included.
IoToken Raft::LastToken() const { return pending_any_ ? issued_token_.next() : issued_token_; }

void Raft::SetHardState(HardState hard_state) {
  hard_state_ = hard_state;
  Pending().hard_state = hard_state;
  hard_state_token_ = LastToken();
}

// A configuration counts from its append on (thesis 4.1), in a leader and in a follower.
void Raft::AppendToLog(EntrySlice entries) {
  for (uint32_t i = 0; entries.block()->has_conf() && i < entries.size(); ++i) {
    const EntryView entry = entries.at(i);
    if (entry.kind != EntryKind::kConf) continue;
    absl::StatusOr<ConfState> conf = DecodeConfState(entry.payload);
    INVARIANT(conf.ok()) << conf.status().message();
    confs_.Append(entry.index, *std::move(conf));
  }
  Pending().append.push_back(entries);
  log_.Append(std::move(entries));
}

void Raft::TruncateLog(Index from) {
  Persist& pending = Pending();
  INVARIANT(pending.append.empty() && !pending.truncate_from && !pending.install);
  SOMETIMES(kTruncatesTwoTerms, log_.IdAt(from).term != log_.last_id().term);
  SOMETIMES(kTruncatesDurable, from <= log_.durable_index());
  SOMETIMES(kTruncatesUnderWay, log_.durable_index() < log_.last_index());
  SOMETIMES(kTruncatesConf, confs_.latest_index() >= from);
  pending.truncate_from = from;
  log_.TruncateFrom(from);
  confs_.TruncateFrom(from);
}

// What this call changes durably: one Persist, made by the first change.
Persist& Raft::Pending() {
  if (pending_any_) return effects_->persists.back();
  pending_any_ = true;
  return effects_->persists.emplace_back(issued_token_.next());
}

void Raft::IssuePersist() {
  if (!pending_any_) return;
  if (durable_token_ == issued_token_) disk_moved_at_ = now_;
  ++issued_token_;
  log_.OnPersistIssued(issued_token_);
  pending_any_ = false;
}

// The oldest unfinished write has been under way for too long.
bool Raft::DiskStalled() const {
  return durable_token_ < issued_token_ && now_ - disk_moved_at_ >= config_.disk_stall_timeout;
}

// The only way for the commit index to move.
void Raft::CommitTo(Index index) {
  log_.CommitTo(index);
  if (staged_ != nullptr && staged_->base.last.index <= index) {
    REACHED(kSnapshotOvertaken);
    Unstage();
  }
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return;
  while (!leader->uncommitted.empty() && leader->uncommitted.front().first <= index) {
    leader->uncommitted_bytes -= leader->uncommitted.front().second;
    leader->uncommitted.pop_front();
  }
}

// A committed entry may be handed out before it is durable here: it is on a quorum of other disks.
void Raft::HandOutCommitted() {
  while (handed_out_index_ < log_.commit_index() && apply_fetch_id_ == 0) {
    const Index first = handed_out_index_.next();
    const Index last = BUGGIFY(kHandOutSingly) ? first : log_.commit_index();
    EntrySlices entries = log_.Read(first, last, std::numeric_limits<size_t>::max());
    if (entries.empty()) {
      REACHED(kFetchedToApply);
      apply_fetch_id_ = ++last_fetch_id_;
      effects_->fetches.push_back({apply_fetch_id_, first,
                                   std::min(last, log_.window_first().prev()),
                                   config_.fetch_bytes_max});
      return;
    }
    handed_out_index_ = entries.back().last_index();
    effects_->applies.emplace_back(std::move(entries));
  }
}

void Raft::NoteRoleChange() {
  const RoleChange now_is{role(), term(), leader_id()};
  if (now_is == last_role_change_) return;
  last_role_change_ = now_is;
  effects_->role_change = now_is;
}

}  // namespace flaredb::raft
