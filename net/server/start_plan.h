// SPDX-License-Identifier: Apache-2.0
// What a store is to be, from what the flags say and what the data folder holds.
#ifndef FLAREDB_NET_SERVER_START_PLAN_H_
#define FLAREDB_NET_SERVER_START_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/region/region.h"
#include "core/store/recovery.h"
#include "net/server/members.h"

namespace flaredb::net {

struct StartFlags {
  StoreId store;
  std::string address;                     // Where the store listens.
  std::string data_dir;                    // For error texts.
  std::optional<uint64_t> cluster_id;      // --cluster-id
  std::optional<Members> initial_cluster;  // --initial-cluster
  Members peers = {};                      // --peer
};

// What an earlier start left in the folder.
struct FoundStore {
  store::Identity identity;
  std::vector<StoreId> members;       // Who holds the first region, by id.
  std::optional<Members> remembered;  // The members file.
  Members known = {};                 // By the directory of a store that has one.
};

struct StartPlan {
  store::Identity identity;
  Members members;  // Of all stores, this one included.
  // The cluster itself knows who is in it, and `members` is only where to begin; otherwise they are
  // those of --initial-cluster for ever.
  bool self_managed = false;
  // It is to be asked whether this store may join: cluster id and members are not known yet.
  bool joins = false;
};

// Whether the flags make sense by themselves, whatever the folder holds. INVALID_ARGUMENT: not.
absl::Status CheckFlags(const StartFlags& flags);

// Decides without touching anything. The flags passed CheckFlags. `found` is absent in a new
// folder. `random_id` becomes the cluster id of a new cluster of one store: nobody has to agree
// to it. INVALID_ARGUMENT: a flag is missing. FAILED_PRECONDITION: they contradict the folder. Both
// are one sentence that says what to do.
absl::StatusOr<StartPlan> PlanStart(const StartFlags& flags, const std::optional<FoundStore>& found,
                                    uint64_t random_id);

// The first region of a new cluster: all keys, a replica on every member, whose peer id is its
// store's id.
Region FirstRegion(const Members& members);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_START_PLAN_H_
