// SPDX-License-Identifier: Apache-2.0
#include "net/config/config_file.h"

#include <gtest/gtest.h>

namespace flaredb::net {
namespace {

std::vector<std::string> Problems(std::string_view content) {
  const ConfigFile file = ParseConfigFile("f.toml", content);
  std::vector<std::string> texts;
  for (const FileProblem& problem : file.problems) texts.push_back(file.Describe(problem));
  return texts;
}
using Lines = std::vector<std::string>;

TEST(ConfigFile, KeysAreTheNamesOfFlagsAndKnowTheirPlace) {
  const ConfigFile file = ParseConfigFile("f.toml",
                                          "# a store\n"
                                          "store-id = 3\n"
                                          "  addr = '10.0.0.1:50051'\n");
  EXPECT_TRUE(file.problems.empty());
  ASSERT_EQ(file.values.size(), 2u);
  EXPECT_EQ(file.values.at("store-id").text, "3");
  EXPECT_EQ(file.values.at("addr").text, "10.0.0.1:50051");
  EXPECT_EQ(file.values.at("addr").line, 3u);
  EXPECT_EQ(file.values.at("addr").column, 3u);
}

TEST(ConfigFile, AListIsAStringOrAnArray) {
  for (const char* text : {"peer = '1=a:1,2=b:1'", "peer = ['1=a:1', '2=b:1']",
                           "peer = [\n  '1=a:1',\n  '2=b:1',\n]"}) {
    const ConfigFile file = ParseConfigFile("f.toml", text);
    ASSERT_TRUE(file.problems.empty()) << file.problems[0].what;
    EXPECT_EQ(file.values.at("peer").text, "1=a:1,2=b:1");
  }
}

TEST(ConfigFile, AnUnknownKeyIsToldWithTheOneThatWasMeant) {
  EXPECT_EQ(Problems("storeid = 1"),
            Lines{"f.toml:1:1: unknown key \"storeid\": did you mean \"store-id\"?"});
  EXPECT_EQ(Problems("\n colour = 'red'"),
            Lines{"f.toml:2:2: unknown key \"colour\": the keys are the flags of \"flaredb server "
                  "--help\" without dashes"});
}

TEST(ConfigFile, AWrongTypeIsToldWithTheRightOne) {
  EXPECT_EQ(Problems("store-id = '1'"),
            Lines{"f.toml:1:1: store-id is a string, not a whole number: write store-id = 1"});
  EXPECT_EQ(Problems("addr = 50051"),
            Lines{"f.toml:1:1: addr is a whole number, not a string: write addr = \"HOST:PORT\""});
  EXPECT_EQ(Problems("peer = ['1=a:1', 2]"),
            Lines{"f.toml:1:1: peer is an array, not strings: write peer = [\"...\", \"...\"]"});
  EXPECT_EQ(Problems("[addr]\nport = 1"),
            Lines{"f.toml:1:2: addr is a table, not a string: write addr = \"HOST:PORT\""});
}

TEST(ConfigFile, AValueThatIsNoneIsTold) {
  EXPECT_EQ(Problems("store-id = 0"),
            Lines{"f.toml:1:1: store-id \"0\" is not a whole number from 1 up"});
  EXPECT_EQ(Problems("addr = ''"),
            Lines{"f.toml:1:1: addr \"\" is empty: give a value, or leave it out"});
}

TEST(ConfigFile, EveryMistakeIsToldInTheOrderOfTheFile) {
  EXPECT_EQ(Problems("store-id = 'x'\nzebra = 1\naddr = 1\n").size(), 3u);
  EXPECT_TRUE(Problems("store-id = 'x'\nzebra = 1\naddr = 1\n")[1].starts_with("f.toml:2:1: "));
}

TEST(ConfigFile, ASyntaxErrorIsToldWithItsPlace) {
  const Lines problems = Problems("store-id = 1\naddr = \n");
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_TRUE(problems[0].starts_with("f.toml:2:")) << problems[0];
  EXPECT_EQ(Problems("addr = 'a:1'\naddr = 'b:1'").size(), 1u);
}

TEST(ConfigFile, AFileThatCannotBeReadIsNamed) {
  for (const char* path : {"/no/such/file.toml", "/"}) {
    const auto file = ReadConfigFile(path);
    ASSERT_FALSE(file.ok()) << path;
    EXPECT_EQ(file.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_NE(std::string(file.status().message()).find(path), std::string::npos);
  }
}

}  // namespace
}  // namespace flaredb::net
