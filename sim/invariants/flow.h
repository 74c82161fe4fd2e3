// SPDX-License-Identifier: Apache-2.0
// FLOW: what was taken in for some work is given back when the work is over.
#ifndef FLAREDB_SIM_INVARIANTS_FLOW_H_
#define FLAREDB_SIM_INVARIANTS_FLOW_H_

#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "core/base/types.h"
#include "core/store/store.h"
#include "sim/world/disk_image.h"

namespace flaredb::sim {

// For a cluster in which all work is over: the first thing that a store, or its replica, holds all
// the same, in words ("3 uncommitted proposals"); nullopt when there is none.
//   image    of the store's disk
//   answers  whether a peer is left to answer: appends to others may stay unanswered for ever
std::optional<std::string> HeldAtRest(const store::Store& store, const DiskImage& image);
std::optional<std::string> HeldAtRest(const store::PeerView& replica,
                                      absl::FunctionRef<bool(PeerId)> answers);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_FLOW_H_
