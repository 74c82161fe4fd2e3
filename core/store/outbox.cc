// SPDX-License-Identifier: Apache-2.0
#include "core/store/outbox.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/probe.h"
#include "core/base/strings.h"
#include "core/kv/key.h"

namespace flaredb::store {
namespace {

constexpr uint8_t kFormat = 1;
constexpr std::string_view kClockRowKey = "\x01h";
constexpr std::string_view kAreaBegin = "\x02o";
constexpr std::string_view kAreaEnd = "\x02p";
constexpr std::string_view kUnseenBegin = "\x02u";
constexpr std::string_view kUnseenEnd = "\x02v";

std::string RowKey(std::string_view encoded_key) {
  std::string key(kAreaBegin);
  key += encoded_key;
  return key;
}

std::string EncodeRow(const OutboxRow& row) {
  ByteWriter out;
  out.U8(kFormat);
  out.U8(row.row.deleted ? 1 : 0);
  out.Varint(row.mode_epoch.value());
  out.U64(row.row.hlc.value());
  out.Raw(row.row.value);
  return out.Take();
}

absl::StatusOr<OutboxRow> DecodeRow(StoreId self, std::string_view encoded_key,
                                    std::string_view bytes) {
  const std::optional<kv::DecodedKey> key = kv::DecodeKey(encoded_key);
  ByteReader in(bytes);
  OutboxRow row;
  in.FormatVersion(kFormat);
  in.Require(key.has_value(), "a row of the outbox lies under a user's key");
  const uint8_t deleted = in.U8();
  in.Require(deleted <= 1, "a flag is 0 or 1");
  row.row.deleted = deleted == 1;
  row.mode_epoch = kv::ModeEpoch(in.Varint());
  row.row.hlc = kv::Hlc(in.U64());
  in.Require(static_cast<bool>(row.row.hlc), "a row has a time");
  row.row.value = in.Rest();
  in.Require(!row.row.deleted || row.row.value.empty(), "a deletion has no value");
  if (absl::Status status = in.Finish("a row of the outbox"); !status.ok()) return status;
  row.ns = key->ns;
  row.row.key = key->user_key;
  row.row.origin = self;
  return row;
}

std::string EncodeClock(kv::Hlc last) {
  ByteWriter out;
  out.U8(kFormat);
  out.U64(last.value());
  return out.Take();
}

absl::StatusOr<kv::Hlc> DecodeClock(std::string_view bytes) {
  ByteReader in(bytes);
  in.FormatVersion(kFormat);
  const kv::Hlc last(in.U64());
  in.Require(static_cast<bool>(last), "a time was issued");
  if (absl::Status status = in.Finish("the clock row of the outbox"); !status.ok()) return status;
  return last;
}

std::string UnseenRowKey(RegionId region) {
  ByteWriter out;
  out.Raw(kUnseenBegin);
  out.U64(region.value());
  return out.Take();
}

std::string EncodeUnseen(Index index) {
  ByteWriter out;
  out.U8(kFormat);
  out.Varint(index.value());
  return out.Take();
}

absl::StatusOr<std::pair<RegionId, Index>> DecodeUnseen(std::string_view key,
                                                        std::string_view bytes) {
  ByteReader name(key.substr(kUnseenBegin.size()));
  const RegionId region(name.U64());
  name.Require(static_cast<bool>(region), "a region has an id");
  if (absl::Status status = name.Finish("a key of the outbox"); !status.ok()) return status;
  ByteReader in(bytes);
  in.FormatVersion(kFormat);
  const Index index(in.Varint());
  in.Require(static_cast<bool>(index), "an entry has an index");
  if (absl::Status status = in.Finish("what a store released unseen"); !status.ok()) return status;
  return std::pair(region, index);
}

size_t BytesOf(const kv::LwwRow& row) { return row.key.size() + row.value.size(); }

bool IsBefore(std::string_view key, std::string_view end) { return end.empty() || key < end; }

}  // namespace

Outbox::Outbox(StoreId self, const Limits& limits, RecoveredOutbox recovered)
    : self_(self), limits_(limits), clock_(recovered.last), unseen_(std::move(recovered.unseen)) {
  SOMETIMES(kRowRecovered, !recovered.rows.empty());
  for (auto& [key, row] : recovered.rows) {
    Count(row);
    Hold(key, std::move(row));
  }
}

std::optional<kv::Hlc> Outbox::Accept(kv::NamespaceId ns, kv::ModeEpoch mode_epoch,
                                      std::string_view key, std::optional<std::string> value,
                                      uint64_t unix_ms, env::GroupCommit* commit) {
  const size_t bytes = kRowBytes + key.size() + (value ? value->size() : 0);
  if (bytes_ + bytes > limits_.bytes_max) {
    REACHED(kOutboxFull);
    return std::nullopt;
  }
  const bool deleted = !value;
  const kv::Hlc hlc = clock_.Next(unix_ms);
  OutboxRow row{
      ns, mode_epoch, {std::string(key), std::move(value).value_or(""), deleted, hlc, self_}};
  Count(row);
  std::string encoded = kv::EncodeKey(ns, key);
  commit->data.Put(RowKey(encoded), EncodeRow(row));
  commit->data.Put(std::string(kClockRowKey), EncodeClock(hlc));
  ++progress_[encoded].pending;
  pending_.push_back({commit->token, std::move(encoded), std::move(row)});
  return hlc;
}

void Outbox::Count(const OutboxRow& row) {
  bytes_ += kRowBytes + BytesOf(row.row);
  Tally& tally = tallies_[row.ns];
  ++tally.rows;
  tally.unapplied.insert(row.row.hlc);
}

void Outbox::Uncount(kv::NamespaceId ns, const kv::LwwRow& row) {
  bytes_ -= kRowBytes + BytesOf(row);
  const auto tally = tallies_.find(ns);
  tally->second.unapplied.erase(row.hlc);
  if (--tally->second.rows == 0) tallies_.erase(tally);
}

void Outbox::OnDurable(IoToken token) {
  for (; !pending_.empty() && pending_.front().token <= token; pending_.pop_front()) {
    --progress_[pending_.front().key].pending;
    Hold(std::move(pending_.front().key), std::move(pending_.front().row));
  }
}

// A parcel that carries an earlier write of the key goes on without it.
void Outbox::Hold(std::string key, OutboxRow row) {
  if (const auto older = held_.find(key); older != held_.end()) {
    INVARIANT(older->second.hlc < row.row.hlc);
    Uncount(row.ns, older->second);
  }
  Progress& progress = progress_[key];
  SOMETIMES(kRowReplaced, held_.contains(key));
  SOMETIMES(kRowReplacedUnderWay, static_cast<bool>(progress.parcel));
  SOMETIMES(kRowReplacedApplied, static_cast<bool>(progress.applied));
  if (const auto applied = applied_.find(progress.region); applied != applied_.end()) {
    applied->second.erase({progress.applied, key});
    if (applied->second.empty()) applied_.erase(applied);
  }
  progress = {row.ns, row.mode_epoch, ParcelId(), RegionId(), Index(), progress.pending};
  unsent_.insert(key);
  held_.insert_or_assign(std::move(key), std::move(row.row));
}

std::optional<Parcel> Outbox::Take(std::string_view begin, std::string_view end) {
  Parcel parcel;
  size_t bytes = 0;
  for (auto at = unsent_.lower_bound(begin); at != unsent_.end() && IsBefore(*at, end);) {
    Progress& progress = progress_.find(*at)->second;
    const kv::LwwRow& row = held_.find(*at)->second;
    if (!parcel.id) {
      parcel.id = ++last_parcel_;
      parcel.batch.ns = progress.ns;
      parcel.batch.mode_epoch = progress.mode_epoch;
    } else if (progress.ns != parcel.batch.ns) {
      break;  // Keys are sorted by namespace: the rest is of others.
    } else if (progress.mode_epoch != parcel.batch.mode_epoch) {
      ++at;
      continue;
    } else if (bytes + BytesOf(row) > limits_.parcel_bytes_max) {
      break;
    }
    bytes += BytesOf(row);
    progress.parcel = parcel.id;
    parcel.batch.rows.push_back(row);
    parcels_[parcel.id].push_back(*at);
    at = unsent_.erase(at);
  }
  if (!parcel.id) return std::nullopt;
  return parcel;
}

void Outbox::OnApplied(ParcelId parcel, RegionId region, Index index) {
  End(parcel, region, index);
}
void Outbox::OnFailed(ParcelId parcel) { End(parcel, RegionId(), Index()); }

void Outbox::End(ParcelId parcel, RegionId region, Index applied) {
  const auto node = parcels_.extract(parcel);
  INVARIANT(!node.empty()) << "parcel " << parcel;
  for (const std::string& key : node.mapped()) {
    const auto found = progress_.find(key);
    if (found == progress_.end() || found->second.parcel != parcel) continue;
    Progress& progress = found->second;
    progress.parcel = ParcelId();
    progress.region = region;
    progress.applied = applied;
    if (applied) {
      tallies_.at(progress.ns).unapplied.erase(held_.find(key)->second.hlc);
      applied_[region].emplace(applied, key);
    } else {
      unsent_.insert(key);
    }
  }
}

void Outbox::Release(RegionId region, Index applied, env::GroupCommit* commit) {
  const auto found = applied_.find(region);
  if (found == applied_.end()) return;
  auto& keys = found->second;
  auto at = keys.begin();
  for (; at != keys.end() && at->first <= applied; at = keys.erase(at)) {
    const std::string& key = at->second;
    const auto progress = progress_.find(key);
    SOMETIMES(kReleaseWaitsForDisk, progress->second.pending > 0);
    // The later write of the key takes this row's place as soon as it is durable, and on the disk.
    if (progress->second.pending > 0) continue;
    const auto row = held_.find(key);
    commit->data.Delete(RowKey(key));
    Uncount(progress->second.ns, row->second);
    held_.erase(row);
    progress_.erase(progress);
  }
  SOMETIMES(kReleaseWaitsForApply, at != keys.end());
  if (keys.empty()) applied_.erase(found);
}

void Outbox::ReleaseUnseen(RegionId region, env::GroupCommit* commit) {
  const auto found = applied_.find(region);
  if (found == applied_.end()) return;
  const Index last = found->second.rbegin()->first;
  Release(region, Index::Max(), commit);
  Index& unseen = unseen_[region];
  if (last <= unseen) return;
  unseen = last;
  commit->data.Put(UnseenRowKey(region), EncodeUnseen(last));
}

Index Outbox::unseen(RegionId region) const {
  const auto found = unseen_.find(region);
  return found != unseen_.end() ? found->second : Index();
}

void Outbox::OnSeen(RegionId region, Index applied, env::GroupCommit* commit) {
  const auto found = unseen_.find(region);
  if (found == unseen_.end() || applied < found->second) return;
  unseen_.erase(found);
  commit->data.Delete(UnseenRowKey(region));
}

std::vector<RegionId> Outbox::RegionsToRelease() const {
  std::vector<RegionId> regions;
  for (const auto& [region, keys] : applied_) regions.push_back(region);
  return regions;
}

kv::Hlc Outbox::Watermark(kv::NamespaceId ns) const {
  const auto tally = tallies_.find(ns);
  const bool all_applied = tally == tallies_.end() || tally->second.unapplied.empty();
  return all_applied ? clock_.last().next() : *tally->second.unapplied.begin();
}

void Outbox::Advance(uint64_t unix_ms, env::GroupCommit* commit) {
  commit->data.Put(std::string(kClockRowKey), EncodeClock(clock_.Next(unix_ms)));
}

void Outbox::Follow(kv::Hlc time, env::GroupCommit* commit) {
  if (time <= clock_.last()) return;
  clock_.Observe(time, UnixMsOf(time), 0);
  commit->data.Put(std::string(kClockRowKey), EncodeClock(time));
}

const std::string* Outbox::FirstUnsent(std::string_view from) const {
  const auto found = unsent_.lower_bound(from);
  return found != unsent_.end() ? &*found : nullptr;
}

size_t Outbox::rows_of(kv::NamespaceId ns) const {
  const auto tally = tallies_.find(ns);
  return tally != tallies_.end() ? tally->second.rows : 0;
}

bool IsOutboxRow(std::string_view key) {
  return key == kClockRowKey || (key >= kAreaBegin && key < kAreaEnd) ||
         (key >= kUnseenBegin && key < kUnseenEnd);
}

absl::StatusOr<RecoveredOutbox> RecoverOutbox(StoreId self, const DataReader& data) {
  RecoveredOutbox outbox;
  const absl::StatusOr<std::optional<std::string>> clock = data.Get(kClockRowKey);
  if (!clock.ok()) return clock.status();
  if (clock->has_value()) {
    const absl::StatusOr<kv::Hlc> last = DecodeClock(**clock);
    if (!last.ok()) return last.status();
    outbox.last = *last;
  }
  absl::Status defect;
  absl::Status status =
      data.Scan(kAreaBegin, kAreaEnd, [&](std::string_view key, std::string_view value) {
        const std::string_view encoded = key.substr(kAreaBegin.size());
        absl::StatusOr<OutboxRow> row = DecodeRow(self, encoded, value);
        if (!row.ok()) {
          defect = row.status();
          return false;
        }
        outbox.last = std::max(outbox.last, row->row.hlc);
        outbox.rows.emplace(encoded, *std::move(row));
        return true;
      });
  status.Update(
      data.Scan(kUnseenBegin, kUnseenEnd, [&](std::string_view key, std::string_view value) {
        const auto unseen = DecodeUnseen(key, value);
        if (unseen.ok()) outbox.unseen.insert(*unseen);
        defect.Update(unseen.status());
        return unseen.ok();
      }));
  status.Update(defect);
  if (!status.ok()) return status;
  return outbox;
}

}  // namespace flaredb::store
