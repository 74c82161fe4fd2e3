// SPDX-License-Identifier: Apache-2.0
#include "core/pd/query.h"

#include "core/base/check.h"
#include "core/base/codec.h"

namespace flaredb::pd {

namespace {

constexpr uint8_t kFormat = 1;
enum Kind : uint8_t {
  kGetCluster = 1,
  kGetRegion = 2,
  kScanRegions = 3,
  kGetNamespace = 4,
  kListNamespaces = 5,
};

void PutLimit(uint64_t limit, ByteWriter* out) {
  INVARIANT(limit > 0) << "a page has at least one row";
  out->Varint(limit);
}

uint64_t TakeLimit(ByteReader* in) {
  const uint64_t limit = in->Varint();
  in->Require(limit > 0, "a page has at least one row");
  return limit;
}

void Put(const GetCluster& get, ByteWriter* out) {
  out->U8(kGetCluster);
  out->Varint(get.known.value());
}

void Put(const GetRegion& get, ByteWriter* out) {
  out->U8(kGetRegion);
  out->Raw(get.key);
}

void Put(const ScanRegions& scan, ByteWriter* out) {
  out->U8(kScanRegions);
  out->Bytes(scan.start_key);
  out->Bytes(scan.end_key);
  PutLimit(scan.limit, out);
}

void Put(const GetNamespace& get, ByteWriter* out) {
  out->U8(kGetNamespace);
  out->Raw(get.name);
}

void Put(const ListNamespaces& list, ByteWriter* out) {
  out->U8(kListNamespaces);
  out->Bytes(list.prefix);
  out->Bytes(list.after);
  PutLimit(list.limit, out);
}

Query TakeQuery(ByteReader* in) {
  in->FormatVersion(kFormat);
  switch (in->U8()) {
    case kGetCluster:
      return GetCluster{Revision(in->Varint())};
    case kGetRegion:
      return GetRegion{std::string(in->Rest())};
    case kScanRegions:
      return ScanRegions{std::string(in->Bytes()), std::string(in->Bytes()), TakeLimit(in)};
    case kGetNamespace:
      return GetNamespace{std::string(in->Rest())};
    case kListNamespaces:
      return ListNamespaces{std::string(in->Bytes()), std::string(in->Bytes()), TakeLimit(in)};
  }
  in->Require(false, "the kind of query is known to this program");
  return {};
}

}  // namespace

FLAREDB_DEFINE_VARIANT(Query)

std::string EncodeQuery(const Query& query) {
  ByteWriter out;
  out.U8(kFormat);
  std::visit([&](const auto& q) { Put(q, &out); }, query);
  return out.Take();
}

absl::StatusOr<Query> DecodeQuery(std::string_view bytes) {
  ByteReader in(bytes);
  Query query = TakeQuery(&in);
  if (absl::Status status = in.Finish("a query"); !status.ok()) return status;
  return query;
}

}  // namespace flaredb::pd
