// SPDX-License-Identifier: Apache-2.0
// One test for each script in this folder.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/scenarios/scenario.h"

namespace flaredb::raft {
namespace {

namespace fs = std::filesystem;

constexpr char kFolder[] = "tests/scenarios";

class ScriptTest : public testing::Test {
 public:
  explicit ScriptTest(fs::path path) : path_(std::move(path)) {}

  void TestBody() override {
    std::ifstream in(path_, std::ios::binary);
    ASSERT_TRUE(in) << path_;
    std::ostringstream script;
    script << in.rdbuf();
    const ScenarioRun run = RunScenario(script.str());
    for (const std::string& failure : run.failures) {
      ADD_FAILURE() << path_.string() << " " << failure;
    }
    const std::string difference = FirstDifference(script.str(), run.transcript);
    EXPECT_TRUE(difference.empty())
        << path_.string() << " " << difference
        << "\nIf the new output is right: ./bazelw run //tests/scenarios:rewrite";
  }

 private:
  const fs::path path_;
};

// "election_split_vote.txt" is the test Election.split_vote.
void Register(const fs::path& path) {
  const std::string stem = path.stem().string();
  const size_t topic = std::min(stem.find('_'), stem.size());
  std::string suite = stem.substr(0, topic);
  suite[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(suite[0])));
  const std::string name = stem.substr(std::min(topic + 1, stem.size()));
  testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, path.c_str(), 1,
                        [path]() -> testing::Test* { return new ScriptTest(path); });
}

}  // namespace
}  // namespace flaredb::raft

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::vector<std::filesystem::path> scripts;
  for (const auto& file : std::filesystem::directory_iterator(flaredb::raft::kFolder)) {
    if (file.path().extension() == ".txt") scripts.push_back(file.path());
  }
  std::sort(scripts.begin(), scripts.end());
  for (const auto& script : scripts) flaredb::raft::Register(script);
  return RUN_ALL_TESTS();
}
