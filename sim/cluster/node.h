// SPDX-License-Identifier: Apache-2.0
// One machine of a run: its clock, its disk, and the process in which its store runs. Plain data; a
// Cluster moves it.
#ifndef FLAREDB_SIM_CLUSTER_NODE_H_
#define FLAREDB_SIM_CLUSTER_NODE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/cluster/directory.h"
#include "core/kv/hlc.h"
#include "core/pd/cluster.h"
#include "core/store/store.h"
#include "sim/world/disk.h"
#include "sim/world/fault.h"
#include "sim/world/network.h"
#include "sim/world/node_clock.h"

namespace flaredb::sim {

// Of every store of a run.
inline constexpr uint64_t kClusterId = 77;

// The end of a process.
struct Death {
  Fault why;
  Duration downtime;
};

struct Node {
  // What a client waits for.
  struct Call {
    Endpoint client = 0;
    AttemptId attempt = 0;
    Index committed;  // By anybody, when it came.
    // Answered by whatever is at the store; of a write, the row that it puts into the outbox.
    bool eventual = false;
    std::string row;
    // Of a store that knew by then that it accepts nothing: its row among the stores.
    std::optional<pd::StoreInfo> closed;
  };

  Node(World* world, const DiskProfile& profile, uint32_t id, const NewRealDisk& new_real_disk)
      : disk(world, profile, id, new_real_disk) {}

  bool joined = false;   // It belongs to the cluster, or did. All do without a placement driver.
  bool retired = false;  // It was removed, and nobody starts it any more.
  NodeClock clock;
  int64_t wall_ms = 0;   // What its time of day is ahead of everybody's, in milliseconds.
  kv::Hlc acknowledged;  // The time of the last write that it told a client to be accepted.
  SimDisk disk;
  cluster::Directory directory;     // On the disk,
  std::string directory_row;        // and its bytes.
  store::Options options;           // Without the seed.
  std::optional<Death> disk_death;  // What a failing disk makes of the process.
  uint64_t life = 0;
  std::unique_ptr<store::Store> store;  // Null while the process is down.
  PeerId broken;  // Its replica, in which an invariant broke in this life; zero: there is none.
  bool paused = false;
  Fault paused_by = Fault::kCount;
  uint64_t pause = 0;  // Numbers the pauses.
  std::vector<store::Event> inbox;
  bool turn_scheduled = false;
  Instant wake_at = Instant::Max();
  uint64_t timer = 0;  // Numbers the timers; only the latest counts.
  std::map<store::CallId, Call> calls;
  uint64_t last_call = 0;
  std::vector<store::CallId> gone_calls;  // Of clients whose ClientGone waits in the inbox.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CLUSTER_NODE_H_
