// SPDX-License-Identifier: Apache-2.0
#include "sim/world/fault_ledger.h"

#include <set>
#include <string_view>

#include "gtest/gtest.h"

namespace flaredb::sim {
namespace {

TEST(Fault, EveryKindHasAName) {
  std::set<std::string_view> names;
  for (size_t kind = 0; kind < kFaults; ++kind) {
    const auto fault = static_cast<Fault>(kind);
    names.insert(NameOf(fault));
    EXPECT_EQ(FaultNamed(NameOf(fault)), fault);
  }
  EXPECT_EQ(names.size(), kFaults);
  EXPECT_EQ(FaultNamed("flood"), std::nullopt);
}

TEST(FaultLedger, CountsWhatHappensAndWhatCameOfIt) {
  const Reduction nothing;
  FaultLedger ledger(&nothing);
  EXPECT_TRUE(ledger.Fires(Fault::kSplit));
  EXPECT_TRUE(ledger.Fires(Fault::kSplit));
  EXPECT_TRUE(ledger.Fires(Fault::kAbandon));
  ledger.Mattered(Fault::kSplit);
  EXPECT_EQ(ledger.counts()[Fault::kSplit].fired, 2u);
  EXPECT_EQ(ledger.counts()[Fault::kSplit].mattered, 1u);
  EXPECT_EQ(ledger.counts().fired(), 3u);
  EXPECT_EQ(ledger.fired(),
            (std::vector<FaultName>{{Fault::kSplit, 1}, {Fault::kSplit, 2}, {Fault::kAbandon, 1}}));
  FaultCounts sum = ledger.counts();
  sum += ledger.counts();
  EXPECT_EQ(sum[Fault::kSplit].fired, 4u);
  EXPECT_EQ(sum[Fault::kSplit].mattered, 2u);
}

TEST(FaultLedger, NumbersCountWhatIsLeftOutToo) {
  Reduction second_split_only;
  second_split_only.faults = {{Fault::kSplit, 2}};
  FaultLedger ledger(&second_split_only);
  EXPECT_FALSE(ledger.Fires(Fault::kSplit));
  EXPECT_TRUE(ledger.Fires(Fault::kSplit));
  EXPECT_FALSE(ledger.Fires(Fault::kSplit));
  EXPECT_FALSE(ledger.Fires(Fault::kAbandon));
  EXPECT_EQ(ledger.counts().fired(), 1u);
}

TEST(FaultLedger, AKindThatIsLeftOutNeverHappens) {
  Reduction no_split;
  no_split.without.set(static_cast<size_t>(Fault::kSplit));
  FaultLedger ledger(&no_split);
  EXPECT_FALSE(ledger.Fires(Fault::kSplit));
  EXPECT_TRUE(ledger.Fires(Fault::kAbandon));
}

TEST(FaultLedger, ANumberOfFaultsInAllIsNotExceeded) {
  Reduction two;
  two.faults_max = 2;
  FaultLedger ledger(&two);
  EXPECT_TRUE(ledger.Fires(Fault::kSplit));
  EXPECT_TRUE(ledger.Fires(Fault::kAbandon));
  EXPECT_FALSE(ledger.Fires(Fault::kAbandon));
}

}  // namespace
}  // namespace flaredb::sim
