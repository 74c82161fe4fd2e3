// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/region_reports.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/core/pd/machine_of_rows.h"

namespace flaredb::cluster {
namespace {

class RegionReportsTest : public pd::MachineOfRows {
 protected:
  void SetUp() override { Must(pd::Founding()); }

  pd::RegionInfo Report(uint64_t term, uint64_t conf_version, uint64_t version,
                        const std::string& end = "") {
    pd::RegionInfo info = pd::ReportOf(pd::RegionOf(1, "", end, version), term);
    info.region.epoch.conf_version = conf_version;
    return info;
  }
  bool News(const pd::RegionInfo& info) {
    return IsNews(info, [this](const pd::Query& query) { return Ask(query); });
  }
  KnownRegions Regions(const std::string& begin, const std::string& end) {
    return RegionsOf(begin, end, [this](const pd::Query& query) { return Ask(query); });
  }
};

TEST_F(RegionReportsTest, WhatDiffersAndIsNotOlderIsNews) {
  EXPECT_TRUE(News(Report(5, 1, 1))) << "nobody has led it yet";
  Must(pd::PutRegion{Report(5, 2, 2)});
  EXPECT_FALSE(News(Report(5, 2, 2)));
  EXPECT_TRUE(News(Report(6, 2, 2)));
  EXPECT_TRUE(News(Report(5, 3, 2)));
  EXPECT_TRUE(News(Report(5, 2, 3, "m")));
  EXPECT_FALSE(News(Report(4, 3, 2)));
  EXPECT_FALSE(News(Report(6, 1, 2)));
  EXPECT_FALSE(News(Report(6, 2, 1)));
}

TEST_F(RegionReportsTest, ALeaderThatIsNoPeerYetIsNoNews) {
  pd::RegionInfo info = Report(6, 2, 2);
  info.leader = PeerId(99);
  EXPECT_FALSE(News(info));
  info = Report(6, 2, 2);
  info.term = Term();
  EXPECT_FALSE(News(info));
}

TEST_F(RegionReportsTest, OfTwoThatHoldAKeyTheGreaterVersionHasIt) {
  Must(pd::PutRegion{Report(5, 2, 2)});
  EXPECT_TRUE(News(pd::ReportOf(pd::RegionOf(2, "m", "", 3))));
  EXPECT_FALSE(News(pd::ReportOf(pd::RegionOf(2, "m", "", 2))));
  Must(pd::PutRegion{Report(5, 2, 3, "m")});
  EXPECT_TRUE(News(pd::ReportOf(pd::RegionOf(2, "m", "", 2)))) << "nobody is known to hold it";
}

TEST_F(RegionReportsTest, RegionsOfARangeAndItsHoles) {
  EXPECT_EQ(Regions("", "").regions.size(), 1u);
  EXPECT_FALSE(Regions("a", "b").has_hole);
  Must(pd::PutRegion{Report(5, 2, 3, "m")});
  EXPECT_TRUE(Regions("", "").has_hole);
  EXPECT_TRUE(Regions("a", "n").has_hole);
  EXPECT_FALSE(Regions("a", "m").has_hole);
  EXPECT_TRUE(Regions("n", "o").has_hole);
  EXPECT_TRUE(Regions("n", "o").regions.empty());
}

TEST_F(RegionReportsTest, ManyRegionsAreReadInPages) {
  constexpr uint64_t kRegions = 2500;
  const auto key = [](uint64_t i) {
    std::string digits = std::to_string(10000 + i);
    return i == 0 || i == kRegions ? "" : digits;
  };
  for (uint64_t i = 0; i < kRegions; ++i) {
    MutableObjectRows rows(pd::kObject, data_);
    const pd::RegionInfo info = pd::ReportOf(pd::RegionOf(1000 + i, key(i), key(i + 1), 2 + i));
    machine_.Apply(pd::EncodeCommand(pd::PutRegion{info}), &rows);
    data_.Write(rows.changes());
  }
  const KnownRegions known = Regions("", "");
  ASSERT_EQ(known.regions.size(), kRegions);
  EXPECT_FALSE(known.has_hole);
  for (uint64_t i = 0; i < kRegions; ++i) EXPECT_EQ(known.regions[i].region.start_key, key(i));
}

}  // namespace
}  // namespace flaredb::cluster
