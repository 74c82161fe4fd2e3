// SPDX-License-Identifier: Apache-2.0
// Reads without a round of contact, and reads at replicas that do not lead.
#include <string>
#include <vector>

#include "tests/core/store/members.h"

namespace flaredb::store {
namespace {

Options WithLeases() {
  Options options;
  options.lease_reads = true;
  return options;
}

Options WithFollowerReads() {
  Options options;
  options.follower_reads = true;
  return options;
}

class StoreLeaseReads : public MembersTest {
 protected:
  StoreLeaseReads() : MembersTest(WithLeases()) { Fill(1); }
  bool HoldsLease() {
    stores_.Turn(leader_, {});  // The view is of the last turn.
    return stores_.peer(leader_).raft.lease_valid;
  }
};

class StoreFollowerReads : public MembersTest {
 protected:
  StoreFollowerReads() : MembersTest(WithFollowerReads()) { Fill(1); }
};

class StoreRoundReads : public MembersTest {
 protected:
  StoreRoundReads() { Fill(1); }
};

TEST_F(StoreRoundReads, ByDefaultAReadCostsARound) {
  const size_t before = stores_.sent<raft::HeartbeatRequest>();
  const CallId call = stores_.Call(leader_, Get("k0"));
  EXPECT_EQ(stores_.reply(call), nullptr);
  EXPECT_EQ(stores_.sent<raft::HeartbeatRequest>(), before + 2);
  stores_.Settle();
  EXPECT_EQ(ValueOf(*stores_.reply(call)), "v");
  EXPECT_EQ(stores_.sent<raft::ReadRequest>(), 0u);
  EXPECT_EQ(ValueOf(stores_.Ask(follower_, Get("k0"))), "v");
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), 1u);
}

TEST_F(StoreLeaseReads, ALeaderWithALeaseAnswersAtOnce) {
  stores_.Pass(Duration::Milliseconds(300));
  const size_t before = stores_.sent<raft::HeartbeatRequest>();
  for (int i = 0; i < 10; ++i) {
    const CallId call = stores_.Call(leader_, Get("k0"));
    ASSERT_NE(stores_.reply(call), nullptr);
    EXPECT_EQ(ValueOf(*stores_.reply(call)), "v");
  }
  EXPECT_EQ(stores_.sent<raft::HeartbeatRequest>(), before);
  EXPECT_EQ(WriteOf(stores_.Ask(leader_, Make(Swap("k0", "w", 1)))).version, kv::Version(2));
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("k0"))), "w");
}

TEST_F(StoreLeaseReads, WithoutALeaseAReadTakesARound) {
  stores_.Pass(Duration::Milliseconds(300));
  stores_.Isolate(leader_);
  int answered = 0;
  std::vector<CallId> waiting;
  while (stores_.leads(leader_)) {
    const bool lease = HoldsLease();
    if (!stores_.leads(leader_)) break;
    const CallId call = stores_.Call(
        leader_, Make(GetRequest{kv::NamespaceId::kDefault, "k0"}, Duration::Seconds(60)));
    EXPECT_EQ(stores_.reply(call) != nullptr, lease);
    if (lease) {
      ++answered;
    } else {
      waiting.push_back(call);
    }
    stores_.Wait(Duration::Milliseconds(1));
  }
  EXPECT_GT(answered, 300);
  ASSERT_FALSE(waiting.empty()) << "the lease ends before the leadership";
  // Meanwhile the others have another leader and another value.
  Await([&] { return stores_.leads(follower_) || stores_.leads(other_); });
  const uint64_t leader = stores_.leads(follower_) ? follower_ : other_;
  EXPECT_EQ(WriteOf(stores_.Ask(leader, Make(Swap("k0", "w", 1)))).version, kv::Version(2));
  stores_.Heal();
  stores_.Pass(Duration::Seconds(1));
  for (const CallId call : waiting) {
    ASSERT_NE(stores_.reply(call), nullptr);
    EXPECT_EQ(ValueOf(*stores_.reply(call)), "w");
  }
}

TEST_F(StoreLeaseReads, ATransferEndsTheLease) {
  stores_.Pass(Duration::Milliseconds(300));
  ASSERT_TRUE(HoldsLease());
  EXPECT_EQ(Transfer(follower_), "");
  EXPECT_FALSE(HoldsLease());
  const CallId call = stores_.Call(leader_, Get("k0"));
  EXPECT_EQ(stores_.reply(call), nullptr);
  stores_.Settle();
  stores_.Pass(Duration::Milliseconds(300));
  ASSERT_NE(stores_.reply(call), nullptr);
  EXPECT_EQ(ValueOf(*stores_.reply(call)), "v");
}

TEST_F(StoreFollowerReads, AFollowerAnswersItself) {
  stores_.Pass(Duration::Milliseconds(300));
  EXPECT_EQ(ValueOf(stores_.Ask(follower_, Get("k0"))), "v");
  EXPECT_EQ(ValueOf(stores_.Ask(follower_, In(1, {1, 1}, Get("k0")))), "v");
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), 0u);
  EXPECT_EQ(stores_.sent<raft::ReadRequest>(), 2u);
  EXPECT_EQ(WriteOf(stores_.Ask(follower_, Make(Swap("k0", "w", 1)))).version, kv::Version(2));
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), 1u) << "writes go to the leader";
  EXPECT_EQ(ErrorOf(stores_.Ask(follower_, In(1, {1, 1}, Make(Swap("k0", "w", 2))))).code,
            ErrorCode::kNotLeader);
}

// A write was acknowledged that the follower has not even received: the read waits for it.
TEST_F(StoreFollowerReads, AReadAtAFollowerSeesEveryAcknowledgedWrite) {
  stores_.Pass(Duration::Milliseconds(300));
  const CallId write = stores_.Call(leader_, Make(Swap("k0", "w", 1)));
  stores_.link(leader_, follower_).clear();
  stores_.Deliver(leader_, other_);
  stores_.FreeDisk(leader_);
  stores_.FreeDisk(other_);
  stores_.Deliver(other_, leader_);
  ASSERT_NE(stores_.reply(write), nullptr);
  stores_.link(leader_, follower_).clear();  // The news of the commit.

  const CallId read = stores_.Call(follower_, Get("k0"));
  stores_.Deliver(follower_, leader_);
  stores_.Deliver(leader_, other_);
  stores_.Deliver(other_, leader_);
  EXPECT_EQ(stores_.reply(read), nullptr);
  EXPECT_EQ(stores_.sent<raft::ReadReply>(), 1u);
  // The answer alone.
  auto& link = stores_.link(leader_, follower_);
  std::erase_if(link, [](const StoreMessage& message) {
    return !std::holds_alternative<raft::ReadReply>(std::get<RaftEnvelope>(message).message.body);
  });
  ASSERT_EQ(link.size(), 1u);
  stores_.Deliver(leader_, follower_);
  EXPECT_EQ(stores_.reply(read), nullptr) << "the write is not applied here yet";
  stores_.Pass(Duration::Milliseconds(300));
  ASSERT_NE(stores_.reply(read), nullptr);
  EXPECT_EQ(ValueOf(*stores_.reply(read)), "w");
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), 0u);
}

TEST_F(StoreFollowerReads, AReadAtAFollowerFollowsTheLeader) {
  stores_.Pass(Duration::Milliseconds(300));
  stores_.Isolate(leader_);
  const CallId read = stores_.Call(
      follower_, Make(GetRequest{kv::NamespaceId::kDefault, "k0"}, Duration::Seconds(60)));
  stores_.Settle();
  EXPECT_EQ(stores_.reply(read), nullptr);
  Await([&] { return stores_.reply(read) != nullptr; });
  EXPECT_EQ(ValueOf(*stores_.reply(read)), "v");
  EXPECT_EQ(stores_.store(follower_).waiting_calls(), 0u);
}

TEST_F(StoreFollowerReads, ALearnerAnswersItself) {
  EXPECT_EQ(AddLearner(4, 4), "");
  Await([&] { return stores_.UserRows(4) == stores_.UserRows(leader_); });
  stores_.Pass(Duration::Milliseconds(300));
  EXPECT_EQ(ValueOf(stores_.Ask(4, Get("k0"))), "v");
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), 0u);
}

TEST_F(StoreFollowerReads, ADestroyedFollowerAnswersItsReadsOnce) {
  stores_.Pass(Duration::Milliseconds(300));
  stores_.Cut(leader_, follower_);
  const CallId asked = stores_.Call(follower_, Get("k0"));
  stores_.Turn(follower_,
               {MessageReceived{StoreId(other_), PeerRemoved{RegionId(1), PeerId(follower_), 9}}});
  stores_.Pass(Duration::Seconds(1));
  ASSERT_NE(stores_.reply(asked), nullptr);
  EXPECT_EQ(ErrorOf(*stores_.reply(asked)).outcome, Outcome::kNotApplied);
  EXPECT_EQ(stores_.store(follower_).waiting_calls(), 0u);
}

}  // namespace
}  // namespace flaredb::store
