// SPDX-License-Identifier: Apache-2.0
// What is asked of the placement driver. Answers are in core/pd/reply.h; `->` names the one of a
// success, and which refusals there are besides kNotBootstrapped.
#ifndef FLAREDB_CORE_PD_QUERY_H_
#define FLAREDB_CORE_PD_QUERY_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/variant.h"
#include "core/pd/cluster.h"

namespace flaredb::pd {

// Rows of one page are at most these, whatever was asked for.
inline constexpr uint64_t kPageRowsMax = 1000;

// The stores and namespaces that changed after revision `known`; all of them when it is 0, or from
// the future (the cluster was restored from a backup). O(stores + namespaces).
// -> ClusterView
struct GetCluster {
  Revision known;

  friend bool operator==(const GetCluster&, const GetCluster&) = default;
};

// The region of an encoded key (core/kv/key.h).
// -> RegionInfo; kNoRegion when it is not known at the moment
struct GetRegion {
  std::string key;

  friend bool operator==(const GetRegion&, const GetRegion&) = default;
};

// The regions that hold keys of [start_key, end_key), in their order, at most `limit`, which is at
// least 1. An empty end: without end.
// -> RegionPage
struct ScanRegions {
  std::string start_key;
  std::string end_key;
  uint64_t limit = kPageRowsMax;

  friend bool operator==(const ScanRegions&, const ScanRegions&) = default;
};

// -> Namespace; kNoSuchNamespace
struct GetNamespace {
  std::string name;

  friend bool operator==(const GetNamespace&, const GetNamespace&) = default;
};

// The namespaces whose names begin with `prefix`, after the name `after`, in their order, at most
// `limit`, which is at least 1.
// -> NamespacePage
struct ListNamespaces {
  std::string prefix;
  std::string after;
  uint64_t limit = kPageRowsMax;

  friend bool operator==(const ListNamespaces&, const ListNamespaces&) = default;
};

struct Query : std::variant<GetCluster, GetRegion, ScanRegions, GetNamespace, ListNamespaces> {
  FLAREDB_DECLARE_VARIANT(Query)
};

// docs/FORMAT.md. Decoding refuses anything that EncodeQuery does not produce with DATA_LOSS.
std::string EncodeQuery(const Query& query);
absl::StatusOr<Query> DecodeQuery(std::string_view bytes);

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_QUERY_H_
