// SPDX-License-Identifier: Apache-2.0
// What clients ask of namespaces that are not always strong.
#include <string>
#include <utility>

#include "sim/faults/admin.h"
#include "sim/faults/mode_switcher.h"
#include "sim/workload.h"

namespace flaredb::sim {

std::string Workload::NamespaceName(const Client& client) const {
  if (!by_name_ || client.op.ns == kv::NamespaceId::kDefault) return "";
  return client.op.ns == kAlwaysEventual ? kAlwaysEventualName : kSwitchingName;
}

// For the mode that clients believe in, or for the other one, now and then.
void Workload::StartInOtherNamespace(Client* client) {
  Choices& choices = world_->choices;
  const uint32_t owner = client->slot + 1;
  const auto pick = [&](uint64_t n) { return choices.Pick(Choice::kEventual, n, owner); };
  const kv::NamespaceId ns = pick(2) == 0 ? kAlwaysEventual : kSwitching;
  const auto key = static_cast<uint32_t>(pick(profile_.keys));
  const auto believed = modes_.try_emplace(ns, kv::Mode::kEventual).first->second;
  bool eventual = ns == kAlwaysEventual || believed == kv::Mode::kEventual;
  // Until its fence stands the first one is strong, and its history is not to begin so.
  const bool settled = ns != kAlwaysEventual || model_->StateAt(ns, model_->applied()).fence;
  if (settled && choices.Chance(Choice::kEventual, eventual_.wrong_door_ppm, owner) &&
      world_->faults.Fires(Fault::kWrongDoor)) {
    world_->faults.Mattered(Fault::kWrongDoor);
    eventual = !eventual;
  }
  if (!eventual && settled) {
    if (pick(3) == 0) return StartGet(client, key, ns);
    return StartWrite(client, key, pick(4) == 0, ns);
  }
  uint64_t what = pick(eventual_.puts + eventual_.deletes + eventual_.gets + eventual_.scans);
  if (what < eventual_.puts) return StartRawWrite(client, key, /*deletes=*/false, ns);
  what -= eventual_.puts;
  if (what < eventual_.deletes) return StartRawWrite(client, key, /*deletes=*/true, ns);
  what -= eventual_.deletes;
  if (what < eventual_.gets) return StartEventualGet(client, key, ns);
  const bool ends = pick(2) == 0;
  const auto keys = static_cast<uint32_t>(pick(profile_.keys));
  StartEventualScan(client, KeyName(key), ends ? KeyName(key + keys) : std::string(), ns);
}

// Any store is to answer, and nobody asks twice under one name: another attempt of a write is
// another write.
void Workload::AskAnybody(Client* client) {
  client->op.once = true;
  client->store =
      static_cast<uint32_t>(world_->choices.Pick(Choice::kEventual, stores(), client->slot + 1));
  Begin(client);
}

void Workload::StartRawWrite(Client* client, uint32_t key, bool deletes, kv::NamespaceId ns) {
  client->op = {};
  client->op.key = key;
  client->op.ns = ns;
  store::RawWriteRequest write{ns, KeyName(key), std::nullopt};
  if (!deletes) {
    client->op.value = ++last_value_;
    write.value = MakeValue(client->op.value);
  }
  client->op.write = ledger_->Invoke(client->number, ns, KeyName(key), client->op.value);
  client->op.operation = std::move(write);
  AskAnybody(client);
}

void Workload::StartEventualGet(Client* client, uint32_t key, kv::NamespaceId ns) {
  client->op = {};
  client->op.key = key;
  client->op.ns = ns;
  client->op.read = ledger_->BeginRead();
  client->op.operation =
      store::GetRequest{.ns = ns, .key = KeyName(key), .mode = kv::Mode::kEventual};
  AskAnybody(client);
}

void Workload::StartEventualScan(Client* client, std::string begin, std::string end,
                                 kv::NamespaceId ns) {
  Choices& choices = world_->choices;
  const uint32_t owner = client->slot + 1;
  client->op = {};
  client->op.ns = ns;
  client->op.read = ledger_->BeginRead();
  store::ScanRequest scan;
  scan.ns = ns;
  scan.begin = std::move(begin);
  scan.end = std::move(end);
  scan.rows_max = choices.Pick(Choice::kEventual, 4, owner);
  scan.bytes_max = choices.OneOf<uint64_t>(Choice::kEventual, {0, 0, 1, 100}, owner);
  scan.keys_only = choices.Chance(Choice::kEventual, 250000, owner);
  scan.mode = kv::Mode::kEventual;
  client->op.operation = std::move(scan);
  AskAnybody(client);
}

void Workload::OnReply(Client* client, const store::AcceptedReply& reply) {
  modes_[client->op.ns] = kv::Mode::kEventual;
  ledger_->Accepted(*client->op.write, reply.hlc);
  Think(client);
}

void Workload::OnEventualReply(Client* client, const store::GetReply& reply, Index applied) {
  if (auto wrong = ledger_->WrongRead(client->number, client->target, client->op.read,
                                      client->op.ns, KeyName(client->op.key), reply.found, applied,
                                      /*keys_only=*/false)) {
    return Fail("EREAD", *std::move(wrong));
  }
  Think(client);
}

void Workload::OnEventualReply(Client* client, const store::ScanReply& reply, Index applied) {
  const auto scan = std::get<store::ScanRequest>(client->op.operation);
  const kv::ScanPage& page = reply.page;
  const std::string& end = page.next_key.empty() ? scan.end : page.next_key;
  auto row = page.rows.begin();
  for (uint32_t key = 0; key < profile_.keys; ++key) {
    const std::string name = KeyName(key);
    if (name < scan.begin || (!end.empty() && name >= end)) continue;
    std::optional<kv::VersionedValue> found;
    if (row != page.rows.end() && row->key == name) {
      found = {row->value, row->version, row->hlc};
      ++row;
    }
    if (auto wrong = ledger_->WrongRead(client->number, client->target, client->op.read,
                                        client->op.ns, name, found, applied, scan.keys_only)) {
      return Fail("EREAD", *std::move(wrong));
    }
  }
  if (row != page.rows.end()) {
    return Fail("EREAD", "a scan of [" + scan.begin + ", " + end + ") shows key " + row->key +
                             " out of order, or where it may not.");
  }
  if (page.next_key.empty()) return Think(client);
  if (page.next_key <= scan.begin && !page.rows.empty()) {
    return Fail("EREAD", "a scan from " + scan.begin + " is to be continued at " + page.next_key +
                             ", which is no progress.");
  }
  StartEventualScan(client, page.next_key, scan.end, client->op.ns);
}

}  // namespace flaredb::sim
