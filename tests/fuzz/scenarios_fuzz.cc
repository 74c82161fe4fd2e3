// SPDX-License-Identifier: Apache-2.0
// A scenario script, such as somebody might write it: it runs to its end whatever it says, and its
// transcript is a script with that very transcript.
#include <string>
#include <string_view>

#include "tests/fuzz/fuzz.h"
#include "tests/scenarios/scenario.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flaredb;
  const raft::ScenarioRun run =
      raft::RunScenario(std::string_view(reinterpret_cast<const char*>(data), size));
  const raft::ScenarioRun again = raft::RunScenario(run.transcript);
  if (again.transcript != run.transcript) {
    FailFuzzing("the transcript is another script: " +
                raft::FirstDifference(run.transcript, again.transcript));
  }
  return 0;
}
