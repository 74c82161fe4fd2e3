// SPDX-License-Identifier: Apache-2.0
// Small requests for large values, many at once: the answers of a turn stay within bounds.
#include <string>
#include <utility>
#include <vector>

#include "tests/core/store/members.h"

namespace flaredb::store {
namespace {

class StoreCrowd : public MembersTest {
 protected:
  StoreCrowd() : MembersTest(Bounded()) {
    Fill(1, std::string(600, 'v'));
    stores_.Pass(Duration::Milliseconds(300));  // The leader has its lease.
  }
  static Options Bounded() {
    Options options;
    options.lease_reads = true;
    options.read_bytes_max = 1000;
    return options;
  }

  // What became of `count` such requests of one turn.
  std::vector<Reply> Ask(const Request& request, size_t count) {
    std::vector<Event> events;
    for (size_t i = 0; i < count; ++i) {
      events.push_back(ClientCall{CallId(++last_call_), request, 0});
    }
    stores_.Turn(leader_, std::move(events));
    stores_.Settle();
    std::vector<Reply> replies;
    for (uint64_t id = last_call_ - count + 1; id <= last_call_; ++id) {
      const Reply* reply = stores_.reply(CallId(id));
      EXPECT_NE(reply, nullptr);
      if (reply != nullptr) replies.push_back(*reply);
    }
    return replies;
  }
  static void ExpectBusy(const Reply& reply) {
    EXPECT_EQ(ErrorOf(reply).code, ErrorCode::kServerIsBusy);
    EXPECT_EQ(ErrorOf(reply).outcome, Outcome::kNotApplied);
    EXPECT_GT(ErrorOf(reply).backoff, Duration());
  }

  uint64_t last_call_ = 1'000'000;
};

TEST_F(StoreCrowd, ReadsBeyondTheBoundAreTurnedAway) {
  for (int turn = 0; turn < 2; ++turn) {  // The next turn has a bound of its own.
    const std::vector<Reply> replies = Ask(store::Get("k0"), 4);
    ASSERT_EQ(replies.size(), 4u);
    EXPECT_EQ(ValueOf(replies[0]).size(), 600u);
    EXPECT_EQ(ValueOf(replies[1]).size(), 600u) << "the bound may be passed by one answer";
    ExpectBusy(replies[2]);
    ExpectBusy(replies[3]);
  }
}

TEST_F(StoreCrowd, RowsOfScansCount) {
  const ScanRequest scan{.ns = kv::NamespaceId::kDefault, .begin = "k", .end = "l"};
  const std::vector<Reply> replies = Ask(Make(scan), 3);
  ASSERT_EQ(replies.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<ScanReply>(replies[1].result));
  ExpectBusy(replies[2]);
}

TEST_F(StoreCrowd, AMismatchThatIsTurnedAwayMayBeTriedAgain) {
  const std::vector<Reply> replies = Ask(Make(Swap("k0", "w", 9)), 4);
  ASSERT_EQ(replies.size(), 4u);
  for (const size_t i : {0, 1}) {
    EXPECT_EQ(WriteOf(replies[i]).result, kv::WriteResult::kMismatch);
    EXPECT_EQ(WriteOf(replies[i]).value.size(), 600u);
  }
  ExpectBusy(replies[2]);
  ExpectBusy(replies[3]);
  EXPECT_EQ(WriteOf(stores_.Ask(leader_, Make(Swap("k0", "w", 1)))).result,
            kv::WriteResult::kApplied);
}

// However many events a turn has that each commit something.
TEST_F(StoreCrowd, TheBoundIsThatOfTheWholeTurn) {
  std::vector<CallId> mismatches;
  for (int i = 0; i < 3; ++i) {
    mismatches.push_back(stores_.Call(leader_, Make(Swap("k0", "w", 9))));
    stores_.Deliver(leader_, follower_);
    for (const uint64_t store : {leader_, follower_}) {
      while (stores_.WriteNext(store)) {
      }
    }
  }
  std::vector<Event> events;
  for (StoreMessage& message : stores_.link(follower_, leader_)) {
    events.push_back(MessageReceived{StoreId(follower_), std::move(message)});
  }
  stores_.link(follower_, leader_).clear();
  ASSERT_GE(events.size(), 3u);
  ASSERT_EQ(stores_.reply(mismatches[0]), nullptr);
  stores_.Turn(leader_, std::move(events));
  for (const CallId call : mismatches) ASSERT_NE(stores_.reply(call), nullptr);
  EXPECT_EQ(WriteOf(*stores_.reply(mismatches[1])).result, kv::WriteResult::kMismatch);
  ExpectBusy(*stores_.reply(mismatches[2]));
}

// Of what took effect, and of what has no value, nobody is told that it did not.
TEST_F(StoreCrowd, WritesThatTakeEffectAreToldSoInAnyCase) {
  std::vector<Event> events;
  for (uint64_t i = 0; i < 3; ++i) {
    events.push_back(ClientCall{CallId(2'000'000 + i), Make(Swap("k0", "w", 9)), 0});
  }
  events.push_back(ClientCall{CallId(2'000'003), Make(Swap("k0", std::string(900, 'w'), 1)), 0});
  events.push_back(ClientCall{CallId(2'000'004), Make(Swap("none", "w", 3)), 0});
  stores_.Turn(leader_, std::move(events));
  stores_.Settle();
  ExpectBusy(*stores_.reply(CallId(2'000'002)));
  EXPECT_EQ(WriteOf(*stores_.reply(CallId(2'000'003))).result, kv::WriteResult::kApplied);
  EXPECT_EQ(WriteOf(*stores_.reply(CallId(2'000'004))).result, kv::WriteResult::kMismatch);
}

}  // namespace
}  // namespace flaredb::store
