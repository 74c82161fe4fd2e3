// SPDX-License-Identifier: Apache-2.0
// What a region knows of a namespace: the mode that its log has agreed on, and what is left of the
// records that it collected.
#ifndef FLAREDB_CORE_KV_NAMESPACE_STATE_H_
#define FLAREDB_CORE_KV_NAMESPACE_STATE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/kv/command.h"
#include "core/kv/hlc.h"
#include "core/kv/mode.h"
#include "core/kv/record.h"

namespace flaredb::kv {

// The latest ModeFence that the region applied. Commands are judged by it and not by what their
// proposer believed, so that all replicas judge alike.
struct Fence {
  Mode mode = Mode::kStrong;
  ModeEpoch mode_epoch;  // At least 1.
  // To kEventual: records from before count as written at this time, by no store; it is above all
  // times that any of them has, and below all that are issued from now on.
  Hlc base_hlc;

  friend bool operator==(const Fence&, const Fence&) = default;
};

// Collected records are gone with all that they remembered. What a new record of the same key must
// not contradict is kept for all of them together.
struct Floors {
  Version version;  // The highest version of a collected record; zero: there was none.
  Index index;      // Of the latest collection that had any.
  // Everything before this time was applied, and may have been collected. As of the latest
  // collection that had any: what others left is there to meet whatever comes again.
  Hlc collected_hlc;

  friend bool operator==(const Floors&, const Floors&) = default;
};

struct NamespaceState {
  // Absent: the namespace never changed its mode, so there is nobody who could be wrong about it.
  std::optional<Fence> fence;
  Floors floors;

  // Whether commands of that mode may take effect. A command of an eventual namespace also says at
  // which `mode_epoch` it was accepted: one from before the fence is too late.
  bool Admits(Mode mode, ModeEpoch mode_epoch = ModeEpoch::Max()) const {
    return !fence || (fence->mode == mode && mode_epoch >= fence->mode_epoch);
  }
  // What a key without a record is like: as if it had been deleted by the latest collection.
  // nullopt: as if it had never been there.
  std::optional<Record> Ghost() const;

  friend bool operator==(const NamespaceState&, const NamespaceState&) = default;
};

// Those that differ from NamespaceState().
using NamespaceStates = std::map<NamespaceId, NamespaceState>;

// docs/FORMAT.md. Decoding refuses anything that EncodeNamespaceStates does not produce with
// DATA_LOSS.
std::string EncodeNamespaceStates(const NamespaceStates& states);
absl::StatusOr<NamespaceStates> DecodeNamespaceStates(std::string_view bytes);

}  // namespace flaredb::kv

#endif  // FLAREDB_CORE_KV_NAMESPACE_STATE_H_
