// SPDX-License-Identifier: Apache-2.0
// One run: a cluster of production stores, its clients and its faults, from a seed to a verdict.
#ifndef FLAREDB_SIM_SIMULATION_H_
#define FLAREDB_SIM_SIMULATION_H_

#include <cstdint>
#include <ostream>
#include <vector>

#include "core/base/time.h"
#include "sim/cluster/features.h"
#include "sim/cluster/state_coverage.h"
#include "sim/machine_spec.h"
#include "sim/probes.h"
#include "sim/world/choices.h"
#include "sim/world/event_log.h"
#include "sim/world/failure.h"
#include "sim/world/fault_ledger.h"
#include "sim/world/record.h"
#include "sim/world/reduction.h"
#include "sim/world/tape.h"

namespace flaredb::sim {

struct RunOptions {
  uint32_t operations_max = 0;  // 0: the seed decides.
  // How long there are clients and faults at most, in simulated time.
  Duration faults_max = Duration::Seconds(10);
  // A run that has not failed by then is over, without a verdict on what was left.
  Duration stop_after = Duration::Max();
  Reduction reduction;
  Subject subject;                    // What is simulated.
  std::ostream* trace_out = nullptr;  // A line for every event; null: none. Borrowed.
  Tape* record_on = nullptr;          // Takes the choices; null: they are not kept. Borrowed.
  Record* record = nullptr;           // Takes what the run's page shows; null: none. Borrowed.
  StateCoverage* states = nullptr;    // Is told of every state; null: nobody is. Borrowed.
  EventLog* event_log = nullptr;      // Takes the events; null: they are not kept. Borrowed.
};

// What a run did, whatever its verdict.
struct RunCounts {
  uint64_t events = 0;
  uint64_t turns = 0;
  uint64_t crashes = 0;
  uint64_t operations = 0;
  uint64_t unknown = 0;    // Operations whose outcome the client never learnt.
  uint64_t committed = 0;  // Log entries.
  uint64_t terms = 0;      // The last leader's term.
  uint64_t repeated = 0;   // Runs that a second one was compared with.
  Features features;
  FaultCounts faults;
  ProbeCounts probes;

  RunCounts& operator+=(const RunCounts& other);
};

struct RunResult {
  Failure failure;  // kNone: the run passed.
  uint64_t hash = 0;
  Duration simulated;
  RunCounts counts;
  std::vector<FaultName> faults;     // That happened, in order.
  std::vector<uint32_t> operations;  // Numbers of those that were made.
};

// Runs `seed`. The same seed and options give the same result, in every process and build.
//
// Phases: clients and faults until the clients have finished, but not for ever; then
// everything heals, a leader must appear within a bounded time, every client must finish, one
// client for each store reads every key, and the stores must settle. Then the history is judged.
RunResult RunSeed(uint64_t seed, const RunOptions& options);

// The same for the choices of a tape, or of a fuzzer.
RunResult Run(Choices choices, const RunOptions& options);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_SIMULATION_H_
