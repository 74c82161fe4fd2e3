// SPDX-License-Identifier: Apache-2.0
// Where regions are: which reports are believed, and what is told of them.
#include "core/pd/regions.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/pd/rows.h"
#include "tests/core/pd/machine_of_rows.h"

namespace flaredb::pd {
namespace {

class Regions : public MachineOfRows {
 protected:
  void SetUp() override { Must(Founding()); }

  void Report(const RegionInfo& info) { Must(PutRegion{info}); }
  void Stale(const RegionInfo& info, uint64_t newer) {
    EXPECT_EQ(Not(PutRegion{info}), (Refused{Refusal::kStaleRegion, newer}));
  }

  std::string Scan(const std::string& start, const std::string& end, uint64_t limit = 100) {
    const RegionPage page = Get<RegionPage>(ScanRegions{start, end, limit});
    std::string text;
    for (const RegionInfo& info : page.regions) {
      text += "[" + info.region.start_key + "," + info.region.end_key + ") ";
    }
    if (page.has_hole) text += "hole ";
    return text + (page.next_key.empty() ? "." : "then " + page.next_key);
  }
  // The id of the region of `key`, 0 when there is none.
  uint64_t At(const std::string& key) {
    const Reply reply = Ask(GetRegion{key});
    const auto* info = std::get_if<RegionInfo>(&reply);
    return info != nullptr ? info->region.id.value() : 0;
  }
};

RegionInfo Info(uint64_t conf_version, uint64_t version, uint64_t term) {
  RegionInfo info = ReportOf(RegionOf(1, "", "", version), term);
  info.region.epoch.conf_version = conf_version;
  return info;
}

TEST_F(Regions, ANewerReportOfTheSameRegionIsBelieved) {
  for (const RegionInfo& info : {Info(1, 1, 1), Info(1, 1, 2), Info(2, 1, 2), Info(2, 2, 2)}) {
    Report(info);
    EXPECT_EQ(Get<RegionInfo>(GetRegion{"k"}), info);
  }
}

TEST_F(Regions, WhatIsOlderInAnyWayIsNot) {
  Report(Info(5, 5, 5));
  Stale(Info(4, 6, 6), 1);
  Stale(Info(6, 4, 6), 1);
  Stale(Info(6, 6, 4), 1);
  EXPECT_EQ(Get<RegionInfo>(GetRegion{"k"}), Info(5, 5, 5));
}

TEST_F(Regions, ASplitIsLearnedFromEitherHalf) {
  Report(ReportOf(RegionOf(2, "m", "", 2)));
  EXPECT_EQ(Scan("", ""), "[m,) hole .");
  EXPECT_EQ(At("a"), 0u);
  EXPECT_EQ(At("m"), 2u);
  // What was before the split shares keys with the right half.
  Stale(Info(9, 1, 9), 2);
  Report(ReportOf(RegionOf(1, "", "m", 2)));
  EXPECT_EQ(Scan("", ""), "[,m) [m,) .");

  Report(ReportOf(RegionOf(2, "m", "t", 3)));
  EXPECT_EQ(Scan("", ""), "[,m) [m,t) hole .");
  EXPECT_EQ(At("t"), 0u);
  Report(ReportOf(RegionOf(3, "t", "", 3)));
  EXPECT_EQ(Scan("", ""), "[,m) [m,t) [t,) .");
}

TEST_F(Regions, OneReplacesAllThatItShareKeysWith) {
  Report(ReportOf(RegionOf(1, "", "c", 4)));
  Report(ReportOf(RegionOf(2, "c", "f", 4)));
  Report(ReportOf(RegionOf(3, "f", "m", 3)));
  Report(ReportOf(RegionOf(4, "m", "", 2)));
  // One of them is as new: nothing happens.
  Stale(ReportOf(RegionOf(5, "b", "h", 4)), 1);
  Stale(ReportOf(RegionOf(5, "d", "h", 4)), 2);
  EXPECT_EQ(Scan("", ""), "[,c) [c,f) [f,m) [m,) .");
  Report(ReportOf(RegionOf(5, "d", "h", 5)));
  EXPECT_EQ(Scan("", ""), "[,c) [d,h) [m,) hole .");
}

TEST_F(Regions, NeighboursShareNoKey) {
  Report(ReportOf(RegionOf(1, "", "c", 9)));
  Report(ReportOf(RegionOf(3, "f", "", 9)));
  Report(ReportOf(RegionOf(2, "c", "f", 1)));
  EXPECT_EQ(Scan("", ""), "[,c) [c,f) [f,) .");
}

TEST_F(Regions, ARegionThatWasReplacedIsNewWhenItComesAgain) {
  Report(ReportOf(RegionOf(2, "", "", 2)));
  EXPECT_EQ(At("k"), 2u);
  Report(ReportOf(RegionOf(1, "", "m", 3), /*term=*/1));
  EXPECT_EQ(Scan("", ""), "[,m) hole .");
}

TEST_F(Regions, ARegionThatEndsElsewhereLeavesNothingBehind) {
  Report(ReportOf(RegionOf(1, "", "m", 2)));
  Report(ReportOf(RegionOf(1, "", "c", 3)));
  EXPECT_EQ(Scan("", ""), "[,c) hole .");
  Report(ReportOf(RegionOf(1, "", "", 4)));
  EXPECT_EQ(Scan("", ""), "[,) .");
}

TEST_F(Regions, ReportsDoNotRaiseTheRevision) {
  const Revision before = revision();
  Report(ReportOf(RegionOf(2, "m", "", 2)));
  EXPECT_EQ(revision(), before);
}

TEST_F(Regions, AreScannedInPages) {
  Report(ReportOf(RegionOf(1, "", "c", 2)));
  Report(ReportOf(RegionOf(2, "c", "f", 2)));
  Report(ReportOf(RegionOf(3, "g", "m", 2)));
  Report(ReportOf(RegionOf(4, "m", "", 2)));
  EXPECT_EQ(Scan("", "", 2), "[,c) [c,f) then f");
  EXPECT_EQ(Scan("f", "", 1), "[g,m) hole then m");
  EXPECT_EQ(Scan("m", "", 1), "[m,) .");
  EXPECT_EQ(Scan("d", "f"), "[c,f) .");
  EXPECT_EQ(Scan("d", "f", 1), "[c,f) .");
  EXPECT_EQ(Scan("d", "e"), "[c,f) .");
  EXPECT_EQ(Scan("c", "c\x01"), "[c,f) .");
  EXPECT_EQ(Scan("f", "g"), "hole .");
  EXPECT_EQ(Scan("e", "h"), "[c,f) [g,m) hole .");
  EXPECT_EQ(Scan("d", "d"), ".");
  EXPECT_EQ(Scan("d", "a"), ".");
  EXPECT_EQ(Scan("x", "y"), "[m,) .");
}

TEST_F(Regions, APageHasALimit) {
  const auto key = [](uint64_t i) { return std::to_string(1000 + i); };
  MutableObjectRows rows(kObject, data_);
  for (uint64_t i = 1; i <= kPageRowsMax + 1; ++i) {
    WriteRegion(ReportOf(RegionOf(i, key(i), key(i + 1), 2)), &rows);
  }
  data_.Write(rows.changes());
  const RegionPage page = Get<RegionPage>(ScanRegions{key(1), "", 2 * kPageRowsMax});
  EXPECT_EQ(page.regions.size(), kPageRowsMax);
  EXPECT_EQ(page.next_key, key(kPageRowsMax + 1));
}

TEST_F(Regions, AHoleAtTheEndIsSeen) {
  Report(ReportOf(RegionOf(1, "", "c", 2)));
  EXPECT_EQ(Scan("a", "b"), "[,c) .");
  EXPECT_EQ(Scan("a", "c"), "[,c) .");
  EXPECT_EQ(Scan("a", "d"), "[,c) hole .");
  EXPECT_EQ(Scan("a", ""), "[,c) hole .");
  EXPECT_EQ(Scan("c", ""), "hole .");
}

TEST_F(Regions, AreFoundByAnyOfTheirKeys) {
  Report(ReportOf(RegionOf(1, "", "c", 2)));
  Report(ReportOf(RegionOf(2, "c", std::string("c\0", 2), 2)));
  Report(ReportOf(RegionOf(3, std::string("c\0", 2), "\xff", 2)));
  EXPECT_EQ(At(""), 1u);
  EXPECT_EQ(At("b\xff\xff"), 1u);
  EXPECT_EQ(At("c"), 2u);
  EXPECT_EQ(At(std::string("c\0", 2)), 3u);
  EXPECT_EQ(At("\xfe"), 3u);
  EXPECT_EQ(At("\xff"), 0u);
  EXPECT_EQ(At("\xff\xff"), 0u);
}

// Rows that can't be read seem not to be there; whatever comes of it, the machine does not fall.
TEST_F(Regions, AMachineWithoutRowsAnswers) {
  Report(ReportOf(RegionOf(1, "", "c", 2)));
  for (int reads = 0; reads < 8; ++reads) {
    class FailingReader : public DataReader {
     public:
      FailingReader(const DataReader& base, int reads) : base_(base), reads_(reads) {}
      absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
        if (reads_-- <= 0) return absl::UnavailableError("no disk");
        return base_.Get(key);
      }
      absl::Status Scan(
          std::string_view begin, std::string_view end,
          absl::FunctionRef<bool(std::string_view, std::string_view)> visit) const override {
        if (reads_-- <= 0) return absl::UnavailableError("no disk");
        return base_.Scan(begin, end, visit);
      }

     private:
      const DataReader& base_;
      mutable int reads_;
    };
    const std::vector<Command> commands = {
        Founding(), PutStore{StoreOf(2), Revision()}, SetTo(1, StoreState::kLost),
        EnsureNamespace{"n", std::nullopt}, PutRegion{ReportOf(RegionOf(1, "", "b", 3))}};
    for (const Command& command : commands) {
      const FailingReader failing(data_, reads);
      MutableObjectRows rows(kObject, failing);
      EXPECT_TRUE(DecodeReply(machine_.Apply(EncodeCommand(command), &rows)).ok());
    }
  }
}

}  // namespace
}  // namespace flaredb::pd
