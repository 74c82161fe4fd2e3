// SPDX-License-Identifier: Apache-2.0
#include "core/kv/record.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/codec.h"

namespace flaredb::kv {

namespace {

constexpr uint8_t kFormat = 1;
constexpr uint8_t kTombstoneFlag = 1;

// Everything but the value: a few varints and the remembered requests.
constexpr size_t kFixedRoom = 32;
constexpr size_t kRequestRoom = 24;

bool RequestsAreSound(const Record& record) {
  const auto& requests = record.requests;
  for (size_t i = 0; i < requests.size(); ++i) {
    const bool ascends = i == 0 ? static_cast<bool>(requests[i].version)
                                : requests[i - 1].version < requests[i].version;
    const bool repeated =
        std::any_of(requests.begin(), requests.begin() + i,
                    [&](const RememberedRequest& r) { return r.id == requests[i].id; });
    if (!requests[i].id || !ascends || repeated) return false;
  }
  return requests.size() <= Record::kRequestsMax &&
         (requests.empty() || requests.back().version <= record.version);
}

bool ForgottenIndexIsSound(const Record& record) {
  return record.forgotten_index <= record.changed_index;
}

}  // namespace

std::string EncodeRecord(const Record& record) {
  INVARIANT(record.version >= Version(1));
  INVARIANT(record.changed_index >= Index(1));
  INVARIANT(!record.tombstone || record.value.empty());
  INVARIANT(RequestsAreSound(record)) << "at version " << record.version;
  INVARIANT(ForgottenIndexIsSound(record)) << record.forgotten_index;

  ByteWriter out(kFixedRoom + kRequestRoom * record.requests.size() + record.value.size());
  out.U8(kFormat);
  out.U8(record.tombstone ? kTombstoneFlag : 0);
  out.Varint(record.version.value());
  out.Varint(record.changed_index.value());
  out.Varint(record.hlc.value());
  out.Varint(record.origin.value());
  out.Varint(record.expire_ms);
  out.U8(static_cast<uint8_t>(record.requests.size()));
  for (const RememberedRequest& request : record.requests) {
    out.U64(request.id.client_hi);
    out.U64(request.id.client_lo);
    out.Varint(request.id.seq);
    out.Varint(request.version.value());
  }
  out.Varint(record.forgotten_index.value());
  out.Raw(record.value);
  return out.Take();
}

absl::StatusOr<Record> DecodeRecord(std::string_view bytes) {
  ByteReader in(bytes);
  Record record;
  in.FormatVersion(kFormat);
  const uint8_t flags = in.U8();
  in.Require((flags & ~kTombstoneFlag) == 0, "no unknown flag is set");
  record.tombstone = flags == kTombstoneFlag;
  record.version = Version(in.Varint());
  in.Require(record.version >= Version(1), "a version is at least 1");
  record.changed_index = Index(in.Varint());
  in.Require(record.changed_index >= Index(1), "an index of a change is at least 1");
  record.hlc = Hlc(in.Varint());
  record.origin = StoreId(in.Varint());
  record.expire_ms = in.Varint();
  const uint8_t requests = in.U8();
  in.Require(requests <= Record::kRequestsMax, "no more requests are remembered than allowed");
  for (uint8_t i = 0; in.ok() && i < requests; ++i) {
    RememberedRequest& request = record.requests.emplace_back();
    request.id.client_hi = in.U64();
    request.id.client_lo = in.U64();
    request.id.seq = in.Varint();
    request.version = Version(in.Varint());
  }
  in.Require(RequestsAreSound(record), "remembered requests differ and their versions ascend");
  record.forgotten_index = Index(in.Varint());
  in.Require(ForgottenIndexIsSound(record), "nothing is forgotten after the last change");
  record.value = in.Rest();
  in.Require(!record.tombstone || record.value.empty(), "a tombstone has no value");
  if (absl::Status status = in.Finish("a record"); !status.ok()) return status;
  return record;
}

}  // namespace flaredb::kv
