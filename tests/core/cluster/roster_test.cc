// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/roster.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/cluster/collection.h"
#include "core/cluster/mode_driver.h"
#include "tests/core/pd/machine_of_rows.h"

namespace flaredb::cluster {
namespace {

constexpr Term kTerm{5};

Instant At(int64_t ms) { return Instant() + Duration::Milliseconds(ms); }

// Stores 1 to 3, called in round 1, 2 and 3.
class RosterTest : public ::testing::Test {
 protected:
  RosterTest() : roster_(kTerm, Duration::Milliseconds(1000), Duration::Milliseconds(500)) {
    pd::ClusterView view{pd::ClusterId(100), {}, pd::Revision(9), {}, {}};
    for (uint64_t id = 1; id <= 3; ++id) {
      view.stores.push_back({pd::StoreOf(id), pd::StoreState::kUp, pd::Revision(id)});
    }
    directory_.Apply(view);
    roster_.Follow(At(0), directory_);
    for (uint64_t id = 1; id <= 3; ++id) roster_.OnCalled(At(0), StoreId(id), id, {});
  }

  RollAnswer Answer(uint64_t store, uint64_t round, uint64_t known = 1, uint64_t clock = 0) const {
    RollAnswer answer;
    answer.term = kTerm;
    answer.round = round;
    answer.instance = pd::StoreOf(store).instance;
    answer.known = pd::Revision(known);
    answer.clock = kv::Hlc(clock);
    return answer;
  }
  void Hear(uint64_t store, RollAnswer answer, int64_t ms = 10) {
    roster_.OnAnswer(At(ms), StoreId(store), std::move(answer));
  }
  const Member& M(uint64_t store) const { return roster_.members().at(StoreId(store)); }
  static RegionReport Report(uint64_t region, uint64_t term) {
    RegionReport report;
    report.info = pd::ReportOf(pd::RegionOf(region, "", "", 1), term);
    return report;
  }

  Directory directory_;
  Roster roster_;
};

TEST_F(RosterTest, HearsAnswersToItsOwnCalls) {
  RollAnswer other_term = Answer(1, 1);
  other_term.term = kTerm.prev();
  Hear(1, other_term);
  EXPECT_FALSE(M(1).answer);
  Hear(1, Answer(1, 2));
  EXPECT_FALSE(M(1).answer) << "a round in which it was not called yet";
  Hear(9, Answer(9, 1));
  EXPECT_EQ(roster_.members().size(), 3u) << "no member";
  Hear(1, Answer(1, 1));
  EXPECT_TRUE(M(1).answered_last_call());
}

TEST_F(RosterTest, LaterAnswersTakeThePlaceOfEarlierOnes) {
  roster_.OnCalled(At(5), StoreId(1), 7, {});
  Hear(1, Answer(1, 1, 1));
  EXPECT_TRUE(M(1).answer);
  EXPECT_FALSE(M(1).answered_last_call());
  Hear(1, Answer(1, 7, 2));
  EXPECT_TRUE(M(1).answered_last_call());
  Hear(1, Answer(1, 1, 1));
  EXPECT_EQ(M(1).answer->known, pd::Revision(2));
}

TEST_F(RosterTest, AnotherDiskIsNotHeard) {
  RollAnswer other = Answer(1, 1, 1, 77);
  other.instance.lo += 1;
  Hear(1, other);
  EXPECT_TRUE(M(1).is_other);
  EXPECT_FALSE(M(1).answer);
  EXPECT_EQ(roster_.Clock(At(10)), kv::Hlc());
  Hear(1, Answer(1, 1));
  EXPECT_FALSE(M(1).is_other);
}

TEST_F(RosterTest, OfTwoLeadersTheLaterOneLeads) {
  RollAnswer early = Answer(1, 1);
  early.regions = {Report(1, 6), Report(2, 9)};
  RollAnswer late = Answer(2, 2);
  late.regions = {Report(1, 7), Report(2, 8)};
  Hear(1, early);
  Hear(2, late);
  EXPECT_EQ(roster_.regions().at(RegionId(1)).leader, StoreId(2));
  EXPECT_EQ(roster_.regions().at(RegionId(2)).leader, StoreId(1));
  EXPECT_EQ(roster_.regions().at(RegionId(2)).report->info.term, Term(9));
}

TEST_F(RosterTest, MembersComeAndGo) {
  Hear(2, Answer(2, 2));
  directory_.Apply({pd::ClusterId(100),
                    pd::Revision(9),
                    pd::Revision(12),
                    {{pd::StoreOf(2), pd::StoreState::kLost, pd::Revision(10)},
                     {pd::StoreOf(3), pd::StoreState::kDraining, pd::Revision(11)},
                     {pd::StoreOf(4), pd::StoreState::kUp, pd::Revision(12)}},
                    {}});
  roster_.Follow(At(2000), directory_);
  ASSERT_EQ(roster_.members().size(), 3u);
  EXPECT_FALSE(roster_.members().contains(StoreId(2)));
  EXPECT_EQ(M(3).store.state, pd::StoreState::kDraining);
  EXPECT_EQ(M(3).called_round, 3u) << "it is the same one";
  EXPECT_EQ(M(4).called_round, 0u);
  EXPECT_FALSE(roster_.IsSilent(At(2999), M(4)));
  EXPECT_TRUE(roster_.IsSilent(At(3000), M(4)));
  EXPECT_TRUE(roster_.IsSilent(At(2000), M(3)));
}

TEST_F(RosterTest, WhoKnowsNothingIsToldAfterSomebodyToldTheTime) {
  EXPECT_FALSE(roster_.MayTell(M(1), StoreId())) << "what it knows is not known";
  Hear(1, Answer(1, 1, 0, 50));
  EXPECT_FALSE(roster_.MayTell(M(1), StoreId()));
  Hear(2, Answer(2, 2, 4, 70));
  EXPECT_TRUE(roster_.MayTell(M(1), StoreId()));
  EXPECT_TRUE(roster_.MayTell(M(2), StoreId()));
  EXPECT_EQ(roster_.Clock(At(10)), kv::Hlc(70));
}

TEST_F(RosterTest, AFounderThatKnowsNothingNeedNotWait) {
  Hear(2, Answer(2, 2, 0));
  EXPECT_FALSE(roster_.MayTell(M(2), StoreId(1)));
  Hear(1, Answer(1, 1, 0));
  EXPECT_TRUE(roster_.MayTell(M(1), StoreId(1)));
  EXPECT_TRUE(roster_.MayTell(M(2), StoreId(1)));
  EXPECT_FALSE(roster_.MayTell(M(1), StoreId())) << "others may know";
}

class Clocks : public RosterTest {
 protected:
  // The store's wall clock shows `unix_ms`; it has stamped up to there.
  void HearTime(uint64_t store, uint64_t unix_ms, int64_t ms = 10) {
    RollAnswer answer = Answer(store, ++round_, 4, kv::HlcAt(unix_ms).value());
    answer.unix_ms = unix_ms;
    roster_.OnCalled(At(ms), StoreId(store), round_, {});
    Hear(store, answer, ms);
  }

  uint64_t round_ = 10;
};

TEST_F(Clocks, TheTimeIsThatOfMost) {
  HearTime(3, 900'000);
  EXPECT_EQ(roster_.UnixMs(At(10)), 0u) << "one of three";
  HearTime(1, 100'000);
  EXPECT_EQ(roster_.UnixMs(At(10)), 100'000u) << "of two the one that is behind";
  HearTime(2, 100'300);
  EXPECT_EQ(roster_.UnixMs(At(10)), 100'300u);
  EXPECT_EQ(roster_.UnixMs(At(25)), 100'315u) << "it goes on";
  EXPECT_EQ(roster_.AheadMs(M(1)), 0);
  EXPECT_EQ(roster_.AheadMs(M(2)), 0);
  EXPECT_EQ(roster_.AheadMs(M(3)), 799'700);
}

TEST_F(Clocks, OneThatIsFarAheadTakesNobodyWithIt) {
  HearTime(1, 100'000);
  HearTime(2, 100'300);
  HearTime(3, 900'000);
  EXPECT_EQ(roster_.Clock(At(10)), kv::HlcAt(100'300));
}

TEST_F(Clocks, IfAllWereAheadTheLeastIsFollowed) {
  for (uint64_t id = 1; id <= 3; ++id) {
    RollAnswer answer = Answer(id, ++round_, 4, kv::HlcAt(700'000 + id).value());
    answer.unix_ms = 100'000;  // They were set since.
    roster_.OnCalled(At(10), StoreId(id), round_, {});
    Hear(id, answer);
  }
  EXPECT_EQ(roster_.Clock(At(10)), kv::HlcAt(700'001));
}

// What it has was not told by anybody, and others may have collected later times.
TEST_F(Clocks, OneThatKnowsNothingSaysNothing) {
  Hear(1, Answer(1, 1, 0, 50));
  EXPECT_EQ(roster_.Clock(At(10)), kv::Hlc());
}

TEST_F(Clocks, AMessageThatTookLongIsNoSlowClock) {
  for (uint64_t id = 1; id <= 3; ++id) HearTime(id, 100'000);
  for (int i = 1; i <= 7; ++i) HearTime(1, 99'000 + i * 500, 10 + i * 500);
  EXPECT_EQ(roster_.UnixMs(At(3510)), 103'500u);
  for (int i = 8; i <= 16; ++i) {
    for (uint64_t id = 1; id <= 2; ++id) HearTime(id, 90'000 + i * 500, 10 + i * 500);
  }
  EXPECT_EQ(roster_.UnixMs(At(8010)), 98'000u) << "they were set";
}

TEST_F(RosterTest, IfNobodyKnowsAnythingAllAreTold) {
  for (uint64_t id = 1; id <= 2; ++id) Hear(id, Answer(id, id, 0));
  EXPECT_FALSE(roster_.MayTell(M(1), StoreId()));
  Hear(3, Answer(3, 3, 0));
  EXPECT_TRUE(roster_.MayTell(M(1), StoreId()));
}

class NamespaceReports : public RosterTest {
 protected:
  // All three answer with this of namespace 2, except where told otherwise.
  void HearReports(const NamespaceReport& report) {
    for (uint64_t id = 1; id <= 3; ++id) HearReport(id, report);
  }
  void HearReport(uint64_t store, const NamespaceReport& report, uint64_t clock = 100) {
    RollAnswer answer = Answer(store, ++round_, 9, clock);
    answer.namespaces = {{kv::NamespaceId{1}, pd::ModeEpoch(1), 99, kv::Hlc(1)}, report};
    roster_.OnCalled(At(10), StoreId(store), round_, {});
    Hear(store, answer);
  }
  static NamespaceReport Ns(uint64_t epoch, uint64_t unshipped, uint64_t watermark) {
    return {kv::NamespaceId{2}, pd::ModeEpoch(epoch), unshipped, kv::Hlc(watermark)};
  }
  static pd::Namespace In(pd::ModeState state, uint64_t epoch) {
    return {kv::NamespaceId{2}, "logs", state, pd::ModeEpoch(epoch), false, pd::Revision(1)};
  }
  static pd::Reply OneRegion(const pd::Query&) {
    return pd::RegionPage{{pd::ReportOf(pd::RegionOf(1, "", "", 1))}, false, ""};
  }

  uint64_t round_ = 10;
};

TEST_F(NamespaceReports, TheLeastWatermarkOfTheSameEpochCounts) {
  const pd::Namespace ns = In(pd::ModeState::kEventual, 3);
  HearReports(Ns(3, 0, 50));
  HearReport(2, Ns(3, 4, 40));
  EXPECT_EQ(WatermarkOf(ns, roster_).time, kv::Hlc(40));
  EXPECT_EQ(WatermarkOf(ns, roster_).slowest, StoreId(2));
  HearReport(3, Ns(2, 0, 50));
  EXPECT_EQ(WatermarkOf(ns, roster_).time, kv::Hlc()) << "it was reported in another epoch";
  EXPECT_EQ(WatermarkOf(ns, roster_).slowest, StoreId(3));
}

TEST_F(NamespaceReports, NobodyIsAllowedToStayBehindTheFences) {
  const pd::Namespace ns = In(pd::ModeState::kToEventual, 2);
  ModeDriver modes;
  HearReport(1, Ns(2, 0, 1));
  HearReport(2, Ns(2, 0, 1));
  ModeDriver::Work work = modes.Look(At(20), ns, roster_, OneRegion);
  EXPECT_TRUE(work.fences.empty()) << "the third may have stamped later times";
  EXPECT_EQ(work.waits_for, "store 3, which has yet to hear of it");
  HearReports(Ns(2, 0, 1));
  work = modes.Look(At(20), ns, roster_, OneRegion);
  ASSERT_EQ(work.fences.size(), 1u);
  EXPECT_FALSE(work.done);
  auto fence = std::get<kv::ModeFence>(work.fences.front().command);
  EXPECT_EQ(fence.fence, (kv::Fence{kv::Mode::kEventual, pd::ModeEpoch(2), kv::Hlc(101)}));

  // One from before is no answer to this one.
  kv::NamespaceReply reply{true, {kv::Fence{kv::Mode::kStrong, pd::ModeEpoch(1), kv::Hlc()}, {}}};
  modes.OnFence(RegionId(1), fence, reply);
  EXPECT_EQ(modes.Look(At(20), ns, roster_, OneRegion).fences.size(), 1u);
  // Another driver's, with a later time.
  reply.state.fence = kv::Fence{kv::Mode::kEventual, pd::ModeEpoch(2), kv::Hlc(500)};
  modes.OnFence(RegionId(1), fence, reply);
  work = modes.Look(At(20), ns, roster_, OneRegion);
  EXPECT_TRUE(work.fences.empty());
  EXPECT_EQ(work.clock, kv::Hlc(500));
  EXPECT_EQ(work.waits_for, "store 1, which has yet to set its clock");
  for (uint64_t id = 1; id <= 3; ++id) {
    EXPECT_FALSE(modes.Look(At(20), ns, roster_, OneRegion).done);
    HearReport(id, Ns(2, 0, 1), 500);
  }
  EXPECT_TRUE(modes.Look(At(20), ns, roster_, OneRegion).done);
}

}  // namespace
}  // namespace flaredb::cluster
