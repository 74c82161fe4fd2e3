// SPDX-License-Identifier: Apache-2.0
#include "sim/workload.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "sim/describe.h"
#include "sim/recorder.h"

namespace flaredb::sim {

Workload::Workload(World* world, const Profile& profile, const Region& region, SimNetwork* network,
                   const KvModel* model)
    : world_(world),
      profile_(profile.workload),
      route_(region),
      network_(network),
      model_(model),
      stores_(profile.stores),
      clients_(Endpoints(profile_, stores_)),
      hints_(profile_.keys) {}

void Workload::Start() {
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

void Workload::Replace(Client* client) {
  client->number = ++last_number_;
  client->seq = 0;
  client->seen_index = Index();
}

void Workload::Think(Client* client) {
  ++finished_;
  if (draining_ || operations_ >= profile_.operations_max) return Finish(client);
  client->state = ClientState::kThinking;
  SetTimer(client, world_->choices.Between(Choice::kThinkTime, profile_.think.first,
                                           profile_.think.last, client->slot));
}

void Workload::Finish(Client* client) {
  client->state = ClientState::kDone;
  ++client->timer;
  --active_;
}

void Workload::SetTimer(Client* client, Duration delay) {
  world_->queue.After(delay, {EventKind::kClient, client->slot, ++client->timer});
}

void Workload::OnTimer(uint32_t slot, uint64_t timer) {
  Client& client = clients_[slot];
  if (timer != client.timer) return;
  switch (client.state) {
    case ClientState::kThinking:
      if (draining_) return Finish(&client);
      return StartOperation(&client);
    case ClientState::kWaiting:
      // Nobody knows what became of the attempt.
      client.op.maybe_applied = true;
      if (world_->choices.Chance(Choice::kBackoff, 500000, slot) &&
          world_->faults.Fires(Fault::kAbandon)) {
        world_->faults.Mattered(Fault::kAbandon);
        network_->Send({stores_ + slot, client.target, ClientCancel{client.attempt}});
      }
      client.store =
          static_cast<uint32_t>(world_->choices.Pick(Choice::kTargetStore, stores_, slot));
      return StartAttempt(&client);
    case ClientState::kPausing:
      return StartAttempt(&client);
    case ClientState::kDone:
      return;
  }
}

void Workload::StartOperation(Client* client) {
  ++operations_;
  Choices& choices = world_->choices;
  const uint32_t slot = client->slot;
  const auto key = static_cast<uint32_t>(choices.Pick(Choice::kOperation, profile_.keys, slot));
  uint64_t pick = choices.Pick(
      Choice::kOperation, profile_.gets + profile_.scans + profile_.swaps + profile_.deletes, slot);
  if (!world_->reduction->Makes(operations_)) return Think(client);
  made_.push_back(operations_);
  if (pick < profile_.gets) return StartGet(client, key);
  pick -= profile_.gets;
  if (pick < profile_.scans) return StartScan(client, KeyName(key));
  pick -= profile_.scans;
  StartWrite(client, key, pick >= profile_.swaps);
}

void Workload::StartGet(Client* client, uint32_t key) {
  client->op = {};
  client->op.key = key;
  client->op.operation = store::GetRequest{.key = KeyName(key)};
  client->op.refs.push_back(history_.InvokeGet(client->number, KeyName(key)));
  client->op.give_up_at = world_->now() + profile_.operation_timeout;
  StartAttempt(client);
}

void Workload::StartScan(Client* client, std::string begin) {
  client->op = {};
  client->op.group = history_.StartGroup("Scan from " + begin);
  for (uint32_t key = 0; key < profile_.keys; ++key) {
    client->op.refs.push_back(history_.InvokeGet(client->number, KeyName(key), client->op.group));
  }
  store::ScanRequest scan;
  scan.begin = std::move(begin);
  scan.rows_max = world_->choices.Pick(Choice::kOperation, 4, client->slot);
  client->op.operation = std::move(scan);
  client->op.give_up_at = world_->now() + profile_.operation_timeout;
  StartAttempt(client);
}

void Workload::StartWrite(Client* client, uint32_t key, bool deletes) {
  Choices& choices = world_->choices;
  const uint32_t slot = client->slot;
  kv::Version expected = hints_[key].version;
  kv::Retry retry{{1, client->number, ++client->seq}, client->seen_index};
  if (choices.Chance(Choice::kExpectation, 900000, slot)) {
    // Whoever knows the version knows the index that it was learnt with.
    retry.seen_index = std::max(retry.seen_index, hints_[key].index);
  } else {
    expected = kv::Version(choices.Between(Choice::kExpectation, 0, expected.value() + 1, slot));
  }
  client->op = {};
  client->op.key = key;
  client->op.give_up_at = world_->now() + profile_.operation_timeout;
  // A deletion has to expect something.
  if (deletes && expected) {
    client->op.operation =
        kv::CompareAndDelete{.key = KeyName(key), .expected = expected, .retry = retry};
    client->op.refs.push_back(
        history_.InvokeCasDelete(client->number, KeyName(key), expected.value()));
  } else {
    client->op.value = ++last_value_;
    client->op.operation = kv::CompareAndSwap{.key = KeyName(key),
                                              .value = MakeValue(client->op.value),
                                              .expected = expected,
                                              .retry = retry};
    client->op.refs.push_back(
        history_.InvokeCas(client->number, KeyName(key), expected.value(), client->op.value));
  }
  StartAttempt(client);
}

void Workload::StartAttempt(Client* client) {
  if (!client->auditor && world_->now() >= client->op.give_up_at) return GiveUp(client);
  Choices& choices = world_->choices;
  const uint32_t slot = client->slot;
  if (!client->auditor && choices.Chance(Choice::kTargetStore, profile_.stray_ppm, slot)) {
    client->store = static_cast<uint32_t>(choices.Pick(Choice::kTargetStore, stores_, slot));
  }
  client->target = client->store;
  ++client->op.attempts;
  client->state = ClientState::kWaiting;
  client->attempt = Ask(*client, client->target);
  client->second_attempt = 0;
  if (!client->auditor && choices.Chance(Choice::kPatience, profile_.second_ppm, slot) &&
      world_->faults.Fires(Fault::kSecondAttempt)) {
    world_->faults.Mattered(Fault::kSecondAttempt);
    client->op.maybe_applied = true;
    client->second_attempt =
        Ask(*client, static_cast<uint32_t>(choices.Pick(Choice::kPatience, stores_, slot)));
  }
  SetTimer(client, AttemptTimeout(*client));
}

// One attempt of the operation in progress leaves for `target`.
AttemptId Workload::Ask(const Client& client, uint32_t target) {
  Choices& choices = world_->choices;
  const uint32_t slot = client.slot;
  // The store may be told to give up before the client does, or long after.
  constexpr int64_t kBudgetQuarters[] = {2, 4, 16};
  ClientRequest request;
  request.attempt = ++last_attempt_;
  request.request.budget =
      AttemptTimeout(client) * kBudgetQuarters[choices.Pick(Choice::kTargetStore, 3, slot)] / 4;
  if (!client.auditor && choices.Chance(Choice::kPatience, profile_.odd_budget_ppm, slot) &&
      world_->faults.Fires(Fault::kOddBudget)) {
    world_->faults.Mattered(Fault::kOddBudget);
    request.request.budget = choices.OneOf(
        Choice::kPatience, {Duration(), Duration::Microseconds(1), longest_budget()}, slot);
  }
  request.request.operation = client.op.operation;
  if (!client.auditor && choices.Chance(Choice::kTargetStore, 100000, slot)) {
    request.request.context = store::RoutingContext{route_.id, route_.epoch};
  }
  AddTo(&world_->trace.hash(), request.request);
  if (Recorder* recorder = world_->recorder) {
    recorder->Attempted(slot, client.number, request.request, client.op.refs);
  }
  if (world_->trace.on()) {
    world_->trace.Line(
        world_->now(), "c" + std::to_string(client.number),
        "asks store " + std::to_string(target + 1) + ": " + sim::Describe(request.request));
  }
  network_->Send({stores_ + slot, target, std::move(request)});
  return last_attempt_;
}

Duration Workload::AttemptTimeout(const Client& client) const {
  Duration timeout = profile_.attempt_timeout;
  for (uint32_t i = 1; i < client.op.attempts && timeout < profile_.attempt_timeout_max; ++i) {
    timeout = timeout * 2;
  }
  return std::min(timeout, profile_.attempt_timeout_max);
}

void Workload::PauseBeforeRetry(Client* client) {
  client->state = ClientState::kPausing;
  SetTimer(client, world_->choices.Between(Choice::kBackoff, Duration::Microseconds(100),
                                           profile_.attempt_timeout, client->slot));
}

void Workload::GiveUp(Client* client) {
  const bool write =
      client->op.value != 0 || std::holds_alternative<kv::CompareAndDelete>(client->op.operation);
  if (Recorder* recorder = world_->recorder) {
    recorder->GaveUp(client->slot, write && client->op.maybe_applied);
  }
  if (write && client->op.maybe_applied) {
    for (const auto ref : client->op.refs) history_.Info(ref);
    ++unknown_;
    Replace(client);
  } else {
    for (const auto ref : client->op.refs) history_.Fail(ref);
  }
  Think(client);
}

void Workload::Deliver(Packet packet) {
  Client& client = clients_[packet.to - stores_];
  const auto& answer = std::get<ClientReply>(packet.body);
  if (client.state != ClientState::kWaiting) return;
  if (answer.attempt != client.attempt && answer.attempt != client.second_attempt) return;
  const Index applied = answer.reply.applied_index;
  if (world_->trace.on()) {
    world_->trace.Line(world_->now(), "c" + std::to_string(client.number),
                       "is told: " + sim::Describe(answer.reply));
  }
  if (Recorder* recorder = world_->recorder) recorder->Answered(client.slot, answer.reply);
  std::visit([&](const auto& result) { OnReply(&client, result, applied); }, answer.reply.result);
  client.seen_index = std::max(client.seen_index, applied);
}

void Workload::OnReply(Client* client, const store::GetReply& reply, Index applied) {
  RecordRead(client->op.refs[0], client->op.key, applied, reply.found);
  if (!client->auditor) return Think(client);
  ++finished_;
  if (++client->audited == profile_.keys) return Finish(client);
  StartGet(client, client->audited);
}

void Workload::OnReply(Client* client, const store::ScanReply& reply, Index applied) {
  const auto& scan = std::get<store::ScanRequest>(client->op.operation);
  const kv::ScanPage& page = reply.page;
  if (!page.next_key.empty()) history_.Remark(client->op.group, "cut at " + page.next_key);
  size_t shown = 0;
  for (uint32_t key = 0; key < profile_.keys; ++key) {
    const std::string name = KeyName(key);
    if (name < scan.begin || (!page.next_key.empty() && name >= page.next_key)) {
      history_.Fail(client->op.refs[key]);  // The page does not speak of it.
      continue;
    }
    const auto row = std::find_if(page.rows.begin(), page.rows.end(),
                                  [&](const kv::ScanRow& r) { return r.key == name; });
    std::optional<kv::VersionedValue> found;
    if (row != page.rows.end()) {
      ++shown;
      found = kv::VersionedValue{row->value, row->version};
    }
    RecordRead(client->op.refs[key], key, applied, found);
  }
  if (shown != page.rows.size()) {
    Fail("LIN", "a scan from key " + scan.begin + " returned " + std::to_string(page.rows.size()) +
                    " rows, and " + std::to_string(page.rows.size() - shown) +
                    " of them are keys outside its range or shown twice.");
    return;
  }
  if (page.next_key.empty()) return Think(client);
  if (page.next_key <= scan.begin) {
    Fail("LIN", "a scan from key " + scan.begin + " asks to be continued at key " + page.next_key +
                    ", which is not later.");
    return;
  }
  StartScan(client, page.next_key);
}

void Workload::OnReply(Client* client, const kv::WriteReply& reply, Index applied) {
  const auto ref = client->op.refs[0];
  const bool deletes = client->op.value == 0;
  switch (reply.result) {
    case kv::WriteResult::kApplied:
      client->store = client->target;
      if (deletes) {
        history_.OkCasDelete(ref);
      } else {
        history_.OkCas(ref, reply.version.value());
      }
      Learn(client->op.key, reply.version, applied);
      return Think(client);
    case kv::WriteResult::kMismatch:
      history_.Mismatch(ref, reply.version.value());
      Learn(client->op.key, reply.version, applied);
      return Think(client);
    case kv::WriteResult::kOvertaken:
      history_.Fail(ref);
      Learn(client->op.key, reply.version, applied);
      return Think(client);
    case kv::WriteResult::kForgotten:
      return Forgotten(client);
  }
}

void Workload::OnReply(Client*, const MachineReply&, Index) {
  Fail("REPLY", "a key-value operation is answered as if it were a command of another machine.");
}

void Workload::Forgotten(Client* client) {
  if (Recorder* recorder = world_->recorder) {
    recorder->GaveUp(client->slot, client->op.maybe_applied);
  }
  if (client->op.maybe_applied) {
    history_.Info(client->op.refs[0]);
    ++unknown_;
    Replace(client);
  } else {
    history_.Fail(client->op.refs[0]);
  }
  Think(client);
}

void Workload::OnReply(Client* client, const store::Error& error, Index) {
  switch (error.code) {
    case store::ErrorCode::kForgotten:
      // The store itself may have tried more than once.
      client->op.maybe_applied |= error.outcome == store::Outcome::kUnknown;
      return Forgotten(client);
    case store::ErrorCode::kInvalidArgument:
    case store::ErrorCode::kStoreFailed:
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
      client->store = (client->store + 1) % stores_;
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
  PauseBeforeRetry(client);
}

void Workload::RecordRead(VersionedHistory::OpRef ref, uint32_t key, Index applied,
                          const std::optional<kv::VersionedValue>& found) {
  const KvModel::State* state = model_->At(KeyName(key), applied);
  const bool live = state != nullptr && state->live;
  if (applied > model_->applied() || live != found.has_value() ||
      (live && (state->version != found->version || state->value != found->value))) {
    std::ostringstream out;
    out << "a client read key " << KeyName(key) << " at index " << applied << " and was told "
        << (found ? "version " + std::to_string(found->version.value()) : "that it does not exist")
        << ", but by the log up to there "
        << (live ? "it has version " + std::to_string(state->version.value()) : "it does not exist")
        << ".";
    Fail("READ", out.str());
    return;
  }
  if (!found) {
    history_.OkNotFound(ref);
    Learn(key, kv::Version(), applied);
    return;
  }
  const std::optional<ValueId> value = ParseValue(found->value);
  INVARIANT(value) << "the model holds only values of this workload";
  history_.OkFound(ref, found->version.value(), *value);
  Learn(key, found->version, applied);
}

void Workload::Learn(uint32_t key, kv::Version version, Index applied) {
  if (applied < hints_[key].index) return;
  hints_[key] = {version, applied};
}

std::string Workload::MakeValue(ValueId value) {
  // Lengths differ, so that limits in bytes are met in every way.
  return std::to_string(value) + ":" + std::string(Mix64(value) % (profile_.value_bytes + 1), 'x');
}

std::optional<ValueId> Workload::ParseValue(const std::string& value) {
  ValueId id = 0;
  const char* end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, id);
  if (error != std::errc() || rest == end || *rest != ':') return std::nullopt;
  return id;
}

void Workload::Leave() {
  Drain();
  for (Client& client : clients_) {
    if (client.state == ClientState::kThinking) Finish(&client);
    if (client.state == ClientState::kDone) continue;
    client.op.maybe_applied = true;
    GiveUp(&client);
  }
}

void Workload::Audit(const std::vector<uint32_t>& stores) {
  INVARIANT(done());
  for (uint32_t slot = 0; slot < stores.size(); ++slot) {
    Client& client = clients_[slot];
    Replace(&client);
    client.auditor = true;
    client.store = stores[slot];
    ++active_;
    StartGet(&client, 0);
  }
}

std::string Workload::Describe() const {
  std::ostringstream out;
  for (const Client& client : clients_) {
    if (client.state == ClientState::kDone) continue;
    store::Request request;
    request.operation = client.op.operation;
    out << "  client " << client.number << " has asked store " << client.target + 1 << " to "
        << sim::Describe(request) << "\n";
  }
  return out.str();
}

void Workload::Fail(const char* invariant, std::string sentence) {
  world_->report.Fail(FailureKind::kSafety, invariant, std::move(sentence));
}

}  // namespace flaredb::sim
