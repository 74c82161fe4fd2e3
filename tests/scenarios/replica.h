// SPDX-License-Identifier: Apache-2.0
// A replica of a scenario and what surrounds it.
#ifndef FLAREDB_TESTS_SCENARIOS_REPLICA_H_
#define FLAREDB_TESTS_SCENARIOS_REPLICA_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/effects.h"
#include "core/raft/raft.h"
#include "core/raft/view.h"
#include "tests/scenarios/disk.h"

namespace flaredb::raft {

// A question of the core about old entries or a snapshot, unanswered.
using Question = std::variant<Fetch, TakeSnapshot, ReadSnapshot>;

struct Replica {
  ScenarioDisk disk;
  std::unique_ptr<Raft> raft;  // Null while stopped.
  Instant clock;
  View seen;  // What the account said last.
  std::deque<Persist> writes;
  std::deque<Question> questions;
  bool disk_held = false;
  bool answers_held = false;
  Index applied_index;
  std::map<SnapshotId, std::pair<Index, size_t>> views;  // What it covers; bytes read.
  std::string staged;
  struct AskedRead {
    uint64_t number;
    Index covers;  // Applied anywhere when it was asked.
  };
  std::map<ReadId, AskedRead> asked;
  uint64_t lives = 0;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_SCENARIOS_REPLICA_H_
