// SPDX-License-Identifier: Apache-2.0
// Scenario scripts: transcripts of what real replicas do when a script says what happens to them.
// README.md describes the language.
#ifndef FLAREDB_TESTS_SCENARIOS_SCENARIO_H_
#define FLAREDB_TESTS_SCENARIOS_SCENARIO_H_

#include <string>
#include <string_view>
#include <vector>

namespace flaredb::raft {

struct ScenarioRun {
  // The script with the output that its commands gave this time. Equals the script if all is well.
  std::string transcript;
  // What must not be, each with its line: a broken safety check, an expectation that was not met, a
  // command that makes no sense. A transcript with failures is never right.
  std::vector<std::string> failures;
};

// Carries out a script. Deterministic.
ScenarioRun RunScenario(std::string_view script);

// Where two texts differ first, for people: line number, what was expected, what came. Empty when
// they are equal.
std::string FirstDifference(std::string_view expected, std::string_view actual);

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_SCENARIOS_SCENARIO_H_
