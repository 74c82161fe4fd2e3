// SPDX-License-Identifier: Apache-2.0
#include "tests/core/store/stores.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "core/kv/key.h"
#include "core/raft/membership.h"

namespace flaredb::store {

Region RegionOn(uint64_t id, uint64_t stores, const std::string& begin, const std::string& end) {
  Region region;
  region.id = RegionId(id);
  if (!begin.empty()) region.start_key = kv::EncodeKey(kv::NamespaceId::kDefault, begin);
  if (!end.empty()) region.end_key = kv::EncodeKey(kv::NamespaceId::kDefault, end);
  region.epoch = {1, 1};
  for (uint64_t store = 1; store <= stores; ++store) {
    region.peers.push_back({PeerId(store), StoreId(store)});
  }
  return region;
}

Stores::Stores(uint64_t stores, const Options& options)
    : Stores(stores, options, {RegionOn(1, stores, "", "")}) {}

Stores::Stores(uint64_t stores, const Options& options, std::vector<Region> regions)
    : options_(options) {
  for (uint64_t id = 1; id <= stores; ++id) {
    Disk& disk = nodes_[id].disk;
    for (const Region& region : regions) {
      CarryOut(Bootstrap(IdentityOf(id), region, Incarnation(id)), &disk);
    }
    Start(id);
  }
}

void Stores::AddEmptyStore(uint64_t id) {
  CarryOut(Bootstrap(IdentityOf(id)), &nodes_[id].disk);
  Start(id);
}

void Stores::AddFounder(uint64_t id) {
  std::vector<FirstReplica> replicas;
  for (const Region& region : FoundingRegions(StoreId(id))) {
    replicas.push_back({region, Incarnation(100 * id + region.id.value())});
  }
  CarryOut(Bootstrap(IdentityOf(id), replicas), &nodes_[id].disk);
  Start(id);
}

Identity Stores::IdentityOf(uint64_t id) const {
  return {7, StoreId(id), options_.cluster ? pd::InstanceId{id, 1} : pd::InstanceId{}};
}

std::string Stores::AddressOf(uint64_t id) { return absl::StrCat("store", id, ":1"); }

uint64_t Stores::unix_ms() const {
  return 1'700'000'000'000 + static_cast<uint64_t>(now_.nanoseconds() / 1'000'000);
}

void Stores::Kill(uint64_t id) {
  node(id).killed = true;
  node(id).writes.clear();
  node(id).fetches.clear();
}

// --- Time and order.

Instant Stores::next_deadline() const {
  Instant next = Instant::Max();
  for (const auto& [id, n] : nodes_) {
    if (!n.killed) next = std::min(next, n.store->next_deadline());
  }
  return next;
}

void Stores::Wait(Duration duration) {
  const Instant end = now_ + duration;
  for (int idle_turns = 0; next_deadline() <= end && idle_turns < 10'000; ++idle_turns) {
    if (next_deadline() > now_) idle_turns = 0;
    now_ = std::max(now_, next_deadline());
    for (auto& [id, n] : nodes_) {
      if (!n.killed && n.store->next_deadline() <= now_) Turn(id, {});
    }
  }
  EXPECT_GT(next_deadline(), end) << "the stores go on without time passing";
  now_ = end;
}

void Stores::Pass(Duration duration) {
  const Instant end = now_ + duration;
  Settle();
  while (next_deadline() <= end) {
    Wait(std::max(next_deadline() - now_, Duration()));
    Settle();
    if (next_deadline() <= now_) break;  // It would go on for ever.
  }
  now_ = end;
}

bool Stores::Step() {
  bool any = false;
  for (auto& [key, messages] : links_) {
    any |= !messages.empty();
    Deliver(key.first, key.second);
  }
  for (auto& [id, n] : nodes_) {
    while (!n.disk_held && WriteNext(id)) any = true;
    for (const env::LogFetch& fetch : std::exchange(n.fetches, {})) {
      any = true;
      absl::StatusOr<raft::EntrySlices> entries =
          n.log_failure.ok() ? Read(n.disk, fetch) : n.log_failure;
      Turn(id, {env::LogFetched{fetch.region, fetch.fetch.id, std::move(entries)}});
    }
    if (!n.killed && n.store->next_deadline() <= now_) {
      Turn(id, {});
      any = true;
    }
  }
  return any;
}

void Stores::Settle() {
  for (int step = 0; step < 10'000; ++step) {
    if (!Step()) return;
  }
  ADD_FAILURE() << "the stores never become quiet";
}

uint64_t Stores::AwaitLeader() {
  for (int attempt = 0; attempt < 100; ++attempt) {
    Pass(Duration::Milliseconds(200));
    for (const auto& [id, n] : nodes_) {
      if (!leads(id)) continue;
      const raft::View view = peer(id).raft;
      size_t hosts_count = 0;
      size_t followers = 0;
      for (const auto& [other, m] : nodes_) {
        if (!hosts(other)) continue;
        const raft::View theirs = peer(other).raft;
        ++hosts_count;
        followers += theirs.leader == view.id && theirs.term == view.term ? 1 : 0;
      }
      if (2 * followers > hosts_count) return id;
    }
  }
  ADD_FAILURE() << "no leader";
  return 0;
}

// --- Clients.

CallId Stores::Call(uint64_t store, Request request) {
  const CallId call = ++last_call_;
  Turn(store, {ClientCall{call, std::move(request), options_.cluster ? unix_ms() : 0}});
  return call;
}

const Reply* Stores::reply(CallId call) const {
  auto found = replies_.find(call);
  return found == replies_.end() ? nullptr : &found->second;
}

Reply Stores::Ask(uint64_t store, Request request) {
  const CallId call = Call(store, std::move(request));
  Settle();
  const Reply* answer = reply(call);
  EXPECT_NE(answer, nullptr) << "no answer";
  return answer != nullptr ? *answer : Reply();
}

std::string Stores::Tell(uint64_t store, decltype(Order::what) what, uint64_t region) {
  const uint64_t id = ++last_order_;
  Turn(store, {Order{id, RegionId(region), std::move(what)}});
  const auto outcome = orders_.find(id);
  if (outcome == orders_.end()) {
    ADD_FAILURE() << "order " << id << " has no outcome";
    return "no outcome";
  }
  return outcome->second;
}

void Stores::Turn(uint64_t id, std::vector<Event> events) {
  Node& n = node(id);
  if (n.killed) return;
  const bool stopped = !n.failure.ok();
  Effects effects;
  n.store->Turn(now_, absl::MakeSpan(events), &effects);
  if (stopped || !effects.failure.ok()) {
    EXPECT_FALSE(effects.commit.has_value()) << "a stopped store writes";
    // What it sends as it stops hands leadership on.
    EXPECT_TRUE(!stopped || effects.sends.empty()) << "a stopped store sends";
    EXPECT_TRUE(effects.replies.empty()) << "a stopped store answers";
    EXPECT_TRUE(effects.orders.empty()) << "a stopped store takes orders";
    EXPECT_TRUE(effects.fetches.empty()) << "a stopped store reads";
    EXPECT_EQ(n.store->next_deadline(), Instant::Max());
  }
  if (!effects.failure.ok()) n.failure = effects.failure;
  if (effects.commit.has_value()) {
    ++n.commits_issued;
    n.writes.push_back(*std::move(effects.commit));
  }
  for (Send& send : effects.sends) {
    const std::pair<uint64_t, uint64_t> key(id, send.to.value());
    Count(send.message);
    if (lost_ && lost_(send.message)) continue;
    if (!cut_.contains(key)) links_[key].push_back(std::move(send.message));
  }
  for (CallReply& answer : effects.replies) {
    EXPECT_TRUE(replies_.emplace(answer.id, std::move(answer.reply)).second)
        << "call " << answer.id << " is answered twice";
  }
  for (OrderOutcome& order : effects.orders) {
    EXPECT_TRUE(orders_.emplace(order.id, std::move(order.refusal)).second)
        << "order " << order.id << " has two outcomes";
  }
  n.fetches.insert(n.fetches.end(), effects.fetches.begin(), effects.fetches.end());
}

// --- Network.

void Stores::Count(const StoreMessage& message) {
  const auto count = [this](const auto& m) { ++sent_[typeid(m)]; };
  std::visit(count, message);
  if (const auto* envelope = std::get_if<RaftEnvelope>(&message)) {
    std::visit(count, envelope->message.body);
  }
}

void Stores::Deliver(uint64_t from, uint64_t to) {
  std::deque<StoreMessage> messages;
  messages.swap(link(from, to));
  if (!nodes_.contains(to)) return;  // It has yet to start.
  for (StoreMessage& message : messages) {
    Turn(to, {MessageReceived{StoreId(from), std::move(message)}});
  }
}

void Stores::Cut(uint64_t a, uint64_t b) {
  cut_.insert({a, b});
  cut_.insert({b, a});
}

void Stores::Isolate(uint64_t store) {
  for (const auto& [other, n] : nodes_) Cut(store, other);
}

// --- Disk.

void Stores::CarryOut(const env::GroupCommit& commit, Disk* disk) {
  for (const env::LogWrite& write : commit.log) {
    if (write.destroy) {
      EXPECT_EQ(disk->logs.erase(write.region), 1u) << "a log is destroyed that is not there";
      continue;
    }
    if (write.create) {
      EXPECT_FALSE(disk->logs.contains(write.region)) << "a log is created over another";
      disk->logs[write.region].incarnation = write.create;
    }
    ASSERT_TRUE(disk->logs.contains(write.region)) << "a log is written that was never created";
    CarryOut(write.persist, &disk->logs[write.region]);
  }
  disk->data.Write(commit.data);
}

void Stores::CarryOut(const raft::Persist& persist, Log* log) {
  if (persist.base != nullptr) {
    const Index to = persist.base->last.index;
    if (persist.install) log->entries.clear();
    while (!log->entries.empty() && log->entries.front().first_index() <= to) {
      log->entries.pop_front();
    }
    log->base = *persist.base;
  }
  while (persist.truncate_from && log->last_index() >= persist.truncate_from) {
    ASSERT_FALSE(log->entries.empty()) << "what lies before the base is truncated";
    log->entries.pop_back();
  }
  for (const raft::EntrySlice& slice : persist.append) {
    ASSERT_EQ(slice.first_index(), log->last_index().next()) << "a gap in the log";
    for (uint32_t i = 0; i < slice.size(); ++i) {
      log->entries.push_back(slice.Clip(slice.at(i).index, slice.at(i).index));
    }
  }
  if (persist.hard_state) log->hard_state = *persist.hard_state;
}

absl::StatusOr<raft::EntrySlices> Stores::Read(const Disk& disk, const env::LogFetch& fetch) {
  const auto log = disk.logs.find(fetch.region);
  const Index first = fetch.fetch.first;
  if (log == disk.logs.end() || first <= log->second.base.last.index ||
      first > log->second.last_index()) {
    return absl::NotFoundError(absl::StrCat("entry ", first.value(), " is not in the log"));
  }
  raft::EntrySlices entries;
  for (const raft::EntrySlice& entry : log->second.entries) {
    if (entry.first_index() >= first && entry.first_index() <= fetch.fetch.last) {
      entries.push_back(entry);
    }
  }
  return entries;
}

env::LogState Stores::StateOf(RegionId region, const Log& log) {
  env::LogState state{region, log.incarnation, log.hard_state, log.base, {}, log.last_index(), {}};
  for (const raft::EntrySlice& slice : log.entries) {
    if (state.terms.empty() || state.terms.back().term != slice.term()) {
      state.terms.push_back({slice.first_index(), slice.term()});
    }
    const raft::EntryView entry = slice.at(0);
    if (entry.kind == raft::EntryKind::kConf) {
      state.confs.push_back({entry.index, raft::DecodeConfState(entry.payload).value()});
    }
  }
  return state;
}

absl::StatusOr<RecoveredStore> Stores::Recovered(uint64_t id) const {
  const Disk& disk = node(id).disk;
  std::vector<env::LogState> logs;
  for (const auto& [region, log] : disk.logs) logs.push_back(StateOf(region, log));
  return Recover(disk.data, logs);
}

std::map<std::string, std::string, std::less<>> Stores::UserRows(uint64_t id) const {
  std::map<std::string, std::string, std::less<>> rows = node(id).disk.data.rows;
  rows.erase(rows.begin(), rows.lower_bound("\x02"));
  return rows;
}

bool Stores::HasLog(uint64_t id, uint64_t region) const {
  return node(id).disk.logs.contains(RegionId(region));
}

bool Stores::WriteNext(uint64_t id) {
  Node& n = node(id);
  if (n.writes.empty() || !n.failure.ok()) return false;
  const env::GroupCommit commit = std::move(n.writes.front());
  n.writes.pop_front();
  CarryOut(commit, &n.disk);
  Turn(id, {DiskDone{commit.token}});
  return true;
}

void Stores::HoldDisk(uint64_t store) { node(store).disk_held = true; }

void Stores::FreeDisk(uint64_t store) {
  node(store).disk_held = false;
  while (WriteNext(store)) {
  }
}

void Stores::Start(uint64_t id) {
  Node& n = node(id);
  absl::StatusOr<RecoveredStore> recovered = Recovered(id);
  ASSERT_TRUE(recovered.ok()) << recovered.status().ToString();
  Options options = options_;
  options.seed = id * 1000 + ++n.lives;
  if (options.cluster) {
    options.cluster->address = n.address.empty() ? AddressOf(id) : n.address;
    options.cluster->unix_ms = unix_ms();
  }
  n.store = std::make_unique<Store>(options, *std::move(recovered), &n.disk.data, now_);
}

void Stores::Restart(uint64_t id) {
  Node& n = node(id);
  n.store.reset();
  n.writes.clear();
  n.fetches.clear();
  n.failure = absl::OkStatus();
  n.killed = false;
  Start(id);
}

void Stores::RestartWithNothingApplied(uint64_t id) {
  Disk& disk = node(id).disk;
  disk.data.rows.clear();
  disk.data.Write(
      Bootstrap(IdentityOf(id), RegionOn(1, nodes_.size(), "", ""), Incarnation(id)).data);
  Restart(id);
}

// --- Observation.

bool Stores::hosts(uint64_t store, uint64_t region) const {
  for (const PeerView& view : node(store).store->peers()) {
    if (view.region == RegionId(region)) return true;
  }
  return false;
}

PeerView Stores::peer(uint64_t store, uint64_t region) const {
  for (const PeerView& view : node(store).store->peers()) {
    if (view.region == RegionId(region)) return view;
  }
  ADD_FAILURE() << "store " << store << " has no replica of region " << region;
  return {};
}

bool Stores::leads(uint64_t store) const {
  return node(store).failure.ok() && hosts(store) && peer(store).raft.role == raft::Role::kLeader;
}

std::vector<uint64_t> Stores::alive() const {
  std::vector<uint64_t> ids;
  for (const auto& [id, n] : nodes_) {
    if (!n.killed) ids.push_back(id);
  }
  return ids;
}

bool Stores::quiet() const {
  for (const auto& [id, n] : nodes_) {
    if (n.store->waiting_calls() != 0 || n.store->rows_in_flight() != 0) return false;
  }
  return true;
}

}  // namespace flaredb::store
