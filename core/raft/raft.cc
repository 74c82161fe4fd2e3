// SPDX-License-Identifier: Apache-2.0
#include "core/raft/raft.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/check.h"

namespace flaredb::raft {
namespace {

// What an Effects held before a call, so that a failed call can be withdrawn.
class Mark {
 public:
  explicit Mark(const Effects& effects)
      : sends_(effects.sends.size()),
        persists_(effects.persists.size()),
        applies_(effects.applies.size()),
        reads_(effects.reads.size()),
        fetches_(effects.fetches.size()),
        role_change_(effects.role_change) {}

  void Withdraw(Effects* effects) const {
    effects->sends.erase(effects->sends.begin() + sends_, effects->sends.end());
    effects->persists.erase(effects->persists.begin() + persists_, effects->persists.end());
    effects->applies.erase(effects->applies.begin() + applies_, effects->applies.end());
    effects->reads.erase(effects->reads.begin() + reads_, effects->reads.end());
    effects->fetches.erase(effects->fetches.begin() + fetches_, effects->fetches.end());
    effects->role_change = role_change_;
  }

 private:
  const ptrdiff_t sends_;
  const ptrdiff_t persists_;
  const ptrdiff_t applies_;
  const ptrdiff_t reads_;
  const ptrdiff_t fetches_;
  const std::optional<RoleChange> role_change_;
};

}  // namespace

Raft::Raft(const Config& config, PeerId id, Recovered recovered, Rng rng, Instant now)
    : config_(config),
      id_(id),
      incarnation_(recovered.incarnation),
      conf_(std::move(recovered.conf)),
      rng_(rng),
      hard_state_(recovered.hard_state),
      log_(recovered.base, std::move(recovered.terms), recovered.last_index,
           std::max(recovered.base.index, recovered.applied_index)),
      role_(Follower{}),
      leader_fresh_until_(now + config.election_timeout),
      handed_out_index_(log_.commit_index()),
      now_(now) {
  INVARIANT(id_ && incarnation_);
  INVARIANT(hard_state_.term >= log_.last_id().term);
  ResetElectionDeadline();
  // Nobody else to wait for.
  if (conf_.voters == std::vector<PeerId>{id_} && !conf_.joint()) election_due_ = now;
  last_role_change_ = {role(), term(), leader_id()};
}

void Raft::Guarded(Instant now, Effects* effects, absl::FunctionRef<void()> body) {
  if (!poison_.empty()) return;
  const Mark mark(*effects);
  const Before before = Snapshot();
  effects_ = effects;
  try {
    INVARIANT(now >= now_) << "time went back from " << now_ << " to " << now;
    now_ = now;
    body();
    IssuePersist();
    HandOutCommitted();
    NoteRoleChange();
    CheckState();
    CheckTransition(before);
  } catch (const InvariantViolation& violation) {
    poison_ = violation.what();
    mark.Withdraw(effects);
  }
  effects_ = nullptr;
}

void Raft::OnMessage(Instant now, Message message, Effects* effects) {
  Guarded(now, effects, [&] { Receive(std::move(message)); });
}

void Raft::OnPersisted(Instant now, IoToken token, Effects* effects) {
  Guarded(now, effects, [&] {
    INVARIANT(token <= issued_token_) << "token " << token << " was never issued";
    if (token <= durable_token_) return;
    durable_token_ = token;
    log_.OnPersisted(token);

    auto open = std::stable_partition(gated_.begin(), gated_.end(),
                                      [&](const Gated& g) { return g.gate > durable_token_; });
    for (auto gated = open; gated != gated_.end(); ++gated) {
      // A promise of an earlier term binds nobody any more; dropping it loses a message at most.
      if (gated->message.term == term()) effects_->sends.push_back(std::move(gated->message));
    }
    gated_.erase(open, gated_.end());

    if (std::holds_alternative<Candidate>(role_)) CountElection();
    if (is_leader()) MaybeCommit();
    log_.TrimWindow(config_.window_bytes_max);
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
    if (leader == nullptr) return;
    for (Progress& follower : leader->followers) {
      if (follower.fetch_id != fetch_id) continue;
      follower.fetch_id = 0;
      // The follower may have moved meanwhile; then it is asked again from where it is now.
      if (entries.front().first_index() == follower.next_index() && follower.MaySend(config_)) {
        SendAppend(&follower, std::move(entries));
      }
      Replicate(&follower);
      return;
    }
  });
}

bool Raft::Wants(uint64_t fetch_id) const {
  if (!poison_.empty()) return false;
  if (fetch_id == apply_fetch_id_) return true;
  const auto* leader = std::get_if<Leader>(&role_);
  return leader != nullptr &&
         std::any_of(leader->followers.begin(), leader->followers.end(),
                     [&](const Progress& follower) { return follower.fetch_id == fetch_id; });
}

void Raft::OnDeadline(Instant now, Effects* effects) {
  if (now < next_deadline()) return;
  Guarded(now, effects, [&] { is_leader() ? Heartbeat() : BecomePreCandidate(); });
}

ProposeResult Raft::Propose(Instant now, EntryBlockRef block, Effects* effects) {
  ProposeResult result = NotLeader{leader_id()};
  Guarded(now, effects, [&] {
    auto* leader = std::get_if<Leader>(&role_);
    if (leader == nullptr) return;
    const size_t bytes = block->bytes(0, block->size());
    if (!leader->uncommitted.empty() &&
        leader->uncommitted_bytes + bytes > config_.uncommitted_bytes_max) {
      result = Busy{};
      return;
    }
    EntryBlock::Place(block, term(), log_.last_index().next());
    EntrySlice entries(std::move(block));
    result = Proposed{term(), entries.first_index(), entries.last_index()};
    leader->uncommitted.emplace_back(entries.last_index(), bytes);
    leader->uncommitted_bytes += bytes;
    AppendToLog(std::move(entries));
    ReplicateToAll();
  });
  if (!poison_.empty()) return NotLeader{};
  return result;
}

void Raft::Campaign(Instant now, Effects* effects) {
  Guarded(now, effects, [&] {
    if (!is_leader()) BecomePreCandidate();
  });
}

Instant Raft::next_deadline() const {
  if (!poison_.empty()) return Instant::Max();
  if (const auto* leader = std::get_if<Leader>(&role_)) return leader->heartbeat_due;
  return conf_.IsVoter(id_) ? election_due_ : Instant::Max();
}

// --- The term rule: thesis figure 3.1, "rules for servers".

void Raft::Receive(Message message) {
  if (message.to != id_) return;
  if (message.to_incarnation && message.to_incarnation != incarnation_) return;
  if (message.term < term()) {
    AnswerStale(message);
    return;
  }
  if (message.term > term() && !ObserveTerm(message)) return;
  std::visit([&](const auto& body) { On(message, body); }, message.body);
}

// Moves to the message's newer term. False: the message is ignored, term and all.
bool Raft::ObserveTerm(const Message& message) {
  const bool campaigns = std::holds_alternative<VoteRequest>(message.body) ||
                         std::holds_alternative<PreVoteRequest>(message.body);
  // A replica that lost touch must not depose a leader whom others hear (thesis 4.2.3). Should the
  // leader itself reach the campaigner, the answer to its append carries the newer term, so a
  // campaigner is never shut out for good.
  if (campaigns && LeaderIsFresh()) return false;
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
             std::holds_alternative<HeartbeatRequest>(message.body)) {
    // Session and round stay empty: they belong to the sender's old term, and under this one's they
    // could name a round of a leadership that the same replica won since.
    Send(message.from, HeartbeatReply{}, IoToken());
  }
}

// --- Effects.

// The message leaves once `gate`, and the term that it states, are durable.
void Raft::Send(PeerId to, Body body, IoToken gate, Incarnation to_incarnation) {
  Message message{id_, to, term(), incarnation_, to_incarnation, std::move(body)};
  gate = std::max(gate, hard_state_token_);
  if (gate <= durable_token_) {
    effects_->sends.push_back(std::move(message));
  } else {
    gated_.push_back({gate, std::move(message)});
  }
}

// Covers everything changed so far, this call included.
IoToken Raft::LastToken() const { return pending_any_ ? issued_token_.next() : issued_token_; }

void Raft::SetHardState(HardState hard_state) {
  hard_state_ = hard_state;
  pending_.hard_state = hard_state;
  pending_any_ = true;
  hard_state_token_ = LastToken();
}

void Raft::AppendToLog(EntrySlice entries) {
  pending_.append.push_back(entries);
  pending_any_ = true;
  log_.Append(std::move(entries));
}

void Raft::TruncateLog(Index from) {
  INVARIANT(pending_.append.empty() && !pending_.truncate_from);
  pending_.truncate_from = from;
  pending_any_ = true;
  log_.TruncateFrom(from);
}

void Raft::IssuePersist() {
  if (!pending_any_) return;
  pending_.token = ++issued_token_;
  log_.OnPersistIssued(issued_token_);
  effects_->persists.push_back(std::move(pending_));
  pending_ = Persist();
  pending_any_ = false;
}

// The only way for the commit index to move.
void Raft::CommitTo(Index index) {
  log_.CommitTo(index);
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
    EntrySlices entries = log_.Read(first, log_.commit_index(), std::numeric_limits<size_t>::max());
    if (entries.empty()) {
      apply_fetch_id_ = ++last_fetch_id_;
      const Index last = std::min(log_.commit_index(), log_.window_first().prev());
      effects_->fetches.push_back({apply_fetch_id_, first, last, config_.fetch_bytes_max});
      return;
    }
    handed_out_index_ = entries.back().last_index();
    effects_->applies.push_back({std::move(entries)});
  }
}

void Raft::NoteRoleChange() {
  const RoleChange now_is{role(), term(), leader_id()};
  if (now_is == last_role_change_) return;
  last_role_change_ = now_is;
  effects_->role_change = now_is;
}

// --- Observation.

Role Raft::role() const {
  return std::visit(
      [](const auto& role) {
        using R = std::decay_t<decltype(role)>;
        if constexpr (std::is_same_v<R, Follower>) return Role::kFollower;
        if constexpr (std::is_same_v<R, PreCandidate>) return Role::kPreCandidate;
        if constexpr (std::is_same_v<R, Candidate>) return Role::kCandidate;
        if constexpr (std::is_same_v<R, Leader>) return Role::kLeader;
      },
      role_);
}

PeerId Raft::leader_id() const {
  if (is_leader()) return id_;
  const auto* follower = std::get_if<Follower>(&role_);
  return follower != nullptr ? follower->leader : PeerId();
}

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
  view.conf = conf_;
  if (const auto* leader = std::get_if<Leader>(&role_)) {
    for (const Progress& follower : leader->followers) {
      view.progress.push_back({follower.id(), follower.state(), follower.match_index(),
                               follower.next_index(),
                               now_ - follower.last_contact < config_.election_timeout});
    }
  }
  return view;
}

uint64_t Raft::state_hash() const {
  Hasher hasher;
  hasher.Add(id_).Add(incarnation_).Add(poison_);
  hasher.Add(hard_state_.term).Add(hard_state_.vote);
  log_.HashInto(&hasher);
  hasher.Add(handed_out_index_).Add(apply_fetch_id_).Add(last_read_id_).Add(last_session_);
  hasher.Add(issued_token_).Add(durable_token_).Add(hard_state_token_).Add(gated_.size());
  for (const Gated& gated : gated_) {
    hasher.Add(gated.gate).Add(gated.message.to).Add(gated.message.term);
    hasher.Add(gated.message.body.index());
  }
  hasher.Add(role_.index()).Add(leader_id());
  const auto add_votes = [&](const auto& votes) {
    hasher.Add(votes.size());
    for (const auto& [id, ballot] : votes) hasher.Add(id).Add(static_cast<uint64_t>(ballot));
  };
  if (const auto* pre = std::get_if<PreCandidate>(&role_)) add_votes(pre->votes);
  if (const auto* candidate = std::get_if<Candidate>(&role_)) add_votes(candidate->votes);
  if (const auto* leader = std::get_if<Leader>(&role_)) {
    hasher.Add(leader->round).Add(leader->reads.size()).Add(leader->uncommitted_bytes);
    for (const Progress& follower : leader->followers) follower.HashInto(&hasher);
  }
  return hasher.value();
}

}  // namespace flaredb::raft
