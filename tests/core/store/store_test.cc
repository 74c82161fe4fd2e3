// SPDX-License-Identifier: Apache-2.0
#include "core/store/store.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/rng.h"
#include "core/kv/key.h"
#include "tests/core/store/requests.h"
#include "tests/core/store/stores.h"

namespace flaredb::store {
namespace {

// Three stores and a leader.
class StoreTest : public ::testing::Test {
 protected:
  explicit StoreTest(const Options& options = Options()) : stores_(3, options) {
    leader_ = stores_.AwaitLeader();
    follower_ = leader_ % 3 + 1;
    other_ = follower_ % 3 + 1;
  }

  // The leader is cut off until the others have elected another one. Returns the new one.
  uint64_t DeposeLeader() {
    stores_.Isolate(leader_);
    for (int i = 0; i < 50; ++i) {
      stores_.Pass(Duration::Milliseconds(100));
      for (const uint64_t id : {follower_, other_}) {
        if (stores_.leads(id)) return id;
      }
    }
    ADD_FAILURE() << "no new leader";
    return 0;
  }

  // What `follower_` would send as the leader of the next term.
  Event FromNewLeader(raft::Body body) const {
    raft::Message message;
    message.from = PeerId(follower_);
    message.to = PeerId(leader_);
    message.term = stores_.peer(leader_).raft.term.next();
    message.from_incarnation = Incarnation(follower_);
    message.body = std::move(body);
    return MessageReceived{StoreId(follower_), RaftEnvelope{RegionId(1), {1, 1}, message}};
  }

  // The write of "value" to "key" is on its way from the old leader to the new one.
  void ExpectForwardedUnchanged() {
    size_t forwards = 0;
    for (const StoreMessage& message : stores_.link(leader_, follower_)) {
      const auto* forwarded = std::get_if<ForwardedRequest>(&message);
      if (forwarded == nullptr) continue;
      ++forwards;
      const auto& swap = std::get<kv::CompareAndSwap>(forwarded->request.operation);
      EXPECT_EQ(swap.key, "key");
      EXPECT_EQ(swap.value, "value");
    }
    EXPECT_EQ(forwards, 1u);
  }

  Stores stores_;
  uint64_t leader_;
  uint64_t follower_;
  uint64_t other_;
};

// --- Routing.

TEST_F(StoreTest, AnyStoreAnswersAnyRequest) {
  for (const uint64_t id : {1, 2, 3}) {
    const std::string key = "k" + std::to_string(id);
    const Reply written = stores_.Ask(id, Make(Swap(key, "v")));
    EXPECT_EQ(WriteOf(written).result, kv::WriteResult::kApplied);
    EXPECT_EQ(WriteOf(written).version, kv::Version(1));
    EXPECT_GT(written.applied_index, Index());
    for (const uint64_t reader : {1, 2, 3}) EXPECT_EQ(ValueOf(stores_.Ask(reader, Get(key))), "v");
  }
  EXPECT_TRUE(stores_.quiet());
}

TEST_F(StoreTest, AFollowerForwardsOnceAndToTheLeader) {
  const CallId call = stores_.Call(follower_, Make(Swap("k", "v")));
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), 1u);
  ASSERT_EQ(stores_.link(follower_, leader_).size(), 1u);
  EXPECT_TRUE(std::holds_alternative<ForwardedRequest>(stores_.link(follower_, leader_).front()));
  stores_.Settle();
  ASSERT_NE(stores_.reply(call), nullptr);
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), 1u);
  ASSERT_TRUE(stores_.reply(call)->elsewhere);
  EXPECT_EQ(stores_.reply(call)->elsewhere->region, RegionId(1));
  EXPECT_EQ(stores_.reply(call)->elsewhere->leader, StoreId(leader_));

  const CallId at_leader = stores_.Call(leader_, Get("k"));
  stores_.Settle();
  ASSERT_NE(stores_.reply(at_leader), nullptr);
  EXPECT_FALSE(stores_.reply(at_leader)->elsewhere);
}

TEST_F(StoreTest, ACallIsSeenWhereItWaits) {
  stores_.Pass(Duration::Milliseconds(300));
  const CallId call = stores_.Call(follower_, Make(Swap("k", "v"), Duration::Seconds(60)));
  std::vector<CallView> calls = stores_.store(follower_).calls();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].origin, Origin(call));
  EXPECT_EQ(calls[0].step, CallStep::kForwarded);
  EXPECT_EQ(calls[0].store, StoreId(leader_));
  const ForwardOrigin origin{StoreId(follower_), calls[0].forward_id};

  // Others don't answer, so that it is not committed.
  stores_.Cut(leader_, other_);
  stores_.Deliver(follower_, leader_);
  stores_.Cut(leader_, follower_);
  const CallId read = stores_.Call(
      leader_, Make(GetRequest{kv::NamespaceId::kDefault, "k"}, Duration::Seconds(60)));
  calls = stores_.store(leader_).calls();
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].origin, Origin(origin));
  EXPECT_EQ(calls[0].step, CallStep::kProposed);
  EXPECT_EQ(calls[0].index, stores_.peer(leader_).raft.last_log.index);
  EXPECT_EQ(calls[1].origin, Origin(read));
  EXPECT_EQ(calls[1].step, CallStep::kReadAsked);

  // The leader steps down: whoever asked it waits for another one.
  stores_.Pass(Duration::Milliseconds(1600));
  const auto parked = stores_.store(leader_).calls();
  ASSERT_FALSE(parked.empty());
  EXPECT_EQ(parked.back().origin, Origin(read));
  EXPECT_EQ(parked.back().step, CallStep::kParked);
}

TEST_F(StoreTest, AForwardedRequestIsNeverForwardedAgain) {
  stores_.Turn(follower_,
               {MessageReceived{StoreId(other_), ForwardedRequest{99, RegionId(1), Get("k")}}});
  ASSERT_EQ(stores_.link(follower_, other_).size(), 1u);
  const auto& reply = std::get<ForwardedReply>(stores_.link(follower_, other_).front());
  EXPECT_EQ(reply.id, 99u);
  EXPECT_EQ(ErrorOf(reply.reply).code, ErrorCode::kNotLeader);
  EXPECT_EQ(ErrorOf(reply.reply).leader, StoreId(leader_));
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), 0u);
  EXPECT_EQ(stores_.store(follower_).waiting_calls(), 0u);
}

TEST(Store, ACallWaitsForALeader) {
  Stores stores(3);
  const CallId write = stores.Call(1, Make(Swap("k", "v")));
  const CallId read = stores.Call(2, Get("k"));
  stores.Settle();
  EXPECT_EQ(stores.reply(write), nullptr);
  stores.AwaitLeader();
  ASSERT_NE(stores.reply(write), nullptr);
  EXPECT_EQ(WriteOf(*stores.reply(write)).version, kv::Version(1));
  EXPECT_NE(stores.reply(read), nullptr);
  EXPECT_TRUE(stores.quiet());
}

TEST_F(StoreTest, AClientThatRoutesIsToldTheLeader) {
  const Reply reply = stores_.Ask(follower_, In(1, {1, 1}, Get("k")));
  EXPECT_EQ(ErrorOf(reply).code, ErrorCode::kNotLeader);
  EXPECT_EQ(ErrorOf(reply).leader, StoreId(leader_));
  EXPECT_EQ(ErrorOf(reply).outcome, Outcome::kNotApplied);
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, In(1, {1, 1}, Get("k")))), "(none)");
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), 0u);
}

TEST_F(StoreTest, AContextIsCheckedStrictly) {
  for (const RegionEpoch epoch : {RegionEpoch{1, 2}, RegionEpoch{2, 1}, RegionEpoch{0, 1}}) {
    const Reply reply = stores_.Ask(leader_, In(1, epoch, Make(Swap("k", "v"))));
    EXPECT_EQ(ErrorOf(reply).code, ErrorCode::kEpochNotMatch);
    ASSERT_TRUE(ErrorOf(reply).region.has_value());
    EXPECT_EQ(ErrorOf(reply).region->epoch, (RegionEpoch{1, 1}));
  }
  const Reply unknown = stores_.Ask(leader_, In(9, {1, 1}, Get("k")));
  EXPECT_EQ(ErrorOf(unknown).code, ErrorCode::kRegionNotFound);
  EXPECT_EQ(ErrorOf(unknown).region_id, RegionId(9));
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("k"))), "(none)");
}

TEST(Store, KeysFindTheirRegion) {
  Stores stores(3, Options(), {RegionOn(1, 3, "", "m"), RegionOn(2, 3, "m", "t")});
  stores.AwaitLeader();
  stores.Pass(Duration::Seconds(3));
  for (const char* key : {"a", "lzzz", "m", "s"}) {
    EXPECT_EQ(WriteOf(stores.Ask(1, Make(Swap(key, key)))).version, kv::Version(1)) << key;
    EXPECT_EQ(ValueOf(stores.Ask(2, Get(key))), key);
  }
  const Reply nowhere = stores.Ask(1, Get("t"));
  EXPECT_EQ(ErrorOf(nowhere).code, ErrorCode::kRegionNotFound);
  EXPECT_NE(ErrorOf(nowhere).message.find("no region"), std::string::npos);
  uint64_t leader = 0;
  for (const uint64_t id : {1, 2, 3}) leader = stores.leads(id) ? id : leader;
  const Reply outside = stores.Ask(leader, In(1, {1, 1}, Get("m")));
  EXPECT_EQ(ErrorOf(outside).code, ErrorCode::kKeyNotInRegion);
  EXPECT_EQ(ErrorOf(outside).region_id, RegionId(1));

  // A scan ends with its region and says where to go on.
  const Reply scan =
      stores.Ask(1, Make(ScanRequest{kv::NamespaceId::kDefault, "a", "", 0, 0, false}));
  const auto& page = std::get<ScanReply>(scan.result).page;
  ASSERT_EQ(page.rows.size(), 2u);
  EXPECT_EQ(page.rows[1].key, "lzzz");
  EXPECT_EQ(page.next_key, "m");
  EXPECT_TRUE(stores.quiet());
}

TEST_F(StoreTest, AScanReturnsPages) {
  for (const char* key : {"a", "b", "c", "d"}) stores_.Ask(leader_, Make(Swap(key, "v")));
  ScanRequest scan{kv::NamespaceId::kDefault, "a", "d", 2, 0, false};
  const Reply first = stores_.Ask(follower_, Make(scan));
  const auto& page = std::get<ScanReply>(first.result).page;
  ASSERT_EQ(page.rows.size(), 2u);
  EXPECT_EQ(page.next_key, "c");
  scan.begin = page.next_key;
  const Reply second = stores_.Ask(follower_, Make(scan));
  const auto& rest = std::get<ScanReply>(second.result).page;
  ASSERT_EQ(rest.rows.size(), 1u) << "the end is exclusive";
  EXPECT_EQ(rest.rows[0].key, "c");
  EXPECT_EQ(rest.next_key, "");
}

// --- Limits.

TEST_F(StoreTest, EveryLimitHasItsSentence) {
  const std::string long_key(8193, 'k');
  ScanRequest reversed{kv::NamespaceId::kDefault, "b", "a", 0, 0, false};
  ScanRequest long_bound{kv::NamespaceId::kDefault, "", std::string(8194, 'k'), 0, 0, false};
  kv::CompareAndDelete blind;
  blind.key = "k";
  const std::vector<std::pair<Operation, std::string>> cases = {
      {Swap("", "v"), "the key is empty"},
      {Swap(long_key, "v"),
       "a key of 8193 bytes exceeds the limit of 8192 bytes (--max-key-bytes)"},
      {GetRequest{kv::NamespaceId::kDefault, long_key}, "a key of 8193 bytes"},
      {Swap("k", std::string((1 << 20) + 1, 'v')),
       "a value of 1048577 bytes exceeds the limit of 1048576 bytes (--max-value-bytes); shorten "
       "it"},
      {reversed, "sorts before the start key"},
      {long_bound, "a scan bound of 8194 bytes"},
      {blind, "expected_version is 0"},
  };
  for (const auto& [operation, sentence] : cases) {
    const Reply reply = stores_.Ask(follower_, Make(operation));
    EXPECT_EQ(ErrorOf(reply).code, ErrorCode::kInvalidArgument) << sentence;
    EXPECT_EQ(ErrorOf(reply).outcome, Outcome::kNotApplied) << sentence;
    EXPECT_NE(ErrorOf(reply).message.find(sentence), std::string::npos) << ErrorOf(reply).message;
  }
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), 0u);
  EXPECT_EQ(
      WriteOf(stores_.Ask(leader_, Make(Swap(std::string(8192, 'k'), std::string(1 << 20, 'v')))))
          .version,
      kv::Version(1))
      << "the limits themselves are allowed";
}

TEST(Store, OverloadIsRefusedEarly) {
  Options options;
  options.waiting_calls_max = 2;
  Stores stores(3, options);
  stores.Call(1, Get("a"));
  stores.Call(1, Get("b"));
  const CallId third = stores.Call(1, Make(Swap("c", "v")));
  ASSERT_NE(stores.reply(third), nullptr);
  const Error& error = ErrorOf(*stores.reply(third));
  EXPECT_EQ(error.code, ErrorCode::kServerIsBusy);
  EXPECT_EQ(error.outcome, Outcome::kNotApplied);
  EXPECT_GT(error.backoff, Duration());
  EXPECT_EQ(error.message,
            "the store is busy: too many requests wait for an answer: 2 of at most 2 "
            "(--max-waiting-calls); retry after a pause");
  stores.AwaitLeader();
  EXPECT_EQ(ValueOf(stores.Ask(1, Get("c"))), "(none)");
}

TEST(Store, LargeRequestsThatWaitAreBounded) {
  Options options;
  options.waiting_bytes_max = 100;
  Stores stores(3, options);
  const CallId first = stores.Call(1, Make(Swap("a", std::string(60, 'v'))));
  const CallId second = stores.Call(1, Make(Swap("b", std::string(60, 'v'))));
  EXPECT_EQ(stores.reply(first), nullptr);
  ASSERT_NE(stores.reply(second), nullptr);
  EXPECT_EQ(ErrorOf(*stores.reply(second)).code, ErrorCode::kServerIsBusy);
  EXPECT_EQ(ErrorOf(*stores.reply(second)).outcome, Outcome::kNotApplied);
  EXPECT_EQ(ErrorOf(*stores.reply(second)).message,
            "the store is busy: too many large requests wait for an answer: with this one 122 "
            "bytes of at most 100 (--max-waiting-bytes); retry after a pause");
  const CallId small = stores.Call(1, Make(Swap("c", std::string(30, 'v'))));
  EXPECT_EQ(stores.reply(small), nullptr);
  stores.AwaitLeader();
  stores.Pass(Duration::Seconds(1));
  ASSERT_NE(stores.reply(first), nullptr);
  EXPECT_EQ(WriteOf(stores.Ask(1, Make(Swap("b", std::string(90, 'v'))))).version, kv::Version(1))
      << "who was answered makes room";
}

class StoreBackpressure : public StoreTest {
 protected:
  static Options Small() {
    Options options;
    options.raft.uncommitted_bytes_max = 100;
    return options;
  }
  StoreBackpressure() : StoreTest(Small()) {}
};

TEST_F(StoreBackpressure, TooManyUncommittedWritesAreRefused) {
  stores_.Isolate(leader_);
  const CallId first = stores_.Call(leader_, Make(Swap("a", std::string(80, 'v'))));
  const CallId second = stores_.Call(leader_, Make(Swap("b", std::string(80, 'v'))));
  EXPECT_EQ(stores_.reply(first), nullptr);
  ASSERT_NE(stores_.reply(second), nullptr);
  EXPECT_EQ(ErrorOf(*stores_.reply(second)).code, ErrorCode::kServerIsBusy);
  EXPECT_EQ(ErrorOf(*stores_.reply(second)).outcome, Outcome::kNotApplied);
  stores_.Heal();
  stores_.Pass(Duration::Milliseconds(300));
  ASSERT_NE(stores_.reply(first), nullptr);
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("b"))), "(none)");
}

// --- Deadlines.

TEST(Store, ACallWithoutALeaderExpiresWithoutEffect) {
  Stores stores(3);
  stores.Isolate(1);
  stores.Isolate(2);
  const CallId write = stores.Call(1, Make(Swap("k", "v"), Duration::Seconds(1)));
  stores.Pass(Duration::Milliseconds(999));
  EXPECT_EQ(stores.reply(write), nullptr);
  stores.Pass(Duration::Milliseconds(1));
  ASSERT_NE(stores.reply(write), nullptr);
  EXPECT_EQ(ErrorOf(*stores.reply(write)).code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(ErrorOf(*stores.reply(write)).outcome, Outcome::kNotApplied);
  EXPECT_NE(ErrorOf(*stores.reply(write)).message.find("had no leader that store 1 knew of"),
            std::string::npos);
  EXPECT_TRUE(stores.quiet());
}

TEST_F(StoreTest, AProposedWriteExpiresWithAnUnknownOutcome) {
  stores_.Isolate(leader_);
  const Duration budget = Duration::Milliseconds(200);
  const CallId write = stores_.Call(leader_, Make(Swap("k", "v"), budget));
  const CallId read =
      stores_.Call(leader_, Make(GetRequest{kv::NamespaceId::kDefault, "k"}, budget));
  stores_.Pass(budget);
  ASSERT_NE(stores_.reply(write), nullptr);
  EXPECT_EQ(ErrorOf(*stores_.reply(write)).code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(ErrorOf(*stores_.reply(write)).outcome, Outcome::kUnknown);
  EXPECT_NE(ErrorOf(*stores_.reply(write)).message.find("may have been"), std::string::npos);
  ASSERT_NE(stores_.reply(read), nullptr);
  EXPECT_EQ(ErrorOf(*stores_.reply(read)).outcome, Outcome::kNotApplied);
  EXPECT_EQ(stores_.store(leader_).waiting_calls(), 0u);
  // It did take effect, later: unknown was the truth.
  stores_.Heal();
  stores_.Pass(Duration::Seconds(2));
  EXPECT_EQ(ValueOf(stores_.Ask(stores_.AwaitLeader(), Get("k"))), "v");
}

TEST_F(StoreTest, AForwardedWriteExpiresWithAnUnknownOutcome) {
  stores_.Cut(follower_, leader_);
  const CallId call = stores_.Call(follower_, Make(Swap("k", "v"), Duration::Milliseconds(100)));
  stores_.Pass(Duration::Milliseconds(100));
  ASSERT_NE(stores_.reply(call), nullptr);
  EXPECT_EQ(ErrorOf(*stores_.reply(call)).outcome, Outcome::kUnknown);
}

TEST_F(StoreTest, ACallThatIsAlreadyOverIsNotCarriedOut) {
  for (const uint64_t store : {leader_, follower_}) {
    const CallId call = stores_.Call(store, Make(Swap("k", "v"), Duration()));
    ASSERT_NE(stores_.reply(call), nullptr);
    EXPECT_EQ(ErrorOf(*stores_.reply(call)).code, ErrorCode::kDeadlineExceeded);
    EXPECT_EQ(ErrorOf(*stores_.reply(call)).outcome, Outcome::kNotApplied);
  }
  stores_.Settle();
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("k"))), "(none)");
}

TEST_F(StoreTest, ACallMayHaveAllTheTimeThereIs) {
  const Duration forever = Instant::Max() - Instant();
  for (const uint64_t store : {leader_, follower_}) {
    const Reply reply =
        stores_.Ask(store, Make(GetRequest{kv::NamespaceId::kDefault, "k"}, forever));
    EXPECT_EQ(ValueOf(reply), "(none)");
  }
}

// Whatever the last attempt says of itself, an earlier one may have been carried out.
TEST_F(StoreTest, ARefusalAfterAnUnknownAttemptLeavesTheOutcomeUnknown) {
  const auto answer = [&](ErrorCode code, Outcome outcome) {
    ASSERT_EQ(stores_.link(follower_, leader_).size(), 1u);
    const auto& forwarded = std::get<ForwardedRequest>(stores_.link(follower_, leader_).front());
    Error error;
    error.code = code;
    error.outcome = outcome;
    const uint64_t id = forwarded.id;
    stores_.DropAll();
    stores_.Turn(follower_,
                 {MessageReceived{StoreId(leader_), ForwardedReply{id, Reply{error, Index()}}}});
  };
  const CallId call = stores_.Call(follower_, Make(Named(Swap("k", "v"), 1)));
  answer(ErrorCode::kStaleCommand, Outcome::kUnknown);
  stores_.Wait(Options().raft.heartbeat_interval);
  std::erase_if(stores_.link(follower_, leader_), [](const StoreMessage& message) {
    return !std::holds_alternative<ForwardedRequest>(message);
  });
  answer(ErrorCode::kServerIsBusy, Outcome::kNotApplied);
  ASSERT_NE(stores_.reply(call), nullptr);
  EXPECT_EQ(ErrorOf(*stores_.reply(call)).code, ErrorCode::kServerIsBusy);
  EXPECT_EQ(ErrorOf(*stores_.reply(call)).outcome, Outcome::kUnknown);
}

// --- Changes of leader.

TEST_F(StoreTest, AForwardedReadFollowsTheLeader) {
  stores_.Ask(leader_, Make(Swap("k", "v")));
  stores_.Isolate(leader_);
  const CallId call = stores_.Call(follower_, Get("k"));
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), 1u);
  DeposeLeader();
  ASSERT_NE(stores_.reply(call), nullptr);
  EXPECT_EQ(ValueOf(*stores_.reply(call)), "v");
}

TEST_F(StoreTest, AForwardedWriteWithAnIdFollowsTheLeader) {
  stores_.Isolate(leader_);
  const CallId call = stores_.Call(follower_, Make(Named(Swap("k", "v"), 1)));
  DeposeLeader();
  ASSERT_NE(stores_.reply(call), nullptr);
  EXPECT_EQ(WriteOf(*stores_.reply(call)).version, kv::Version(1));
}

TEST_F(StoreTest, AForwardedWriteWithoutAnIdIsNotTriedTwice) {
  stores_.Isolate(leader_);
  const CallId call = stores_.Call(follower_, Make(Swap("k", "v")));
  const uint64_t new_leader = DeposeLeader();
  EXPECT_EQ(stores_.reply(call), nullptr) << "the old leader may have it";
  stores_.Pass(kBudget);
  ASSERT_NE(stores_.reply(call), nullptr);
  EXPECT_EQ(ErrorOf(*stores_.reply(call)).outcome, Outcome::kUnknown);
  EXPECT_EQ(ValueOf(stores_.Ask(new_leader, Get("k"))), "(none)");
}

TEST_F(StoreTest, ADeposedLeaderDoesNotKnowWhatBecameOfItsWrites) {
  stores_.Isolate(leader_);
  const CallId plain = stores_.Call(leader_, Make(Swap("a", "v")));
  const CallId routed = stores_.Call(leader_, In(1, {1, 1}, Make(Named(Swap("b", "v"), 1))));
  const CallId read = stores_.Call(leader_, In(1, {1, 1}, Get("a")));
  const CallId named = stores_.Call(leader_, Make(Named(Swap("c", "v"), 2)));
  DeposeLeader();
  for (const CallId call : {plain, routed}) {
    ASSERT_NE(stores_.reply(call), nullptr);
    EXPECT_EQ(ErrorOf(*stores_.reply(call)).code, ErrorCode::kStaleCommand);
    EXPECT_EQ(ErrorOf(*stores_.reply(call)).outcome, Outcome::kUnknown);
  }
  ASSERT_NE(stores_.reply(read), nullptr);
  EXPECT_EQ(ErrorOf(*stores_.reply(read)).code, ErrorCode::kReadNotReady);
  EXPECT_EQ(stores_.reply(named), nullptr) << "it can be tried again safely";
  stores_.Heal();
  stores_.Pass(Duration::Seconds(2));
  ASSERT_NE(stores_.reply(named), nullptr);
  EXPECT_EQ(WriteOf(*stores_.reply(named)).version, kv::Version(1));
}

// The entry was replicated before its leader fell silent; the retry finds its own effect.
TEST_F(StoreTest, ARetriedWriteTakesEffectOnce) {
  const CallId call = stores_.Call(follower_, Make(Named(Swap("k", "v"), 1)));
  stores_.Deliver(follower_, leader_);
  stores_.Deliver(leader_, other_);
  stores_.Deliver(leader_, follower_);
  const uint64_t new_leader = DeposeLeader();
  ASSERT_NE(stores_.reply(call), nullptr);
  EXPECT_GE(stores_.sent<ForwardedRequest>(), new_leader == follower_ ? 1u : 2u);
  EXPECT_EQ(WriteOf(*stores_.reply(call)).result, kv::WriteResult::kApplied);
  EXPECT_EQ(WriteOf(*stores_.reply(call)).version, kv::Version(1));
  const Reply read = stores_.Ask(new_leader, Get("k"));
  EXPECT_EQ(std::get<GetReply>(read.result).found->version, kv::Version(1));
}

// A write that no leader took, or whose place in the log went to another, certainly had no effect:
// it may be tried again even without an id, and as the same write.
TEST_F(StoreTest, AWriteQueuedWhenItsLeaderIsDeposedGoesToTheNewOne) {
  stores_.Turn(leader_, {ClientCall{CallId(901), Make(Swap("key", "value"))},
                         FromNewLeader(raft::HeartbeatRequest{1, 1, {}})});
  stores_.Wait(Options().raft.heartbeat_interval);
  ExpectForwardedUnchanged();
}

TEST_F(StoreTest, ADisplacedWriteGoesToTheNewLeader) {
  stores_.Isolate(leader_);
  const raft::LogId prev = stores_.peer(leader_).raft.last_log;
  stores_.Turn(leader_, {ClientCall{CallId(901), Make(Swap("key", "value"))}});
  const raft::NewEntry noop{raft::EntryKind::kNoop, {}};
  const Index index = prev.index.next();
  const raft::EntrySlice taken(raft::EntryBlock::Create(prev.term.next(), index, {&noop, 1}));
  stores_.Heal();
  stores_.Turn(
      leader_,
      {FromNewLeader(raft::AppendRequest{1, 1, prev, index, false, raft::EntrySlices(taken)})});
  EXPECT_EQ(stores_.peer(leader_).applied_index, index);
  ExpectForwardedUnchanged();
}

// --- Outcomes of writes.

TEST_F(StoreTest, AMismatchIsAnAnswerNotAnError) {
  stores_.Ask(leader_, Make(Swap("k", "v")));
  const Reply reply = stores_.Ask(follower_, Make(Swap("k", "w", 7)));
  EXPECT_EQ(WriteOf(reply).result, kv::WriteResult::kMismatch);
  EXPECT_EQ(WriteOf(reply).version, kv::Version(1));
  EXPECT_EQ(WriteOf(reply).value, "v");
}

// An outcome is that of the attempt: of earlier ones only the client knows.
TEST_F(StoreTest, AForgottenRequestWasNotAppliedThisTime) {
  const Index seen = stores_.Ask(leader_, Get("k")).applied_index;
  for (uint64_t i = 0; i < 7; ++i) {
    stores_.Ask(leader_, Make(Named(Swap("k", "v", i), i + 1)));
  }
  for (const uint64_t store : {leader_, follower_}) {
    const Reply retry = stores_.Ask(store, Make(Named(Swap("k", "v", 0), 1, seen)));
    EXPECT_EQ(ErrorOf(retry).code, ErrorCode::kForgotten);
    EXPECT_EQ(ErrorOf(retry).outcome, Outcome::kNotApplied);
    EXPECT_GT(retry.applied_index, seen);
  }
  const Reply read = stores_.Ask(leader_, Get("k"));
  EXPECT_EQ(std::get<GetReply>(read.result).found->version, kv::Version(7));
}

TEST_F(StoreTest, AClientThatWentAwayGetsNoReply) {
  const CallId here = stores_.Call(leader_, Make(Swap("a", "v")));
  const CallId there = stores_.Call(follower_, Make(Swap("b", "v")));
  stores_.Turn(leader_, {ClientGone{here}});
  stores_.Turn(follower_, {ClientGone{there}});
  stores_.Settle();
  EXPECT_EQ(stores_.reply(here), nullptr);
  EXPECT_EQ(stores_.reply(there), nullptr);
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("a"))), "v") << "the operation still took effect";
  EXPECT_TRUE(stores_.quiet());
  stores_.Turn(leader_, {ClientGone{here}, ClientGone{CallId(999)}});
}

// --- Disk.

TEST_F(StoreTest, TheWritesOfATurnAreOneCommit) {
  const size_t before = stores_.commits_issued(leader_);
  stores_.Turn(leader_, {ClientCall{CallId(901), Make(Swap("a", "v"))},
                         ClientCall{CallId(902), Make(Swap("b", "v"))},
                         ClientCall{CallId(903), Make(Swap("c", "v"))}});
  EXPECT_EQ(stores_.commits_issued(leader_), before + 1);
  stores_.Settle();
  for (const uint64_t call : {901, 902, 903}) EXPECT_NE(stores_.reply(CallId(call)), nullptr);
}

TEST_F(StoreTest, WhatIsAppliedIsReadBeforeItIsDurableHere) {
  stores_.HoldDisk(leader_);
  EXPECT_EQ(WriteOf(stores_.Ask(leader_, Make(Swap("k", "v")))).version, kv::Version(1))
      << "two others have it on their disks";
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("k"))), "v");
  EXPECT_EQ(WriteOf(stores_.Ask(leader_, Make(Swap("k", "w", 1)))).version, kv::Version(2));
  EXPECT_GT(stores_.store(leader_).rows_in_flight(), 0u);
  stores_.FreeDisk(leader_);
  stores_.Settle();
  stores_.Pass(Duration::Milliseconds(300));
  EXPECT_TRUE(stores_.quiet());
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("k"))), "w");
}

TEST_F(StoreTest, AnAnswerIsNotGivenBeforeAQuorumHasIt) {
  for (const uint64_t id : {1, 2, 3}) stores_.HoldDisk(id);
  const CallId call = stores_.Call(leader_, Make(Swap("k", "v")));
  stores_.Settle();
  EXPECT_EQ(stores_.reply(call), nullptr);
  stores_.FreeDisk(follower_);
  stores_.Settle();
  EXPECT_EQ(stores_.reply(call), nullptr) << "one of three";
  stores_.FreeDisk(leader_);
  stores_.Settle();
  EXPECT_NE(stores_.reply(call), nullptr);
  stores_.FreeDisk(other_);
}

TEST_F(StoreTest, DataSurvivesTheRestartOfAll) {
  for (int i = 0; i < 5; ++i) {
    stores_.Ask(leader_, Make(Swap("k" + std::to_string(i), "v")));
  }
  stores_.Pass(Duration::Milliseconds(300));
  stores_.DropAll();
  for (const uint64_t id : {1, 2, 3}) stores_.Restart(id);
  const uint64_t leader = stores_.AwaitLeader();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ValueOf(stores_.Ask(leader, Get("k" + std::to_string(i)))), "v");
  }
  EXPECT_EQ(WriteOf(stores_.Ask(leader, Make(Swap("k0", "w", 1)))).version, kv::Version(2));
  EXPECT_TRUE(stores_.quiet());
}

TEST_F(StoreTest, AFailedDiskStopsTheStore) {
  const CallId call = stores_.Call(leader_, Make(Swap("k", "v")));
  stores_.Turn(leader_, {DiskFailed{absl::DataLossError("fsync failed")},
                         ClientCall{CallId(900), Get("k")}});
  EXPECT_EQ(stores_.failure(leader_).message(), "fsync failed");
  stores_.Turn(leader_, {ClientCall{CallId(901), Get("k")}});
  stores_.Settle();
  stores_.Pass(Duration::Seconds(3));
  EXPECT_EQ(stores_.reply(call), nullptr);
  EXPECT_EQ(stores_.reply(CallId(900)), nullptr);
  EXPECT_EQ(stores_.reply(CallId(901)), nullptr);
  EXPECT_EQ(ValueOf(stores_.Ask(stores_.leads(other_) ? other_ : follower_, Get("k"))), "v")
      << "the others go on, with what the failed one had sent";
}

TEST_F(StoreTest, ALeaderWhoseDiskFailsHandsOverOnce) {
  const Term term = stores_.peer(leader_).raft.term;
  const Event failed = DiskFailed{absl::DataLossError("fsync failed")};
  stores_.Turn(leader_, {failed, failed});
  EXPECT_EQ(stores_.sent<raft::TimeoutNow>(), 1u);
  stores_.Settle();
  EXPECT_TRUE(stores_.leads(other_) || stores_.leads(follower_)) << "without any time passing";
  EXPECT_EQ(stores_.peer(follower_).raft.term, term.next());
}

TEST_F(StoreTest, DataThatCannotBeReadStopsTheStore) {
  stores_.data(leader_).failure = absl::DataLossError("bad checksum");
  const CallId call = stores_.Call(leader_, Get("k"));
  stores_.Settle();
  EXPECT_EQ(stores_.reply(call), nullptr);
  EXPECT_EQ(stores_.failure(leader_).code(), absl::StatusCode::kDataLoss);
}

// A replica that restarts reads its log again from where it had applied; that it must get.
TEST_F(StoreTest, ALogThatCannotBeReadStopsTheStore) {
  stores_.Ask(leader_, Make(Swap("k", "v")));
  stores_.Turn(leader_, {env::LogFetched{RegionId(1), 77, absl::DataLossError("bad checksum")}});
  EXPECT_TRUE(stores_.failure(leader_).ok()) << "nobody waits for that";

  stores_.BreakLogReads(follower_, absl::DataLossError("bad checksum"));
  stores_.RestartWithNothingApplied(follower_);
  stores_.Pass(Duration::Seconds(3));
  EXPECT_EQ(stores_.failure(follower_).code(), absl::StatusCode::kDataLoss);
}

// --- Messages that nobody should send.

TEST_F(StoreTest, AMessageFromAStrangerIsHarmless) {
  raft::Message message;
  message.from = PeerId(77);
  message.to = PeerId(leader_);
  message.from_incarnation = Incarnation(5);
  message.body = raft::VoteRequest{};  // Of term 0: it wants to be told the current one.
  stores_.Turn(leader_,
               {MessageReceived{StoreId(follower_), RaftEnvelope{RegionId(1), {1, 1}, message}}});
  stores_.Turn(leader_,
               {MessageReceived{StoreId(follower_), RaftEnvelope{RegionId(55), {1, 1}, message}}});
  stores_.Turn(leader_, {MessageReceived{StoreId(follower_), ForwardedReply{12345, Reply()}}});
  EXPECT_EQ(WriteOf(stores_.Ask(leader_, Make(Swap("k", "v")))).version, kv::Version(1));
}

TEST_F(StoreTest, APoisonedReplicaAnswersThatItStopped) {
  raft::Message message;
  message.from = PeerId(follower_);
  message.to = PeerId(leader_);
  message.term = stores_.peer(leader_).raft.term;
  message.from_incarnation = Incarnation(follower_);
  message.body = raft::HeartbeatRequest{1, 1, {}};  // A second leader in one term.
  const CallId waiting = stores_.Call(leader_, Make(Swap("a", "v")));
  stores_.Turn(leader_,
               {MessageReceived{StoreId(follower_), RaftEnvelope{RegionId(1), {1, 1}, message}}});
  EXPECT_TRUE(stores_.peer(leader_).poisoned);
  const CallId later = stores_.Call(leader_, Make(Swap("b", "v")));
  ASSERT_NE(stores_.reply(later), nullptr);
  EXPECT_EQ(ErrorOf(*stores_.reply(later)).code, ErrorCode::kStoreFailed);
  EXPECT_EQ(ErrorOf(*stores_.reply(later)).outcome, Outcome::kNotApplied);
  ASSERT_NE(stores_.reply(waiting), nullptr);
  EXPECT_EQ(ErrorOf(*stores_.reply(waiting)).outcome, Outcome::kUnknown);
  stores_.Pass(Duration::Seconds(3));
  EXPECT_TRUE(stores_.leads(follower_) || stores_.leads(other_));
}

// --- Nothing leaks.

TEST(Store, ManyCallsUnderFaultsLeaveNothingBehind) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Stores stores(3);
    Rng rng(seed);
    std::vector<CallId> calls;
    for (int step = 0; step < 300; ++step) {
      const uint64_t store = rng.Between(uint64_t{1}, uint64_t{3});
      const std::string key = "k" + std::to_string(rng.Below(5));
      const Duration budget = Duration::Milliseconds(static_cast<int64_t>(rng.Below(2000)));
      switch (rng.Below(8)) {
        case 0:
          calls.push_back(
              stores.Call(store, Make(GetRequest{kv::NamespaceId::kDefault, key}, budget)));
          break;
        case 1:
          calls.push_back(stores.Call(store, Make(Swap(key, "v", rng.Below(3)), budget)));
          break;
        case 2:
          calls.push_back(stores.Call(store, Make(Named(Swap(key, "v", rng.Below(3)),
                                                        rng.Between(uint64_t{1}, uint64_t{9})),
                                                  budget)));
          break;
        case 3:
          stores.Isolate(store);
          break;
        case 4:
          stores.Heal();
          break;
        case 5:
          rng.Below(2) == 0 ? stores.HoldDisk(store) : stores.FreeDisk(store);
          break;
        default:
          stores.Pass(Duration::Milliseconds(static_cast<int64_t>(rng.Below(300))));
      }
    }
    stores.Heal();
    for (const uint64_t store : {1, 2, 3}) stores.FreeDisk(store);
    stores.Pass(Duration::Seconds(10));
    for (const CallId call : calls) EXPECT_NE(stores.reply(call), nullptr);
    EXPECT_TRUE(stores.quiet());
    const uint64_t leader = stores.AwaitLeader();
    EXPECT_EQ(ValueOf(stores.Ask(leader, Get("none"))), "(none)");
    for (const uint64_t store : {1, 2, 3}) {
      EXPECT_EQ(stores.data(store).rows.count(kv::EncodeKey(kv::NamespaceId::kDefault, "")), 0u)
          << "nobody wrote an empty key";
    }
  }
}

}  // namespace
}  // namespace flaredb::store
