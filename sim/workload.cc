// SPDX-License-Identifier: Apache-2.0
#include "sim/workload.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "sim/judge.h"
#include "sim/world/describe.h"
#include "sim/world/recorder.h"

namespace flaredb::sim {
namespace {

bool IsThis(const store::Operation& asked, const kv::Command& command) {
  return std::visit(
      [&](const auto& write) {
        const auto* same = std::get_if<std::decay_t<decltype(write)>>(&asked);
        return same != nullptr && *same == write;
      },
      command);
}

}  // namespace

Workload::Workload(World* world, const Profile& profile, const Region& region, SimNetwork* network,
                   const KvModel* model, EventualLedger* ledger, std::function<bool()> others_exist)
    : Clients(world, profile, region, network),
      model_(model),
      ledger_(ledger),
      eventual_(profile.eventual),
      by_name_(profile.placed.active),
      others_exist_(std::move(others_exist)) {}

void Workload::StartOperation(Client* client) {
  Choices& choices = world_->choices;
  const uint32_t slot = client->slot;
  if (ledger_ != nullptr && choices.Chance(Choice::kEventual, eventual_.share_ppm, slot + 1) &&
      others_exist_()) {
    return Makes() ? StartInOtherNamespace(client) : Think(client);
  }
  const auto key = static_cast<uint32_t>(choices.Pick(Choice::kOperation, profile_.keys, slot));
  uint64_t pick = choices.Pick(
      Choice::kOperation, profile_.gets + profile_.scans + profile_.swaps + profile_.deletes, slot);
  if (!Makes()) return Think(client);
  if (pick < profile_.gets) return StartGet(client, key);
  pick -= profile_.gets;
  if (pick < profile_.scans) {
    const bool ends = choices.Chance(Choice::kOperation, 250000, slot);
    const uint64_t keys = choices.Pick(Choice::kOperation, profile_.keys, slot) + 1;
    return StartScan(client, KeyName(key),
                     ends ? KeyName(key + static_cast<uint32_t>(keys)) : std::string());
  }
  pick -= profile_.scans;
  StartWrite(client, key, pick >= profile_.swaps);
}

// A healed region that answers reads alone has not healed.
void Workload::StartAudit(Client* client) {
  if (client->audited < profile_.keys) return StartGet(client, client->audited);
  StartWrite(
      client,
      static_cast<uint32_t>(world_->choices.Pick(Choice::kOperation, profile_.keys, client->slot)),
      /*deletes=*/false);
}

void Workload::StartGet(Client* client, uint32_t key, kv::NamespaceId ns) {
  client->op = {};
  client->op.key = key;
  client->op.ns = ns;
  client->op.operation = store::GetRequest{.ns = ns, .key = KeyName(key)};
  if (ns == kv::NamespaceId::kDefault) {
    client->op.refs.push_back(history_.InvokeGet(client->number, KeyName(key)));
  }
  Begin(client);
}

void Workload::StartScan(Client* client, std::string begin, std::string end) {
  Choices& choices = world_->choices;
  client->op = {};
  client->op.group = history_.StartGroup("Scan from " + begin + (end.empty() ? "" : " to " + end));
  for (uint32_t key = 0; key < profile_.keys; ++key) {
    client->op.refs.push_back(history_.InvokeGet(client->number, KeyName(key), client->op.group));
  }
  store::ScanRequest scan;
  scan.begin = std::move(begin);
  scan.end = std::move(end);
  scan.rows_max = choices.Pick(Choice::kOperation, 4, client->slot);
  scan.bytes_max = choices.OneOf<uint64_t>(Choice::kOperation, {0, 0, 1, 100}, client->slot);
  scan.keys_only = choices.Chance(Choice::kOperation, 250000, client->slot);
  client->op.operation = std::move(scan);
  Begin(client);
}

// The history is that of the default namespace: what raw writes do to versions it does not know.
void Workload::StartWrite(Client* client, uint32_t key, bool deletes, kv::NamespaceId ns) {
  Choices& choices = world_->choices;
  const uint32_t slot = client->slot;
  const Hint hint = HintOf(ns, key);
  const bool judged = ns == kv::NamespaceId::kDefault;
  kv::Version expected = hint.version;
  const bool once = !client->auditor && choices.Chance(Choice::kExpectation, 100000, slot);
  kv::Retry retry;
  if (!once) retry = {{1, client->number, ++client->seq}, client->seen_index};
  if (choices.Chance(Choice::kExpectation, 900000, slot)) {
    // Whoever knows the version knows the index that it was learnt with.
    if (!once) retry.seen_index = std::max(retry.seen_index, hint.index);
  } else {
    expected = kv::Version(choices.Between(Choice::kExpectation, 0, expected.value() + 1, slot));
  }
  client->op = {};
  client->op.key = key;
  client->op.ns = ns;
  client->op.once = once;
  // A deletion has to expect something.
  if (deletes && expected) {
    client->op.operation =
        kv::CompareAndDelete{.ns = ns, .key = KeyName(key), .expected = expected, .retry = retry};
    if (judged) {
      client->op.refs.push_back(
          history_.InvokeCasDelete(client->number, KeyName(key), expected.value()));
    }
  } else {
    client->op.value = ++last_value_;
    client->op.operation = kv::CompareAndSwap{.ns = ns,
                                              .key = KeyName(key),
                                              .value = MakeValue(client->op.value),
                                              .expected = expected,
                                              .retry = retry};
    if (judged) {
      client->op.refs.push_back(
          history_.InvokeCas(client->number, KeyName(key), expected.value(), client->op.value));
    }
  }
  Begin(client);
}

void Workload::OnAsked(const Client& client, AttemptId attempt) {
  INVARIANT(attempt == asked_.size() + 1);
  asked_.push_back(model_->applied());
  if (client.op.write) ledger_->Asked(*client.op.write, client.target);
}

void Workload::OnRefused(const Client& client, AttemptId attempt, const store::Error& error,
                         Index applied) {
  if (error.code == store::ErrorCode::kNamespaceMode) {
    if (client.op.ns == kv::NamespaceId::kDefault) {
      return Fail("DOOR", "a store takes a namespace that was always strong for another one: " +
                              error.message);
    }
    modes_[client.op.ns] = error.namespace_mode->mode;
  }
  if (error.code == store::ErrorCode::kForgotten) {
    CheckDecision(client, attempt, {kv::WriteResult::kForgotten, {}, {}}, applied);
  } else if (applied > model_->applied()) {
    Fail("ANSWER", "a refusal says that index " + std::to_string(applied.value()) +
                       " was applied, but the log is committed only up to index " +
                       std::to_string(model_->applied().value()) + ".");
  }
}

void Workload::OnResult(Client* client, AttemptId attempt, const store::Result& result,
                        Index applied) {
  if (const auto* get = std::get_if<store::GetReply>(&result)) {
    return client->op.read != 0 ? OnEventualReply(client, *get, applied)
                                : OnReply(client, *get, applied);
  }
  if (const auto* scan = std::get_if<store::ScanReply>(&result)) {
    return client->op.read != 0 ? OnEventualReply(client, *scan, applied)
                                : OnReply(client, *scan, applied);
  }
  if (const auto* accepted = std::get_if<store::AcceptedReply>(&result)) {
    return OnReply(client, *accepted);
  }
  const auto& write = std::get<kv::WriteReply>(result);
  if (CheckDecision(*client, attempt, write, applied)) OnReply(client, write, applied);
}

void Workload::OnEnd(const Client& client, bool unknown) {
  if (client.op.write) {
    unknown ? ledger_->Unknown(*client.op.write) : ledger_->Refused(*client.op.write);
  }
  for (const auto ref : client.op.refs) {
    if (unknown) {
      history_.Info(ref);
    } else {
      history_.Fail(ref);
    }
  }
}

void Workload::JudgeHistory(bool double_check) { Judge(double_check, history_, &world_->report); }

void Workload::BeginAnew(bool double_check) {
  JudgeHistory(double_check);
  if (world_->report.failed()) return;
  if (Recorder* recorder = world_->recorder) recorder->HistoryBeginsAnew();
  const VersionedHistory before = std::exchange(history_, VersionedHistory());
  const std::set<ValueId> kept = RecordWhatIsLeft();
  for (size_t key = 0; key < before.keys(); ++key) {
    for (const VersionedOp& op : before.ops(key)) {
      if (op.kind != OpKind::kGet && kept.count(op.value) == 0) MayStillCome(before.key(key), op);
    }
  }
}

// As writes by nobody, one after the other. The values among them.
std::set<ValueId> Workload::RecordWhatIsLeft() {
  std::set<ValueId> kept;
  std::map<Index, std::pair<const std::string*, size_t>> changes;  // The key, and which of its own.
  for (const auto& [key, states] : model_->keys()) {
    for (size_t i = 0; i < states.size(); ++i) changes[states[i].index] = {&key, i};
  }
  hints_.clear();
  for (const auto& [index, change] : changes) {
    const auto& [key, i] = change;
    const std::vector<KvModel::State>& states = model_->keys().at(*key);
    const KvModel::State& state = states[i];
    const uint64_t expected = i > 0 && states[i - 1].live ? states[i - 1].version.value() : 0;
    if (state.live) {
      const std::optional<ValueId> value = ValueOf(state.value);
      INVARIANT(value) << "the model holds only values of this workload";
      kept.insert(*value);
      history_.OkCas(history_.InvokeCas(0, *key, expected, *value), state.version.value());
    } else {
      history_.OkCasDelete(history_.InvokeCasDelete(0, *key, expected));
    }
  }
  for (uint32_t key = 0; key < profile_.keys; ++key) {
    const KvModel::State* state = model_->At(KeyName(key), model_->applied());
    if (state != nullptr)
      HintOf(kv::NamespaceId::kDefault, key) = {state->live ? state->version : kv::Version(),
                                                state->index};
  }
  return kept;
}

// A write of before that is not among what is left: an attempt, or an entry that nobody committed,
// may be under way still, whatever its client was told.
void Workload::MayStillCome(const std::string& key, const VersionedOp& op) {
  const KvModel::State* state = model_->At(key, model_->applied());
  if (op.expected != 0 && state != nullptr && op.expected < state->version.value()) return;
  history_.Info(op.kind == OpKind::kCas ? history_.InvokeCas(op.client, key, op.expected, op.value)
                                        : history_.InvokeCasDelete(op.client, key, op.expected));
}

void Workload::OnReply(Client* client, const store::GetReply& reply, Index applied) {
  const uint32_t key = client->op.key;
  const kv::NamespaceId ns = client->op.ns;
  if (const std::string wrong = WrongRead(ns, KeyName(key), reply.found, applied); !wrong.empty()) {
    return Fail("READ", wrong);
  }
  if (ns != kv::NamespaceId::kDefault) {
    Learn(ns, key, reply.found ? reply.found->version : kv::Version(), applied);
    return Think(client);
  }
  RecordRead(client->op.refs[0], key, applied);
  if (!client->auditor) return Think(client);
  NoteProgress();
  ++client->audited;
  StartAudit(client);
}

void Workload::OnReply(Client* client, const store::ScanReply& reply, Index applied) {
  const auto scan = std::get<store::ScanRequest>(client->op.operation);
  const kv::ScanPage& page = reply.page;
  if (const std::string wrong = WrongPage(scan, page, applied); !wrong.empty()) {
    return Fail("READ", wrong);
  }
  if (!page.next_key.empty()) history_.Remark(client->op.group, "cut at " + page.next_key);
  const std::string& end = page.next_key.empty() ? scan.end : page.next_key;
  for (uint32_t key = 0; key < profile_.keys; ++key) {
    const std::string name = KeyName(key);
    if (name < scan.begin || (!end.empty() && name >= end)) {
      history_.Fail(client->op.refs[key]);  // The page does not speak of it.
    } else {
      RecordRead(client->op.refs[key], key, applied);
    }
  }
  if (page.next_key.empty()) return Think(client);
  StartScan(client, page.next_key, scan.end);
}

void Workload::OnReply(Client* client, const kv::WriteReply& reply, Index applied) {
  if (reply.result == kv::WriteResult::kForgotten) return GiveUp(client);
  if (reply.result == kv::WriteResult::kApplied) client->store = client->target;
  for (const auto ref : client->op.refs) {
    if (reply.result == kv::WriteResult::kMismatch) {
      history_.Mismatch(ref, reply.version.value());
    } else if (reply.result == kv::WriteResult::kOvertaken) {
      history_.Fail(ref);
    } else if (client->op.value == 0) {
      history_.OkCasDelete(ref);
    } else {
      history_.OkCas(ref, reply.version.value());
    }
  }
  Learn(client->op.ns, client->op.key, reply.version, applied);
  Think(client);
}

std::string Workload::WrongRead(kv::NamespaceId ns, const std::string& key,
                                const std::optional<kv::VersionedValue>& found,
                                Index applied) const {
  const KvModel::State* state = model_->At(ns, key, applied);
  const bool live = state != nullptr && state->live;
  const kv::NamespaceState space = model_->StateAt(ns, applied);
  const bool strong = !space.fence || space.fence->mode == kv::Mode::kStrong;
  if (strong && applied <= model_->applied() && live == found.has_value() &&
      (!live || (state->version == found->version && state->value == found->value))) {
    return {};
  }
  std::ostringstream out;
  if (!strong) {
    return "a client was let in to read key " + key + " of a namespace that is eventual at index " +
           std::to_string(applied.value()) + ", as if it were strong.";
  }
  out << "a client read key " << key << " at index " << applied << " and was told "
      << (found ? "version " + std::to_string(found->version.value()) : "that it does not exist")
      << ", but by the log up to there "
      << (live ? "it has version " + std::to_string(state->version.value()) : "it does not exist")
      << (live && found && state->version == found->version ? " with another value" : "") << ".";
  return out.str();
}

std::string Workload::WrongPage(const store::ScanRequest& scan, const kv::ScanPage& page,
                                Index applied) const {
  std::vector<kv::ScanRow> expected;
  size_t bytes = 0;
  const std::string& end = page.next_key.empty() ? scan.end : page.next_key;
  for (const auto& [key, states] : model_->keys()) {
    const KvModel::State* state = model_->At(key, applied);
    if (key < scan.begin || (!end.empty() && key >= end)) continue;
    if (state == nullptr || !state->live) continue;
    expected.push_back({key, scan.keys_only ? std::string() : state->value, state->version});
    bytes += key.size() + expected.back().value.size();
  }
  std::ostringstream out;
  out << "a scan of [" << scan.begin << ", " << scan.end << ") at index " << applied << " ";
  if (applied > model_->applied()) {
    out << "was answered when the log was committed only up to index " << model_->applied();
  } else if (page.rows != expected) {
    out << "shows " << page.rows.size() << " rows before [" << end << "), but they are not the "
        << expected.size() << " that the log up to there makes";
  } else if ((scan.rows_max != 0 && page.rows.size() > scan.rows_max) ||
             (scan.bytes_max != 0 && page.rows.size() > 1 && bytes > scan.bytes_max)) {
    out << "shows " << page.rows.size() << " rows of " << bytes << " bytes, but it was limited to "
        << scan.rows_max << " rows and " << scan.bytes_max << " bytes";
  } else if (!page.next_key.empty() &&
             (page.next_key <= scan.begin || model_->At(page.next_key, applied) == nullptr ||
              (!scan.end.empty() && page.next_key >= scan.end))) {
    out << "is to be continued at " << page.next_key
        << ", which is not the next of its keys that ever existed";
  } else {
    return {};
  }
  return out.str() + ".";
}

bool Workload::CheckDecision(const Client& client, AttemptId attempt, const kv::WriteReply& told,
                             Index applied) {
  const std::string wrong = WrongDecision(client.op.operation, attempt, told, applied);
  if (wrong.empty()) return true;
  store::Request request;
  request.operation = client.op.operation;
  Fail("ANSWER", "client " + std::to_string(client.number) + " asked to " + sim::Describe(request) +
                     " and was answered " + sim::Describe(store::Reply{told, applied}) + ", but " +
                     wrong + ".");
  return false;
}

std::string Workload::WrongDecision(const store::Operation& write, AttemptId attempt,
                                    const kv::WriteReply& told, Index applied) const {
  const Index asked = asked_[attempt - 1];
  std::ostringstream out;
  if (applied > model_->applied()) {
    out << "the log is committed only up to index " << model_->applied();
    return out.str();
  }
  out << "the log holds no such command between index " << asked << ", which was committed before "
      << "it asked, and there";
  for (Index i = asked.next(); i <= applied; ++i) {
    const KvModel::Decided* decided = model_->DecidedAt(i);
    if (decided == nullptr || !IsThis(write, decided->command)) continue;
    const bool forgotten = decided->reply.result == kv::WriteResult::kForgotten;
    if (forgotten ? told.result == kv::WriteResult::kForgotten : told == decided->reply) return {};
    out.str("");
    out << "the command at index " << i << " is answered "
        << sim::Describe(store::Reply{decided->reply, i})
        << " when the same log is carried out elsewhere";
  }
  return out.str();
}

void Workload::RecordRead(VersionedHistory::OpRef ref, uint32_t key, Index applied) {
  const KvModel::State* state = model_->At(KeyName(key), applied);
  if (state == nullptr || !state->live) {
    history_.OkNotFound(ref);
    Learn(kv::NamespaceId::kDefault, key, kv::Version(), applied);
    return;
  }
  const std::optional<ValueId> value = ValueOf(state->value);
  INVARIANT(value) << "the model holds only values of this workload";
  history_.OkFound(ref, state->version.value(), *value);
  Learn(kv::NamespaceId::kDefault, key, state->version, applied);
}

void Workload::Learn(kv::NamespaceId ns, uint32_t key, kv::Version version, Index applied) {
  Hint& hint = HintOf(ns, key);
  if (applied < hint.index) return;
  hint = {version, applied};
}

std::string Workload::MakeValue(ValueId value) {
  // Lengths differ, so that limits in bytes are met in every way.
  return std::to_string(value) + ":" + std::string(Mix64(value) % (profile_.value_bytes + 1), 'x');
}

}  // namespace flaredb::sim
