// SPDX-License-Identifier: Apache-2.0
#include "core/raft/effects.h"

namespace flaredb::raft {

FLAREDB_DEFINE_VARIANT(SnapshotEffect)

}  // namespace flaredb::raft
