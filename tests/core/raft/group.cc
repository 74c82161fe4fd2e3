// SPDX-License-Identifier: Apache-2.0
#include "tests/core/raft/group.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace flaredb::raft {
namespace {

EntryBlockRef BlockOf(const StoredEntry& entry, Index index) {
  const NewEntry new_entry{entry.kind, entry.payload};
  return EntryBlock::Create(entry.term, index, {&new_entry, 1});
}

void CarryOut(const Persist& persist, Disk* disk) {
  if (persist.truncate_from) {
    ASSERT_LE(persist.truncate_from.value(), disk->log.size());
    disk->log.resize(persist.truncate_from.value() - 1);
  }
  for (const EntrySlice& slice : persist.append) {
    ASSERT_EQ(slice.first_index().value(), disk->log.size() + 1) << "a gap in the log";
    for (uint32_t i = 0; i < slice.size(); ++i) {
      const EntryView entry = slice.at(i);
      disk->log.push_back({entry.term, entry.kind, std::string(entry.payload)});
    }
  }
  if (persist.hard_state) disk->hard_state = *persist.hard_state;
}

}  // namespace

ConfState Voters(uint64_t n) {
  ConfState conf;
  for (uint64_t id = 1; id <= n; ++id) conf.voters.push_back(PeerId(id));
  return conf;
}

std::ostream& operator<<(std::ostream& out, const StoredEntry& entry) {
  return out << "term " << entry.term << " kind " << static_cast<int>(entry.kind) << " \""
             << entry.payload << "\"";
}

std::vector<uint64_t> Disk::terms() const {
  std::vector<uint64_t> terms;
  for (const StoredEntry& entry : log) terms.push_back(entry.term.value());
  return terms;
}

Disk DiskWithTerms(const std::vector<uint64_t>& terms, uint64_t term) {
  Disk disk;
  for (const uint64_t t : terms) {
    disk.log.push_back({Term(t), EntryKind::kCommand, "t" + std::to_string(t)});
  }
  disk.hard_state.term = Term(std::max(term, terms.empty() ? 0 : terms.back()));
  return disk;
}

EntrySlices EntriesOfTerms(uint64_t first, const std::vector<uint64_t>& terms) {
  EntrySlices entries;
  for (const StoredEntry& entry : DiskWithTerms(terms).log) {
    entries.push_back(EntrySlice(BlockOf(entry, Index(first++))));
  }
  return entries;
}

Group::Group(ConfState conf, const Config& config, uint64_t seed)
    : conf_(std::move(conf)), config_(config), seed_(seed) {
  std::set<PeerId> ids(conf_.voters.begin(), conf_.voters.end());
  ids.insert(conf_.voters_outgoing.begin(), conf_.voters_outgoing.end());
  ids.insert(conf_.learners.begin(), conf_.learners.end());
  for (const PeerId id : ids) nodes_[id.value()].disk.incarnation = Incarnation(100 + id.value());
  for (const PeerId id : ids) Start(id.value());
}

Group::~Group() {
  for (const auto& [id, n] : nodes_) {
    if (n.raft == nullptr || poisonable_.contains(id)) continue;
    EXPECT_EQ(n.raft->poison(), "") << "replica " << id;
  }
}

// --- Time.

Instant Group::next_deadline() const {
  Instant next = Instant::Max();
  for (const auto& [id, n] : nodes_) {
    if (n.raft != nullptr) next = std::min(next, n.raft->next_deadline());
  }
  return next;
}

bool Group::FireDue() {
  bool fired = false;
  for (auto& [id, n] : nodes_) {
    if (n.raft == nullptr || n.raft->next_deadline() > now_) continue;
    n.raft->OnDeadline(now_, &effects_);
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
  if (!running(to)) return;
  node(to).raft->OnMessage(now_, message, &effects_);
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
  if (n.raft == nullptr || n.writes.empty()) return false;
  const Persist persist = std::move(n.writes.front());
  n.writes.pop_front();
  CarryOut(persist, &n.disk);
  n.raft->OnPersisted(now_, persist.token, &effects_);
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
      ASSERT_LE(i.value(), n.disk.log.size()) << "fetched entries are durable";
      entries.push_back(EntrySlice(BlockOf(n.disk.log[i.value() - 1], i)));
    }
    n.raft->OnFetched(now_, fetch.id, std::move(entries), &effects_);
    Absorb(id);
  }
}

const std::vector<Fetch>& Group::fetches(uint64_t id) const { return node(id).fetches; }

void Group::Crash(uint64_t id) {
  Node& n = node(id);
  n.raft.reset();
  n.writes.clear();
  n.fetches.clear();
  n.asked.clear();
  // The state machine's changes became durable no earlier than the entries that caused them.
  size_t kept = 0;
  while (kept < n.disk.applied_index.value() && kept < n.disk.log.size() &&
         n.disk.log[kept] == committed_[kept]) {
    ++kept;
  }
  n.disk.applied_index = Index(kept);
}

void Group::Restart(uint64_t id) { Restart(id, node(id).disk); }

void Group::Restart(uint64_t id, Disk disk) {
  Crash(id);
  Node& n = node(id);
  if (!disk.incarnation) disk.incarnation = n.disk.incarnation;
  n.disk = std::move(disk);
  Start(id);
}

void Group::Start(uint64_t id) {
  Node& n = node(id);
  Recovered recovered;
  recovered.incarnation = n.disk.incarnation;
  recovered.hard_state = n.disk.hard_state;
  recovered.conf = conf_;
  recovered.last_index = Index(n.disk.log.size());
  recovered.applied_index = n.disk.applied_index;
  for (size_t i = 0; i < n.disk.log.size(); ++i) {
    const Term term = n.disk.log[i].term;
    if (recovered.terms.empty() || recovered.terms.back().term != term) {
      recovered.terms.push_back({Index(i + 1), term});
    }
  }
  Rng rng(Mix64(seed_) ^ Mix64(id * 1000 + ++n.lives));
  n.raft = std::make_unique<Raft>(config_, PeerId(id), std::move(recovered), rng, now_);
}

bool Group::running(uint64_t id) const { return node(id).raft != nullptr; }

// --- Clients.

ProposeResult Group::Propose(uint64_t id, std::string_view payload) {
  const NewEntry entry{EntryKind::kCommand, payload};
  const ProposeResult result =
      node(id).raft->Propose(now_, EntryBlock::Create({&entry, 1}), &effects_);
  Absorb(id);
  return result;
}

ReadResult Group::Read(uint64_t id) {
  Node& n = node(id);
  const ReadResult result = n.raft->Read(now_, &effects_);
  if (const auto* read = std::get_if<ReadId>(&result)) n.asked[*read] = Index(committed_.size());
  Absorb(id);
  return result;
}

void Group::Campaign(uint64_t id) {
  node(id).raft->Campaign(now_, &effects_);
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
    // The instant before any follower's own deadline could come is not worth computing: others
    // that campaign meanwhile are unheard.
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

std::vector<std::string> Group::applied(uint64_t id) const {
  std::vector<std::string> payloads;
  for (size_t i = 0; i < node(id).disk.applied_index.value(); ++i) {
    if (committed_[i].kind == EntryKind::kCommand) payloads.push_back(committed_[i].payload);
  }
  return payloads;
}

const std::vector<ReadOutcome>& Group::reads(uint64_t id) const { return node(id).reads; }

Message Group::From(uint64_t from, uint64_t to, uint64_t term, Body body) const {
  return {PeerId(from),  PeerId(to),     Term(term), node(from).disk.incarnation,
          Incarnation(), std::move(body)};
}

void Group::Absorb(uint64_t id) {
  Node& n = node(id);
  Effects effects = std::exchange(effects_, Effects());
  if (!poisonable_.contains(id)) {
    EXPECT_EQ(n.raft->poison(), "") << "replica " << id;
  }
  for (const Persist& persist : effects.persists) n.writes.push_back(persist);
  for (Message& message : effects.sends) {
    CheckPromise(id, message);
    const std::pair<uint64_t, uint64_t> key(id, message.to.value());
    if (!cut_.contains(key)) links_[key].push_back(std::move(message));
  }
  for (const Apply& apply : effects.applies) {
    for (const EntrySlice& slice : apply.entries) {
      for (uint32_t i = 0; i < slice.size(); ++i) CheckApplied(id, slice.at(i));
    }
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
  if (n.raft->is_leader()) {
    const auto [leader, first] = leaders_.emplace(n.raft->term(), PeerId(id));
    EXPECT_EQ(leader->second, PeerId(id)) << "two leaders in term " << n.raft->term();
  }
}

// What a message promises is on the disk when it leaves.
void Group::CheckPromise(uint64_t id, const Message& message) const {
  const Disk& disk = node(id).disk;
  EXPECT_GE(disk.hard_state.term, message.term) << "replica " << id << " shows a volatile term";
  if (const auto* reply = std::get_if<VoteReply>(&message.body); reply && reply->granted) {
    EXPECT_EQ(disk.hard_state, (HardState{message.term, message.to})) << "a volatile vote";
  }
  if (std::holds_alternative<VoteRequest>(message.body)) {
    EXPECT_EQ(disk.hard_state, (HardState{message.term, PeerId(id)})) << "a volatile candidacy";
  }
  const auto* reply = std::get_if<AppendReply>(&message.body);
  if (reply == nullptr) return;
  if (const auto* accept = std::get_if<AppendAccept>(&reply->result)) {
    ASSERT_LE(accept->match_index.value(), disk.log.size()) << "a volatile entry is accepted";
    // The disk agrees with the leader up to there, as the leader's own memory or disk tells.
    const Node& leader = node(message.to.value());
    if (leader.raft == nullptr || !leader.raft->is_leader()) return;
    if (leader.raft->term() != message.term) return;
    const size_t both = std::min<size_t>(accept->match_index.value(), leader.disk.log.size());
    for (size_t i = 0; i < both; ++i) {
      EXPECT_EQ(disk.log[i], leader.disk.log[i]) << "a wrong entry is accepted at " << i + 1;
    }
  }
}

void Group::CheckApplied(uint64_t id, const EntryView& entry) {
  Disk& disk = node(id).disk;
  ASSERT_EQ(entry.index, disk.applied_index.next()) << "replica " << id << " skips or repeats";
  disk.applied_index = entry.index;
  const StoredEntry stored{entry.term, entry.kind, std::string(entry.payload)};
  if (entry.index.value() > committed_.size()) {
    committed_.push_back(stored);
    return;
  }
  EXPECT_EQ(stored, committed_[entry.index.value() - 1])
      << "replica " << id << " applies another entry at " << entry.index;
}

}  // namespace flaredb::raft
