// SPDX-License-Identifier: Apache-2.0
#include "sim/eventual_ledger.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include "core/base/check.h"
#include "core/kv/key.h"
#include "core/kv/record.h"

namespace flaredb::sim {
namespace {

LwwRecord RecordAt(kv::Hlc hlc, bool deleted, uint32_t store, ValueId value) {
  return {kv::UnixMsOf(hlc),
          static_cast<uint32_t>(hlc.value() & ((uint64_t{1} << kv::kHlcCounterBits) - 1)), deleted,
          store + 1, value};
}

}  // namespace

std::optional<ValueId> ValueOf(const std::string& value) {
  ValueId id = 0;
  const char* end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, id);
  if (error != std::errc() || rest == end || *rest != ':') return std::nullopt;
  return id;
}

size_t EventualLedger::Invoke(uint32_t client, kv::NamespaceId ns, std::string key, ValueId value) {
  Write& write = writes_.emplace_back();
  write.client = client;
  write.ns = ns;
  write.key = std::move(key);
  write.value = value;
  write.invoke = ++last_event_;
  return writes_.size() - 1;
}

void EventualLedger::Accepted(size_t write, kv::Hlc hlc) {
  Write& accepted = writes_[write];
  accepted.fate = Fate::kAccepted;
  accepted.hlc = hlc;
  accepted.complete = ++last_event_;
  const auto lost = disks_lost_.find(accepted.store);
  accepted.lost = given_up_.contains(accepted.store) ||
                  (lost != disks_lost_.end() && accepted.invoke < lost->second);
}

std::string EventualLedger::Tell(const Write& write) const {
  std::ostringstream out;
  out << "client " << write.client << (write.value != 0 ? " put value " : " deleted");
  if (write.value != 0) out << write.value << " under";
  out << " key " << write.key << " of namespace " << static_cast<uint32_t>(write.ns) << " at store "
      << write.store + 1 << ", which accepted it at time " << write.hlc;
  return out.str();
}

std::optional<std::string> EventualLedger::WrongRead(uint32_t client, uint32_t store,
                                                     EventNumber asked, kv::NamespaceId ns,
                                                     const std::string& key,
                                                     const std::optional<kv::VersionedValue>& found,
                                                     Index applied, bool keys_only) {
  std::ostringstream out;
  out << "client " << client << " read key " << key << " of namespace " << static_cast<uint32_t>(ns)
      << " at store " << store + 1 << ", which had applied index " << applied << ", and was told ";
  if (found) {
    out << "version " << found->version << " of time " << found->hlc;
  } else {
    out << "that it does not exist";
  }
  if (applied > model_->applied()) {
    out << ", but the log is committed only up to index " << model_->applied() << ".";
    return out.str();
  }
  const kv::NamespaceState state = model_->StateAt(ns, applied);
  if (state.fence && state.fence->mode != kv::Mode::kEventual) {
    out << ", but the namespace is strong there.";
    return out.str();
  }
  const KvModel::State* record = model_->At(ns, key, applied);
  Rank there;
  if (record != nullptr) {
    const kv::Hlc base = state.fence ? state.fence->base_hlc : kv::Hlc();
    there = {record->hlc ? record->hlc : base, !record->live, record->origin};
  }
  // The latest write that was acknowledged here and is not older than all that may be collected.
  const Write* acked = nullptr;
  bool shows_own = false;  // What was told is such a write that is later than the record.
  Rank own;
  for (const Write& write : writes_) {
    const bool asked_there = write.store == store;
    if (write.ns != ns || write.key != key || (!asked_there && !passes_reads_on_)) continue;
    if (write.fate == Fate::kRefused) continue;
    const bool known = write.fate == Fate::kAccepted;
    if (known && write.hlc < state.floors.collected_hlc) continue;
    // The driver's fences come after the times of sound clocks only: what was written before the
    // namespace was strong may have given way to something with a lesser time.
    const auto strong = strong_at_.find(ns);
    const bool of_before = strong != strong_at_.end() && write.invoke <= strong->second;
    // What was lost may still be seen in an answer of before.
    if (asked_there && known && !of_before && !write.lost && write.complete < asked &&
        (acked == nullptr || write.hlc > acked->hlc)) {
      acked = &write;
    }
    const bool deletes = write.value == 0;
    if (deletes == found.has_value()) continue;
    const Rank rank{known   ? write.hlc
                    : found ? found->hlc
                            : kv::Hlc::Max(),
                    deletes, StoreId(write.store + 1)};
    if (found && known && write.hlc != found->hlc) continue;
    if (found && !keys_only && ValueOf(found->value) != write.value) continue;
    if (rank > there && (!shows_own || rank > own)) {
      shows_own = true;
      own = rank;
    }
  }
  const bool shows_record =
      found ? record != nullptr && record->live && record->version == found->version &&
                  record->hlc == found->hlc && (keys_only || record->value == found->value)
            : record == nullptr || !record->live;
  if (!shows_own && !shows_record) {
    out << ", which is neither the record there ("
        << (record == nullptr ? "none" : "version " + std::to_string(record->version.value()))
        << ") nor a later write that the store accepted.";
    return out.str();
  }
  const Rank shown = std::max(shows_own ? own : Rank(), shows_record ? there : Rank());
  if (acked != nullptr && shown < Rank{acked->hlc, acked->value == 0, StoreId(store + 1)}) {
    out << ", but before that " << Tell(*acked) << ".";
    return out.str();
  }

  EventualOp& read = reads_.emplace_back();
  read_in_.push_back(ns);
  read.client = client;
  read.store = store + 1;
  read.key = key;
  read.invoke = asked;
  read.complete = ++last_event_;
  if (found && found->hlc && !keys_only) {
    const StoreId origin = shows_own ? std::get<StoreId>(own) : record->origin;
    read.record = RecordAt(found->hlc, false, static_cast<uint32_t>(origin.value() - 1),
                           ValueOf(found->value).value_or(0));
  } else if (found) {
    reads_.pop_back();
    read_in_.pop_back();
  }
  return std::nullopt;
}

void EventualLedger::OnDiskLost(uint32_t store) {
  disks_lost_[store] = ++last_event_;
  for (Write& write : writes_) {
    if (write.store == store && write.fate == Fate::kAccepted) write.lost = true;
  }
}

void EventualLedger::CheckFences(FailureReport* report) {
  for (const auto& [ns, space] : model_->spaces()) {
    const kv::NamespaceState state = model_->StateAt(ns, model_->applied());
    if (!state.fence || state.fence->mode != kv::Mode::kStrong) continue;
    if (fences_[ns] >= state.fence->mode_epoch) continue;
    fences_[ns] = state.fence->mode_epoch;
    if (passes_reads_on_) strong_at_[ns] = last_event_;
    for (const Write& write : writes_) {
      if (write.ns != ns || write.fate != Fate::kAccepted || write.lost) continue;
      if (model_->Carried(ns, write.key, StoreId(write.store + 1)) >= write.hlc) continue;
      report->Fail(FailureKind::kSafety, "LOST",
                   "the namespace is strong again at epoch " +
                       std::to_string(state.fence->mode_epoch.value()) + ", but " + Tell(write) +
                       ", and no entry has brought it to the region.");
    }
  }
}

EventualHistory EventualLedger::HistoryOf(const std::vector<EventualEnd>& ends,
                                          kv::NamespaceId ns) const {
  EventualHistory history;
  for (const Write& write : writes_) {
    if (write.ns != ns || write.fate == Fate::kRefused) continue;
    EventualOp& op = history.ops.emplace_back();
    op.kind = write.value != 0 ? EventualOp::Kind::kPut : EventualOp::Kind::kDelete;
    op.client = write.client;
    op.store = write.store + 1;
    op.key = write.key;
    op.invoke = write.invoke;
    op.value = write.value;
    const EventualEnd& end = ends[write.store];
    const auto waits = end.outbox.find(kv::EncodeKey(ns, write.key));
    const bool stays = waits != end.outbox.end() && waits->second.row.hlc == write.hlc;
    if (write.fate != Fate::kAccepted || stays) continue;
    op.complete = write.complete;
    op.record = RecordAt(write.hlc, write.value == 0, write.store, write.value);
  }
  for (size_t i = 0; i < reads_.size(); ++i) {
    if (read_in_[i] == ns) history.ops.push_back(reads_[i]);
  }
  for (uint32_t node = 0; node < ends.size(); ++node) {
    if (!ends[node].member) continue;
    EventualReplica& replica = history.replicas.emplace_back();
    replica.store = node + 1;
    for (const auto& [row, bytes] : ends[node].rows) {
      const std::optional<kv::DecodedKey> key = kv::DecodeKey(row);
      if (!key || key->ns != ns) continue;
      const absl::StatusOr<kv::Record> record = kv::DecodeRecord(bytes);
      if (!record.ok() || !record->hlc) continue;
      replica.rows[std::string(key->user_key)] = RecordAt(
          record->hlc, record->tombstone, static_cast<uint32_t>(record->origin.value() - 1),
          record->tombstone ? 0 : ValueOf(record->value).value_or(0));
    }
  }
  return history;
}

void EventualLedger::Judge(const std::vector<EventualEnd>& ends, kv::NamespaceId always_eventual,
                           bool settled, FailureReport* report) const {
  bool any_lost = false;
  bool any_waits = false;
  for (const EventualEnd& end : ends) {
    any_lost |= end.wiped || end.stopped;
    any_waits |= !end.outbox.empty();
  }
  for (const Write& write : writes_) {
    if (write.fate != Fate::kAccepted || write.lost || ends[write.store].stopped) continue;
    if (model_->Carried(write.ns, write.key, StoreId(write.store + 1)) >= write.hlc) continue;
    const auto& outbox = ends[write.store].outbox;
    const auto row = outbox.find(kv::EncodeKey(write.ns, write.key));
    if (row != outbox.end() && row->second.row.hlc >= write.hlc) continue;
    return report->Fail(FailureKind::kSafety, "LOST",
                        Tell(write) +
                            ", but no entry has brought it to the region, and the outbox of the "
                            "store does not have it.");
  }
  if (!settled) return;
  for (const EventualViolation& each : CheckEventual(HistoryOf(ends, always_eventual))) {
    // A store that starts again, or gets another replica, may know less of what others wrote.
    if (each.rule == EventualRule::kMonotonicReads) continue;
    const bool of_the_lost =
        each.rule == EventualRule::kStamps || each.rule == EventualRule::kReadYourWrites;
    const bool of_what_waits = each.rule == EventualRule::kLostWrite;
    if (any_lost && (of_the_lost || of_what_waits)) continue;
    if (any_waits && of_what_waits) continue;
    return report->Fail(FailureKind::kSafety, "EVENTUAL", each.sentence);
  }
}

}  // namespace flaredb::sim
