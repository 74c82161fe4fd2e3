// SPDX-License-Identifier: Apache-2.0
// Namespaces by name: found, created by use, and the same for everybody.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/store/cluster.h"

namespace flaredb::store {
namespace {

using ::testing::HasSubstr;

class StoreNamesTest : public ClusterTest {
 protected:
  CallId Call(uint64_t store, Operation operation, const std::string& ns,
              Duration budget = kBudget) {
    return stores_.Call(store, Request{std::nullopt, budget, std::move(operation), ns});
  }
  // How many namespaces there are.
  size_t Count() {
    const pd::Reply reply = Ask(1, pd::Query(pd::ListNamespaces{"", "", 100}));
    return std::get<pd::NamespacePage>(reply).namespaces.size();
  }
};

TEST_F(StoreNamesTest, AWriteCreatesTheNamespaceAndEverybodyFindsIt) {
  Grow(3);
  EXPECT_EQ(Swap(2, "logs", "k", "v"), "version 1");
  for (uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(Get(id, "logs", "k"), "v") << "at store " << id;
  EXPECT_EQ(Get(1, "default", "k"), "none") << "another namespace";
  EXPECT_EQ(Swap(3, "logs", "k", "w", 1), "version 2") << "not another one of the name";
  EXPECT_EQ(Count(), 2u);
}

TEST_F(StoreNamesTest, ANamespaceIsFoundThoughNobodyHasToldThisStore) {
  Grow(3);
  // The leader of the placement driver's region knows at once, the others with the next call.
  const uint64_t other = Leader(2)->first % 3 + 1;
  const CallId write = Call(Leader(2)->first, store::Swap("k", "v"), "logs");
  while (stores_.reply(write) == nullptr && stores_.Step()) {
  }
  ASSERT_NE(stores_.reply(write), nullptr);
  const CallId read = Call(other, GetRequest{kv::NamespaceId::kDefault, "k"}, "logs");
  EXPECT_EQ(ValueOf(Wait(read)), "v");
}

TEST_F(StoreNamesTest, AReadOfAnUnknownNamespaceCreatesNone) {
  Grow(3);
  const Reply reply = Do(2, GetRequest{kv::NamespaceId::kDefault, "k"}, "nowhere");
  EXPECT_EQ(ErrorOf(reply).code, ErrorCode::kNamespaceNotFound);
  EXPECT_EQ(ErrorOf(reply).outcome, Outcome::kNotApplied);
  EXPECT_THAT(ErrorOf(reply).message, HasSubstr("\"nowhere\""));
  EXPECT_EQ(Count(), 1u);
}

TEST_F(StoreNamesTest, AnEventualWriteCreatesNone) {
  Grow(1);
  EXPECT_THAT(PutRaw(1, "logs", "k", "v"), HasSubstr("flaredb ns set-mode logs eventual"));
  EXPECT_EQ(Count(), 1u);
}

TEST_F(StoreNamesTest, ANameThatCannotBeIsRefusedWithoutAsking) {
  Grow(1);
  const size_t waiting = stores_.store(1).waiting_calls();
  const CallId call = Call(1, store::Swap("k", "v"), "a/b");
  ASSERT_NE(stores_.reply(call), nullptr) << "at once";
  EXPECT_EQ(ErrorOf(*stores_.reply(call)).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(stores_.store(1).waiting_calls(), waiting);
}

TEST_F(StoreNamesTest, ManyCallsOfANameAskOnce) {
  Grow(3);
  stores_.Settle();
  const uint64_t store = Leader(2)->first % 3 + 1;
  const size_t before = stores_.store(store).waiting_calls();
  std::vector<CallId> calls;
  for (int i = 0; i < 50; ++i) {
    calls.push_back(Call(store, store::Swap("k" + std::to_string(i), "v"), "logs"));
  }
  EXPECT_EQ(stores_.store(store).waiting_calls(), before + 50 + 1) << "and one question";
  for (const CallId call : calls) {
    EXPECT_EQ(WriteOf(Wait(call)).result, kv::WriteResult::kApplied);
  }
}

TEST_F(StoreNamesTest, WhoWaitsForANameWaitsNoLongerThanItsDeadline) {
  Grow(3);
  const uint64_t store = Leader(2)->first % 3 + 1;
  stores_.Isolate(store);
  const CallId call = Call(store, store::Swap("k", "v"), "logs", Duration::Milliseconds(300));
  stores_.Pass(Duration::Milliseconds(299));
  EXPECT_EQ(stores_.reply(call), nullptr);
  stores_.Pass(Duration::Milliseconds(1));
  ASSERT_NE(stores_.reply(call), nullptr);
  EXPECT_EQ(ErrorOf(*stores_.reply(call)).code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(ErrorOf(*stores_.reply(call)).outcome, Outcome::kNotApplied);
}

TEST_F(StoreNamesTest, CallsThatWaitForANameAreCounted) {
  Options options = ClusterOptions();
  options.waiting_calls_max = 3;
  Stores stores(0, options, {});
  stores.AddFounder(1);
  stores.Pass(Duration::Seconds(5));
  for (int i = 0; i < 3; ++i) {
    const CallId call =
        stores.Call(1, Request{std::nullopt, kBudget, store::Swap("k", "v"), "logs"});
    EXPECT_EQ(stores.reply(call), nullptr);
  }
  const CallId one_too_many =
      stores.Call(1, Request{std::nullopt, kBudget, store::Swap("k", "v"), "logs"});
  ASSERT_NE(stores.reply(one_too_many), nullptr);
  EXPECT_EQ(ErrorOf(*stores.reply(one_too_many)).code, ErrorCode::kServerIsBusy);
  stores.Pass(Duration::Seconds(1));
  EXPECT_TRUE(stores.quiet()) << "what the store asks for itself still gets through";
}

TEST_F(StoreNamesTest, WithoutAClusterThereIsOneNamespaceByName) {
  Stores stores(1);
  stores.AwaitLeader();
  const auto ask = [&](const std::string& ns) {
    return stores.Ask(1, Request{std::nullopt, kBudget, store::Swap("k", "v"), ns});
  };
  EXPECT_EQ(WriteOf(ask("default")).version, kv::Version(1));
  EXPECT_EQ(ErrorOf(ask("logs")).code, ErrorCode::kNamespaceNotFound);
}

}  // namespace
}  // namespace flaredb::store
