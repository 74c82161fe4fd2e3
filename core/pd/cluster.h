// SPDX-License-Identifier: Apache-2.0
// What the placement driver knows of a cluster: its stores, namespaces and regions.
#ifndef FLAREDB_CORE_PD_CLUSTER_H_
#define FLAREDB_CORE_PD_CLUSTER_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/types.h"
#include "core/kv/command.h"
#include "core/kv/mode.h"
#include "core/pd/mode_switch.h"
#include "core/region/region.h"

namespace flaredb::pd {

// Everything is one object of the state machine (core/region/state_machine.h): commands about
// stores, namespaces, ids and regions have one order.
inline constexpr std::string_view kObject = "pd";

// Drawn at random by who founds the cluster.
using ClusterId = Ordinal<struct ClusterIdTag>;
// Counts the changes of stores and namespaces: 1, 2, 3... for all of them together.
using Revision = Ordinal<struct RevisionTag>;
using kv::ModeEpoch;

// Drawn by a store at its first start and kept on its disk: tells the store from one that has its
// id and an emptied disk, or a copy of another's.
struct InstanceId {
  uint64_t hi = 0;
  uint64_t lo = 0;

  explicit operator bool() const { return hi != 0 || lo != 0; }
  friend auto operator<=>(const InstanceId&, const InstanceId&) = default;
};

struct ClusterInfo {
  ClusterId id;
  StoreId founder;
  Revision revision;        // Of the latest change.
  uint64_t next_id = 0;     // See core/pd/ids.h.
  uint64_t namespaces = 0;  // How many there are; their ids are 1 to this.

  friend bool operator==(const ClusterInfo&, const ClusterInfo&) = default;
};

enum class StoreState : uint8_t {
  kUp = 1,
  kDraining = 2,  // Gets no new replicas; those that it has are moved away.
  kLost = 3,  // Given up: its disk will not come back. Nobody waits for it any more, its replicas
              // are replaced, its address is free.
  kRemoved = 4,  // As kLost, and no region has a replica there.
  kDrained = 5,  // As kDraining, and nothing is left there that only it has: it may be removed.
};

// What a store says of itself when it starts.
struct StoreDescriptor {
  StoreId id;
  InstanceId instance;
  std::string address;         // "host:port", where other stores and clients reach it.
  uint64_t feature_level = 0;  // What its program can do: a larger one can all that a smaller can.

  friend bool operator==(const StoreDescriptor&, const StoreDescriptor&) = default;
};

// A row of the store table. Rows stay for ever, so that no id comes back.
struct StoreInfo : StoreDescriptor {
  StoreState state = StoreState::kUp;
  Revision changed;  // When this row last did.

  friend bool operator==(const StoreInfo&, const StoreInfo&) = default;
};

// Whether a store may come back under its id. One that may not owns no address either.
inline bool IsMember(const StoreInfo& store) {
  return store.state != StoreState::kLost && store.state != StoreState::kRemoved;
}

// Namespaces are never deleted, nor renamed.
struct Namespace {
  kv::NamespaceId id = kv::NamespaceId::kNone;
  std::string name;
  ModeState state = ModeState::kStrong;
  ModeEpoch mode_epoch;       // Of `state`; a namespace begins at 1.
  bool from_default = false;  // Created by use: nobody has chosen a mode yet.
  Revision changed;           // When this row last did.

  friend bool operator==(const Namespace&, const Namespace&) = default;
};

// A region as its leader last reported it. The truth about a region is in the region: this is where
// to look for it. Before the first report, term and leader are 0.
struct RegionInfo {
  Region region;
  Term term;      // In which `leader` leads.
  PeerId leader;  // One of the peers.

  friend bool operator==(const RegionInfo&, const RegionInfo&) = default;
};

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_CLUSTER_H_
