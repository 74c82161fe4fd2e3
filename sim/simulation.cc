// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "sim/cluster/cluster.h"
#include "sim/eventual_ledger.h"
#include "sim/faults/admin.h"
#include "sim/faults/last_orders.h"
#include "sim/faults/majority_loss.h"
#include "sim/faults/mode_switcher.h"
#include "sim/faults/nemesis.h"
#include "sim/faults/operator.h"
#include "sim/invariants/codecs.h"
#include "sim/machine_workload.h"
#include "sim/rest.h"
#include "sim/workload.h"
#include "sim/world/network.h"
#include "sim/world/profile.h"
#include "sim/world/recorder.h"
#include "sim/world/world.h"

namespace flaredb::sim {
namespace {

// A busy second has some 25,000 events; one that has so many is stuck in a circle, and whoever
// keeps what happens would run out of memory.
constexpr uint64_t kEventsPerSecondMax = 200000;
// What a healed cluster gets, in election timeouts, to elect a leader, and then between two signs
// of progress. A few elections fail by chance (split votes, late messages of the time before), so
// the bounds are generous.
constexpr int64_t kTimeoutsToLead = 40;
constexpr int64_t kTimeoutsToProgress = 40;
// The same in events, of which it needs some 7,000: messages that go round for ever are no
// patience.
constexpr uint64_t kEventsToProgress = 50000;
// And in all, so that running in a circle does not pass for progress.
constexpr Duration kHealingMax = Duration::Seconds(600);
// For so many election timeouts a region whose quorum is whole is watched, and its term may not
// rise more than this: messages of the time before may still call for an election or two.
constexpr int64_t kTimeoutsOfCalm = 12;
constexpr uint64_t kTermsOfCalm = 4;
// Runs that heal and are then told to hand over and to change their members.
constexpr uint64_t kLastOrdersOneIn = 3;
// Runs whose history checker C judges as well.
constexpr uint64_t kDoubleCheckOneIn = 8;

// What a run is at; it enters them in this order, and leaves out some by its Ending.
enum class Phase : uint8_t {
  kFaults,    // Clients and faults.
  kRecovery,  // A majority was lost for ever: MajorityLoss is carried out.
  kHealed,    // All works again, or a quorum does: a leader must appear, clients must finish.
  kOrders,    // LastOrders are carried out.
  kAudit,     // Auditors read everything.
  kSettle,    // Everybody applies the whole log, and gives back what was taken in for work.
  kCalm,      // A part stays broken: the term must not rise much.
  kOver,
};
constexpr const char* kPhaseNames[] = {"faults", "recovery", "healed", "orders",
                                       "audit",  "settle",   "calm",   "over"};

// A placement driver does of its own what these stand for: where they are not to happen there is
// none.
bool MayBePlaced(const FaultSet& without) {
  constexpr Fault kIts[] = {Fault::kChangeMembers, Fault::kTransfer, Fault::kModeSwitch,
                            Fault::kCollect};
  return std::none_of(std::begin(kIts), std::end(kIts),
                      [&](Fault fault) { return without[static_cast<size_t>(fault)]; });
}

// The history of a user's own machine does not go back, as it would have to (Ending::kLost).
Profile ProfileOf(Choices* choices, const RunOptions& options) {
  const bool own_machine = options.subject.new_spec != nullptr;
  Profile profile = DrawProfile(choices, options.operations_max, options.faults_max,
                                !own_machine && MayBePlaced(options.reduction.without));
  if (own_machine && profile.ending == Ending::kLost) profile.ending = Ending::kHealed;
  if (own_machine) profile.eventual = {};
  return profile;
}

class Simulation {
 public:
  Simulation(Choices choices, const RunOptions& options)
      : options_(options),
        world_(std::move(choices), &options.reduction, options.trace_out),
        double_check_(world_.choices.Pick(Choice::kProfile, kDoubleCheckOneIn) == 0),
        profile_(ProfileOf(&world_.choices, options)),
        spec_(options.subject.new_spec ? options.subject.new_spec() : nullptr),
        clients_(Clients::Endpoints(profile_.workload, profile_.stores)),
        probes_(&world_, profile_.buggify),
        network_(&world_, profile_.network,
                 profile_.stores + clients_ + (profile_.eventual.active ? 1 : 0)),
        cluster_(&world_, profile_, &network_, spec_.get(), options.subject.new_real_disk),
        ledger_(&cluster_.checkers().commits().model(), profile_.placed.active),
        workload_(NewWorkload()),
        nemesis_(&world_, profile_, &cluster_, &network_, clients_),
        operator_(&world_, profile_.orders, &cluster_),
        last_orders_(&world_, &cluster_, profile_.store.raft.election_timeout),
        majority_loss_(&world_, &cluster_, profile_.store.raft.election_timeout),
        mode_switcher_(&world_, profile_.eventual, profile_.store.raft.election_timeout, &cluster_,
                       &network_, profile_.stores + clients_),
        admin_(&world_, profile_.placed, profile_.store.raft.election_timeout, &cluster_, &network_,
               profile_.stores + clients_),
        losses_(profile_.stores) {
    cluster_.SetStateCoverage(options.states);
    if (options.record == nullptr) return;
    options.record->nodes = profile_.stores;
    world_.recorder = &recorder_.emplace(&world_.queue, options.record);
    world_.faults.SetListener([this](Fault fault, std::optional<uint32_t> endpoint) {
      if (fault >= kFirstByChance) recorder_->Chance(NameOf(fault), endpoint);
    });
  }

  RunResult Run();

 private:
  RunResult Result();
  std::unique_ptr<Clients> NewWorkload();
  void Dispatch(const Event& event);
  void Log(const Event& event);
  void OnPhase();
  void Heal();
  void Recover();
  void BreakLinksForGood(const std::set<uint32_t>& left_out);
  void EndUnhealed();
  void Audit();
  void WatchTerm();
  bool comes_to_rest() const {
    return profile_.ending != Ending::kBroken && profile_.ending != Ending::kPartial &&
           !majority_loss_.hopeless();
  }
  std::optional<std::string> WhoIsAwake() const {
    std::optional<std::string> awake;
    for (const auto& region : cluster_.regions()) {
      if (awake) break;
      awake = sim::WhoIsAwake(profile_.store.raft, region->checkers, region->losses);
    }
    return awake;
  }
  void CheckProgress();
  void CheckCodecs();
  bool placed() const { return profile_.placed.active; }
  // What is not as it was ordered to be, a clause; nullopt: all is.
  std::optional<std::string> Unsettled() const;
  void NoteLosses();
  void JudgeEventual();
  void Enter(Phase phase);
  void FailLiveness(const std::string& what);
  void Explain(std::ostringstream* out) const;
  void FailInACircle();
  // After a fault the driver may wait for so long for a store or an answer, before it goes on.
  Duration DriverPatience() const {
    if (!placed()) return Duration();
    const cluster::DriverOptions& driver = profile_.store.cluster->driver;
    return driver.silence_timeout + driver.errand_timeout * 2 + driver.collect_interval;
  }
  Duration Timeouts(int64_t n) const { return profile_.store.raft.election_timeout * n; }

  const RunOptions& options_;
  World world_;
  std::optional<Recorder> recorder_;
  const bool double_check_;  // By a second checker.
  const Profile profile_;
  const std::unique_ptr<MachineSpec> spec_;  // Null: the key-value machine.
  const uint32_t clients_;
  Probes probes_;
  SimNetwork network_;
  Cluster cluster_;
  EventualLedger ledger_;
  const std::unique_ptr<Clients> workload_;
  Nemesis nemesis_;
  Operator operator_;
  LastOrders last_orders_;
  MajorityLoss majority_loss_;
  ModeSwitcher mode_switcher_;  // Without a placement driver,
  Admin admin_;                 // and with one.
  // By node: how often its disk was wiped, and whether it has stopped for good, as the ledger
  // knows.
  std::vector<std::pair<uint32_t, bool>> losses_;
  Phase phase_ = Phase::kFaults;
  Instant healed_at_;
  Instant calm_since_;
  Term calm_term_;         // The highest then.
  Instant patient_until_;  // When the lack of progress becomes a failure.
  uint64_t progress_ = 0;  // Rises with everything that brings the end nearer.
  uint64_t durable_ = 0;   // The most that was on all disks together since the run healed.
  uint64_t events_at_progress_ = 0;  // At its latest sign, or when the run healed.
};

std::unique_ptr<Clients> Simulation::NewWorkload() {
  const Commits& commits = cluster_.checkers().commits();
  if (spec_ == nullptr) {
    return std::make_unique<Workload>(&world_, profile_, cluster_.region(), &network_,
                                      &commits.model(),
                                      profile_.eventual.active ? &ledger_ : nullptr,
                                      [this] { return !placed() || admin_.namespaces_exist(); });
  }
  return std::make_unique<MachineWorkload>(&world_, profile_, cluster_.region(), &network_,
                                           spec_.get(), &commits);
}

RunResult Simulation::Run() {
  const ProbeScope scope(&probes_);
  try {
    cluster_.SetObserver(&nemesis_);
    cluster_.Start();
    workload_->Start();
    nemesis_.Start();
    operator_.Start();
    placed() ? admin_.Start() : mode_switcher_.Start();
    Enter(Phase::kFaults);
    world_.queue.After(Duration(), {EventKind::kPhase, 0, 0});
    while (phase_ != Phase::kOver && !world_.report.failed()) {
      if (world_.now() - Instant() > options_.stop_after) return Result();
      const Event event = world_.queue.Pop();
      world_.trace.hash()
          .Add(static_cast<uint64_t>(world_.now().nanoseconds()))
          .Add(static_cast<uint64_t>(event.kind) << 32 | event.target)
          .Add(event.arg);
      Dispatch(event);
      if (options_.event_log != nullptr) Log(event);
      if (world_.queue.processed_in_second() > kEventsPerSecondMax) FailInACircle();
    }
    if (!world_.report.failed() && comes_to_rest()) cluster_.CheckAtEnd();
    if (!world_.report.failed()) CheckCodecs();
    if (!world_.report.failed() && profile_.eventual.active) JudgeEventual();
    if (!world_.report.failed()) workload_->JudgeHistory(double_check_);
  } catch (const InvariantViolation& broken) {
    world_.report.Fail(FailureKind::kSafety, "INV", broken.what());
  }

  if (world_.report.failed() && world_.trace.on()) {
    const Failure& failure = world_.report.failure();
    world_.trace.Line(world_.now(), "--", failure.invariant + ": " + failure.sentence);
  }
  if (recorder_) {
    for (const Promise& promise : cluster_.checkers().promises()) {
      recorder_->Promised(promise.node, promise.given, promise.until);
    }
    recorder_->Finish(world_.report.failure(), workload_->history());
  }
  return Result();
}

RunResult Simulation::Result() {
  RunResult result;
  result.failure = world_.report.failure();
  result.hash = world_.trace.hash().value();
  result.simulated = world_.now() - Instant();
  result.counts.events = world_.queue.processed();
  result.counts.turns = cluster_.turns();
  result.counts.crashes = cluster_.crashes();
  result.counts.features = cluster_.features();
  result.counts.probes = probes_.counts();
  result.counts.faults = world_.faults.counts();
  result.faults = world_.faults.fired();
  result.operations = workload_->made();
  result.counts.operations = workload_->operations();
  result.counts.unknown = workload_->unknown();
  result.counts.committed = cluster_.checkers().commits().last().value();
  result.counts.terms =
      cluster_.checkers().commits().TermAt(cluster_.checkers().commits().last()).value();
  return result;
}

void Simulation::Log(const Event& event) {
  const size_t text_end =
      world_.trace.on() ? static_cast<size_t>(options_.trace_out->tellp()) : size_t{0};
  options_.event_log->entries.push_back(
      {world_.now(), event, world_.trace.hash().value(), text_end});
}

void Simulation::Dispatch(const Event& event) {
  switch (event.kind) {
    case EventKind::kDeliver: {
      std::optional<Packet> packet = network_.Take(event.arg);
      if (!packet) return;
      if (packet->to < profile_.stores) return cluster_.Deliver(*std::move(packet));
      if (recorder_) recorder_->Fared(*packet, Record::Fate::kArrived);
      if (packet->to == profile_.stores + clients_) {
        return placed() ? admin_.Deliver(*packet) : mode_switcher_.Deliver(*packet);
      }
      return workload_->Deliver(*std::move(packet));
    }
    case EventKind::kClient:
      return workload_->OnTimer(event.target, event.arg);
    case EventKind::kFault:
      return nemesis_.OnEvent(event.arg);
    case EventKind::kOperator:
      return operator_.OnEvent();
    case EventKind::kModes:
      NoteLosses();
      mode_switcher_.OnEvent();
      return ledger_.CheckFences(&world_.report);
    case EventKind::kAdmin:
      admin_.OnEvent();
      NoteLosses();
      return ledger_.CheckFences(&world_.report);
    case EventKind::kPhase:
      return OnPhase();
    default:
      return cluster_.OnEvent(event);
  }
}

void Simulation::Enter(Phase phase) {
  phase_ = phase;
  const std::string name = kPhaseNames[static_cast<size_t>(phase)];
  if (recorder_) recorder_->Phase(name);
  if (world_.trace.on()) world_.trace.Line(world_.now(), "--", "phase " + name);
}

// Looks a few times in every election timeout whether the phase is over.
void Simulation::OnPhase() {
  if (phase_ != Phase::kFaults && phase_ != Phase::kCalm) CheckProgress();
  switch (phase_) {
    case Phase::kFaults:
      if (workload_->done() || world_.now() - Instant() >= profile_.faults_end) {
        if (profile_.ending == Ending::kBroken) return EndUnhealed();
        Heal();
      }
      break;
    case Phase::kRecovery:
      Recover();
      break;
    case Phase::kHealed:
      if (!workload_->done() || !cluster_.leader()) break;
      if (placed() ||
          (comes_to_rest() && world_.choices.Pick(Choice::kEnding, kLastOrdersOneIn) == 0)) {
        Enter(Phase::kOrders);
      } else {
        Audit();
      }
      break;
    case Phase::kOrders:
      if (placed()) {
        if (!Unsettled()) Audit();
        break;
      }
      last_orders_.Continue();
      if (last_orders_.failed()) return FailLiveness(last_orders_.Describe());
      if (last_orders_.done() && cluster_.leader()) Audit();
      break;
    case Phase::kAudit:
      // A change of members that was under way may still take somebody's replica away.
      if (comes_to_rest()) workload_->AuditOnly(cluster_.losses().members());
      if (!workload_->done()) break;
      if (comes_to_rest()) {
        Enter(Phase::kSettle);
      } else {
        calm_since_ = world_.now();
        calm_term_ = cluster_.highest_term();
        Enter(Phase::kCalm);
      }
      break;
    case Phase::kSettle:
      if (!Unsettled() && cluster_.Settled() && !cluster_.HeldAtRest() && !WhoIsAwake()) {
        Enter(Phase::kOver);
      }
      break;
    case Phase::kCalm:
      WatchTerm();
      break;
    case Phase::kOver:
      break;
  }
  world_.queue.After(Timeouts(1) / 4, {EventKind::kPhase, 0, 0});
}

void Simulation::CheckProgress() {
  const uint64_t progress = workload_->finished() + cluster_.applied_in_all();
  // A long log may take a while to reach a quorum, entry by entry, before anything is applied.
  const uint64_t durable = cluster_.durable_in_all();
  if (progress != progress_ || durable > durable_) {
    progress_ = progress;
    events_at_progress_ = world_.queue.processed();
    durable_ = std::max(durable, durable_);
    patient_until_ = std::max(patient_until_, world_.now() + Timeouts(kTimeoutsToProgress) +
                                                  workload_->longest_budget() + DriverPatience());
  }
  if (world_.now() < patient_until_ && world_.now() - healed_at_ < kHealingMax &&
      world_.queue.processed() - events_at_progress_ <= kEventsToProgress) {
    return;
  }
  if (phase_ == Phase::kRecovery) return FailLiveness(majority_loss_.Describe());
  for (const auto& region : cluster_.regions()) {
    if (!region->leader()) return FailLiveness("there is no leader");
  }
  if (!workload_->done()) return FailLiveness("clients still wait");
  if (phase_ == Phase::kOrders && !placed()) return FailLiveness(last_orders_.Describe());
  if (const auto unsettled = Unsettled()) return FailLiveness(*unsettled);
  if (!cluster_.Settled()) {
    return FailLiveness("not every member has applied everything, or a store is not quiet");
  }
  if (const auto held = cluster_.HeldAtRest()) {
    world_.report.Fail(FailureKind::kSafety, "FLOW", *held);
  } else if (const auto awake = WhoIsAwake()) {
    FailLiveness("the region has nothing to do, but " + *awake);
  }
}

void Simulation::CheckCodecs() {
  Rng rng(world_.choices.Seed(Choice::kAltered));
  for (const auto& region : cluster_.regions()) {
    for (const Replica& replica : region->checkers.replicas()) {
      if (auto broken = BrokenCodec(region->region.id, replica.disk->image(), &rng)) {
        return world_.report.Fail(FailureKind::kSafety, "CODEC", *std::move(broken));
      }
    }
  }
}

std::optional<std::string> Simulation::Unsettled() const {
  if (placed()) {
    const std::optional<std::string> unfinished = admin_.Unfinished();
    return unfinished ? unfinished : cluster_.Unplaced();
  }
  if (!profile_.eventual.active || mode_switcher_.Settled()) return std::nullopt;
  return mode_switcher_.Describe();
}

// Whose disk was lost since the last call.
void Simulation::NoteLosses() {
  for (uint32_t node = 0; node < profile_.stores; ++node) {
    const uint32_t wipes = cluster_.losses().wipes(node);
    const bool stopped =
        placed() ? cluster_.losses().left_out(node) : cluster_.losses().stopped(node);
    if (std::exchange(losses_[node], {wipes, stopped}) != std::pair(wipes, stopped)) {
      stopped ? ledger_.OnGivenUp(node) : ledger_.OnDiskLost(node);
    }
  }
}

void Simulation::JudgeEventual() {
  NoteLosses();
  std::vector<EventualEnd> ends(profile_.stores);
  for (uint32_t node = 0; node < profile_.stores; ++node) {
    ends[node].wiped = losses_[node].first != 0;
    ends[node].stopped = losses_[node].second;
    ends[node].member = cluster_.losses().IsMember(node);
    if (!cluster_.joined(node)) continue;
    // What was removed in good order has nothing to pass on.
    if (!cluster_.retired(node)) ends[node].outbox = cluster_.OutboxOf(node);
    ends[node].rows = cluster_.checkers().replicas()[node].disk->image().rows();
  }
  ledger_.Judge(ends, kAlwaysEventual, comes_to_rest(), &world_.report);
}

void Simulation::Heal() {
  healed_at_ = world_.now();
  events_at_progress_ = world_.queue.processed();
  patient_until_ = healed_at_ + Timeouts(kTimeoutsToLead) + profile_.workload.operation_timeout +
                   workload_->longest_budget() + profile_.network.slow_max +
                   profile_.faults.length.last;
  nemesis_.Stop();
  if (recorder_) recorder_->Healed();
  probes_.Stop();
  operator_.Stop();
  mode_switcher_.Stop();
  admin_.Stop();
  network_.Heal();
  cluster_.Heal();
  if (profile_.ending == Ending::kQuorum) cluster_.LeaveAQuorum();
  if (profile_.ending == Ending::kPartial) BreakLinksForGood(cluster_.LeaveOutAllButAQuorum());
  if (profile_.ending == Ending::kLost && majority_loss_.Begin()) {
    workload_->Leave();
    return Enter(Phase::kRecovery);
  }
  workload_->Drain();
  Enter(Phase::kHealed);
}

void Simulation::Recover() {
  majority_loss_.Continue();
  if (majority_loss_.hopeless()) return Enter(Phase::kOver);
  if (!majority_loss_.done()) return;
  if (cluster_.recoveries() != 0) workload_->BeginAnew(double_check_);
  Enter(Phase::kHealed);
}

void Simulation::EndUnhealed() {
  workload_->Leave();
  Enter(Phase::kOver);
}

// Every direction of every link of those who are left out is whole or cut, at random; but every
// other one of them hears nobody of the quorum, or is not heard there, or both.
void Simulation::BreakLinksForGood(const std::set<uint32_t>& left_out) {
  Choices& choices = world_.choices;
  const auto cut = [&](uint32_t from, uint32_t to) {
    if (world_.faults.Fires(Fault::kOneWay, from)) network_.Cut(from, to, Fault::kOneWay);
  };
  for (const uint32_t node : left_out) {
    const uint64_t habit = choices.Pick(Choice::kEnding, 6);
    for (uint32_t other = 0; other < profile_.stores; ++other) {
      const bool both_left_out = left_out.count(other) != 0;
      if (both_left_out && other <= node) continue;
      const uint64_t one_of_four = choices.Pick(Choice::kEnding, 4);
      // In two bits: not heard, does not hear.
      const uint64_t state = both_left_out || habit < 3 ? one_of_four : habit - 2;
      if ((state & 1) != 0) cut(node, other);
      if ((state & 2) != 0) cut(other, node);
    }
  }
}

void Simulation::WatchTerm() {
  const Term term = cluster_.highest_term();
  if (term.value() > calm_term_.value() + kTermsOfCalm) {
    std::ostringstream what;
    what << "the term goes on rising, from " << calm_term_ << " to " << term
         << " although clients were answered";
    return FailLiveness(what.str());
  }
  if (world_.now() - calm_since_ >= Timeouts(kTimeoutsOfCalm)) Enter(Phase::kOver);
}

void Simulation::Audit() {
  if (comes_to_rest()) {
    workload_->Audit(cluster_.losses().members());
  } else {
    workload_->AuditAny(cluster_.losses().members());
  }
  Enter(Phase::kAudit);
}

void Simulation::FailLiveness(const std::string& what) {
  std::ostringstream out;
  out << "since " << (healed_at_ - Instant()).milliseconds()
      << (profile_.ending == Ending::kPartial ? " ms a quorum of the stores is whole among itself"
          : !cluster_.losses().all_left_out().empty()
              ? " ms those who are left of the stores are whole among themselves"
              : " ms all stores run and the network is whole")
      << ", but at " << (world_.now() - Instant()).milliseconds() << " ms " << what << ".\n";
  Explain(&out);
  world_.report.Fail(FailureKind::kLiveness, "LIVE", out.str());
}

// Why, and how the stores stand, region by region.
void Simulation::Explain(std::ostringstream* out) const {
  for (const auto& region : cluster_.regions()) {
    if (placed()) *out << "  region " << region->region.id << ":\n";
    Standstill all = cluster_.Show(*region);
    workload_->Show(&all);
    *out << sim::Explain(all) << "  by store:\n" << cluster_.Describe(*region);
  }
}

void Simulation::FailInACircle() {
  std::ostringstream out;
  out << "at " << (world_.now() - Instant()).milliseconds() << " ms more than "
      << kEventsPerSecondMax << " events have happened within a second.\n"
      << "  by store:\n"
      << cluster_.Describe(*cluster_.regions().front());
  world_.report.Fail(FailureKind::kLiveness, "LIVE", out.str());
}

}  // namespace

RunCounts& RunCounts::operator+=(const RunCounts& other) {
  events += other.events;
  turns += other.turns;
  crashes += other.crashes;
  operations += other.operations;
  unknown += other.unknown;
  committed += other.committed;
  terms += other.terms;
  repeated += other.repeated;
  features += other.features;
  faults += other.faults;
  probes += other.probes;
  return *this;
}

RunResult RunSeed(uint64_t seed, const RunOptions& options) { return Run(Choices(seed), options); }

RunResult Run(Choices choices, const RunOptions& options) {
  if (options.record_on != nullptr) choices.RecordOn(options.record_on);
  return Simulation(std::move(choices), options).Run();
}

}  // namespace flaredb::sim
