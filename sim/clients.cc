// SPDX-License-Identifier: Apache-2.0
#include "sim/clients.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "sim/world/describe.h"
#include "sim/world/recorder.h"
#include "sim/world/trace_hash.h"

namespace flaredb::sim {

Clients::Clients(World* world, const Profile& profile, const Region& region, SimNetwork* network)
    : world_(world),
      profile_(profile.workload),
      route_(region),
      network_(network),
      stores_(profile.stores),
      clients_(Endpoints(profile_, stores_)) {}

void Clients::Start() {
  for (uint32_t slot = 0; slot < clients_.size(); ++slot) {
    Client& client = clients_[slot];
    client.slot = slot;
    Replace(&client);
    client.state = ClientState::kDone;
    if (slot >= profile_.clients) continue;
    client.store = static_cast<uint32_t>(world_->choices.Pick(Choice::kTargetStore, stores_, slot));
    ++active_;
    Think(&client);
  }
}

void Clients::Replace(Client* client) {
  client->number = ++last_number_;
  client->seq = 0;
  client->seen_index = Index();
}

void Clients::Think(Client* client) {
  ++finished_;
  if (draining_ || operations_ >= profile_.operations_max) return Finish(client);
  client->state = ClientState::kThinking;
  SetTimer(client, world_->choices.Between(Choice::kThinkTime, profile_.think.first,
                                           profile_.think.last, client->slot));
}

void Clients::Finish(Client* client) {
  client->state = ClientState::kDone;
  ++client->timer;
  --active_;
}

void Clients::SetTimer(Client* client, Duration delay) {
  world_->queue.After(delay, {EventKind::kClient, client->slot, ++client->timer});
}

void Clients::OnTimer(uint32_t slot, uint64_t timer) {
  Client& client = clients_[slot];
  if (timer != client.timer) return;
  switch (client.state) {
    case ClientState::kThinking:
      ++operations_;
      return StartOperation(&client);
    case ClientState::kWaiting:
      // Nobody knows what became of the attempt.
      client.op.maybe_applied = true;
      if (world_->choices.Chance(Choice::kBackoff, 500000, slot) &&
          world_->faults.Fires(Fault::kAbandon, stores_ + slot)) {
        world_->faults.Mattered(Fault::kAbandon);
        network_->Send({stores_ + slot, client.target, ClientCancel{client.attempt}});
      }
      if (client.auditor) LookElsewhere(&client);
      if (!MayRetry(client)) return GiveUp(&client);
      if (!client.auditor) {
        client.store =
            static_cast<uint32_t>(world_->choices.Pick(Choice::kTargetStore, stores_, slot));
      }
      return StartAttempt(&client);
    case ClientState::kPausing:
      return StartAttempt(&client);
    case ClientState::kDone:
      return;
  }
}

bool Clients::Makes() {
  const bool makes = world_->reduction->Makes(operations_);
  if (makes) made_.push_back(operations_);
  return makes;
}

void Clients::Begin(Client* client) {
  client->op.began = world_->now();
  client->refusal.reset();
  client->op.give_up_at = world_->now() + profile_.operation_timeout;
  StartAttempt(client);
}

void Clients::StartAttempt(Client* client) {
  if (!client->auditor && world_->now() >= client->op.give_up_at) return GiveUp(client);
  Choices& choices = world_->choices;
  const uint32_t slot = client->slot;
  if (!client->auditor && choices.Chance(Choice::kTargetStore, profile_.stray_ppm, slot)) {
    client->store = static_cast<uint32_t>(choices.Pick(Choice::kTargetStore, stores_, slot));
  }
  client->target = client->store;
  ++client->op.attempts;
  client->state = ClientState::kWaiting;
  client->asked_at = world_->now();
  client->attempt = Ask(*client, client->target);
  client->second_attempt = 0;
  if (!client->auditor && !client->op.once &&
      choices.Chance(Choice::kPatience, profile_.second_ppm, slot) &&
      world_->faults.Fires(Fault::kSecondAttempt, stores_ + slot)) {
    world_->faults.Mattered(Fault::kSecondAttempt);
    client->op.maybe_applied = true;
    client->second_attempt =
        Ask(*client, static_cast<uint32_t>(choices.Pick(Choice::kPatience, stores_, slot)));
  }
  SetTimer(client, AttemptTimeout(*client));
}

// Only a write that may have happened already can happen twice.
bool Clients::MayRetry(const Client& client) {
  if (!client.op.maybe_applied || !store::IsWrite(client.op.operation)) return true;
  if (client.op.once || !world_->faults.Fires(Fault::kRetry, stores_ + client.slot)) return false;
  world_->faults.Mattered(Fault::kRetry);
  return true;
}

// One attempt of the operation in progress leaves for `target`.
AttemptId Clients::Ask(const Client& client, uint32_t target) {
  Choices& choices = world_->choices;
  const uint32_t slot = client.slot;
  // The store may be told to give up before the client does, or long after.
  constexpr int64_t kBudgetQuarters[] = {2, 4, 16};
  ClientRequest request;
  request.attempt = ++last_attempt_;
  request.request.budget =
      AttemptTimeout(client) * kBudgetQuarters[choices.Pick(Choice::kTargetStore, 3, slot)] / 4;
  if (!client.auditor && choices.Chance(Choice::kPatience, profile_.odd_budget_ppm, slot) &&
      world_->faults.Fires(Fault::kOddBudget, stores_ + slot)) {
    world_->faults.Mattered(Fault::kOddBudget);
    request.request.budget = choices.OneOf(
        Choice::kPatience, {Duration(), Duration::Microseconds(1), longest_budget()}, slot);
  }
  request.request.operation = client.op.operation;
  request.request.namespace_name = NamespaceName(client);
  if (!client.auditor && choices.Chance(Choice::kTargetStore, 100000, slot)) {
    request.request.context = store::RoutingContext{route_.id, route_.epoch};
  }
  AddTo(&world_->trace.hash(), request.request);
  if (Recorder* recorder = world_->recorder) {
    recorder->Attempted(slot, client.number, last_attempt_, request.request, client.op.refs);
  }
  if (world_->trace.on()) {
    world_->trace.Line(
        world_->now(), "client " + std::to_string(client.number),
        "asks store " + std::to_string(target + 1) + ": " + sim::Describe(request.request));
  }
  OnAsked(client, last_attempt_);
  network_->Send({stores_ + slot, target, std::move(request)});
  return last_attempt_;
}

Duration Clients::AttemptTimeout(const Client& client) const {
  // What an auditor asks may be its first attempt again and again.
  if (client.auditor) return profile_.attempt_timeout_max;
  Duration timeout = profile_.attempt_timeout;
  for (uint32_t i = 1; i < client.op.attempts && timeout < profile_.attempt_timeout_max; ++i) {
    timeout = timeout * 2;
  }
  return std::min(timeout, profile_.attempt_timeout_max);
}

void Clients::PauseBeforeRetry(Client* client) {
  client->state = ClientState::kPausing;
  SetTimer(client, world_->choices.Between(Choice::kBackoff, Duration::Microseconds(100),
                                           profile_.attempt_timeout, client->slot));
}

void Clients::GiveUp(Client* client) {
  const bool unknown = client->op.maybe_applied && store::IsWrite(client->op.operation);
  if (Recorder* recorder = world_->recorder) recorder->GaveUp(client->slot, unknown);
  OnEnd(*client, unknown);
  if (unknown) {
    ++unknown_;
    Replace(client);
  }
  if (client->auditor) return StartAudit(client);
  Think(client);
}

void Clients::Deliver(Packet packet) {
  Client& client = clients_[packet.to - stores_];
  const auto& answer = std::get<ClientReply>(packet.body);
  if (client.state != ClientState::kWaiting) return;
  if (answer.attempt != client.attempt && answer.attempt != client.second_attempt) return;
  const Index applied = answer.reply.applied_index;
  if (world_->trace.on()) {
    world_->trace.Line(world_->now(), "client " + std::to_string(client.number),
                       "is told: " + sim::Describe(answer.reply));
  }
  if (Recorder* recorder = world_->recorder) recorder->Answered(client.slot, answer.reply);
  if (const auto* error = std::get_if<store::Error>(&answer.reply.result)) {
    OnRefused(client, answer.attempt, *error, applied);
    client.refusal = *error;
    OnError(&client, *error);
  } else {
    OnResult(&client, answer.attempt, answer.reply.result, applied);
  }
  client.seen_index = std::max(client.seen_index, applied);
  if (Recorder* recorder = world_->recorder; recorder != nullptr && world_->report.failed()) {
    recorder->Accuse(answer.attempt);
  }
}

void Clients::OnError(Client* client, const store::Error& error) {
  switch (error.code) {
    case store::ErrorCode::kForgotten:
      // The store itself may have tried more than once.
    case store::ErrorCode::kNamespaceMode:
      client->op.maybe_applied |= error.outcome == store::Outcome::kUnknown;
      return GiveUp(client);
    case store::ErrorCode::kStoreFailed:
      // As if it had none, where a replica was made to break.
      if (world_->faults.counts()[Fault::kBreakReplica].mattered != 0) {
        if (!client->auditor) client->store = (client->store + 1) % stores_;
        break;
      }
      [[fallthrough]];
    case store::ErrorCode::kInvalidArgument:
    case store::ErrorCode::kKeyNotInRegion:
      Fail("REPLY", "a store refuses a request that is right in every respect: " + error.message);
      return;
    case store::ErrorCode::kEpochNotMatch:
      // Of two epochs the later one counts: a store may lag.
      if (error.region && error.region->epoch.conf_version > route_.epoch.conf_version) {
        route_ = *error.region;
      }
      break;
    case store::ErrorCode::kRegionNotFound:  // The store has no replica.
      if (!client->auditor) client->store = (client->store + 1) % stores_;
      break;
    case store::ErrorCode::kNotLeader:
      if (!client->auditor && error.leader) {
        client->store = static_cast<uint32_t>(error.leader.value() - 1);
      }
      break;
    default:
      break;
  }
  if (error.outcome == store::Outcome::kUnknown) client->op.maybe_applied = true;
  if (client->auditor) LookElsewhere(client);
  if (!MayRetry(*client)) return GiveUp(client);
  PauseBeforeRetry(client);
}

// Auditors only.
void Clients::LookElsewhere(Client* client) {
  const auto at = std::find(audited_.begin(), audited_.end(), client->store);
  if (at == audited_.end()) return;
  client->store = at + 1 == audited_.end() ? audited_.front() : *(at + 1);
}

void Clients::Drain() {
  draining_ = true;
  for (Client& client : clients_) {
    if (client.state == ClientState::kThinking) Finish(&client);
  }
}

void Clients::Leave() {
  Drain();
  for (Client& client : clients_) {
    if (client.state == ClientState::kDone) continue;
    client.op.maybe_applied = true;
    GiveUp(&client);
  }
}

void Clients::Audit(const std::vector<uint32_t>& stores) {
  INVARIANT(done());
  for (uint32_t slot = 0; slot < stores.size(); ++slot) {
    Client& client = clients_[slot];
    Replace(&client);
    client.auditor = true;
    client.store = stores[slot];
    ++active_;
    StartAudit(&client);
  }
}

void Clients::AuditAny(const std::vector<uint32_t>& stores) {
  audited_ = stores;
  Audit(stores);
}

void Clients::AuditOnly(const std::vector<uint32_t>& stores) {
  for (Client& client : clients_) {
    if (!client.auditor || client.state == ClientState::kDone) continue;
    if (std::find(stores.begin(), stores.end(), client.store) != stores.end()) continue;
    client.auditor = false;
    client.op.maybe_applied = true;
    GiveUp(&client);
  }
}

void Clients::Show(Standstill* all) const {
  for (const Client& client : clients_) {
    if (client.state != ClientState::kWaiting && client.state != ClientState::kPausing) continue;
    store::Request request;
    request.operation = client.op.operation;
    Standstill::Client& shown = all->clients.emplace_back();
    shown.number = client.number;
    shown.what = sim::Describe(request);
    shown.store = client.target;
    shown.attempts = client.op.attempts;
    if (client.state == ClientState::kWaiting) shown.attempt = client.attempt;
    shown.since = client.op.began;
    shown.asked_at = client.asked_at;
    if (client.refusal) shown.told = sim::Describe(*client.refusal);
  }
}

void Clients::Fail(const char* invariant, std::string sentence) {
  world_->report.Fail(FailureKind::kSafety, invariant, std::move(sentence));
}

}  // namespace flaredb::sim
