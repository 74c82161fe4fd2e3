// SPDX-License-Identifier: Apache-2.0
#include "core/region/state_rows.h"

#include "core/base/check.h"
#include "core/base/codec.h"

namespace flaredb {

namespace {

constexpr uint8_t kFormat = 1;
constexpr std::string_view kAreaBegin = "\x01r";
constexpr std::string_view kAreaEnd = "\x01s";

}  // namespace

std::string RegionRowKey(const RegionRow& row) {
  ByteWriter out;
  out.Raw(kAreaBegin);
  out.U64(row.region.value());
  out.U8(static_cast<uint8_t>(row.kind));
  return out.Take();
}

std::string RegionRowKey(RegionId region) {
  return RegionRowKey(RegionRow{region, RegionRowKind::kRegion});
}

std::string AppliedRowKey(RegionId region) {
  return RegionRowKey(RegionRow{region, RegionRowKind::kApplied});
}

std::string NamespacesRowKey(RegionId region) {
  return RegionRowKey(RegionRow{region, RegionRowKind::kNamespaces});
}

std::string ReplicaRowKey(RegionId region) {
  return RegionRowKey(RegionRow{region, RegionRowKind::kReplica});
}

std::string RegionRowsBegin() { return std::string(kAreaBegin); }

std::string RegionRowsEnd() { return std::string(kAreaEnd); }

std::optional<RegionRow> DecodeRegionRowKey(std::string_view key) {
  ByteReader in(key);
  in.Require(in.Raw(kAreaBegin.size()) == kAreaBegin, "region rows share a prefix");
  const RegionId region(in.U64());
  const RegionRowKind kind{in.U8()};
  in.Require(kind == RegionRowKind::kRegion || kind == RegionRowKind::kApplied ||
                 kind == RegionRowKind::kNamespaces || kind == RegionRowKind::kReplica,
             "the kind of row is known to this program");
  if (!region || !in.Finish("a row key").ok()) return std::nullopt;
  return RegionRow{region, kind};
}

std::string EncodeApplied(raft::LogId applied) {
  INVARIANT(static_cast<bool>(applied.term) == static_cast<bool>(applied.index));
  ByteWriter out;
  out.U8(kFormat);
  out.Varint(applied.term.value());
  out.Varint(applied.index.value());
  return out.Take();
}

absl::StatusOr<raft::LogId> DecodeApplied(std::string_view bytes) {
  ByteReader in(bytes);
  raft::LogId applied;
  in.FormatVersion(kFormat);
  applied.term = Term(in.Varint());
  applied.index = Index(in.Varint());
  in.Require(static_cast<bool>(applied.term) == static_cast<bool>(applied.index),
             "term and index of a position are both 0 or neither");
  if (absl::Status status = in.Finish("an applied position"); !status.ok()) return status;
  return applied;
}

std::string EncodeReplicaRow(const ReplicaRow& row) {
  INVARIANT(row.peer) << "a replica has an id";
  ByteWriter out;
  out.U8(kFormat);
  out.Varint(row.peer.value());
  out.U8(row.removed ? 1 : 0);
  return out.Take();
}

absl::StatusOr<ReplicaRow> DecodeReplicaRow(std::string_view bytes) {
  ByteReader in(bytes);
  in.FormatVersion(kFormat);
  const PeerId peer(in.Varint());
  const uint8_t removed = in.U8();
  in.Require(static_cast<bool>(peer), "a peer id is not 0");
  in.Require(removed <= 1, "removed is 0 or 1");
  if (absl::Status status = in.Finish("a replica row"); !status.ok()) return status;
  return ReplicaRow{peer, removed == 1};
}

}  // namespace flaredb
