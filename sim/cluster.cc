// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster.h"

#include <algorithm>
#include <sstream>

#include "sim/describe.h"
#include "sim/invariants/flow.h"
#include "sim/recorder.h"

namespace flaredb::sim {
namespace {

constexpr uint64_t kClusterId = 77;

// Region, peer and store numbers of the same replica differ, so that mixing them up shows.
Region MakeRegion(uint32_t members) {
  Region region;
  region.id = RegionId(1);
  region.epoch = {1, 1};
  for (uint32_t i = 0; i < members; ++i) region.peers.push_back({PeerId(101 + i), StoreId(i + 1)});
  return region;
}

// A clock that jumps is beyond what leases allow for; see Fault::kClockJump.
bool ClocksAreTrusted(const Profile& profile) {
  const std::vector<Fault>& kinds = profile.faults.kinds;
  return profile.store.lease_reads || std::none_of(kinds.begin(), kinds.end(), [](Fault fault) {
           return fault == Fault::kClockJump || fault == Fault::kClockStop;
         });
}

// The replica of the one region of a run; null when the store has none.
const store::PeerView* ViewIn(const std::vector<store::PeerView>& views) {
  INVARIANT(views.size() <= 1);
  return views.empty() ? nullptr : &views[0];
}

std::string NameOf(uint32_t node) { return Names::Store(node); }

}  // namespace

Cluster::Cluster(World* world, const Profile& profile, SimNetwork* network, MachineSpec* spec,
                 const NewRealDisk& new_real_disk)
    : world_(world),
      profile_(profile),
      network_(network),
      region_(MakeRegion(profile.members)),
      last_peer_(region_.peers.back().id),
      nodes_([&] {
        std::vector<Node> nodes;
        nodes.reserve(profile.stores);
        for (uint32_t i = 0; i < profile.stores; ++i) {
          store::Options& options =
              nodes.emplace_back(world, profile.disk, i, new_real_disk).options;
          options = profile.store;
          if (spec != nullptr) options.machine = &spec->machine();
        }
        return nodes;
      }()),
      checkers_(region_, Disks(), profile.store.raft, ClocksAreTrusted(profile), &world->report,
                {[this] { return world_->now(); },
                 [this](uint32_t id, Instant local) { return nodes_[id].clock.WhenReads(local); }},
                spec),
      losses_(&checkers_) {}

std::vector<const SimDisk*> Cluster::Disks() const {
  std::vector<const SimDisk*> disks;
  for (const Node& node : nodes_) disks.push_back(&node.disk);
  return disks;
}

void Cluster::Start() {
  for (uint32_t id = 0; id < size(); ++id) {
    Node& node = nodes_[id];
    Choices& choices = world_->choices;
    const Duration offset =
        choices.Between(Choice::kClock, Duration::Seconds(1), Duration::Seconds(100000), id);
    const int64_t wrong = DrawDrift(&choices, Choice::kClock, id, profile_);
    const bool is_wrong = wrong != 0 && world_->faults.Fires(Fault::kClockRate);
    if (is_wrong) {
      world_->faults.Mattered(Fault::kClockRate);
      if (Recorder* recorder = world_->recorder) {
        recorder->NodeEvent(id, "clock", NameOf(Fault::kClockRate));
      }
    }
    node.clock = NodeClock(offset, is_wrong ? wrong : 0);
    const store::Identity identity{kClusterId, StoreId(id + 1)};
    const Incarnation incarnation(choices.Seed(Choice::kIncarnation, id) + 1);
    node.disk.Format(region_.PeerOn(identity.store) != nullptr
                         ? store::Bootstrap(identity, region_, incarnation)
                         : store::Bootstrap(identity));
    StartStore(id);
  }
}

void Cluster::StartStore(uint32_t id) {
  Node& node = nodes_[id];
  ++node.life;
  absl::StatusOr<store::RecoveredStore> recovered =
      store::Recover(node.disk.data(), node.disk.LogStates());
  if (!recovered.ok()) {
    FailSafety("STORE", "the disk of " + NameOf(id) +
                            " took every write, but the store can't start from it: " +
                            std::string(recovered.status().message()));
    return;
  }
  std::optional<store::RecoveredRegion> region;
  if (!recovered->regions.empty()) region = recovered->regions[0];
  store::Options options = node.options;
  options.seed = world_->choices.Seed(Choice::kStoreSeed, id);
  world_->acting = id;
  node.store = std::make_unique<store::Store>(options, *std::move(recovered), &node.disk.data(),
                                              node.clock.Read(world_->now()));
  node.paused = false;
  node.wake_at = Instant::Max();
  const std::vector<store::PeerView> views = node.store->peers();
  const store::PeerView* view = ViewIn(views);
  checkers_.OnStart(id, region ? &*region : nullptr, view);
  CheckAllPromises();
  world_->trace.hash().Add(id).Add(node.life).Add(view != nullptr ? view->applied_index : Index());
  if (world_->trace.on()) {
    world_->trace.Line(world_->now(), NameOf(id),
                       "START life " + std::to_string(node.life) + ": " +
                           (view != nullptr ? sim::Describe(view->raft) + ", " +
                                                  checkers_.names().Tell(view->raft.conf)
                                            : std::string("no replica")));
  }
  if (Recorder* recorder = world_->recorder) {
    recorder->NodeEvent(id, "start", "life " + std::to_string(node.life));
  }
  RecordState(id);
  ArmTimer(id);
}

PeerId Cluster::NewPeer(uint32_t node) {
  ++last_peer_;
  checkers_.OnNewPeer(last_peer_, StoreId(node + 1));
  return last_peer_;
}

void Cluster::Give(uint32_t id, store::Order order, Fault why) {
  Node& node = nodes_[id];
  if (!node.store) return;
  order.region = region_.id;
  GivenOrder& given = orders_[order.id];
  given.why = why;
  if (const auto* transfer = std::get_if<store::TransferLeader>(&order.what)) {
    given.successor = transfer->target;
  }
  node.inbox.push_back(std::move(order));
  Notify(id);
}

std::optional<std::string> Cluster::RefusalOf(uint64_t order) const {
  const auto given = orders_.find(order);
  return given == orders_.end() ? std::nullopt : given->second.refusal;
}

void Cluster::ChangeClock(uint32_t id, int64_t drift_ppb, Duration jump, Fault why) {
  Node& node = nodes_[id];
  if (node.store) world_->faults.Mattered(why);
  if (Recorder* recorder = world_->recorder) recorder->NodeEvent(id, "clock", NameOf(why));
  node.clock.Change(world_->now(), drift_ppb, jump);
  // What was armed by the old rate may come too late now.
  node.wake_at = Instant::Max();
  if (node.store) ArmTimer(id);
}

void Cluster::Deliver(Packet packet) {
  const uint32_t id = packet.to;
  Node& node = nodes_[id];
  if (Recorder* recorder = world_->recorder) {
    recorder->Fared(packet, node.store ? Record::Fate::kArrived : Record::Fate::kNobodyThere);
  }
  if (!node.store) return;
  if (auto* message = std::get_if<store::StoreMessage>(&packet.body)) {
    if (world_->trace.on()) {
      world_->trace.Line(world_->now(), NameOf(id),
                         "<- " + NameOf(packet.from) + ": " + sim::Describe(*message));
    }
    node.inbox.push_back(store::MessageReceived{StoreId(packet.from + 1), std::move(*message)});
  } else if (auto* call = std::get_if<ClientRequest>(&packet.body)) {
    if (world_->trace.on()) {
      world_->trace.Line(world_->now(), NameOf(id), "<- client " + sim::Describe(call->request));
    }
    const store::CallId name(++node.last_call);
    node.calls.emplace(name, Call{packet.from, call->attempt, checkers_.commits().last()});
    node.inbox.push_back(store::ClientCall{name, std::move(call->request)});
  } else if (auto* cancel = std::get_if<ClientCancel>(&packet.body)) {
    const auto it = std::find_if(node.calls.begin(), node.calls.end(), [&](const auto& entry) {
      return entry.second.attempt == cancel->attempt;
    });
    if (it == node.calls.end()) return;
    node.inbox.push_back(store::ClientGone{it->first});
    node.gone_calls.push_back(it->first);
  }
  Notify(id);
}

void Cluster::OnEvent(const Event& event) {
  Node& node = nodes_[event.target];
  switch (event.kind) {
    case EventKind::kTurn:
      if (event.arg == node.life) Turn(event.target);
      return;
    case EventKind::kWake:
      if (event.arg == node.timer) Wake(event.target);
      return;
    case EventKind::kDiskDone:
      if (event.arg == node.life) DiskDone(event.target);
      return;
    case EventKind::kFetchRead:
      node.disk.ReadFetch(event.arg);
      return;
    case EventKind::kFetchDone:
      if (auto fetched = node.disk.TakeFetch(event.arg, node.life); fetched && node.store) {
        node.inbox.push_back(*std::move(fetched));
        Notify(event.target);
      }
      return;
    case EventKind::kRestart:
      if (!node.store && !losses_.stopped(event.target) && event.arg == node.life)
        StartStore(event.target);
      return;
    case EventKind::kResume:
      if (!node.paused || event.arg != node.pause) return;
      node.paused = false;
      RecordState(event.target);
      Notify(event.target);
      return;
    default:
      INVARIANT(false) << "not a node's event";
  }
}

// The loop of a running process has something to do.
void Cluster::Notify(uint32_t id) {
  Node& node = nodes_[id];
  if (node.paused) world_->faults.Mattered(node.paused_by);
  if (node.paused || node.turn_scheduled) return;
  node.turn_scheduled = true;
  world_->queue.After(world_->choices.Between(Choice::kLoopTime, profile_.loop_time.first,
                                              profile_.loop_time.last, id),
                      {EventKind::kTurn, id, node.life});
}

void Cluster::Turn(uint32_t id) {
  Node& node = nodes_[id];
  node.turn_scheduled = false;
  if (!node.store || node.paused) return;
  ++turns_;
  std::swap(turn_events_, node.inbox);
  effects_.Clear();
  world_->acting = id;
  checkers_.BeforeTurn(id, turn_events_);
  node.store->Turn(node.clock.Read(world_->now()), absl::MakeSpan(turn_events_), &effects_);
  // The store may have answered before it came to see that the client was gone, but only until now.
  std::swap(gone_calls_, node.gone_calls);

  const bool excused = node.disk.write_failed() || node.disk.read_failed();
  if (!effects_.failure.ok() && excused) return StopByDisk(id);
  const std::vector<store::PeerView> views = node.store->peers();
  const store::PeerView* view = ViewIn(views);
  const raft::View before = checkers_.replicas()[id].view;
  checkers_.OnTurn(id, effects_, view);
  const raft::View& after = checkers_.replicas()[id].view;
  if (after.id && after.id == before.id) {
    checkers_.AfterEvents(id, node.clock.Read(world_->now()), turn_events_, before, effects_);
  }
  if (checkers_.replicas()[id].leads() && before.role != raft::Role::kLeader) CheckLeases(id);
  if (after.lease_valid) CheckPromises(id);
  if (after.id != before.id || after.promised_until < before.promised_until) CheckAllPromises();
  if (states_ != nullptr) states_->Mark(checkers_.replicas());
  features_.AddTurn(turn_events_, before, checkers_.replicas()[id].view, effects_);
  turn_events_.clear();
  if (Recorder* recorder = world_->recorder) {
    recorder->Turned(id, before, checkers_.replicas()[id].view, checkers_.names());
  }
  RecordState(id);
  if (!effects_.failure.ok()) {
    FailSafety("STORE", "nothing was wrong with the disk of " + NameOf(id) +
                            ", but it stopped: " + std::string(effects_.failure.message()));
  }
  if (world_->report.failed()) return;
  for (const store::OrderOutcome& outcome : effects_.orders) {
    GivenOrder& order = orders_.at(outcome.id);
    order.refusal = outcome.refusal;
    if (outcome.refusal.empty() && order.successor && !before.conf.IsVoter(order.successor) &&
        !after.conf.IsVoter(order.successor)) {
      return FailSafety("ES", NameOf(id) + " begins to hand leadership to " +
                                  checkers_.names().Tell(order.successor) + ", which is no voter.");
    }
    if (outcome.refusal.empty()) world_->faults.Mattered(order.why);
  }

  const auto death = observer_ == nullptr
                         ? std::nullopt
                         : observer_->CrashAfterTurn(
                               id, MomentsOf(before, checkers_.replicas()[id].view, effects_));
  if (death) {
    // Sends, answers and the write leave independently: any prefix of each may be out already.
    Choices& choices = world_->choices;
    const size_t sends = choices.Pick(Choice::kCrashCut, effects_.sends.size() + 1, id);
    const size_t replies = choices.Pick(Choice::kCrashCut, effects_.replies.size() + 1, id);
    Perform(id, sends, replies, choices.Chance(Choice::kCrashCut, 500000, id));
    gone_calls_.clear();
    Crash(id, *death);
    return;
  }
  Perform(id, effects_.sends.size(), effects_.replies.size(), true);
  for (const store::CallId call : gone_calls_) node.calls.erase(call);
  gone_calls_.clear();
  ArmTimer(id);
}

// What others last said of their leases was true at their last turn only.
void Cluster::CheckLeases(uint32_t elected) {
  for (uint32_t id = 0; id < size(); ++id) {
    const Node& node = nodes_[id];
    if (id == elected || !node.store || node.paused) continue;
    const Instant now = node.clock.Read(world_->now());
    checkers_.OnOthersElection(id, node.store->HoldsLease(region_.id, now));
  }
}

// A lease may end only before the promises that it rests on, whatever happens meanwhile.
void Cluster::CheckPromises(uint32_t leader) {
  const std::optional<Instant> end = checkers_.PromisesEnd(leader);
  if (!end) return;
  const Instant then = std::max(*end, world_->now());
  const Node& node = nodes_[leader];
  if (!node.store->HoldsLease(region_.id, node.clock.Read(then))) return;
  checkers_.OnLeaseBeyondPromises(leader, then);
}

// Somebody may have taken a promise back.
void Cluster::CheckAllPromises() {
  for (uint32_t id = 0; id < size(); ++id) {
    if (checkers_.replicas()[id].leads()) CheckPromises(id);
  }
}

// What was under way to the disk may be there or not; the handing over of leadership still leaves.
void Cluster::StopByDisk(uint32_t id) {
  Node& node = nodes_[id];
  turn_events_.clear();
  gone_calls_.clear();
  Perform(id, effects_.sends.size(), 0, false);
  Crash(id, *node.disk_death);
}

void Cluster::Perform(uint32_t id, size_t sends_kept, size_t replies_kept, bool submit) {
  Node& node = nodes_[id];
  Trace& trace = world_->trace;
  for (size_t i = 0; i < sends_kept; ++i) {
    store::Send& send = effects_.sends[i];
    AddTo(&trace.hash(), send.message);
    network_->Send({id, static_cast<uint32_t>(send.to.value() - 1), std::move(send.message)});
  }
  if (effects_.commit && submit) {
    AddTo(&trace.hash(), *effects_.commit);
    if (trace.on()) {
      trace.Line(world_->now(), NameOf(id), "writes " + sim::Describe(*effects_.commit));
    }
    if (Recorder* recorder = world_->recorder) recorder->Wrote(id, *effects_.commit);
    node.disk.Submit(*std::move(effects_.commit), node.life);
  }
  for (env::LogFetch& fetch : effects_.fetches) {
    node.disk.SubmitFetch(std::move(fetch), node.life);
  }
  for (size_t i = 0; i < replies_kept; ++i) {
    store::CallReply& reply = effects_.replies[i];
    const auto it = node.calls.find(reply.id);
    if (it == node.calls.end()) {
      FailSafety("REPLY", NameOf(id) + " answers call " + std::to_string(reply.id.value()) +
                              ", which was answered before or never made.");
      return;
    }
    // Whoever is sure to lead has committed what anybody else has.
    const bool answers = !std::holds_alternative<store::Error>(reply.reply.result);
    if (answers && reply.reply.applied_index < it->second.committed) {
      FailSafety("READ", NameOf(id) + " answers a call by the state at index " +
                             std::to_string(reply.reply.applied_index.value()) + ", but index " +
                             std::to_string(it->second.committed.value()) +
                             " was committed when the call came.");
      if (Recorder* recorder = world_->recorder) recorder->Accuse(it->second.attempt);
      return;
    }
    AddTo(&trace.hash(), reply.reply);
    network_->Send(
        {id, it->second.client, ClientReply{it->second.attempt, std::move(reply.reply)}});
    node.calls.erase(it);
  }
}

void Cluster::Wake(uint32_t id) {
  Node& node = nodes_[id];
  node.wake_at = Instant::Max();
  if (!node.store || node.paused) return;
  if (node.store->next_deadline() <= node.clock.Read(world_->now())) {
    Notify(id);
  } else {
    ArmTimer(id);
  }
}

// A timer that fires too early costs one event; moving it with every deadline would cost many.
void Cluster::ArmTimer(uint32_t id) {
  Node& node = nodes_[id];
  const Instant at = node.clock.WhenReads(node.store->next_deadline());
  if (at >= node.wake_at) return;
  node.wake_at = at;
  world_->queue.At(at, {EventKind::kWake, id, ++node.timer});
}

void Cluster::DiskDone(uint32_t id) {
  Node& node = nodes_[id];
  if (node.disk.PutOff(node.life) || node.disk.write_failed()) return;
  if (node.disk.FailsNow()) {
    node.inbox.push_back(store::DiskFailed{absl::UnavailableError("the disk can't write")});
    return Notify(id);
  }
  checkers_.BeforeDurable(id, *node.disk.next());
  const IoToken token = node.disk.CompleteNext();
  checkers_.AfterDurable(id);
  if (world_->trace.on()) {
    world_->trace.Line(world_->now(), NameOf(id), "durable " + std::to_string(token.value()));
  }
  node.inbox.push_back(store::DiskDone{token});
  Notify(id);
}

void Cluster::Crash(uint32_t id, const Death& death) {
  Node& node = nodes_[id];
  if (!node.store) return;
  ++crashes_;
  const size_t survivors =
      world_->choices.Pick(Choice::kCrashSurvivors, node.disk.in_flight() + 1, id);
  if (world_->trace.on()) {
    world_->trace.Line(world_->now(), NameOf(id),
                       "CRASH: " + std::to_string(survivors) + " of " +
                           std::to_string(node.disk.in_flight()) + " unfinished commits survive");
  }
  world_->trace.hash().Add(id).Add(survivors);
  if (survivors < node.disk.in_flight() || !node.inbox.empty() || !node.calls.empty() ||
      checkers_.replicas()[id].leads()) {
    if (death.why != Fault::kCount) world_->faults.Mattered(death.why);
  }
  node.store.reset();
  node.inbox.clear();
  node.calls.clear();
  node.gone_calls.clear();
  node.paused = false;
  node.turn_scheduled = false;
  ++node.timer;
  // Events of the old life must not meet the new one.
  ++node.life;
  checkers_.OnCrash(id);
  for (size_t i = 0; i < survivors; ++i) {
    checkers_.BeforeDurable(id, *node.disk.next());
    node.disk.CrashSurvives();
    checkers_.AfterDurable(id);
  }
  if (node.disk.RealDiskHasNext()) {
    checkers_.BeforeDurable(id, *node.disk.next());
    node.disk.CrashKeeps();
    checkers_.AfterDurable(id);
    world_->trace.hash().Add(id);
  }
  node.disk.Crash();
  if (Recorder* recorder = world_->recorder) {
    const std::string_view why =
        death.why == Fault::kCount ? std::string_view("stops for good") : NameOf(death.why);
    recorder->NodeEvent(
        id, "crash",
        std::string(why) + ", " + std::to_string(survivors) + " unfinished commits survive");
  }
  RecordState(id);
  world_->queue.After(death.downtime, {EventKind::kRestart, id, node.life});
}

void Cluster::Pause(uint32_t id, Duration length, Fault why) {
  Node& node = nodes_[id];
  if (!node.store || node.paused) return;
  node.paused = true;
  node.paused_by = why;
  if (Recorder* recorder = world_->recorder) {
    recorder->FaultFor(NameOf(why), id, length);
  }
  RecordState(id);
  world_->queue.After(length, {EventKind::kResume, id, ++node.pause});
}

void Cluster::StallDisk(uint32_t id, Duration length) {
  nodes_[id].disk.Stall(world_->now() + length);
  if (Recorder* recorder = world_->recorder) {
    recorder->FaultFor(NameOf(Fault::kStallDisk), id, length);
  }
}

void Cluster::FailDisk(uint32_t id, const Death& death) {
  Node& node = nodes_[id];
  node.disk_death = death;
  if (Recorder* recorder = world_->recorder) recorder->NodeEvent(id, "disk", NameOf(death.why));
  if (death.why == Fault::kFailRead) {
    node.disk.FailNextRead();
  } else {
    node.disk.FailNextWrite();
  }
}

bool Cluster::AnyOrderWaits() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const Node& node) {
    return std::any_of(node.inbox.begin(), node.inbox.end(), [](const store::Event& event) {
      return std::holds_alternative<store::Order>(event);
    });
  });
}

void Cluster::Wipe(uint32_t id, const Death& death) {
  const bool all_run = std::all_of(nodes_.begin(), nodes_.end(),
                                   [](const Node& node) { return node.store != nullptr; });
  if (!all_run || AnyOrderWaits() || !losses_.MayWipe(id)) return;
  world_->faults.Mattered(Fault::kWipeDisk);
  losses_.Wipe(id);
  Crash(id, death);
  checkers_.OnWipe(id);
  SimDisk& disk = nodes_[id].disk;
  disk.Wipe();
  disk.Format(store::Bootstrap({kClusterId, StoreId(id + 1)}));
}

void Cluster::LeaveAQuorum() {
  // An order could still change who is needed.
  if (AnyOrderWaits()) return;
  for (const uint32_t id :
       losses_.LeaveOutAllButAQuorum(&world_->choices, /*stop=*/true, std::nullopt)) {
    StopForGood(id);
  }
}

std::set<uint32_t> Cluster::LeaveOutAllButAQuorum() {
  if (AnyOrderWaits()) return {};
  const bool with_leader = world_->choices.Pick(Choice::kEnding, 2) == 0;
  return losses_.LeaveOutAllButAQuorum(&world_->choices, /*stop=*/false,
                                       with_leader ? leader() : std::nullopt);
}

Term Cluster::highest_term() const {
  Term highest;
  for (const Replica& replica : checkers_.replicas()) {
    if (replica.running && replica.peer) highest = std::max(highest, replica.view.term);
  }
  return highest;
}

// Nothing is heard of it any more, not even what it sent: that could be another configuration.
void Cluster::StopForGood(uint32_t id) {
  Crash(id, {Fault::kCount, Duration()});
  for (uint32_t other = 0; other < size(); ++other) {
    network_->Reset(id, other);
    std::erase_if(nodes_[other].inbox, [&](const store::Event& event) {
      const auto* message = std::get_if<store::MessageReceived>(&event);
      return message != nullptr && message->from == StoreId(id + 1);
    });
  }
}

void Cluster::DrawLimits(uint32_t id) {
  sim::DrawLimits(&world_->choices, Choice::kLimits, id, &nodes_[id].options);
}

void Cluster::Heal() {
  for (uint32_t id = 0; id < size(); ++id) {
    Node& node = nodes_[id];
    node.disk.Heal();
    if (!node.store && !losses_.stopped(id)) StartStore(id);
    if (std::exchange(node.paused, false)) Notify(id);
  }
}

std::optional<uint32_t> Cluster::leader() const {
  std::optional<uint32_t> best;
  const std::vector<Replica>& replicas = checkers_.replicas();
  for (uint32_t id = 0; id < size(); ++id) {
    if (!replicas[id].leads()) continue;
    if (!best || replicas[id].view.term > replicas[*best].view.term) best = id;
  }
  return best;
}

void Cluster::RecordState(uint32_t id) {
  if (world_->recorder == nullptr) return;
  const Node& node = nodes_[id];
  const Replica& replica = checkers_.replicas()[id];
  const auto process = !node.store   ? Recorder::Process::kDown
                       : node.paused ? Recorder::Process::kPaused
                                     : Recorder::Process::kRuns;
  world_->recorder->NodeIs(id, process, replica.peer ? &replica.view : nullptr, replica.applied);
}

bool Cluster::Settled() const {
  const Commits& commits = checkers_.commits();
  const raft::ConfState& conf = commits.confs().back().conf;
  if (conf.joint() || !losses_.EveryMemberLeftIsThere()) return false;
  for (uint32_t id = 0; id < size(); ++id) {
    const Node& node = nodes_[id];
    const Replica& replica = checkers_.replicas()[id];
    if (losses_.left_out(id)) continue;
    if (!node.store || node.disk.in_flight() != 0 || node.store->waiting_calls() != 0 ||
        !node.calls.empty()) {
      return false;
    }
    if (!losses_.IsMember(id)) continue;
    if (replica.view.last_log.index != commits.last() || replica.applied != commits.last()) {
      return false;
    }
  }
  return true;
}

std::optional<std::string> Cluster::HeldAtRest() const {
  const auto answers = [&](PeerId peer) { return losses_.IsMember(checkers_.NodeOf(peer)); };
  for (uint32_t id = 0; id < size(); ++id) {
    const Node& node = nodes_[id];
    if (losses_.left_out(id)) continue;
    const std::vector<store::PeerView> views = node.store->peers();
    std::optional<std::string> held = sim::HeldAtRest(*node.store, node.disk.image());
    if (!held && losses_.IsMember(id)) held = sim::HeldAtRest(*ViewIn(views), answers);
    if (held) {
      return "all work is done, but store " + std::to_string(id + 1) + " still holds " + *held +
             ".";
    }
  }
  return std::nullopt;
}

Features Cluster::features() const {
  Features features = features_;
  features.AddConfs(checkers_.commits().confs());
  return features;
}

uint64_t Cluster::applied_in_all() const {
  uint64_t sum = 0;
  for (const Replica& replica : checkers_.replicas()) sum += replica.applied.value();
  return sum;
}

uint64_t Cluster::durable_in_all() const {
  uint64_t sum = 0;
  for (const Replica& replica : checkers_.replicas()) {
    if (replica.running && replica.peer) sum += replica.view.durable_index.value();
  }
  return sum;
}

Standstill Cluster::Show() const {
  Standstill all;
  all.leader = leader();
  all.conf = checkers_.commits().confs().back().conf;
  all.committed = checkers_.commits().last();
  all.names = checkers_.names();
  for (uint32_t id = 0; id < size(); ++id) {
    const Node& node = nodes_[id];
    const Replica& replica = checkers_.replicas()[id];
    for (uint32_t to = 0; to < size(); ++to) {
      if (network_->IsCut(id, to)) all.cut.insert({id, to});
    }
    Standstill::Store& shown = all.stores.emplace_back();
    shown.runs = node.store != nullptr;
    shown.left_out = losses_.left_out(id);
    if (!shown.runs) continue;
    shown.clock = node.clock.Read(world_->now());
    const auto& there = node.disk.image().replicas();
    if (const auto row = there.find(region_.id); row != there.end()) {
      shown.life = row->second.incarnation;
    }
    shown.view = replica.view;
    shown.applied = replica.applied;
    shown.unfinished = node.disk.in_flight();
    shown.disk_failed = node.disk.write_failed();
    for (store::CallView& call : node.store->calls()) {
      const auto* client = std::get_if<store::CallId>(&call.origin);
      const auto known = client != nullptr ? node.calls.find(*client) : node.calls.end();
      const AttemptId attempt = known != node.calls.end() ? known->second.attempt : 0;
      shown.calls.emplace_back(attempt, std::move(call));
    }
  }
  return all;
}

std::string Cluster::Describe() const {
  std::ostringstream out;
  for (uint32_t id = 0; id < size(); ++id) {
    const Replica& replica = checkers_.replicas()[id];
    out << "    " << id + 1 << ": ";
    if (!nodes_[id].store) {
      out << "down\n";
    } else if (!replica.peer) {
      out << "no replica\n";
    } else {
      out << sim::Describe(replica.view) << " applied " << replica.applied << ", "
          << checkers_.names().Tell(replica.view.conf) << " at " << replica.view.conf_index << "\n";
    }
  }
  return out.str();
}

void Cluster::FailSafety(const char* invariant, std::string sentence) {
  world_->report.Fail(FailureKind::kSafety, invariant, std::move(sentence));
}

}  // namespace flaredb::sim
