// SPDX-License-Identifier: Apache-2.0
#include "core/region/region_snapshot.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/region/state_rows.h"

namespace flaredb {

namespace {

constexpr uint8_t kFormat = 1;

// What follows in a piece.
enum class Mark : uint8_t { kRow = 1, kEndOfPiece = 2, kEndOfSnapshot = 3 };

absl::Status RegionLoss(RegionId region, std::string_view what) {
  return absl::DataLossError(absl::StrCat("region ", region.value(), ": ", ToAbsl(what)));
}

// The row that `key` names as `decode` understands it; `what` names it in an error.
template <typename T>
absl::StatusOr<T> ReadRow(const DataReader& data, RegionId region, const std::string& key,
                          std::string_view what, absl::StatusOr<T> (*decode)(std::string_view)) {
  const absl::StatusOr<std::optional<std::string>> row = data.Get(key);
  if (!row.ok()) return row.status();
  if (!row->has_value()) {
    return RegionLoss(region, absl::StrCat("no snapshot without ", ToAbsl(what)));
  }
  absl::StatusOr<T> value = decode(**row);
  if (!value.ok()) {
    return RegionLoss(region, absl::StrCat(ToAbsl(what), ": ", value.status().message()));
  }
  return value;
}

absl::StatusOr<kv::NamespaceStates> ReadNamespaces(const DataReader& data, RegionId region) {
  const absl::StatusOr<std::optional<std::string>> row = data.Get(NamespacesRowKey(region));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return kv::NamespaceStates();
  absl::StatusOr<kv::NamespaceStates> states = kv::DecodeNamespaceStates(**row);
  if (!states.ok()) {
    return RegionLoss(region, absl::StrCat("the namespaces row: ", states.status().message()));
  }
  return states;
}

}  // namespace

absl::StatusOr<RegionSnapshotReader> RegionSnapshotReader::Open(RegionId id,
                                                                std::unique_ptr<DataReader> view) {
  absl::StatusOr<Region> region =
      ReadRow(*view, id, RegionRowKey(id), "the region row", DecodeRegion);
  if (!region.ok()) return region.status();
  if (region->id != id) {
    return RegionLoss(id, absl::StrCat("the region row describes region ", region->id.value()));
  }
  const absl::StatusOr<raft::LogId> applied =
      ReadRow(*view, id, AppliedRowKey(id), "the applied row", DecodeApplied);
  if (!applied.ok()) return applied.status();
  absl::StatusOr<kv::NamespaceStates> namespaces = ReadNamespaces(*view, id);
  if (!namespaces.ok()) return namespaces.status();
  return RegionSnapshotReader(std::move(view), *std::move(region), *applied,
                              *std::move(namespaces));
}

RegionSnapshotReader::RegionSnapshotReader(std::unique_ptr<DataReader> view, Region region,
                                           raft::LogId applied, kv::NamespaceStates namespaces)
    : view_(std::move(view)),
      region_(std::move(region)),
      applied_(applied),
      namespaces_(std::move(namespaces)),
      rest_(DataRange(region_)) {}

absl::StatusOr<SnapshotPiece> RegionSnapshotReader::Read(uint64_t number, size_t bytes_max) {
  INVARIANT(number == 0 || number == next_number_)
      << "region " << region_.id << " piece " << number << ", expected " << next_number_;
  INVARIANT(number == 0 || !ended_) << "region " << region_.id << " piece " << number;

  ByteWriter out;
  out.U8(kFormat);
  out.Varint(number);
  kv::KeyRange rest = rest_;
  if (number == 0) {
    out.Bytes(EncodeRegion(region_));
    out.Bytes(EncodeApplied(applied_));
    out.Bytes(kv::EncodeNamespaceStates(namespaces_));
    rest = DataRange(region_);
  }

  size_t bytes = 0;
  std::optional<std::string> next_key;
  const absl::Status status =
      view_->Scan(rest.begin, rest.end, [&](std::string_view key, std::string_view value) {
        const size_t row_bytes = key.size() + value.size();
        if (bytes != 0 && bytes + row_bytes > bytes_max) {
          next_key = key;
          return false;
        }
        bytes += row_bytes;
        out.U8(static_cast<uint8_t>(Mark::kRow));
        out.Bytes(key);
        out.Bytes(value);
        return true;
      });
  if (!status.ok()) return status;

  ended_ = !next_key;
  out.U8(static_cast<uint8_t>(ended_ ? Mark::kEndOfSnapshot : Mark::kEndOfPiece));
  if (next_key) rest.begin = *std::move(next_key);
  rest_ = std::move(rest);
  next_number_ = number + 1;
  return SnapshotPiece{out.Take(), ended_};
}

absl::Status RegionSnapshotStage::Add(std::string_view bytes) {
  ByteReader in(bytes);
  in.FormatVersion(kFormat);
  const uint64_t number = in.Varint();
  if (in.ok() && number == 0) *this = RegionSnapshotStage();
  if (!defect_.ok()) return defect_;
  in.Require(number == next_number_ && !complete_, "the piece follows the one before");
  defect_ = AddFields(&in);
  ++next_number_;
  return defect_;
}

absl::Status RegionSnapshotStage::AddFields(ByteReader* in) {
  if (in->ok() && next_number_ == 0) {
    absl::StatusOr<Region> region = DecodeRegion(in->Bytes());
    if (!region.ok()) return region.status();
    region_ = *std::move(region);
    const absl::StatusOr<raft::LogId> applied = DecodeApplied(in->Bytes());
    if (!applied.ok()) return applied.status();
    applied_ = *applied;
    absl::StatusOr<kv::NamespaceStates> namespaces = kv::DecodeNamespaceStates(in->Bytes());
    if (!namespaces.ok()) return namespaces.status();
    namespaces_ = *std::move(namespaces);
  }

  const kv::KeyRange range = DataRange(region_);
  const size_t rows_before = puts_.mutations.size();
  Mark mark{in->U8()};
  for (; mark == Mark::kRow; mark = Mark{in->U8()}) {
    const std::string_view key = in->Bytes();
    const std::string_view value = in->Bytes();
    in->Require(key >= range.begin && key < range.end, "every key lies in the region's range");
    in->Require(puts_.empty() || puts_.mutations.back().key < key, "keys ascend");
    if (in->ok()) puts_.Put(std::string(key), std::string(value));
  }
  complete_ = mark == Mark::kEndOfSnapshot;
  in->Require(complete_ || mark == Mark::kEndOfPiece, "a row or an end follows");
  in->Require(complete_ || puts_.mutations.size() > rows_before,
              "a piece before the last has a row");
  return in->Finish("a piece of a snapshot");
}

absl::Status RegionSnapshotStage::Finish(const DataReader& now, raft::LogId applied, Region* region,
                                         kv::NamespaceStates* namespaces, WriteBatch* batch) {
  if (!defect_.ok()) return defect_;
  if (!complete_) return RegionLoss(region->id, "its snapshot was not received to the end");
  if (region_.id != region->id) {
    return RegionLoss(region->id,
                      absl::StrCat("the snapshot received is of region ", region_.id.value()));
  }
  if (applied_ != applied) {
    return RegionLoss(region->id,
                      absl::StrCat("the snapshot received is of entry ", applied_.index.value(),
                                   " and not of entry ", applied.index.value(), " of term ",
                                   applied.term.value()));
  }

  WriteBatch deletes;
  auto next = puts_.mutations.cbegin();
  const auto delete_unless_put = [&](std::string_view key, std::string_view) {
    while (next != puts_.mutations.cend() && next->key < key) ++next;
    if (next == puts_.mutations.cend() || next->key != key) deletes.Delete(std::string(key));
    return true;
  };
  const kv::KeyRange after = DataRange(region_);
  absl::Status status = now.Scan(after.begin, after.end, delete_unless_put);
  if (status.ok() && region->initialized()) {
    // What the region held to the left and to the right of its new range.
    const kv::KeyRange before = DataRange(*region);
    const auto delete_all = [&](std::string_view key, std::string_view) {
      deletes.Delete(std::string(key));
      return true;
    };
    status = now.Scan(before.begin, std::min(before.end, after.begin), delete_all);
    if (status.ok()) {
      status = now.Scan(std::max(before.begin, after.end), before.end, delete_all);
    }
  }
  if (!status.ok()) return status;

  for (WriteBatch* part : {&deletes, &puts_}) {
    std::move(part->mutations.begin(), part->mutations.end(), std::back_inserter(batch->mutations));
  }
  batch->Put(RegionRowKey(region_.id), EncodeRegion(region_));
  batch->Put(AppliedRowKey(region_.id), EncodeApplied(applied_));
  if (!namespaces_.empty()) {
    batch->Put(NamespacesRowKey(region_.id), kv::EncodeNamespaceStates(namespaces_));
  } else if (!namespaces->empty()) {
    batch->Delete(NamespacesRowKey(region_.id));
  }
  *region = std::move(region_);
  *namespaces = std::move(namespaces_);
  *this = RegionSnapshotStage();
  return absl::OkStatus();
}

}  // namespace flaredb
