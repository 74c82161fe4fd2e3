// SPDX-License-Identifier: Apache-2.0
// FLOW: what nobody may hold when all work is over.
#include "sim/invariants/flow.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/store/recovery.h"
#include "core/store/store.h"

namespace flaredb::sim {
namespace {

class FlowTest : public testing::Test {
 protected:
  std::string Held() const {
    return HeldAtRest(view_, [](PeerId peer) { return peer != PeerId(103); }).value_or("nothing");
  }

  store::PeerView view_;
};

TEST_F(FlowTest, NothingIsHeld) { EXPECT_EQ(Held(), "nothing"); }

TEST_F(FlowTest, WorkThatIsHeld) {
  const std::pair<size_t*, std::string> cases[] = {
      {&view_.raft.backlog.proposals, "uncommitted proposals"},
      {&view_.raft.backlog.proposal_bytes, "bytes of uncommitted proposals"},
      {&view_.raft.backlog.gated_messages, "messages that wait for the disk"},
      {&view_.raft.backlog.reads, "reads that wait for a point in time"},
      {&view_.raft.backlog.fetches, "reads of the log"},
      {&view_.raft.backlog.snapshots, "snapshots on their way"},
      {&view_.raft.backlog.entry_bytes, "bytes of entries in memory, which it may not"},
      {&view_.waiting_writes, "waiting writes"},
      {&view_.waiting_reads, "waiting reads"}};
  for (const auto& [number, what] : cases) {
    *number = 3;
    EXPECT_EQ(Held(), "3 " + what);
    *number = 0;
  }
  EXPECT_EQ(Held(), "nothing");
}

TEST_F(FlowTest, AppendsThatNobodyIsLeftToAnswer) {
  view_.raft.progress.resize(2);
  view_.raft.progress[0].peer = PeerId(102);
  view_.raft.progress[1].peer = PeerId(103);
  view_.raft.progress[1].inflight_appends = 2;
  view_.raft.progress[1].inflight_bytes = 20;
  EXPECT_EQ(Held(), "nothing");
  view_.raft.progress[0].inflight_bytes = 10;
  EXPECT_EQ(Held(), "10 bytes of unanswered appends");
  view_.raft.progress[0].inflight_appends = 1;
  EXPECT_EQ(Held(), "1 unanswered appends");
}

TEST(Flow, AViewThatOutlivesItsUse) {
  DiskImage image;
  ASSERT_EQ(image.Apply(store::Bootstrap({7, StoreId(1)})), std::nullopt);
  absl::StatusOr<store::RecoveredStore> recovered = store::Recover(image, image.LogStates());
  ASSERT_TRUE(recovered.ok());
  const store::Store store(store::Options(), *std::move(recovered), &image, Instant());
  EXPECT_EQ(HeldAtRest(store, image), std::nullopt);
  std::unique_ptr<DataReader> before = image.Pin();
  env::GroupCommit commit;
  commit.data.Put("row", "of a later time");
  ASSERT_EQ(image.Apply(commit), std::nullopt);
  std::unique_ptr<DataReader> after = image.Pin();
  EXPECT_EQ(HeldAtRest(store, image), "2 views of its data");
  after.reset();
  EXPECT_EQ(HeldAtRest(store, image), "1 views of its data");
  before.reset();
  EXPECT_EQ(HeldAtRest(store, image), std::nullopt);
}

}  // namespace
}  // namespace flaredb::sim
