// SPDX-License-Identifier: Apache-2.0
// A record of the size that a page must bear, made up: no run draws seven stores.
#ifndef FLAREDB_TESTS_SIM_SYNTHETIC_RECORD_H_
#define FLAREDB_TESTS_SIM_SYNTHETIC_RECORD_H_

#include <cstdint>

#include "sim/world/record.h"

namespace flaredb::sim {

// Reigns of ten elections on `nodes` nodes over ten seconds, `messages` messages among them and
// with six clients, faults of several lengths and of a moment (three retries, and every message
// that was lost), crashes, and a violation near the end that names two nodes and two operations.
// The same arguments give the same record.
Record SyntheticRecord(uint32_t nodes, uint32_t messages);

}  // namespace flaredb::sim

#endif  // FLAREDB_TESTS_SIM_SYNTHETIC_RECORD_H_
