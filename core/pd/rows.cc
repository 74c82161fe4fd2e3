// SPDX-License-Identifier: Apache-2.0
#include "core/pd/rows.h"

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/kv/key.h"
#include "core/pd/fields.h"

namespace flaredb::pd {

namespace {

constexpr uint8_t kFormat = 1;

// First byte of a key.
constexpr char kClusterRow = 'c';
constexpr char kIdRow = 'i';
constexpr char kNamespaceRow = 'n';
constexpr char kRegionRow = 'r';
constexpr char kStoreRow = 's';

std::string Key(char kind, std::string_view rest = "") {
  std::string key(1, kind);
  key.append(rest);
  return key;
}

std::string NumberKey(char kind, uint64_t number) {
  ByteWriter out;
  out.U8(kind);
  out.U64(number);
  return out.Take();
}

// Orders ends as their regions are: none is the last.
std::string EndOf(const Region& region) {
  return region.end_key.empty() ? "\x01" : std::string(1, '\0') + region.end_key;
}

void PutClusterInfo(const ClusterInfo& cluster, ByteWriter* out) {
  out->Varint(cluster.id.value());
  out->Varint(cluster.founder.value());
  out->Varint(cluster.revision.value());
  out->Varint(cluster.next_id);
  out->Varint(cluster.namespaces);
}

ClusterInfo TakeClusterInfo(ByteReader* in) {
  return {ClusterId(in->Varint()), StoreId(in->Varint()), Revision(in->Varint()), in->Varint(),
          in->Varint()};
}

std::string TakeEnd(ByteReader* in) { return std::string(in->Rest()); }

template <typename T>
std::string Encode(const T& value, void (*put)(const T&, ByteWriter*)) {
  ByteWriter out;
  out.U8(kFormat);
  put(value, &out);
  return out.Take();
}

// Rows are this program's, or of a release whose format this one knows.
template <typename T>
T Decode(std::string_view bytes, T (*take)(ByteReader*)) {
  ByteReader in(bytes);
  in.FormatVersion(kFormat);
  T value = take(&in);
  const absl::Status status = in.Finish("a row of the placement driver");
  INVARIANT(status.ok()) << status.ToString();
  return value;
}

template <typename T>
std::optional<T> Read(std::string_view key, T (*take)(ByteReader*), const ObjectRows& rows) {
  const std::optional<std::string> bytes = rows.Get(key);
  if (!bytes) return std::nullopt;
  return Decode(*bytes, take);
}

// Visits the rows of `kind` from `first` on.
template <typename T>
void Visit(char kind, const std::string& first, T (*take)(ByteReader*), const ObjectRows& rows,
           absl::FunctionRef<bool(const T&)> visit) {
  rows.Scan(first, kv::PrefixSuccessor(Key(kind)),
            [&](std::string_view, std::string_view bytes) { return visit(Decode(bytes, take)); });
}

}  // namespace

std::optional<ClusterInfo> ReadCluster(const ObjectRows& rows) {
  return Read(Key(kClusterRow), TakeClusterInfo, rows);
}

void WriteCluster(const ClusterInfo& cluster, MutableObjectRows* rows) {
  rows->Put(Key(kClusterRow), Encode(cluster, PutClusterInfo));
}

std::optional<StoreInfo> ReadStore(StoreId id, const ObjectRows& rows) {
  return Read(NumberKey(kStoreRow, id.value()), TakeStoreInfo, rows);
}

std::vector<StoreInfo> ReadStores(const ObjectRows& rows) {
  std::vector<StoreInfo> stores;
  Visit<StoreInfo>(kStoreRow, Key(kStoreRow), TakeStoreInfo, rows, [&](const StoreInfo& store) {
    stores.push_back(store);
    return true;
  });
  return stores;
}

void WriteStore(const StoreInfo& store, MutableObjectRows* rows) {
  rows->Put(NumberKey(kStoreRow, store.id.value()), Encode(store, PutStoreInfo));
}

std::optional<Namespace> ReadNamespace(std::string_view name, const ObjectRows& rows) {
  return Read(Key(kNamespaceRow, name), TakeNamespace, rows);
}

void VisitNamespaces(std::string_view first, const ObjectRows& rows,
                     absl::FunctionRef<bool(const Namespace&)> visit) {
  Visit(kNamespaceRow, Key(kNamespaceRow, first), TakeNamespace, rows, visit);
}

void WriteNamespace(const Namespace& ns, MutableObjectRows* rows) {
  rows->Put(Key(kNamespaceRow, ns.name), Encode(ns, PutNamespace));
}

std::optional<RegionInfo> ReadRegion(RegionId id, const ObjectRows& rows) {
  const std::optional<std::string> end = Read(NumberKey(kIdRow, id.value()), TakeEnd, rows);
  if (!end) return std::nullopt;
  return Read(Key(kRegionRow, *end), TakeRegionInfo, rows);
}

void VisitRegions(std::string_view key, const ObjectRows& rows,
                  absl::FunctionRef<bool(const RegionInfo&)> visit) {
  // Behind the region that ends with `key`, which does not hold it.
  std::string first = Key(kRegionRow, std::string_view("\0", 1));
  first.append(key).push_back('\0');
  Visit(kRegionRow, first, TakeRegionInfo, rows, visit);
}

void WriteRegion(const RegionInfo& info, MutableObjectRows* rows) {
  const std::string end = EndOf(info.region);
  rows->Put(Key(kRegionRow, end), Encode(info, PutRegionInfo));
  rows->Put(NumberKey(kIdRow, info.region.id.value()), static_cast<char>(kFormat) + end);
}

void DeleteRegion(const Region& region, MutableObjectRows* rows) {
  rows->Delete(Key(kRegionRow, EndOf(region)));
  rows->Delete(NumberKey(kIdRow, region.id.value()));
}

}  // namespace flaredb::pd
