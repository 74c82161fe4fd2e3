// SPDX-License-Identifier: Apache-2.0
// The runner of the scenario scripts can fail: each way in which a script is wrong is found.
#include <string>

#include "gtest/gtest.h"
#include "tests/scenarios/scenario.h"

namespace flaredb::raft {
namespace {

constexpr char kHeader[] = "# Something is so.\n# Source: thesis 3.4\n\n";

ScenarioRun RunBody(const std::string& commands) { return RunScenario(kHeader + commands); }

std::string OnlyFailure(const std::string& commands) {
  const ScenarioRun run = RunBody(commands);
  return run.failures.size() == 1 ? run.failures[0]
                                  : std::to_string(run.failures.size()) + " failures";
}

TEST(ScenarioLanguage, OutputStandsBelowItsCommandAndOldOutputIsReplaced) {
  const ScenarioRun run =
      RunBody("cluster 1\nwait 500ms\ncampaign 1\n  (old output)\n\n# The end.\n");
  EXPECT_EQ(run.failures, std::vector<std::string>());
  EXPECT_EQ(run.transcript, kHeader + std::string("cluster 1\n"
                                                  "wait 500ms\n"
                                                  "campaign 1\n"
                                                  "  1: candidate t1 vote=1\n"
                                                  "  1: write t1 vote=1\n"
                                                  "  1: leader t1 vote=1\n"
                                                  "  1: write append=[1:t1 noop]\n"
                                                  "  1: commit 1 [1:t1 noop]\n"
                                                  "\n"
                                                  "# The end.\n"));
}

TEST(ScenarioLanguage, ARightTranscriptIsItsOwnOutput) {
  const std::string once =
      RunBody("cluster 3\nelect 2\npropose 2 \"a\"\nsettle\nstate\n").transcript;
  EXPECT_EQ(RunScenario(once).transcript, once);
}

TEST(ScenarioLanguage, AScriptSaysWhatItProvesAndWhereThatComesFrom) {
  EXPECT_EQ(RunScenario("cluster 1\n").failures.size(), 1U);
  EXPECT_EQ(RunScenario("# Something is so.\ncluster 1\n").failures.size(), 1U);
  EXPECT_EQ(RunScenario("# No full stop\n# Source: x\ncluster 1\n").failures.size(), 1U);
}

TEST(ScenarioLanguage, CommandsThatMakeNoSenseFail) {
  EXPECT_EQ(OnlyFailure("elect 1\n"), "line 4, elect 1: the first command is cluster");
  EXPECT_EQ(OnlyFailure("cluster 3\nfly 1\n"), "line 5, fly 1: there is no command \"fly\"");
  EXPECT_EQ(OnlyFailure("cluster 3\nwait 5\n"),
            "line 5, wait 5: wait needs a duration, as in 200ms or 2s, of an hour at most");
  EXPECT_EQ(OnlyFailure("cluster 3\nwait\n"), "line 5, wait: wait needs a duration");
  EXPECT_EQ(OnlyFailure("cluster 3\ncampaign 1 2\n"),
            "line 5, campaign 1 2: campaign does not know what \"2\" means here");
  EXPECT_EQ(OnlyFailure("cluster 3\ncampaign 9\n"), "line 5, campaign 9: there is no replica 9");
  EXPECT_EQ(OnlyFailure("cluster 3\ncrash 1\ncampaign 1\n"),
            "line 6, campaign 1: replica 1 does not run");
  EXPECT_EQ(OnlyFailure("cluster 3 speed=9\n"),
            "line 4, cluster 3 speed=9: cluster does not know the setting speed");
  EXPECT_EQ(OnlyFailure("cluster 3\ndeliver 1->2\n"),
            "line 5, deliver 1->2: no such message is under way");
  EXPECT_EQ(OnlyFailure("cluster 3\ndeliver 1-2\n"),
            "line 5, deliver 1-2: deliver needs a link, as in 1->2, 1-> or ->2, or all");
  EXPECT_EQ(OnlyFailure("cluster 3\nexpect 1 happy\n"),
            "line 5, expect 1 happy: there is no fact \"happy\"");
}

// Each of these ended the program, or kept it busy for ever: found by //tests/fuzz:scenarios, and
// by reading what it led to.
TEST(ScenarioLanguage, CommandsBeyondMeasureFail) {
  EXPECT_EQ(OnlyFailure("cluster 99999999999\n"),
            "line 4, cluster 99999999999: cluster takes 100 voters at most");
  EXPECT_EQ(OnlyFailure("cluster 3\nstart 99999999999\n"),
            "line 5, start 99999999999: start needs replicas, as in 1,2,3");
  EXPECT_EQ(
      OnlyFailure("cluster 3\nrun 99999999999s\n"),
      "line 5, run 99999999999s: run needs a duration, as in 200ms or 2s, of an hour at most");
  EXPECT_EQ(
      OnlyFailure("cluster 3\npropose 1 99999999999b\n"),
      "line 5, propose 1 99999999999b: propose needs payloads, as in \"a\" or 1000b, of 16 MiB "
      "at most");
  EXPECT_EQ(OnlyFailure("cluster 3 heartbeat_interval=0ms\n"),
            "line 4, cluster 3 heartbeat_interval=0ms: cluster does not know the setting "
            "heartbeat_interval");
  EXPECT_EQ(OnlyFailure("cluster 1 heartbeat_interval=1ms\nelect 1\nrun 3600s\n"),
            "line 6, run 3600s: more happens in this time than a script can tell");
}

TEST(ScenarioLanguage, AnotherDiskKeepsToTheTermOfItsBase) {
  EXPECT_EQ(RunScenario("# Something is so.\n# Source: x\n\ncluster 1\nelect 1\npropose 1 \"a\"\n"
                        "compact 1 to 2\ndisk 1\nexpect 1 base=2:t1 term=1\n")
                .failures,
            std::vector<std::string>());
}

TEST(ScenarioLanguage, ExpectationsThatAreNotMetFail) {
  const std::string start = "cluster 3\nelect 1\n";
  EXPECT_EQ(OnlyFailure(start + "expect 1 leader term=1 commit=1\n"), "0 failures");
  EXPECT_EQ(OnlyFailure(start + "expect 2 leader\n"),
            "line 6, expect 2 leader: replica 2: leads is no, not yes");
  EXPECT_EQ(OnlyFailure(start + "expect 1 commit=7\n"),
            "line 6, expect 1 commit=7: replica 1: commit is 1, not 7");
  EXPECT_EQ(OnlyFailure(start + "expect no leader\n"), "line 6, expect no leader: 1 replicas lead");
  EXPECT_EQ(OnlyFailure(start + "expect committed \"a\"\n"),
            "line 6, expect committed \"a\": committed is nothing");
  EXPECT_EQ(OnlyFailure(start + "propose 1 \"a\"\nexpect quiet\n"),
            "line 7, expect quiet: messages are under way");
  EXPECT_EQ(OnlyFailure(start + "read 1\nexpect read 1 granted\n"),
            "line 7, expect read 1 granted: read 1 is waiting, not granted");
  EXPECT_EQ(OnlyFailure(start + "expect read 1 waiting\n"),
            "line 6, expect read 1 waiting: there is no read 1");
}

// What a script says silently fails aloud.
TEST(ScenarioLanguage, BrokenSafetyFailsWhateverTheScriptLooksAt) {
  // Two disks that no run of Raft leaves behind: their entries at 2 differ, yet agree after it.
  const ScenarioRun run = RunBody(
      "cluster 3\n"
      "disk 1 1 1 3\n"
      "disk 2 1 2 3\n"
      "silently elect 1\n");
  ASSERT_FALSE(run.failures.empty());
  EXPECT_EQ(run.failures[0], "line 7, silently elect 1: the logs of 1 and 2 do not match at 2");
}

TEST(ScenarioLanguage, TheFirstDifferenceIsShownWithItsCommand) {
  EXPECT_EQ(FirstDifference("a\n", "a\n"), "");
  EXPECT_EQ(FirstDifference("cluster 1\ncampaign 1\n  x\n", "cluster 1\ncampaign 1\n  y\n"),
            "line 3, after \"campaign 1\"\n  expected:   x\n  came:       y");
}

}  // namespace
}  // namespace flaredb::raft
