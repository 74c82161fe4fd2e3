// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/cluster.h"

#include <algorithm>

#include "core/base/probes.h"
#include "core/kv/key.h"
#include "core/store/wall_clock.h"
#include "sim/world/describe.h"
#include "sim/world/recorder.h"
#include "sim/world/trace_hash.h"

namespace flaredb::sim {
namespace {

void NoteEventual(const store::Operation& operation, Node::Call* call) {
  if (const auto* write = std::get_if<store::RawWriteRequest>(&operation)) {
    call->eventual = true;
    call->row = kv::EncodeKey(write->ns, write->key);
  } else if (const auto* get = std::get_if<store::GetRequest>(&operation)) {
    call->eventual = get->mode == kv::Mode::kEventual;
  } else if (const auto* scan = std::get_if<store::ScanRequest>(&operation)) {
    call->eventual = scan->mode == kv::Mode::kEventual;
  }
}

}  // namespace

void Cluster::Give(uint32_t id, store::Order order, Fault why) {
  Node& node = nodes_[id];
  if (!node.store) return;
  order.region = region().id;
  GivenOrder& given = orders_[order.id];
  given.why = why;
  if (const auto* transfer = std::get_if<store::TransferLeader>(&order.what)) {
    given.successor = transfer->target;
  }
  if (const auto* plan = std::get_if<raft::RecoveryPlan>(&order.what)) given.plan = *plan;
  node.inbox.push_back(std::move(order));
  Notify(id);
}

std::optional<std::string> Cluster::RefusalOf(uint64_t order) const {
  const auto given = orders_.find(order);
  return given == orders_.end() ? std::nullopt : given->second.refusal;
}

void Cluster::Deliver(Packet packet) {
  const uint32_t id = packet.to;
  Node& node = nodes_[id];
  if (Recorder* recorder = world_->recorder) {
    recorder->Fared(packet, node.store ? Record::Fate::kArrived : Record::Fate::kNobodyThere);
  }
  if (!node.store || TurnsAway(packet)) return;
  if (auto* message = std::get_if<store::StoreMessage>(&packet.body)) {
    if (world_->trace.on()) {
      world_->trace.Line(world_->now(), Names::Store(id),
                         "<- " + Names::Store(packet.from) + ": " + sim::Describe(*message));
    }
    node.inbox.push_back(store::MessageReceived{StoreId(packet.from + 1), std::move(*message)});
  } else if (auto* call = std::get_if<ClientRequest>(&packet.body)) {
    if (world_->trace.on()) {
      world_->trace.Line(world_->now(), Names::Store(id),
                         "<- client " + sim::Describe(call->request));
    }
    const store::CallId name(++node.last_call);
    Node::Call& waits = node.calls[name];
    waits = {packet.from,
             call->attempt,
             RegionOf(call->request.operation).checkers.commits().last(),
             false,
             "",
             WhyClosed(id)};
    if (profile_.eventual.active) NoteEventual(call->request.operation, &waits);
    node.inbox.push_back(store::ClientCall{name, std::move(call->request), UnixMs(id)});
  } else if (auto* cancel = std::get_if<ClientCancel>(&packet.body)) {
    const auto it = std::find_if(node.calls.begin(), node.calls.end(), [&](const auto& entry) {
      return entry.second.attempt == cancel->attempt;
    });
    if (it == node.calls.end()) return;
    node.inbox.push_back(store::ClientGone{it->first});
    node.gone_calls.push_back(it->first);
  } else if (std::holds_alternative<store::Expelled>(packet.body)) {
    node.inbox.push_back(store::Expelled{});
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
      if (!node.store && Restarts(event.target) && event.arg == node.life) {
        StartStore(event.target);
      }
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
  store::TellWallClock(&turn_events_, [&] { return UnixMs(id); });
  effects_.Clear();
  world_->acting = id;
  for (auto& region : regions_) region->checkers.BeforeTurn(id, turn_events_);
  node.store->Turn(node.clock.Read(world_->now()), absl::MakeSpan(turn_events_), &effects_);
  // The store may have answered before it came to see that the client was gone, but only until now.
  std::swap(gone_calls_, node.gone_calls);

  const bool excused = node.disk.write_failed() || node.disk.read_failed();
  if (!effects_.failure.ok() && excused) return StopByDisk(id);
  if (node.disk.row_failed() == RowDefect::kLost) {
    FailSafety("STORE", Names::Store(id) + " could not read a row of its disk, and goes on.");
  }
  const std::vector<store::PeerView> views = node.store->peers();
  NoteRecovery(id);
  for (auto& region : regions_) CheckTurn(id, region.get(), views);
  WatchPlacement(id);
  const raft::View& before = checkers().replicas()[id].before;
  const raft::View& after = checkers().replicas()[id].view;
  if (states_ != nullptr) states_->Mark(checkers().replicas());
  features_.AddTurn(turn_events_, before, after, effects_);
  turn_events_.clear();
  if (Recorder* recorder = world_->recorder) {
    recorder->Turned(id, before, after, checkers().names());
  }
  RecordState(id);
  if (!effects_.failure.ok()) {
    FailSafety("STORE", "nothing was wrong with the disk of " + Names::Store(id) +
                            ", but it stopped: " + std::string(effects_.failure.message()));
  }
  if (world_->report.failed()) return;
  for (const store::OrderOutcome& outcome : effects_.orders) {
    GivenOrder& order = orders_.at(outcome.id);
    order.refusal = outcome.refusal;
    // Of a replica that broke in this turn nothing is known any more.
    if (outcome.refusal.empty() && order.successor && after.id &&
        !before.conf.IsVoter(order.successor) && !after.conf.IsVoter(order.successor)) {
      return FailSafety("ES", Names::Store(id) + " begins to hand leadership to " +
                                  checkers().names().Tell(order.successor) +
                                  ", which is no voter.");
    }
    if (outcome.refusal.empty()) world_->faults.Mattered(order.why);
  }

  const auto death =
      observer_ == nullptr ? std::nullopt : observer_->CrashAfterTurn(id, MomentsOfTurn(id));
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

Moments Cluster::MomentsOfTurn(uint32_t id) const {
  Moments moments = 0;
  for (const auto& region : regions_) {
    const Replica& replica = region->checkers.replicas()[id];
    moments |= MomentsOf(replica.before, replica.view, effects_);
  }
  return moments;
}

// The region whose log decides on it.
const RegionWatch& Cluster::RegionOf(const store::Operation& operation) const {
  const bool of_machine = std::holds_alternative<store::ExecuteRequest>(operation) ||
                          std::holds_alternative<store::QueryRequest>(operation);
  return placement_ && of_machine ? *regions_.back() : data();
}

// What the turn did to the store's replica of one region; `views` are those of all its replicas.
void Cluster::CheckTurn(uint32_t id, RegionWatch* region,
                        const std::vector<store::PeerView>& views) {
  const Node& node = nodes_[id];
  Checkers& checkers = region->checkers;
  const store::PeerView* view = region->In(views);
  const PeerId broken_before = node.broken;
  const bool broken = view != nullptr && IsBroken(id, *view);
  if (broken && !broken_before) {
    checkers.OnBroken(id, effects_, view->applied_index);
  } else {
    checkers.OnTurn(id, effects_, broken ? nullptr : view);
  }
  const raft::View& before = checkers.replicas()[id].before;
  const raft::View& after = checkers.replicas()[id].view;
  if (after.id && after.id == before.id) {
    constexpr auto kOverfills = static_cast<size_t>(BuggifyPoint::kOverfillWindow);
    checkers.AfterEvents(id, node.clock.Read(world_->now()), turn_events_, effects_,
                         profile_.buggify.points[kOverfills] ? nullptr : &node.options.raft);
  }
  if (checkers.replicas()[id].leads() && before.role != raft::Role::kLeader) {
    CheckLeases(id, region);
  }
  if (after.lease_valid) CheckPromises(id, region);
  if (after.id != before.id || after.promised_until < before.promised_until) {
    CheckAllPromises(region);
  }
}

// Begun in this turn: the history is about to be another one.
void Cluster::NoteRecovery(uint32_t id) {
  for (const store::OrderOutcome& outcome : effects_.orders) {
    const GivenOrder& order = orders_.at(outcome.id);
    if (!order.plan || !outcome.refusal.empty()) continue;
    ++recoveries_;
    data().checkers.OnRecovery(id, *order.plan, losses().all_left_out());
    if (world_->trace.on()) {
      world_->trace.Line(world_->now(), Names::Store(id), "RECOVERS: " + order.plan->Describe());
    }
    // A call of before may be answered by less than what was committed then.
    for (Node& node : nodes_) {
      for (auto& [call_id, call] : node.calls) call.committed = Index();
    }
  }
}

// What others last said of their leases was true at their last turn only.
void Cluster::CheckLeases(uint32_t elected, RegionWatch* region) {
  for (uint32_t id = 0; id < size(); ++id) {
    const Node& node = nodes_[id];
    if (id == elected || !node.store || node.paused) continue;
    const Instant now = node.clock.Read(world_->now());
    region->checkers.OnOthersElection(id, node.store->HoldsLease(region->region.id, now));
  }
}

// A lease may end only before the promises that it rests on, whatever happens meanwhile.
void Cluster::CheckPromises(uint32_t leader, RegionWatch* region) {
  const std::optional<Instant> end = region->checkers.PromisesEnd(leader);
  if (!end) return;
  const Instant then = std::max(*end, world_->now());
  const Node& node = nodes_[leader];
  if (!node.store->HoldsLease(region->region.id, node.clock.Read(then))) return;
  region->checkers.OnLeaseBeyondPromises(leader, then);
}

// Somebody may have taken a promise back.
void Cluster::CheckAllPromises(RegionWatch* region) {
  for (uint32_t id = 0; id < size(); ++id) {
    if (region->checkers.replicas()[id].leads()) CheckPromises(id, region);
  }
}

// What was under way to the disk may be there or not; the handing over of leadership still leaves.
void Cluster::StopByDisk(uint32_t id) {
  Node& node = nodes_[id];
  if (node.disk.row_failed() != RowDefect::kNone) world_->faults.Mattered(Fault::kFailRead);
  if (turn_events_.size() == 1 && std::holds_alternative<store::DiskFailed>(turn_events_[0])) {
    const std::vector<store::PeerView> views = node.store->peers();
    for (auto& region : regions_) {
      region->checkers.OnDiskFailed(id, node.clock.Read(world_->now()), effects_,
                                    world_->sabotage.contains(id) ? nullptr : region->In(views));
    }
  }
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
    if (!Reaches(id, send.to)) continue;
    AddTo(&trace.hash(), send.message);
    network_->Send({id, static_cast<uint32_t>(send.to.value() - 1), std::move(send.message)});
  }
  if (effects_.commit && submit) {
    AddTo(&trace.hash(), *effects_.commit);
    if (trace.on()) {
      trace.Line(world_->now(), Names::Store(id), "writes " + sim::Describe(*effects_.commit));
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
      FailSafety("REPLY", Names::Store(id) + " answers call " + std::to_string(reply.id.value()) +
                              ", which was answered before or never made.");
      return;
    }
    if (!MayAnswer(id, it->second, reply.reply)) {
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
  BeforeDurable(id);
  const IoToken token = node.disk.CompleteNext();
  AfterDurable(id);
  if (world_->trace.on()) {
    world_->trace.Line(world_->now(), Names::Store(id), "durable " + std::to_string(token.value()));
  }
  node.inbox.push_back(store::DiskDone{token});
  Notify(id);
}

// The oldest commit that its disk has not finished is about to be part of what is there.
void Cluster::BeforeDurable(uint32_t id) {
  for (auto& region : regions_) region->checkers.BeforeDurable(id, *nodes_[id].disk.next());
}

void Cluster::AfterDurable(uint32_t id) {
  for (auto& region : regions_) region->checkers.AfterDurable(id);
  WatchDirectory(id);
}

Term Cluster::highest_term() const {
  Term highest;
  for (const Replica& replica : checkers().replicas()) {
    if (replica.running && replica.peer) highest = std::max(highest, replica.view.term);
  }
  return highest;
}

void Cluster::RecordState(uint32_t id) {
  if (world_->recorder == nullptr) return;
  const Node& node = nodes_[id];
  const Replica& replica = checkers().replicas()[id];
  const auto process = !node.store   ? Recorder::Process::kDown
                       : node.paused ? Recorder::Process::kPaused
                                     : Recorder::Process::kRuns;
  world_->recorder->NodeIs(id, process, replica.peer ? &replica.view : nullptr, replica.applied);
}

Features Cluster::features() const {
  Features features = features_;
  features.AddConfs(checkers().commits().confs());
  return features;
}

void Cluster::FailSafety(const char* invariant, std::string sentence) {
  world_->report.Fail(FailureKind::kSafety, invariant, std::move(sentence));
}

}  // namespace flaredb::sim
