// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/directory.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/core/base/exact_decoding.h"
#include "tests/core/pd/machine_of_rows.h"

namespace flaredb::cluster {
namespace {

using pd::ClusterId;
using pd::ClusterView;
using pd::ModeEpoch;
using pd::ModeState;
using pd::Revision;
using pd::StoreState;

pd::StoreInfo Store(uint64_t id, uint64_t changed, StoreState state = StoreState::kUp) {
  return {pd::StoreOf(id), state, Revision(changed)};
}
pd::Namespace Ns(uint32_t id, const std::string& name, uint64_t epoch, uint64_t changed) {
  const ModeState state = epoch == 1 ? ModeState::kStrong : ModeState::kToEventual;
  return {kv::NamespaceId{id}, name, state, ModeEpoch(epoch), false, Revision(changed)};
}

ClusterView First() {
  return {ClusterId(100),
          Revision(),
          Revision(3),
          {Store(1, 1), Store(2, 3)},
          {Ns(1, "default", 1, 2)}};
}
ClusterView Second() {
  return {ClusterId(100),
          Revision(3),
          Revision(5),
          {Store(2, 5, StoreState::kDraining)},
          {Ns(2, "logs", 2, 4)}};
}

TEST(DirectoryTest, FollowsTheViews) {
  Directory directory;
  EXPECT_FALSE(directory.revision());
  EXPECT_TRUE(directory.Apply(First()));
  EXPECT_TRUE(directory.Apply(Second()));
  EXPECT_EQ(directory.cluster(), ClusterId(100));
  EXPECT_EQ(directory.revision(), Revision(5));
  EXPECT_EQ(directory.Find(StoreId(1))->address, "s1:1");
  EXPECT_EQ(directory.Find(StoreId(2))->state, StoreState::kDraining);
  EXPECT_EQ(directory.Find(StoreId(3)), nullptr);
  EXPECT_EQ(directory.Find("logs")->mode_epoch, ModeEpoch(2));
  EXPECT_EQ(directory.Find(kv::NamespaceId{2}), directory.Find("logs"));
  EXPECT_EQ(directory.Find(kv::NamespaceId::kDefault)->name, "default");
  EXPECT_EQ(directory.Find("log"), nullptr);
  EXPECT_EQ(directory.Find(kv::NamespaceId{3}), nullptr);
}

TEST(DirectoryTest, NeverGoesBack) {
  Directory directory;
  EXPECT_FALSE(directory.Apply(Second())) << "what was before it is not known";
  ASSERT_TRUE(directory.Apply(First()));
  ASSERT_TRUE(directory.Apply(Second()));
  const Directory now = directory;
  EXPECT_FALSE(directory.Apply(First())) << "a late one";
  EXPECT_FALSE(directory.Apply(Second())) << "again";
  EXPECT_FALSE(directory.Apply(ClusterView())) << "an empty one";
  ClusterView other = Second();
  other.cluster = ClusterId(101);
  other.revision = Revision(9);
  EXPECT_FALSE(directory.Apply(other)) << "another cluster's";
  EXPECT_EQ(directory, now);
}

TEST(DirectoryTest, AWholeViewTakesThePlaceOfAnOlderOne) {
  Directory directory;
  ASSERT_TRUE(directory.Apply(First()));
  ClusterView whole = First();
  whole.revision = Revision(9);
  whole.stores[0] = Store(1, 9, StoreState::kLost);
  EXPECT_TRUE(directory.Apply(whole));
  EXPECT_EQ(directory.Find(StoreId(1))->state, StoreState::kLost);
}

TEST(DirectoryTest, KnowsWhereThePlacementDriverIs) {
  Directory directory;
  EXPECT_FALSE(directory.pd().initialized());
  const Region there = pd::RegionOf(2, "m", "", 1);
  const Region later = pd::RegionOf(2, "m", "", 1, {1, 2});
  EXPECT_TRUE(directory.SetPd(Term(5), StoreId(1), there));
  EXPECT_FALSE(directory.SetPd(Term(5), StoreId(1), there)) << "no news";
  EXPECT_TRUE(directory.SetPd(Term(5), StoreId(1), later));
  EXPECT_TRUE(directory.SetPd(Term(6), StoreId(2), later));
  EXPECT_FALSE(directory.SetPd(Term(5), StoreId(1), there)) << "it is over";
  EXPECT_EQ(directory.pd_term(), Term(6));
  EXPECT_EQ(directory.pd_leader(), StoreId(2));
  EXPECT_EQ(directory.pd(), later);
}

TEST(DirectoryTest, ComesBackFromItsRow) {
  std::vector<Directory> directories(4);
  directories[1].SetPd(Term(5), StoreId(1), pd::RegionOf(2, "m", "", 1));
  directories[2] = directories[1];
  directories[2].Apply(First());
  directories[3] = directories[2];
  directories[3].Apply(Second());
  std::vector<std::string> rows;
  for (const Directory& directory : directories) {
    rows.push_back(EncodeDirectory(directory));
    const absl::StatusOr<Directory> decoded = DecodeDirectory(rows.back());
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, directory);
  }
  ExpectExactDecoding(rows, 1, DecodeDirectory, EncodeDirectory);
}

TEST(DirectoryTest, TheBytesOfARow) {
  Directory directory;
  directory.SetPd(Term(300), StoreId(7), Region());
  EXPECT_EQ(EncodeDirectory(directory), std::string("\x01"
                                                    "\xac\x02"
                                                    "\x07"
                                                    "\x00"
                                                    "\x01\x07\x00\x00\x00\x00\x00",
                                                    12));
}

}  // namespace
}  // namespace flaredb::cluster
