// SPDX-License-Identifier: Apache-2.0
#include "sim/workload.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "sim/judge.h"

namespace flaredb::sim {

Workload::Workload(World* world, const Profile& profile, const Region& region, SimNetwork* network,
                   const KvModel* model)
    : Clients(world, profile, region, network), model_(model), hints_(profile_.keys) {}

void Workload::StartOperation(Client* client) {
  Choices& choices = world_->choices;
  const uint32_t slot = client->slot;
  const auto key = static_cast<uint32_t>(choices.Pick(Choice::kOperation, profile_.keys, slot));
  uint64_t pick = choices.Pick(
      Choice::kOperation, profile_.gets + profile_.scans + profile_.swaps + profile_.deletes, slot);
  if (!Makes()) return Think(client);
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
  Begin(client);
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
  Begin(client);
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
  Begin(client);
}

void Workload::OnResult(Client* client, AttemptId, const store::Result& result, Index applied) {
  if (const auto* get = std::get_if<store::GetReply>(&result))
    return OnReply(client, *get, applied);
  if (const auto* scan = std::get_if<store::ScanReply>(&result)) {
    return OnReply(client, *scan, applied);
  }
  OnReply(client, std::get<kv::WriteReply>(result), applied);
}

void Workload::OnEnd(const Client& client, bool unknown) {
  for (const auto ref : client.op.refs) {
    if (unknown) {
      history_.Info(ref);
    } else {
      history_.Fail(ref);
    }
  }
}

void Workload::JudgeHistory(bool double_check) { Judge(double_check, history_, &world_->report); }

void Workload::OnReply(Client* client, const store::GetReply& reply, Index applied) {
  RecordRead(client->op.refs[0], client->op.key, applied, reply.found);
  if (!client->auditor) return Think(client);
  NoteProgress();
  if (++client->audited < profile_.keys) return StartGet(client, client->audited);
  // A healed region that answers reads alone has not healed; Think ends the audit after the write.
  StartWrite(
      client,
      static_cast<uint32_t>(world_->choices.Pick(Choice::kOperation, profile_.keys, client->slot)),
      /*deletes=*/false);
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
      return GiveUp(client);
  }
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

}  // namespace flaredb::sim
