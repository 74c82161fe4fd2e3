// SPDX-License-Identifier: Apache-2.0
// A store with a state machine of its own.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/kv/key.h"
#include "tests/core/region/list_machine.h"
#include "tests/core/store/members.h"

namespace flaredb::store {
namespace {

using ::testing::HasSubstr;

const ListMachine kLists;

Options WithMachine(bool follower_reads = false) {
  Options options;
  options.machine = &kLists;
  options.follower_reads = follower_reads;
  return options;
}

Request Execute(const std::string& object, const std::string& command) {
  return Make(ExecuteRequest{object, command});
}
Request Query(const std::string& object) { return Make(QueryRequest{object, ""}); }

const MachineReply& AnswerOf(const Reply& reply) {
  static const MachineReply none;
  const auto* error = std::get_if<Error>(&reply.result);
  const auto* own = std::get_if<MachineReply>(&reply.result);
  EXPECT_NE(own, nullptr) << (error != nullptr ? error->message : "not the machine's");
  return own != nullptr ? *own : none;
}

class StoreMachineTest : public MembersTest {
 protected:
  explicit StoreMachineTest(const Options& options = WithMachine()) : MembersTest(options) {}
};

class StoreMachineFollowerReads : public StoreMachineTest {
 protected:
  StoreMachineFollowerReads() : StoreMachineTest(WithMachine(/*follower_reads=*/true)) {}
};

TEST_F(StoreMachineTest, AnyStoreCarriesOutCommandsAndQueries) {
  EXPECT_EQ(AnswerOf(stores_.Ask(1, Execute("a", "one"))).bytes, "one");
  EXPECT_EQ(AnswerOf(stores_.Ask(2, Execute("a", "two"))).bytes, "one two");
  EXPECT_EQ(AnswerOf(stores_.Ask(3, Execute("b", "x"))).bytes, "x");
  for (const uint64_t id : {1, 2, 3}) {
    EXPECT_EQ(AnswerOf(stores_.Ask(id, Query("a"))).bytes, "one two");
  }
  EXPECT_EQ(AnswerOf(stores_.Ask(1, Execute("a", "pop"))).bytes, "one");
  EXPECT_TRUE(stores_.quiet());
}

TEST_F(StoreMachineTest, AnAnswerNamesItsPlaceInTheLog) {
  const MachineReply first = AnswerOf(stores_.Ask(leader_, Execute("a", "one")));
  const MachineReply seen = AnswerOf(stores_.Ask(leader_, Query("a")));
  EXPECT_EQ(seen.index, first.index);
  // Both are applied in one turn, and each is told of its own entry.
  const CallId second = stores_.Call(leader_, Execute("a", "two"));
  const CallId third = stores_.Call(leader_, Execute("a", "three"));
  stores_.Settle();
  EXPECT_EQ(AnswerOf(*stores_.reply(second)).index, first.index.next());
  EXPECT_EQ(AnswerOf(*stores_.reply(third)).index, first.index + 2);
}

TEST_F(StoreMachineFollowerReads, AQueryIsAnsweredWhereItIsAsked) {
  stores_.Ask(leader_, Execute("a", "one"));
  EXPECT_EQ(AnswerOf(stores_.Ask(follower_, Query("a"))).bytes, "one");
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), 0u);
  EXPECT_EQ(stores_.sent<raft::ReadRequest>(), 1u);
}

TEST_F(StoreMachineTest, KeysAndObjectsOfTheSameNameAreNotTheSame) {
  stores_.Ask(leader_, Execute("a", "one"));
  stores_.Ask(leader_, Make(Swap("a", "record")));
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("a"))), "record");
  EXPECT_EQ(AnswerOf(stores_.Ask(leader_, Query("a"))).bytes, "one");
}

TEST_F(StoreMachineTest, NobodyWritesTheRowsByTheirKeys) {
  constexpr kv::NamespaceId kMachine = kv::NamespaceId::kMachine;
  kv::CompareAndSwap swap = Swap("a", "v");
  swap.ns = kMachine;
  for (const Operation& operation :
       {Operation(swap), Operation(kv::CompareAndDelete{kMachine, "a", kv::Version(1), {}}),
        Operation(GetRequest{kMachine, "a"}),
        Operation(ScanRequest{kMachine, "a", "b", 0, 0, false})}) {
    const Error error = ErrorOf(stores_.Ask(leader_, Make(operation)));
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message, HasSubstr("namespace 4294967295"));
  }
}

TEST_F(StoreMachineTest, LimitsAreThoseOfKeysAndValues) {
  const std::string long_name(Options().key_bytes_max + 1, 'n');
  const std::string long_command(Options().value_bytes_max + 1, 'c');
  EXPECT_THAT(ErrorOf(stores_.Ask(1, Execute("", "x"))).message, HasSubstr("name is empty"));
  EXPECT_THAT(ErrorOf(stores_.Ask(1, Query(long_name))).message, HasSubstr("name of 8193 bytes"));
  EXPECT_THAT(ErrorOf(stores_.Ask(1, Execute("a", long_command))).message,
              HasSubstr("command of 1048577 bytes"));
  EXPECT_THAT(ErrorOf(stores_.Ask(1, Make(QueryRequest{"a", long_command}))).message,
              HasSubstr("query of 1048577 bytes"));
}

TEST_F(StoreMachineTest, AStoreDoesNotRepeatACommandOnItsOwn) {
  // The leader is gone with the command, and nobody knows how far it came.
  const CallId command = stores_.Call(follower_, Execute("a", "one"));
  const CallId query = stores_.Call(follower_, Query("a"));
  stores_.Isolate(leader_);
  stores_.Pass(kBudget);
  ASSERT_NE(stores_.reply(command), nullptr);
  EXPECT_EQ(ErrorOf(*stores_.reply(command)).outcome, Outcome::kUnknown);
  ASSERT_NE(stores_.reply(query), nullptr);
  EXPECT_EQ(AnswerOf(*stores_.reply(query)).bytes, "");
}

TEST_F(StoreMachineTest, ACommandThatWasNeverTriedWaitsForALeader) {
  Stores stores(3, WithMachine());
  const CallId command = stores.Call(1, Execute("a", "one"));
  stores.AwaitLeader();
  ASSERT_NE(stores.reply(command), nullptr);
  EXPECT_EQ(AnswerOf(*stores.reply(command)).bytes, "one");
}

TEST_F(StoreMachineTest, RowsSurviveARestartAndTravelInSnapshots) {
  stores_.Ask(leader_, Execute("a", "one"));
  stores_.Ask(leader_, Execute("b", "x"));
  stores_.Restart(follower_);
  EXPECT_EQ(AddLearner(9, 4), "");
  const auto caught_up = [&] {
    return stores_.hosts(4) && stores_.peer(4).applied_index == stores_.peer(leader_).applied_index;
  };
  Await(caught_up);
  EXPECT_GT(stores_.sent<raft::SnapshotRequest>(), 0u);
  stores_.Ask(leader_, Execute("a", "two"));  // Its entry comes after the snapshot.
  Await(caught_up);
  EXPECT_EQ(stores_.data(4).rows[ObjectPrefix("a") + std::string(1, '\0')], "one");
  for (const uint64_t id : {1, 2, 3, 4}) {
    EXPECT_EQ(stores_.UserRows(id), stores_.UserRows(leader_)) << id;
    EXPECT_EQ(AnswerOf(stores_.Ask(id, Query("b"))).bytes, "x");
  }
}

TEST_F(StoreMachineTest, UnreadableRowsStopTheStore) {
  stores_.Ask(leader_, Execute("a", "one"));
  stores_.data(leader_).failure = absl::UnavailableError("no disk");
  const CallId query = stores_.Call(leader_, Query("a"));
  stores_.Settle();
  EXPECT_EQ(stores_.reply(query), nullptr);
  EXPECT_EQ(stores_.failure(leader_).code(), absl::StatusCode::kUnavailable);
}

TEST(StoreWithoutMachine, RefusesInOneSentence) {
  Stores stores(1);
  stores.AwaitLeader();
  for (const Request& request : {Execute("a", "one"), Query("a")}) {
    const Error error = ErrorOf(stores.Ask(1, request));
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.outcome, Outcome::kNotApplied);
    EXPECT_THAT(error.message, HasSubstr("needs a state machine"));
  }
}

}  // namespace
}  // namespace flaredb::store
