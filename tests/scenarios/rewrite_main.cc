// SPDX-License-Identifier: Apache-2.0
// Writes what the scenario scripts do now into the scripts: ./bazelw run //tests/scenarios:rewrite
// for all of them, with names (without .txt) for some. Review the change as prose: a transcript
// that is wrong is rewritten as readily as one that is right.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/scenarios/scenario.h"

namespace {

namespace fs = std::filesystem;

std::string Contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<fs::path> Scripts(const fs::path& folder, const std::vector<std::string>& names) {
  std::vector<fs::path> scripts;
  if (names.empty()) {
    for (const auto& file : fs::directory_iterator(folder)) {
      if (file.path().extension() == ".txt") scripts.push_back(file.path());
    }
    std::sort(scripts.begin(), scripts.end());
  }
  for (const std::string& name : names) scripts.push_back(folder / (name + ".txt"));
  return scripts;
}

}  // namespace

int main(int argc, char** argv) {
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace == nullptr) {
    std::cerr << "rewrite: run it with ./bazelw run //tests/scenarios:rewrite\n";
    return 2;
  }
  int changed = 0;
  int failures = 0;
  for (const fs::path& path : Scripts(fs::path(workspace) / "tests" / "scenarios",
                                      std::vector<std::string>(argv + 1, argv + argc))) {
    if (!fs::exists(path)) {
      std::cerr << "rewrite: there is no " << path.string() << "\n";
      return 2;
    }
    const std::string script = Contents(path);
    const flaredb::raft::ScenarioRun run = flaredb::raft::RunScenario(script);
    for (const std::string& failure : run.failures) {
      std::cerr << path.filename().string() << ": " << failure << "\n";
      ++failures;
    }
    if (run.transcript == script) continue;
    std::ofstream(path, std::ios::binary) << run.transcript;
    std::cout << "rewritten: " << path.filename().string() << "\n";
    ++changed;
  }
  std::cout << changed << " rewritten, " << failures << " failures\n";
  return failures == 0 ? 0 : 1;
}
