// SPDX-License-Identifier: Apache-2.0
// What changes the placement driver's state, as the log carries it.
//
// A client that was not told the outcome can only send the same bytes again, and a network may
// deliver the first ones after that, or much later. So each command says why it may come any number
// of times, at any time. The answers are in core/pd/reply.h; `->` names the one of a success, and
// which refusals there are besides kNotBootstrapped.
#ifndef FLAREDB_CORE_PD_COMMAND_H_
#define FLAREDB_CORE_PD_COMMAND_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/base/variant.h"
#include "core/pd/cluster.h"
#include "core/region/region.h"

namespace flaredb::pd {

// Founds the cluster, with one store, the regions that it holds, and the namespace "default". The
// regions hold every key once, and the store has a replica of each. All ids in it are at most
// kChosenIdMax.
//   again  the same founding (cluster id, store and instance) is answered as the first time.
// -> Done; kBootstrapped, kBadStoreId, kBadAddress, kBadRegions
struct Bootstrap {
  ClusterId cluster;
  StoreDescriptor store;
  std::vector<Region> regions;

  friend bool operator==(const Bootstrap&, const Bootstrap&) = default;
};

// A store joins, or is to be reached elsewhere, or has another program. A new id is at most
// kChosenIdMax, or was allocated. `seen`: the revision at which the sender looked at its row; has
// no say when there is none yet.
//   again  what the row says already is no change; and once something else changed the row, an old
//          copy has not seen it.
// -> StoreInfo; kBadStoreId, kBadAddress, kNoLongerMember, kOtherInstance, kAddressTaken,
//    kStoreChanged
struct PutStore {
  StoreDescriptor store;
  Revision seen;

  friend bool operator==(const PutStore&, const PutStore&) = default;
};

// An operator's word about a store, who looked at the store table at revision `seen`; or, with
// kDrained, the driver's, whom the store told that it has nothing left to pass on.
//   from kUp        to kDraining or kLost, while another store is kUp
//   from kDraining  to kUp (never mind), kLost, or kDrained
//   from kDrained   to kUp, kLost, or kRemoved; to kDraining is no change
//   from kLost      to kRemoved
// kDrained and kRemoved need that every key's region is known and that none has a replica there.
//   again  as PutStore.
// -> StoreInfo; kNoSuchStore, kStoreChanged, kIllegalStep, kLastStore, kHasReplicas,
//    kRegionsUnknown
struct SetStoreState {
  StoreId store;
  StoreState state = StoreState::kUp;
  Revision seen;

  friend bool operator==(const SetStoreState&, const SetStoreState&) = default;
};

// Gives away ids for stores, regions and peers that nobody else has or gets (core/pd/ids.h).
//   again  other ids; those that nobody heard of are a gap.
// -> IdRange; kTooManyIds
struct AllocateIds {
  uint64_t count = 1;

  friend bool operator==(const AllocateIds&, const AllocateIds&) = default;
};

// Creates the namespace if there is none of that name: with `mode`, or strong from default. One
// that is there stays as it is, whatever its mode.
//   again  then it is there.
// -> Namespace; kBadName, kTooManyNamespaces
struct EnsureNamespace {
  std::string name;
  std::optional<Mode> mode;

  friend bool operator==(const EnsureNamespace&, const EnsureNamespace&) = default;
};

// Somebody chooses the mode of a namespace, who saw it at mode epoch `seen` (0: whatever it is).
// One that has that mode, or is on its way there, goes on; one that is on its way to the other is
// left alone.
//   again  a switch raises mode_epoch, so that an old copy has not seen it. Not so with `seen` 0,
//          which is for who sends once, or does not mind to undo what others chose in between.
// -> Namespace; kNoSuchNamespace, kModeChanged, kOtherSwitch
struct StartModeSwitch {
  std::string name;
  Mode mode = Mode::kStrong;
  ModeEpoch seen;

  friend bool operator==(const StartModeSwitch&, const StartModeSwitch&) = default;
};

// Turns back the switch that is at mode epoch `at`. At another epoch, or with none under way,
// nothing happens; the answer tells where the namespace stands.
//   again  then the epoch is another.
// -> Namespace; kNoSuchNamespace, kTooLate
struct CancelModeSwitch {
  std::string name;
  ModeEpoch at;

  friend bool operator==(const CancelModeSwitch&, const CancelModeSwitch&) = default;
};

// Everybody who has to has reported mode epoch `at`: the switch goes one step on. At another epoch,
// or with none under way, nothing happens.
//   again  then the epoch is another.
// -> Namespace; kNoSuchNamespace
struct AdvanceModeSwitch {
  std::string name;
  ModeEpoch at;

  friend bool operator==(const AdvanceModeSwitch&, const AdvanceModeSwitch&) = default;
};

// A leader reports its region: what was known of it, and of all others that share keys with it, is
// over. Refused when something newer is known: of the same region a greater term, conf_version or
// version; of another one that shares keys a version that is not smaller, because whoever takes
// keys over has a greater one than whose they were.
//   again  the same report changes nothing, and an old copy is older than what came since.
// -> Done; kStaleRegion
struct PutRegion {
  RegionInfo info;  // With term and leader.

  friend bool operator==(const PutRegion&, const PutRegion&) = default;
};

struct Command : std::variant<Bootstrap, PutStore, SetStoreState, AllocateIds, EnsureNamespace,
                              StartModeSwitch, CancelModeSwitch, AdvanceModeSwitch, PutRegion> {
  FLAREDB_DECLARE_VARIANT(Command)
};

// docs/FORMAT.md. Decoding refuses anything that EncodeCommand does not produce with DATA_LOSS.
std::string EncodeCommand(const Command& command);
absl::StatusOr<Command> DecodeCommand(std::string_view bytes);

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_COMMAND_H_
