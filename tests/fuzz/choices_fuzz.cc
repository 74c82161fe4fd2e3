// SPDX-License-Identifier: Apache-2.0
// The input is a run of the simulator: its bytes are the choices, in the order of drawing. What
// leads to new code, or to a new kind of state of the cluster, is kept and varied.
#include <string>
#include <utility>

#include "absl/types/span.h"
#include "sim/cluster/state_coverage.h"
#include "sim/simulation.h"
#include "sim/world/choices.h"
#include "tests/fuzz/fuzz.h"

namespace flaredb {
namespace {

// Short runs: what a few operations can show, a thousand runs a minute show sooner than ten.
constexpr uint32_t kOperationsMax = 30;
constexpr Duration kFaultsMax = Duration::Seconds(2);

// libFuzzer clears this before every input, and takes each byte that is set after it for a feature
// of the input.
__attribute__((section("__libfuzzer_extra_counters"))) uint8_t states_seen[1 << 16];

}  // namespace
}  // namespace flaredb

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flaredb;
  sim::StateCoverage states(absl::MakeSpan(states_seen));
  sim::RunOptions options;
  options.operations_max = kOperationsMax;
  options.faults_max = kFaultsMax;
  options.states = &states;
  const sim::RunResult result = sim::Run(
      sim::Choices::FromBytes(std::string(reinterpret_cast<const char*>(data), size)), options);
  const sim::Failure& failure = result.failure;
  if (failure.kind != sim::FailureKind::kNone) {
    FailFuzzing(failure.invariant + ": " + failure.sentence);
  }
  return 0;
}
