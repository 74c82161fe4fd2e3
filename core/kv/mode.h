// SPDX-License-Identifier: Apache-2.0
// The two ways in which a namespace keeps its keys.
#ifndef FLAREDB_CORE_KV_MODE_H_
#define FLAREDB_CORE_KV_MODE_H_

#include <cstdint>

#include "core/base/types.h"

namespace flaredb::kv {

enum class Mode : uint8_t {
  kStrong = 1,    // Compare-and-swap through the leader; linearizable.
  kEventual = 2,  // Accepted by any store; the last writer wins.
};

// Counts the states of one namespace on its ways between the modes: 1, 2, 3...
using ModeEpoch = Ordinal<struct ModeEpochTag>;

}  // namespace flaredb::kv

#endif  // FLAREDB_CORE_KV_MODE_H_
