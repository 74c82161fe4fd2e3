// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/scenario.h"

#include "tests/scenarios/interpreter.h"
#include "tests/scenarios/words.h"

namespace flaredb::raft {
namespace {

// The lines at the top of a script: the sentence that it proves, and where that comes from.
std::string CheckHeader(const std::vector<std::string>& lines) {
  size_t end = 0;
  while (end < lines.size() && lines[end].starts_with("# ")) ++end;
  if (end < 2 || !lines[end - 2].ends_with(".") || !lines[end - 1].starts_with("# Source: ")) {
    return "line 1: a script begins with the sentence that it proves, and a line \"# Source: ...\"";
  }
  return "";
}

}  // namespace

ScenarioRun RunScenario(std::string_view script) {
  ScenarioRun run;
  std::vector<std::string> lines = Split(script, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (std::string error = CheckHeader(lines); !error.empty()) run.failures.push_back(error);
  Interpreter interpreter;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (line.starts_with(" ")) continue;  // The output of an earlier run.
    run.transcript += line + "\n";
    if (line.empty() || line.starts_with("#")) continue;
    for (const std::string& output : interpreter.Run(line)) {
      run.transcript += "  " + output + "\n";
      if (output.starts_with("FAILURE: ")) {
        run.failures.push_back("line " + std::to_string(i + 1) + ", " + line + ": " +
                               output.substr(9));
      }
    }
  }
  return run;
}

std::string FirstDifference(std::string_view expected, std::string_view actual) {
  if (expected == actual) return "";
  const std::vector<std::string> want = Split(expected, '\n');
  const std::vector<std::string> got = Split(actual, '\n');
  size_t i = 0;
  while (i < want.size() && i < got.size() && want[i] == got[i]) ++i;
  const auto at = [i](const std::vector<std::string>& lines) {
    return i < lines.size() ? lines[i] : std::string("(the end)");
  };
  std::string command;
  for (size_t c = i; c-- > 0 && command.empty();) {
    if (!got[c].empty() && !got[c].starts_with(" ") && !got[c].starts_with("#")) command = got[c];
  }
  return "line " + std::to_string(i + 1) + ", after \"" + command + "\"\n  expected: " + at(want) +
         "\n  came:     " + at(got);
}

}  // namespace flaredb::raft
