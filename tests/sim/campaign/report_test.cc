// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/report.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace flaredb::sim {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

CampaignResult SomeCampaign() {
  CampaignResult campaign;
  campaign.seeds = 1234;
  campaign.simulated = Duration::Seconds(12345);
  campaign.counts.faults.kinds[static_cast<size_t>(Fault::kSplit)] = {7, 5};
  campaign.counts.probes.hit[static_cast<size_t>(Probe::kWindowFull)] = 9;
  campaign.counts.probes.taken[static_cast<size_t>(BuggifyPoint::kSplitBatch)] = 4;
  campaign.failures.push_back({42, {FailureKind::kChecker, "CHECK", "a \"b\"\n\x01\xff\\"}});
  return campaign;
}

TEST(Report, AReplayLineHasEverythingThatMakesTheRun) {
  Flags flags;
  EXPECT_EQ(ReplayLine(flags, 7), "./bazelw run //:sim -- --seed=7");
  flags.operations_max = 30;
  flags.without.set(static_cast<size_t>(Fault::kSplit));
  EXPECT_EQ(ReplayLine(flags, 7), "./bazelw run //:sim -- --seed=7 --ops=30 --without=split");
}

TEST(Report, ProgressFitsIntoANarrowTerminal) {
  Flags flags;
  flags.seeds.last = 1000000;
  CampaignResult campaign = SomeCampaign();
  EXPECT_EQ(ProgressLine(flags, campaign, 10),
            "seeds 1234/1000000  123/s  sim 206 min  1234x  probes 1/" + std::to_string(kProbes) +
                "  failures 1");
  campaign.seeds = 999999;
  campaign.simulated = Duration::Seconds(9999990);
  EXPECT_LT(ProgressLine(flags, campaign, 10000).size(), 80u);
  flags.minutes = 1;
  EXPECT_TRUE(Has(ProgressLine(flags, campaign, 10), "seeds 999999  "));
}

TEST(Report, EveryKindOfFaultHasItsPlaceInTheTable) {
  std::ostringstream out;
  PrintFaults(SomeCampaign().counts.faults, out);
  for (size_t i = 0; i < kFaults; ++i) {
    EXPECT_TRUE(Has(out.str(), std::string(NameOf(static_cast<Fault>(i))) + " ")) << i;
  }
  EXPECT_TRUE(Has(out.str(), "split                  7        5 ")) << out.str();
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 105u);
    EXPECT_NE(line, "");
  }
}

TEST(Report, ProbesNeverHitAreListed) {
  std::ostringstream out;
  PrintProbes(SomeCampaign().counts.probes, true, out);
  EXPECT_TRUE(Has(out.str(), " hit=1 "));
  EXPECT_TRUE(Has(out.str(), " taken=1\n"));
  EXPECT_FALSE(Has(out.str(), std::string(TextOf(Probe::kWindowFull))));
  EXPECT_TRUE(Has(out.str(), "never hit: " + std::string(TextOf(Probe::kElectionLost)) + "\n"));
  EXPECT_FALSE(Has(out.str(), "never taken: split-batch\n"));
  EXPECT_TRUE(Has(out.str(), "never taken: small-append\n"));
}

TEST(Report, JsonQuotesWhatItMust) {
  std::ostringstream out;
  WriteJson(Flags(), SomeCampaign(), 10, out);
  EXPECT_TRUE(Has(out.str(), R"("sentence": "a \"b\"\u000a\u0001\u00ff\\")")) << out.str();
  EXPECT_TRUE(Has(out.str(), R"("exit_code": 5)"));
  EXPECT_TRUE(Has(out.str(), R"("split": {"fired": 7, "mattered": 5})"));
  EXPECT_TRUE(Has(out.str(), R"("replay": "./bazelw run //:sim -- --seed=42")"));
}

TEST(Report, EveryKindOfFailureHasAName) {
  for (const FailureKind kind :
       {FailureKind::kNone, FailureKind::kSafety, FailureKind::kLiveness,
        FailureKind::kNondeterminism, FailureKind::kChecker, FailureKind::kDied}) {
    EXPECT_NE(NameOf(kind), "unknown");
  }
}

}  // namespace
}  // namespace flaredb::sim
