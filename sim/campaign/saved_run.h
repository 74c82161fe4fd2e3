// SPDX-License-Identifier: Apache-2.0
// A run in a file: what fails today is replayed tomorrow, after changes that have nothing to do
// with it.
#ifndef FLAREDB_SIM_CAMPAIGN_SAVED_RUN_H_
#define FLAREDB_SIM_CAMPAIGN_SAVED_RUN_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "sim/simulation.h"
#include "sim/world/failure.h"
#include "sim/world/reduction.h"
#include "sim/world/tape.h"

namespace flaredb::sim {

struct SavedRun {
  uint32_t operations_max = 0;  // As in RunOptions; and
  Duration faults_max = RunOptions().faults_max;
  Reduction reduction;
  Tape tape;
  // The code and sentence that it had when it was saved; empty: it passed.
  std::string invariant;
  std::string sentence;
};

// Runs `seed` and keeps its choices. `options` except record_on.
SavedRun Record(uint64_t seed, const RunOptions& options);

// What Run needs beside the choices to run it again; the subject is the caller's to set.
RunOptions ReplayOptions(const SavedRun& run);
// Runs it again. Of `options` the subject and stop_after count, and what there is to look at.
RunResult Replay(const SavedRun& run, const RunOptions& options);

// Text, a line for each stream of choices. Decoding refuses anything that Encode does not produce
// with INVALID_ARGUMENT, naming the line.
std::string EncodeSavedRun(const SavedRun& run);
absl::StatusOr<SavedRun> DecodeSavedRun(std::string_view text);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_SAVED_RUN_H_
