// SPDX-License-Identifier: Apache-2.0
// What a store is to be, from what the flags say and what the data folder holds.
#ifndef FLAREDB_NET_SERVER_START_PLAN_H_
#define FLAREDB_NET_SERVER_START_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/store/recovery.h"
#include "net/server/members.h"

namespace flaredb::net {

struct StartFlags {
  StoreId store;
  std::string address;                 // Where the store listens.
  std::string data_dir;                // For error texts.
  std::optional<uint64_t> cluster_id;  // --cluster-id
  Members peers;                       // --peer
};

// What an earlier start left in the folder.
struct FoundStore {
  store::Identity identity;
  Members known;  // By its directory: empty if the cluster has never called it.
};

struct StartPlan {
  store::Identity identity;
  // Of all stores that are known before the cluster says who is in it, this one included.
  Members members;
  // It is to be asked whether this store may join: cluster id and members are not known yet.
  bool joins = false;
};

// Whether other stores can know a store by `address`. INVALID_ARGUMENT: not.
absl::Status CheckListenAddress(const std::string& address);

// Whether the flags make sense by themselves, whatever the folder holds. INVALID_ARGUMENT: not.
absl::Status CheckFlags(const StartFlags& flags);

// Decides without touching anything. The flags passed CheckFlags. `found` is absent in a new
// folder. `random_id` becomes the id of a cluster that is founded, unless the flags give one.
// FAILED_PRECONDITION, one sentence that says what to do: the flags contradict the folder.
absl::StatusOr<StartPlan> PlanStart(const StartFlags& flags, const std::optional<FoundStore>& found,
                                    uint64_t random_id);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_START_PLAN_H_
