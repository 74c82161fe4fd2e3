// SPDX-License-Identifier: Apache-2.0
#include "tests/core/raft/group.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace flaredb::raft {

ConfState Voters(uint64_t n) {
  ConfState conf;
  for (uint64_t id = 1; id <= n; ++id) conf.voters.push_back(PeerId(id));
  return conf;
}

Incarnation FirstLife(uint64_t id) { return Incarnation(100 + id); }

ConfState Pinned(ConfState conf) {
  conf.members.clear();
  for (const PeerId id : conf.Everybody()) {
    conf.members.push_back({id, StoreId(), FirstLife(id.value())});
  }
  return conf;
}

MemberChange AddLearner(uint64_t id) {
  return {MemberChange::Kind::kAddLearner, PeerId(id), StoreId()};
}
MemberChange Promote(uint64_t id) { return {MemberChange::Kind::kPromote, PeerId(id), StoreId()}; }
MemberChange Demote(uint64_t id) { return {MemberChange::Kind::kDemote, PeerId(id), StoreId()}; }
MemberChange Remove(uint64_t id) { return {MemberChange::Kind::kRemove, PeerId(id), StoreId()}; }

Group::Group(ConfState conf, const Config& config, uint64_t seed, Pinning pinning)
    : conf_(pinning == Pinning::kPinned ? Pinned(std::move(conf)) : std::move(conf)),
      config_(config),
      seed_(seed) {
  for (const PeerId id : conf_.Everybody()) {
    Node& n = nodes_[id.value()];
    n.first_conf = conf_;
    n.disk.incarnation = FirstLife(id.value());
    n.disk.base.conf = conf_;
  }
  for (auto& [id, n] : nodes_) Start(id);
}

Group::~Group() {
  for (const auto& [id, n] : nodes_) {
    if (n.raft == nullptr || poisonable_.contains(id)) continue;
    EXPECT_EQ(n.raft->poison(), "") << "replica " << id;
  }
}

// --- Time.

Instant Group::Local(const Node& n, Instant group_time) {
  const __int128 passed = (group_time - n.drift_from).nanoseconds();
  return n.clock_from +
         Duration::Nanoseconds(static_cast<int64_t>(passed * (1000000 + n.drift_ppm) / 1000000));
}

Instant Group::Due(const Node& n) {
  if (n.raft == nullptr || n.raft->next_deadline() == Instant::Max()) return Instant::Max();
  const __int128 left = (n.raft->next_deadline() - n.clock_from).nanoseconds();
  const __int128 rate = 1000000 + n.drift_ppm;
  return n.drift_from +
         Duration::Nanoseconds(static_cast<int64_t>((left * 1000000 + rate - 1) / rate));
}

Instant Group::now(uint64_t id) const { return Local(node(id), now_); }

void Group::SetClockDrift(uint64_t id, int64_t parts_per_million) {
  Node& n = node(id);
  n.clock_from = Local(n, now_);
  n.drift_from = now_;
  n.drift_ppm = parts_per_million;
}

Instant Group::next_deadline() const {
  Instant next = Instant::Max();
  for (const auto& [id, n] : nodes_) next = std::min(next, Due(n));
  return next;
}

bool Group::FireDue() {
  bool fired = false;
  for (auto& [id, n] : nodes_) {
    if (Due(n) > now_) continue;
    n.raft->OnDeadline(now(id), &effects_);
    Absorb(id);
    fired = true;
  }
  return fired;
}

void Group::Wait(Duration duration) {
  const Instant end = now_ + duration;
  while (next_deadline() <= end) {
    now_ = std::max(now_, next_deadline());
    FireDue();
  }
  now_ = end;
  CheckLeases();
}

void Group::Pass(Duration duration) {
  const Instant end = now_ + duration;
  Settle();
  while (next_deadline() <= end) {
    now_ = std::max(now_, next_deadline());
    FireDue();
    Settle();
  }
  now_ = end;
  CheckLeases();
}

bool Group::SettleOnce() {
  bool any = false;
  for (auto& [key, messages] : links_) {
    any |= !messages.empty();
    Deliver(key.first, key.second);
  }
  for (auto& [id, n] : nodes_) {
    if (!n.disk_held) {
      while (PersistNext(id)) any = true;
    }
    if (!n.fetches_held && !n.fetches.empty()) {
      AnswerFetches(id);
      any = true;
    }
    if (!n.snapshots_held && !n.snapshot_requests.empty()) {
      AnswerSnapshots(id);
      any = true;
    }
  }
  return any;
}

void Group::Settle() {
  for (int step = 0; step < 100000; ++step) {
    if (!SettleOnce()) return;
  }
  ADD_FAILURE() << "the group never becomes quiet";
}

// --- Network.

std::deque<Message>& Group::link(uint64_t from, uint64_t to) { return links_[{from, to}]; }

void Group::Deliver(uint64_t from, uint64_t to) {
  std::deque<Message> messages;
  messages.swap(link(from, to));
  for (const Message& message : messages) Give(message);
}

void Group::DeliverTo(uint64_t to) {
  for (const auto& [from, n] : nodes_) Deliver(from, to);
}

void Group::Give(const Message& message) {
  const uint64_t to = message.to.value();
  if (!nodes_.contains(to) || !running(to)) return;
  node(to).raft->OnMessage(now(to), Message(message), &effects_);
  Absorb(to);
}

void Group::DropAll() { links_.clear(); }

void Group::Cut(uint64_t a, uint64_t b) {
  cut_.insert({a, b});
  cut_.insert({b, a});
}

void Group::Isolate(uint64_t id) {
  for (const auto& [other, n] : nodes_) Cut(id, other);
}

void Group::Heal() { cut_.clear(); }

// --- Disk.

void Group::HoldDisk(uint64_t id) { node(id).disk_held = true; }

void Group::FreeDisk(uint64_t id) {
  node(id).disk_held = false;
  PersistAll(id);
}

bool Group::PersistNext(uint64_t id) {
  Node& n = node(id);
  if (n.raft == nullptr || n.disk_failed || n.writes.empty()) return false;
  const Persist persist = std::move(n.writes.front());
  n.writes.pop_front();
  n.disk.CarryOut(persist);
  if (persist.install) {
    ++n.installs;
    n.replaced.pop_front();
  }
  n.raft->OnPersisted(now(id), persist.token, &effects_);
  Absorb(id);
  return true;
}

void Group::PersistAll(uint64_t id) {
  while (PersistNext(id)) {
  }
}

size_t Group::writes_waiting(uint64_t id) const { return node(id).writes.size(); }

const Disk& Group::disk(uint64_t id) const { return node(id).disk; }

void Group::HoldFetches(uint64_t id) { node(id).fetches_held = true; }

void Group::FreeFetches(uint64_t id) {
  node(id).fetches_held = false;
  AnswerFetches(id);
}

void Group::AnswerFetches(uint64_t id) {
  Node& n = node(id);
  for (const Fetch& fetch : std::exchange(n.fetches, {})) {
    EntrySlices entries;
    for (Index i = fetch.first; i <= fetch.last && entries.size() < fetch_entries_max; ++i) {
      // Compaction may have taken them; then nobody wants the answer any more.
      if (i <= n.disk.base.last.index) break;
      ASSERT_LE(i, n.disk.last_index()) << "fetched entries are durable";
      entries.push_back(EntrySlice(BlockOf(n.disk.At(i), i)));
    }
    if (entries.empty()) {
      EXPECT_FALSE(n.raft->Wants(fetch.id)) << "wanted entries are gone";
      continue;
    }
    n.raft->OnFetched(now(id), fetch.id, std::move(entries), &effects_);
    Absorb(id);
  }
}

const std::vector<Fetch>& Group::fetches(uint64_t id) const { return node(id).fetches; }

// --- Snapshots.

void Group::HoldSnapshots(uint64_t id) { node(id).snapshots_held = true; }

void Group::FreeSnapshots(uint64_t id) {
  node(id).snapshots_held = false;
  AnswerSnapshots(id);
}

void Group::AnswerSnapshots(uint64_t id) {
  for (const SnapshotEffect& request : std::exchange(node(id).snapshot_requests, {})) {
    AnswerSnapshot(id, request);
  }
}

void Group::AnswerSnapshot(uint64_t id, const SnapshotEffect& request) {
  Node& n = node(id);
  if (const auto* take = std::get_if<TakeSnapshot>(&request)) {
    n.snapshot_views[take->id] = n.machine.Encode();
    n.raft->OnSnapshotTaken(now(id), take->id, n.machine.applied_index, &effects_);
  } else {
    const auto& read = std::get<ReadSnapshot>(request);
    const auto view = n.snapshot_views.find(read.id);
    if (view == n.snapshot_views.end()) return;  // Dropped by the answer to an earlier request.
    const size_t begin = read.number * snapshot_piece_bytes;
    ASSERT_LE(begin, view->second.size());
    const bool last = begin + snapshot_piece_bytes >= view->second.size();
    n.raft->OnSnapshotRead(now(id), read.id, read.number,
                           view->second.substr(begin, snapshot_piece_bytes), last, &effects_);
  }
  Absorb(id);
}

void Group::FailSnapshots(uint64_t id) {
  Node& n = node(id);
  for (const SnapshotEffect& request : std::exchange(n.snapshot_requests, {})) {
    const auto* take = std::get_if<TakeSnapshot>(&request);
    const SnapshotId which = take != nullptr ? take->id : std::get<ReadSnapshot>(request).id;
    n.raft->OnSnapshotFailed(now(id), which, &effects_);
    Absorb(id);
  }
}

size_t Group::snapshot_requests(uint64_t id) const { return node(id).snapshot_requests.size(); }

size_t Group::snapshot_views(uint64_t id) const { return node(id).snapshot_views.size(); }

size_t Group::installs(uint64_t id) const { return node(id).installs; }

void Group::Compact(uint64_t id) {
  node(id).raft->Compact(now(id), DurablyApplied(id), &effects_);
  Absorb(id);
}

// --- Failures.

// The state machine's changes became durable no earlier than the entries that caused them.
Index Group::DurablyApplied(uint64_t id) const {
  const Node& n = node(id);
  Index kept = n.disk.base.last.index;
  const ListMachine& machine = n.replaced.empty() ? n.machine : n.replaced.front().machine;
  while (kept < machine.applied_index && kept < n.disk.last_index() &&
         n.disk.At(kept.next()) == committed_[kept.value()]) {
    ++kept;
  }
  return kept;
}

void Group::Crash(uint64_t id) {
  Node& n = node(id);
  n.disk.applied_index = DurablyApplied(id);
  if (!n.replaced.empty()) n.machine = std::move(n.replaced.front().machine);
  n.machine.UndoAfter(n.disk.applied_index);
  n.raft.reset();
  n.replaced.clear();
  n.writes.clear();
  n.fetches.clear();
  n.snapshot_requests.clear();
  n.snapshot_views.clear();
  n.staged.clear();
  n.staged_pieces = 0;
  n.asked.clear();
}

void Group::Restart(uint64_t id) {
  Crash(id);
  Start(id);
}

void Group::Restart(uint64_t id, Disk disk) {
  Crash(id);
  Node& n = node(id);
  if (!disk.incarnation) disk.incarnation = n.disk.incarnation;
  if (disk.base == LogBase()) disk.base.conf = n.first_conf;
  n.disk = std::move(disk);
  n.machine = Replay(n.disk.applied_index);
  Start(id);
}

void Group::AddEmpty(uint64_t id) {
  ASSERT_FALSE(nodes_.contains(id));
  nodes_[id].disk.incarnation = FirstLife(id);
  Start(id);
}

void Group::Wipe(uint64_t id, ConfState conf) {
  Crash(id);
  Node& n = node(id);
  n.first_conf = std::move(conf);
  n.disk = Disk();
  n.disk.incarnation = Incarnation(900 + ++wiped_);
  n.disk.base.conf = n.first_conf;
  n.machine = ListMachine();
  Start(id);
}

void Group::Start(uint64_t id) {
  Node& n = node(id);
  n.issued = n.disk;
  n.disk_failed = false;
  Recovered recovered;
  recovered.incarnation = n.disk.incarnation;
  recovered.hard_state = n.disk.hard_state;
  recovered.conf = n.disk.base.conf;
  recovered.base = n.disk.base.last;
  recovered.last_index = n.disk.last_index();
  recovered.applied_index = n.disk.applied_index;
  recovered.confs = n.disk.confs();
  for (size_t i = 0; i < n.disk.log.size(); ++i) {
    const Term term = n.disk.log[i].term;
    if (recovered.terms.empty() || recovered.terms.back().term != term) {
      recovered.terms.push_back({n.disk.base.last.index + (i + 1), term});
    }
  }
  Rng rng(Mix64(seed_) ^ Mix64(id * 1000 + ++n.lives));
  n.raft = std::make_unique<Raft>(config_, PeerId(id), std::move(recovered), rng, now(id));
  CheckConf(id);
}

void Group::FailDisk(uint64_t id) {
  Node& n = node(id);
  n.disk_failed = true;
  n.raft->OnDiskFailed(now(id), &effects_);
  Absorb(id);
}

void Group::Wake(uint64_t id) {
  node(id).raft->Wake(now(id), &effects_);
  Absorb(id);
}

bool Group::Recover(uint64_t id, const RecoveryPlan& plan) {
  const bool done = node(id).raft->Recover(now(id), plan, &effects_);
  if (done && committed_.size() > plan.chosen_log.index.value()) {
    committed_.resize(plan.chosen_log.index.value());
  }
  Absorb(id);
  return done;
}

bool Group::running(uint64_t id) const { return node(id).raft != nullptr; }

// --- Clients.

ProposeResult Group::Propose(uint64_t id, std::string_view payload) {
  const NewEntry entry{EntryKind::kCommand, payload};
  const ProposeResult result =
      node(id).raft->Propose(now(id), EntryBlock::Create({&entry, 1}), &effects_);
  Absorb(id);
  return result;
}

ReadResult Group::Read(uint64_t id, ReadMode mode) {
  Node& n = node(id);
  const ReadResult result = n.raft->Read(now(id), &effects_, mode);
  if (const auto* read = std::get_if<ReadId>(&result)) n.asked[*read] = Index(committed_.size());
  Absorb(id);
  return result;
}

ChangeResult Group::ChangeMembers(uint64_t id, const std::vector<MemberChange>& changes) {
  const ChangeResult result = node(id).raft->ChangeMembers(now(id), changes, &effects_);
  Absorb(id);
  return result;
}

std::optional<TransferRefusal> Group::TransferLeadership(uint64_t id, uint64_t target) {
  const auto refusal = node(id).raft->TransferLeadership(now(id), PeerId(target), &effects_);
  Absorb(id);
  return refusal;
}

void Group::Campaign(uint64_t id) {
  node(id).raft->Campaign(now(id), &effects_);
  Absorb(id);
}

void Group::Elect(uint64_t id) {
  for (auto& [other, n] : nodes_) {
    if (n.raft != nullptr && n.raft->is_leader() && other != id) {
      // Left alone for so long that it steps down and nobody is loyal to it any more.
      Isolate(other);
      Wait(config_.election_timeout * 2);
      DropAll();
      Heal();
    }
  }
  for (int attempt = 0; attempt < 20 && !leads(id); ++attempt) {
    // So long that nobody is loyal to a leader, nor the candidate held back by one. Others that
    // campaign meanwhile are unheard.
    Wait(config_.election_timeout);
    DropAll();
    Campaign(id);
    Settle();
  }
  ASSERT_TRUE(leads(id)) << "replica " << id << " could not be elected";
}

// --- Observation.

Group::Node& Group::node(uint64_t id) {
  EXPECT_TRUE(nodes_.contains(id)) << "no replica " << id;
  return nodes_.at(id);
}

const Group::Node& Group::node(uint64_t id) const { return nodes_.at(id); }

View Group::view(uint64_t id) const { return node(id).raft->view(); }

Raft& Group::raft(uint64_t id) { return *node(id).raft; }

bool Group::leads(uint64_t id) const { return running(id) && node(id).raft->is_leader(); }

bool Group::holds_lease(uint64_t id) const {
  return running(id) && node(id).raft->HoldsLease(now(id));
}

std::vector<std::string> Group::applied(uint64_t id) const {
  std::vector<std::string> payloads;
  for (const auto& [index, payload] : node(id).machine.commands) payloads.push_back(payload);
  return payloads;
}

const std::vector<ReadOutcome>& Group::reads(uint64_t id) const { return node(id).reads; }

Message Group::From(uint64_t from, uint64_t to, uint64_t term, Body body) const {
  return {PeerId(from),  PeerId(to),     Term(term), node(from).disk.incarnation,
          Incarnation(), std::move(body)};
}

// --- What leaves a replica.

void Group::Absorb(uint64_t id) {
  Node& n = node(id);
  Effects effects = std::exchange(effects_, Effects());
  if (!poisonable_.contains(id)) {
    EXPECT_EQ(n.raft->poison(), "") << "replica " << id;
  }
  for (const SnapshotEffect& effect : effects.snapshots) AbsorbSnapshot(id, effect);
  for (const Apply& apply : effects.applies) {
    for (const EntrySlice& slice : apply.entries) {
      for (uint32_t i = 0; i < slice.size(); ++i) CheckApplied(id, slice.at(i));
    }
  }
  for (const Persist& persist : effects.persists) AbsorbPersist(id, persist);
  for (Message& message : effects.sends) {
    CheckPromise(id, message);
    const std::pair<uint64_t, uint64_t> key(id, message.to.value());
    if (!cut_.contains(key)) links_[key].push_back(std::move(message));
  }
  for (const ReadOutcome& read : effects.reads) {
    auto asked = n.asked.extract(read.id);
    ASSERT_FALSE(asked.empty()) << "a read is answered once";
    if (read.granted) {
      EXPECT_GE(read.index, asked.mapped()) << "replica " << id << " granted a stale read";
    }
    n.reads.push_back(read);
  }
  n.fetches.insert(n.fetches.end(), effects.fetches.begin(), effects.fetches.end());
  if (!n.raft->poison().empty()) return;
  CheckConf(id);
  CheckLeader(id);
  CheckLeases();
}

void Group::AbsorbSnapshot(uint64_t id, const SnapshotEffect& effect) {
  Node& n = node(id);
  if (const auto* drop = std::get_if<DropSnapshot>(&effect)) {
    n.snapshot_views.erase(drop->id);
    std::erase_if(n.snapshot_requests, [&](const SnapshotEffect& request) {
      const auto* take = std::get_if<TakeSnapshot>(&request);
      return (take != nullptr ? take->id : std::get<ReadSnapshot>(request).id) == drop->id;
    });
  } else if (const auto* stage = std::get_if<StageSnapshot>(&effect)) {
    if (stage->chunk->number == 0) n.staged_pieces = 0;
    if (stage->chunk->number == 0) n.staged.clear();
    EXPECT_EQ(stage->chunk->number, n.staged_pieces++) << "a piece is missing or repeated";
    n.staged += stage->chunk->data;
  } else if (std::holds_alternative<UnstageSnapshot>(effect)) {
    n.staged_pieces = 0;
    n.staged.clear();
  } else {
    n.snapshot_requests.push_back(effect);
  }
}

void Group::AbsorbPersist(uint64_t id, const Persist& persist) {
  Node& n = node(id);
  n.issued.CarryOut(persist);
  n.writes.push_back(persist);
  if (!persist.install) return;
  ASSERT_NE(persist.base, nullptr);
  ListMachine machine = ListMachine::Decode(n.staged);
  CheckInstall(machine, *persist.base);
  EXPECT_GE(machine.applied_index, n.machine.applied_index) << "a snapshot of the past";
  n.replaced.push_back({persist.token, std::exchange(n.machine, std::move(machine))});
  n.disk.applied_index = n.machine.applied_index;
  n.staged.clear();
  n.staged_pieces = 0;
}

}  // namespace flaredb::raft
