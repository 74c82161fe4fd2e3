// SPDX-License-Identifier: Apache-2.0
#include "tests/core/cluster/fake_cluster.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/kv/key.h"
#include "core/kv/namespace_command.h"

namespace flaredb::cluster {

namespace {

constexpr Duration kStep = Duration::Milliseconds(10);
constexpr int kChangeSteps = 5;
constexpr uint64_t kCatchUpPercent = 5;  // In a step.

}  // namespace

FakeCluster::FakeCluster() {
  options_.roll_interval = Duration::Milliseconds(400);
  options_.collect_interval = Duration::Seconds(10);
  driver_ = std::make_unique<Driver>(options_);
  const Region region = pd::RegionOf(1, "", "", 1);
  FakeRegion& founded = regions_[region.id];
  founded.region = region;
  founded.leader = region.peers.front().id;
  InForce(&founded, ConfStateOf(region));
  FakeStore& founder = stores_[StoreId(1)];
  founder.id = StoreId(1);
  founder.instance = pd::StoreOf(1).instance;
  Must(pd::Bootstrap{pd::ClusterId(100), pd::StoreOf(1), {region}});
  driver_->Lead(now_, term_);
}

void FakeCluster::Join(uint64_t store) {
  FakeStore& joins = stores_[StoreId(store)];
  joins.id = StoreId(store);
  joins.instance = pd::StoreOf(store).instance;
  const pd::Reply reply = Command(pd::PutStore{pd::StoreOf(store), revision()});
  EXPECT_TRUE(std::holds_alternative<pd::StoreInfo>(reply));
}

pd::Reply FakeCluster::Command(const pd::Command& command) {
  ++applied_;
  return Do(command);
}

void FakeCluster::Run(Duration time) {
  for (const Instant end = now_ + time; now_ < end;) Step();
}

bool FakeCluster::RunUntil(const std::function<bool()>& holds, Duration limit) {
  for (const Instant end = now_ + limit; now_ < end && !holds();) Step();
  return holds();
}

void FakeCluster::ChangeDriver() {
  driver_ = std::make_unique<Driver>(options_);
  ++drivers_;
  ++term_;
  driver_->Lead(now_, term_);
}

bool FakeCluster::Write(uint64_t store, const std::string& name) {
  FakeStore& to = S(store);
  const pd::Namespace* ns = to.directory.Find(name);
  if (ns == nullptr || ns->state != pd::ModeState::kEventual) return false;
  const auto ms = static_cast<uint64_t>(static_cast<int64_t>(kUnixMs) + to.skew_ms +
                                        now_.nanoseconds() / 1'000'000);
  to.unshipped.emplace(name, to.clock.Next(ms));
  return true;
}

void FakeCluster::Split(RegionId id, const std::string& key, RegionId right_id) {
  FakeRegion& left = regions_.at(id);
  FakeRegion& right = regions_[right_id] = left;
  left.region.end_key = key;
  right.region.start_key = key;
  right.region.id = right_id;
  left.region.epoch.version = right.region.epoch.version = left.region.epoch.version + 1;
}

std::vector<kv::NamespaceState> FakeCluster::StatesOf(const std::string& name) const {
  std::vector<kv::NamespaceState> states;
  const pd::Namespace ns = Ns(name);
  const kv::KeyRange range = kv::EncodeRange(ns.id, "", "");
  for (const auto& [id, region] : regions_) {
    if (!region.region.end_key.empty() && region.region.end_key <= range.begin) continue;
    if (region.region.start_key >= range.end) continue;
    const auto at = region.namespaces.find(ns.id);
    states.push_back(at == region.namespaces.end() ? kv::NamespaceState() : at->second);
  }
  return states;
}

std::vector<uint64_t> FakeCluster::Voters(RegionId id) const {
  std::vector<uint64_t> stores;
  const FakeRegion& region = regions_.at(id);
  for (const PeerId peer : region.conf.voters) {
    const Peer* found = region.region.PeerOf(peer);
    if (found != nullptr) stores.push_back(found->store.value());
  }
  std::sort(stores.begin(), stores.end());
  return stores;
}

std::string FakeCluster::Waiting(const std::string& text) const {
  for (const std::string& sentence : driver_->waiting()) {
    if (sentence.find(text) != std::string::npos) return sentence;
  }
  return "";
}

const Region& FakeCluster::region() const {
  const std::string key = ObjectPrefix(pd::kObject);
  for (const auto& [id, region] : regions_) {
    if (region.region.Contains(key)) return region.region;
  }
  return regions_.begin()->second.region;
}

void FakeCluster::Later(std::function<void()> what) {
  due_.push_back({now_ + kStep, drivers_, std::move(what)});
}

void FakeCluster::Step() {
  now_ = now_ + kStep;
  std::vector<Due> due;
  std::swap(due, due_);
  for (const Due& event : due) event.what();
  for (auto& [id, region] : regions_) Finish(&region);
  for (auto& [id, store] : stores_) {
    if (store.ships) store.unshipped.clear();
  }
  DriverOutput output;
  driver_->Turn(now_, *this, &output);
  EXPECT_GT(driver_->next_deadline(), now_) << "it would be due for ever";
  Carry(&output);
}

void FakeCluster::Carry(DriverOutput* output) {
  for (Call& call : output->calls) {
    ++calls_;
    absl::StrAppend(&trace_, "call ", call.to.value(), " ", call.call.round, " ",
                    call.call.orders.size(), " ", call.call.waiting.size(), "\n");
    if (Lost() || S(call.to.value()).silent) continue;
    Later([this, call = std::move(call)] {
      const std::optional<RollAnswer> answer = Answer(&stores_.at(call.to), call.call);
      if (!answer || Lost()) return;
      Later([this, to = call.to, answer] { driver_->OnAnswer(now_, to, *answer); });
    });
  }
  for (const Errand& errand : output->errands) {
    errands_.push_back(errand.id);
    if (const auto* asked = std::get_if<RegionErrand>(&errand.what)) asked_.push_back(*asked);
    absl::StrAppend(&trace_, "errand ", errand.id.value(), " ", errand.what.index(), "\n");
    if (Lost()) continue;
    Later([this, errand, began = drivers_] {
      const auto* command = std::get_if<pd::Command>(&errand.what);
      ErrandOutcome outcome;
      if (command != nullptr) {
        outcome = Command(*command);
      } else {
        outcome = Carry(std::get<RegionErrand>(errand.what));
      }
      if (!Lost() && began == drivers_) driver_->OnErrandDone(now_, errand.id, outcome);
    });
  }
}

std::optional<RollAnswer> FakeCluster::Answer(FakeStore* store, const RollCall& call) {
  if (call.term < store->term) return std::nullopt;
  if (call.term == store->term && call.round <= store->round) return std::nullopt;
  store->term = call.term;
  store->round = call.round;
  if (call.clock) store->clock.Observe(call.clock, 0, UINT64_MAX);
  store->directory.SetPd(call.term, StoreId(1), call.pd);
  store->directory.Apply(call.view);
  store->waiting = call.waiting;

  RollAnswer answer;
  answer.term = call.term;
  answer.round = call.round;
  answer.instance = store->instance;
  answer.known = store->directory.revision();
  for (const RegionOrder& order : call.orders) {
    std::string why = Carry(order, store->id);
    if (!why.empty()) answer.refusals.push_back({order.region, why});
  }
  answer.clock = store->clock.last();
  for (const auto& [id, region] : regions_) {
    const Peer* leader = region.region.PeerOf(region.leader);
    if (leader != nullptr && leader->store == store->id) {
      answer.regions.push_back(ReportOf(region));
    }
  }
  std::map<kv::NamespaceId, NamespaceReport> reports;
  for (const auto& [name, ns] : store->directory.namespaces()) {
    if (ns.state == pd::ModeState::kStrong) continue;
    NamespaceReport report{ns.id, ns.mode_epoch, store->unshipped.count(name),
                           store->clock.last().next()};
    const auto [begin, end] = store->unshipped.equal_range(name);
    for (auto at = begin; at != end; ++at)
      report.watermark = std::min(report.watermark, at->second);
    reports.emplace(ns.id, report);
  }
  for (const auto& [id, report] : reports) answer.namespaces.push_back(report);
  return answer;
}

RegionReport FakeCluster::ReportOf(const FakeRegion& region) const {
  RegionReport report{{region.region, region.term, region.leader}, region.conf, false, {}};
  report.changing = region.changing > 0 || region.conf.joint();
  report.behind.assign(region.behind.begin(), region.behind.end());
  for (const Peer& peer : region.region.peers) {
    const bool silent = stores_.at(peer.store).silent;
    if (silent && !region.behind.contains(peer.id)) report.behind.push_back(peer.id);
  }
  std::sort(report.behind.begin(), report.behind.end());
  return report;
}

std::string FakeCluster::Carry(const RegionOrder& order, StoreId at) {
  FakeRegion& region = regions_.at(order.region);
  const Peer* leader = region.region.PeerOf(region.leader);
  if (leader == nullptr || leader->store != at) return "this store does not lead the region";
  if (region.region.epoch != order.epoch) return "the region is another one";
  if (const auto* change = std::get_if<ChangeMembers>(&order.what)) {
    const raft::MemberChange& first = change->changes.front();
    if (first.kind == raft::MemberChange::Kind::kAddLearner) {
      last_learner_ = {first.id, first.store};
    }
  }
  if (!region.refuses.empty()) return region.refuses;
  if (region.changing > 0) {
    ADD_FAILURE() << "an order for a region that is changing";
    return "a change is under way";
  }
  if (const auto* move = std::get_if<MoveLeader>(&order.what)) {
    const auto& voters = region.conf.voters;
    EXPECT_TRUE(std::binary_search(voters.begin(), voters.end(), move->target));
    region.leader = move->target;
    ++region.term;
    return "";
  }
  const auto& changes = std::get<ChangeMembers>(order.what).changes;
  for (const raft::MemberChange& change : changes) {
    EXPECT_NE(change.id, region.leader) << "a leader is changed before it handed over";
    EXPECT_TRUE(change.kind != raft::MemberChange::Kind::kPromote ||
                !region.behind.contains(change.id))
        << "peer " << change.id << " is behind";
    if (change.kind != raft::MemberChange::Kind::kAddLearner) continue;
    EXPECT_NE(change.id.value(), change.store.value());
    for (const raft::ConfState& old : region.confs) EXPECT_FALSE(old.IsMember(change.id));
    region.behind.insert(change.id);
  }
  const auto next = raft::Change(region.conf, changes);
  EXPECT_TRUE(std::holds_alternative<raft::ConfState>(next));
  InForce(&region, std::get<raft::ConfState>(next));
  region.changing = kChangeSteps;
  return "";
}

void FakeCluster::InForce(FakeRegion* region, raft::ConfState conf) {
  region->conf = std::move(conf);
  region->confs.push_back(region->conf);
}

// What is in force is committed: it makes the peers, and ends if it is a joint one.
void FakeCluster::Finish(FakeRegion* region) {
  if (region->catches_up) {
    std::erase_if(region->behind, [this](PeerId) { return rng_.Below(100) < kCatchUpPercent; });
  }
  if (region->changing == 0 || --region->changing > 0) return;
  // Founders are in no member list.
  std::map<PeerId, StoreId> now;
  for (const PeerId id : region->conf.Everybody()) {
    const Peer* known = region->region.PeerOf(id);
    now[id] = known != nullptr ? known->store : region->conf.Find(id).store;
  }
  std::vector<Peer> next;
  for (const auto& [id, store] : now) next.push_back({id, store});
  if (next != region->region.peers) {
    region->region.peers = next;
    ++region->region.epoch.conf_version;
  }
  if (!region->conf.joint()) return;
  InForce(region, raft::LeaveJoint(region->conf));
  region->changing = kChangeSteps;
}

ErrandOutcome FakeCluster::Carry(const RegionErrand& errand) {
  FakeRegion& region = regions_.at(errand.region);
  if (region.region.epoch != errand.epoch || !region.leader || !region.takes_fences) {
    return Unanswered();
  }
  if (const auto* collect = std::get_if<kv::CollectTombstones>(&errand.command)) {
    region.collected.push_back(*collect);
  }
  const kv::NamespaceId ns = kv::NamespaceOf(errand.command);
  WriteBatch batch;
  const auto reply = kv::Apply(errand.command, Index(7), data_, &region.namespaces[ns], &batch);
  EXPECT_TRUE(reply.ok()) << reply.status();
  return *reply;
}

}  // namespace flaredb::cluster
