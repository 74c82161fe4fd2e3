// SPDX-License-Identifier: Apache-2.0
// What the placement driver answers.
#ifndef FLAREDB_CORE_PD_REPLY_H_
#define FLAREDB_CORE_PD_REPLY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/variant.h"
#include "core/pd/cluster.h"

namespace flaredb::pd {

// Why a command had no effect, or a query no answer. core/pd/explain.h has a sentence for each. An
// answer of the machine has to be the same bytes in every release; a sentence may become better.
enum class Refusal : uint8_t {
  kNotUnderstood = 1,    // No command or query of this release.
  kNotBootstrapped = 2,  // There is no cluster yet.
  kBootstrapped = 3,     // There is one, by another founding. about: its cluster id
  kBadRegions = 4,       // Some key is in no region or in two, or the store has no replica.
  kBadStoreId = 5,       // Too large for an id that was not allocated.
  kBadAddress = 6,       // Not host:port.
  kNoLongerMember = 7,   // The store was lost or removed, which is for ever.
  kOtherInstance = 8,    // The id belongs to another disk.
  kAddressTaken = 9,     // about: the member that has it
  kStoreChanged = 10,    // The row changed after `seen`. about: the revision at which it did
  kNoSuchStore = 11,
  kIllegalStep = 12,     // about: the present StoreState
  kLastStore = 13,       // No other store takes replicas.
  kHasReplicas = 14,     // about: the first region with one
  kRegionsUnknown = 15,  // Some key's region is not known: it might have a replica there.
  kTooManyIds = 16,      // Or none.
  kBadName = 17,
  kTooManyNamespaces = 18,
  kNoSuchNamespace = 19,
  kModeChanged = 20,  // Not at the epoch that was seen. about: the present one
  kOtherSwitch = 21,  // On its way to the other mode.
  kTooLate = 22,      // The fence can't be cancelled.
  kStaleRegion = 23,  // Something newer is known. about: the region of which it is
  kNoRegion = 24,     // The region of this key is not known at the moment.
};

struct Refused {
  Refusal reason = Refusal::kNotUnderstood;
  uint64_t about = 0;  // As told above; else 0.

  friend bool operator==(const Refused&, const Refused&) = default;
};

struct Done {
  friend bool operator==(const Done&, const Done&) = default;
};

// The ids first, first + 1 ... first + count - 1.
struct IdRange {
  uint64_t first = 0;
  uint64_t count = 0;

  friend bool operator==(const IdRange&, const IdRange&) = default;
};

// How the cluster at revision `since` became that at `revision`: rows that are new or different.
// None ever goes away. Replaces everything that one knew when `since` is 0.
struct ClusterView {
  ClusterId cluster;
  Revision since;
  Revision revision;
  std::vector<StoreInfo> stores;      // Ascending by id.
  std::vector<Namespace> namespaces;  // Ascending by name.

  friend bool operator==(const ClusterView&, const ClusterView&) = default;
};

struct RegionPage {
  std::vector<RegionInfo> regions;  // In the order of their keys.
  // Some key from the page's start to its end is in no region that is known at the moment.
  bool has_hole = false;
  // Where the next page starts; empty: this is the last one.
  std::string next_key;

  friend bool operator==(const RegionPage&, const RegionPage&) = default;
};

struct NamespacePage {
  std::vector<Namespace> namespaces;  // Ascending by name.
  bool more = false;                  // After the last one here.

  friend bool operator==(const NamespacePage&, const NamespacePage&) = default;
};

struct Reply : std::variant<Refused, Done, IdRange, StoreInfo, Namespace, RegionInfo, ClusterView,
                            RegionPage, NamespacePage> {
  FLAREDB_DECLARE_VARIANT(Reply)
};

// docs/FORMAT.md. Decoding refuses anything that EncodeReply does not produce with DATA_LOSS.
std::string EncodeReply(const Reply& reply);
absl::StatusOr<Reply> DecodeReply(std::string_view bytes);

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_REPLY_H_
