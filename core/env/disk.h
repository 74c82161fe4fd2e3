// SPDX-License-Identifier: Apache-2.0
// What a store asks of its disk and what the disk tells it: values, carried by the runtime or by
// the simulator.
#ifndef FLAREDB_CORE_ENV_DISK_H_
#define FLAREDB_CORE_ENV_DISK_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/base/write_batch.h"
#include "core/raft/effects.h"
#include "core/raft/entry_slices.h"
#include "core/raft/types.h"

namespace flaredb::env {

// Part of a GroupCommit: one change of one region's Raft state.
struct LogWrite {
  RegionId region;
  // Set in the first write of a replica, which creates its state row; zero otherwise.
  Incarnation create;
  raft::Persist persist;
  // The replica is no more: its log and its state row go, and `persist` is empty.
  bool destroy = false;
};

// One atomic, synced write. Log first, then data: whatever a batch says about applied entries,
// the entries themselves are in this batch or an earlier one.
struct GroupCommit {
  IoToken token;  // Strictly increasing within the life of a store's process.
  std::vector<LogWrite> log;
  WriteBatch data;
};

// A read of old log entries; may take its time. Answered by LogFetched.
struct LogFetch {
  RegionId region;
  raft::Fetch fetch;
};

// The answer to a LogFetch: a non-empty prefix of what was asked for. NOT_FOUND when its first
// entry was truncated meanwhile.
struct LogFetched {
  RegionId region;
  uint64_t id = 0;
  absl::StatusOr<raft::EntrySlices> entries;
};

// One region's Raft state as found at start.
struct LogState {
  RegionId region;
  Incarnation incarnation;
  raft::HardState hard_state;
  raft::LogBase base;                // What lies before the first entry.
  std::vector<raft::TermRun> terms;  // Of the entries after `base`.
  Index last_index;
  std::vector<raft::ConfAt> confs;  // Of the kConf entries after `base`.
};

}  // namespace flaredb::env

#endif  // FLAREDB_CORE_ENV_DISK_H_
