// SPDX-License-Identifier: Apache-2.0
#include "core/store/membership.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/pd/explain.h"
#include "core/pd/query.h"
#include "core/pd/reply.h"
#include "core/region/state_machine.h"

namespace flaredb::store {
namespace {

// The placement driver's rows as a replica here has applied them.
class ReplicaPdReader : public cluster::PdReader {
 public:
  ReplicaPdReader(const StateMachine& machine, const Replica& replica, const DataReader& data)
      : machine_(machine), replica_(replica), data_(data) {}

  pd::Reply Ask(const pd::Query& query) const override {
    const ObjectRows rows(pd::kObject, data_);
    absl::StatusOr<pd::Reply> reply = pd::DecodeReply(machine_.Query(pd::EncodeQuery(query), rows));
    status_.Update(rows.status());
    INVARIANT(reply.ok()) << "the placement driver's own answer: " << reply.status();
    return *std::move(reply);
  }
  Index applied_index() const override { return replica_.applied_index(); }
  const Region& region() const override { return replica_.region(); }
  // The first failure to read. What was answered from then on means nothing.
  const absl::Status& status() const { return status_; }

 private:
  const StateMachine& machine_;
  const Replica& replica_;
  const DataReader& data_;
  mutable absl::Status status_;
};

cluster::ErrandOutcome OutcomeOf(const Reply& reply) {
  if (const auto* of_namespace = std::get_if<kv::NamespaceReply>(&reply.result)) {
    return *of_namespace;
  }
  const auto* answer = std::get_if<MachineReply>(&reply.result);
  if (answer == nullptr) return cluster::Unanswered{};
  absl::StatusOr<pd::Reply> decoded = pd::DecodeReply(answer->bytes);
  if (!decoded.ok()) return cluster::Unanswered{};
  return *std::move(decoded);
}

// As a sentence. Empty: it was not, or a later view of the cluster will mend it.
std::string WhyRefused(const pd::Command& command, const Reply& reply) {
  const auto* answer = std::get_if<MachineReply>(&reply.result);
  if (answer == nullptr) return "";
  const absl::StatusOr<pd::Reply> decoded = pd::DecodeReply(answer->bytes);
  const auto* refused = decoded.ok() ? std::get_if<pd::Refused>(&*decoded) : nullptr;
  if (refused == nullptr || refused->reason == pd::Refusal::kStoreChanged) return "";
  return pd::Explain(command, *refused);
}

ExecuteRequest ToPd(const pd::Command& command) {
  return {std::string(pd::kObject), pd::EncodeCommand(command)};
}

Order OrderOf(const cluster::RegionOrder& order) {
  if (const auto* change = std::get_if<cluster::ChangeMembers>(&order.what)) {
    return {0, order.region, ChangePeers{change->changes}};
  }
  return {0, order.region, TransferLeader{std::get<cluster::MoveLeader>(order.what).target}};
}

}  // namespace

Membership::Membership(const Options& options, const Identity& identity,
                       cluster::Directory directory, const ReplicaSet* replicas,
                       const DataReader* data, Outbox* outbox, Calls* calls, Tell tell, Instant now)
    : options_(options),
      identity_(identity),
      directory_(std::move(directory)),
      replicas_(replicas),
      data_(data),
      outbox_(outbox),
      calls_(calls),
      tell_(std::move(tell)),
      wall_{now, options.cluster->unix_ms},
      driver_(options.cluster->driver) {
  INVARIANT(options.machine != nullptr) << "a cluster has a placement driver";
  for (const auto& [name, ns] : directory_.namespaces()) calls_->OnNamespace(ns);
  if (directory_.pd().initialized()) calls_->OnRegion(directory_.pd(), directory_.pd_leader());
  calls_->raw_gate()->Set(WhyClosed());
  ShowWaiting();
}

void Membership::BeginTurn(Instant now, Effects* effects, env::GroupCommit* commit) {
  now_ = now;
  effects_ = effects;
  commit_ = commit;
}

// --- Every store.

void Membership::OnCall(StoreId from, const cluster::RollCall& call) {
  const bool other_cluster =
      call.view.revision && call.view.cluster.value() != identity_.cluster_id;
  const bool old = call.term < directory_.pd_term() ||
                   (call.term == directory_.pd_term() && call.round <= last_round_);
  if (other_cluster || old) return;
  last_round_ = call.round;
  outbox_->Follow(call.clock, commit_);
  calls_->raw_gate()->OnClusterTime(now_, call.unix_ms);
  Learn(from, call);
  calls_->NoteMembers(call.pd);
  told_ = call.waiting;
  ShowWaiting();

  cluster::RollAnswer answer;
  answer.term = call.term;
  answer.round = call.round;
  for (const cluster::RegionOrder& order : call.orders) {
    const Replica* replica = replicas_->Find(order.region);
    const bool outdated = replica != nullptr && replica->region().epoch != order.epoch;
    std::string why = outdated ? "the region has changed since" : tell_(OrderOf(order));
    if (!why.empty()) answer.refusals.push_back({order.region, std::move(why)});
  }
  answer.instance = identity_.instance;
  answer.known = directory_.revision();
  answer.regions = ReportRegions(*replicas_, now_);
  answer.namespaces = ReportNamespaces(directory_, *outbox_);
  answer.unix_ms = UnixMs();
  const bool sound = calls_->raw_gate()->AheadMs(now_, answer.unix_ms) == 0;
  if (sound && !answer.namespaces.empty()) outbox_->Advance(answer.unix_ms, commit_);
  answer.clock = outbox_->clock();
  unsent_.push_back({from, std::move(answer), IoToken()});
}

void Membership::Learn(StoreId from, const cluster::RollCall& call) {
  const bool moved = directory_.SetPd(call.term, from, call.pd);
  const bool changed = directory_.Apply(call.view);
  if (!moved && !changed) return;
  KeepDirectory();
  calls_->OnRegion(directory_.pd(), directory_.pd_leader());
  if (!changed) return;
  for (const pd::Namespace& ns : call.view.namespaces) calls_->OnNamespace(ns);
  calls_->raw_gate()->Set(WhyClosed());
}

// What it accepted from now on nobody would ever take from it.
void Membership::OnExpelled() {
  if (!directory_.Expel(identity_.store)) return;
  KeepDirectory();
  calls_->raw_gate()->Set(WhyClosed());
  ShowWaiting();
}

void Membership::KeepDirectory() {
  commit_->data.Put(std::string(cluster::kDirectoryRowKey), cluster::EncodeDirectory(directory_));
}

// Why this store accepts no writes to eventual namespaces, as the end of a sentence; empty: it
// does.
std::string Membership::WhyClosed() const {
  // The time comes with the first view: what was stamped before might come before what was
  // collected long ago.
  if (!directory_.revision()) return "it has yet to hear of the cluster what the time is";
  const pd::StoreInfo* self = directory_.Find(identity_.store);
  if (self == nullptr || self->state == pd::StoreState::kUp) return "";
  // It is let go when nothing is left that only it has.
  if (pd::IsMember(*self)) return "it is being drained";
  return "it was given up for lost or removed, which is for ever";
}

// What this store was refused itself nobody else waits for.
void Membership::ShowWaiting() {
  waiting_ = told_;
  for (const Repeated* request : {&founding_, &introduction_}) {
    if (request->wanted && !request->refusal.empty()) waiting_.push_back(request->refusal);
  }
  const pd::StoreInfo* self = directory_.Find(identity_.store);
  if (self == nullptr || pd::IsMember(*self)) return;
  waiting_.push_back(
      absl::StrCat("store ", identity_.store.value(),
                   " was given up for lost or removed, which is for ever: stop it; ",
                   "writes that it accepted and did not pass on: ", outbox_->rows()));
}

uint64_t Membership::UnixMs() const {
  return wall_.unix_ms + static_cast<uint64_t>((now_ - wall_.at).milliseconds());
}

// What an answer says is what the disk will show after a crash.
void Membership::EndTurn(IoToken last, IoToken durable) {
  for (Unsent& unsent : unsent_) {
    if (!unsent.token) unsent.token = last;
  }
  for (; !unsent_.empty() && unsent_.front().token <= durable; unsent_.pop_front()) {
    Unsent& unsent = unsent_.front();
    if (unsent.to == identity_.store) {
      OnAnswer(identity_.store, std::move(unsent.answer));
    } else {
      effects_->sends.push_back({unsent.to, std::move(unsent.answer)});
    }
  }
}

pd::StoreDescriptor Membership::Self() const {
  return {identity_.store, identity_.instance, options_.cluster->address,
          options_.cluster->feature_level};
}

// A store that was started elsewhere, or with another program, says so.
void Membership::Introduce() {
  const pd::StoreInfo* known = directory_.Find(identity_.store);
  const pd::StoreDescriptor self = Self();
  introduction_.wanted = known != nullptr && pd::IsMember(*known) &&
                         static_cast<const pd::StoreDescriptor&>(*known) != self;
  if (introduction_.wanted) {
    Repeat(pd::PutStore{self, known->changed}, &introduction_);
  } else if (!introduction_.refusal.empty()) {
    introduction_.refusal.clear();
    ShowWaiting();
  }
}

void Membership::Repeat(const pd::Command& command, Repeated* request) {
  if (request->under_way || now_ < request->not_before) return;
  request->command = command;
  request->under_way = calls_->AdmitOwn({std::nullopt, OwnBudget(), ToPd(command)});
}

// --- The placement driver's leader, and the founder.

absl::Status Membership::Run() {
  TakeReplies();
  Introduce();
  return RunDriver(LedPdReplica());
}

void Membership::OnAnswer(StoreId from, cluster::RollAnswer answer) {
  driver_heard_ = true;
  driver_.OnAnswer(now_, from, std::move(answer));
}

void Membership::TakeReplies() {
  for (const auto& [id, reply] : calls_->TakeOwnReplies()) {
    for (Repeated* request : {&founding_, &introduction_}) {
      if (request->under_way != id) continue;
      request->under_way = OwnId();
      request->not_before = now_ + options_.raft.election_timeout;
      request->refusal = WhyRefused(request->command, reply);
      ShowWaiting();
    }
    const auto errand = errands_.find(id);
    if (errand == errands_.end()) continue;
    driver_heard_ = true;
    driver_.OnErrandDone(now_, errand->second, OutcomeOf(reply));
    errands_.erase(errand);
  }
}

// Null unless this store leads the placement driver's region and has applied all of the terms
// before: what its rows say is then what everybody decided.
const Replica* Membership::LedPdReplica() const {
  const Replica* replica = replicas_->FindByKey(ObjectPrefix(pd::kObject));
  const bool leads = replica != nullptr && replica->is_leader() && !replica->poisoned() &&
                     replica->machine().applied().term == replica->term();
  return leads ? replica : nullptr;
}

absl::Status Membership::RunDriver(const Replica* replica) {
  founding_.wanted = false;
  if (replica == nullptr) {
    if (driver_term_) driver_.Retire();
    driver_term_ = Term();
    return absl::OkStatus();
  }
  const ReplicaPdReader pd(*options_.machine, *replica, *data_);
  if (!driver_term_) {
    const bool refused = std::holds_alternative<pd::Refused>(pd.Ask(pd::GetCluster{}));
    if (!pd.status().ok()) return pd.status();
    if (refused) {
      Found();
      return absl::OkStatus();
    }
  }
  if (driver_term_ != replica->term()) {
    driver_term_ = replica->term();
    errands_.clear();
    driver_heard_ = true;
    driver_.Lead(now_, driver_term_);
  }
  if (!driver_heard_ && pd.applied_index() == pd_applied_ && now_ < driver_.next_deadline()) {
    return absl::OkStatus();
  }
  driver_heard_ = false;
  pd_applied_ = pd.applied_index();
  output_.Clear();
  driver_.Turn(now_, pd, &output_);
  if (!pd.status().ok()) return pd.status();
  for (const cluster::Errand& errand : output_.errands) Send(errand);
  for (cluster::Call& call : output_.calls) {
    if (call.to == identity_.store) {
      OnCall(identity_.store, call.call);
    } else {
      effects_->sends.push_back({call.to, std::move(call.call)});
    }
  }
  return absl::OkStatus();
}

void Membership::Send(const cluster::Errand& errand) {
  Request request{std::nullopt, OwnBudget(), {}};
  if (const auto* command = std::get_if<pd::Command>(&errand.what)) {
    request.operation = ToPd(*command);
  } else {
    const auto& of_region = std::get<cluster::RegionErrand>(errand.what);
    request.context = {of_region.region, of_region.epoch};
    request.operation = of_region.command;
  }
  errands_[calls_->AdmitOwn(std::move(request))] = errand.id;
}

// The cluster is what this store was given with its first commit.
void Membership::Found() {
  founding_.wanted = true;
  pd::Bootstrap bootstrap{pd::ClusterId(identity_.cluster_id), Self(), {}};
  for (const auto& [id, replica] : *replicas_) bootstrap.regions.push_back(replica->region());
  std::sort(bootstrap.regions.begin(), bootstrap.regions.end(),
            [](const Region& a, const Region& b) { return a.start_key < b.start_key; });
  Repeat(bootstrap, &founding_);
}

Instant Membership::next_deadline() const {
  if (driver_heard_ && driver_term_) return now_;
  Instant next = driver_.next_deadline();
  for (const Repeated* request : {&founding_, &introduction_}) {
    if (request->wanted && !request->under_way) next = std::min(next, request->not_before);
  }
  return next;
}

}  // namespace flaredb::store
