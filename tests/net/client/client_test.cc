// SPDX-License-Identifier: Apache-2.0
// What the client makes of answers that real stores give too rarely to wait for.
#include "net/client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "net/wire/error_codec.h"
#include "proto/kvrpc.pb.h"
#include "tests/net/client/scripted_store.h"

namespace flaredb::client {
namespace {

using net::GrpcStatus;
using testing::ElementsAre;
using testing::HasSubstr;

// Nobody listens on a port that root alone may take and nobody does.
constexpr char kNowhere[] = "127.0.0.1:1";
constexpr Duration kShort = Duration::Milliseconds(150);

std::unique_ptr<Client> ClientOf(std::vector<std::string> endpoints,
                                 Duration timeout = Duration::Seconds(20)) {
  return Client::Create({.endpoints = std::move(endpoints), .timeout = timeout}).value();
}

std::string Found(const std::string& value, uint64_t version) {
  kvrpc::GetResponse reply;
  reply.set_found(true);
  reply.set_value(value);
  reply.set_version(version);
  return reply.SerializeAsString();
}

std::string Wrote(uint64_t version, uint64_t applied_index = 1) {
  kvrpc::CasResponse reply;
  reply.set_success(true);
  reply.set_current_version(version);
  reply.set_applied_index(applied_index);
  return reply.SerializeAsString();
}

GrpcStatus NotLeader(const std::string& leader_address) {
  store::Error error;
  error.code = store::ErrorCode::kNotLeader;
  error.outcome = store::Outcome::kNotApplied;
  error.message = "another store leads";
  if (!leader_address.empty()) error.leader = StoreId(7);
  return net::StatusOf(error, Index(), [&](StoreId) { return leader_address; });
}

GrpcStatus NoSuchNamespace(const std::string& name) {
  store::Error error;
  error.code = store::ErrorCode::kNamespaceNotFound;
  error.message = "there is no namespace \"" + name + "\"";
  return net::StatusOf(error, Index(), nullptr, name);
}

kvrpc::CasRequest CasOf(const std::string& bytes) {
  kvrpc::CasRequest request;
  EXPECT_TRUE(request.ParseFromString(bytes));
  return request;
}

WriteId IdOf(const std::string& request) {
  const kvrpc::Context context = CasOf(request).context();
  return {.client_hi = context.request_id().client_hi(),
          .client_lo = context.request_id().client_lo(),
          .seq = context.request_id().seq(),
          .seen_index = context.seen_index()};
}

TEST(Client, ALeaderThatIsNamedIsAskedAndRemembered) {
  ScriptedStore leader([](auto&...) { return Found("v", 3); });
  ScriptedStore follower([&](auto&...) { return NotLeader(leader.address()); });
  const auto client = ClientOf({follower.address()});
  for (int i = 0; i < 3; ++i) {
    const auto got = client->Get("k");
    ASSERT_TRUE(std::holds_alternative<std::optional<VersionedValue>>(got));
    EXPECT_EQ(std::get<0>(got), (VersionedValue{"v", 3}));
  }
  EXPECT_EQ(follower.requests().size(), 1u);
  EXPECT_EQ(leader.requests().size(), 3u);
}

TEST(Client, ALeaderOutOfReachDoesNotKeepItFromTheOthers) {
  ScriptedStore follower([&](auto&...) { return NotLeader(kNowhere); });
  ScriptedStore other([](auto&...) { return Found("v", 1); });
  const auto client = ClientOf({follower.address(), other.address()});
  EXPECT_EQ(std::get<0>(client->Get("k")), (VersionedValue{"v", 1}));
  EXPECT_EQ(std::get<0>(client->Get("k")), (VersionedValue{"v", 1}));
  EXPECT_EQ(follower.requests().size(), 1u);
}

std::string PassedOnTo(const std::string& address, const std::string& serialized) {
  kvrpc::GetResponse leader;  // All replies have these fields in the same place.
  leader.mutable_leader()->set_region_id(1);
  leader.mutable_leader()->set_address(address);
  return serialized + leader.SerializeAsString();
}

Answer AnyReply(const std::string& method) {
  if (method == "Get") return Found("v", 1);
  if (method == "Scan") return kvrpc::ScanResponse().SerializeAsString();
  return method == "RawGet" ? kvrpc::RawGetResponse().SerializeAsString() : Wrote(1);
}

TEST(Client, AfterACallThatWasPassedOnTheLeaderIsAskedWhereItMatters) {
  std::vector<std::string> at_leader;
  std::vector<std::string> at_follower;
  {
    ScriptedStore leader([&](const std::string& method, auto&) {
      at_leader.push_back(method);
      return AnyReply(method);
    });
    ScriptedStore follower([&](const std::string& method, auto&) -> Answer {
      at_follower.push_back(method);
      return PassedOnTo(leader.address(), std::get<std::string>(AnyReply(method)));
    });
    const auto client = ClientOf({follower.address(), leader.address()});
    EXPECT_EQ(client->Cas("k", "v", 0).index(), 0u);
    EXPECT_EQ(client->Cas("other", "v", 0).index(), 0u);
    EXPECT_EQ(client->Get("k").index(), 0u);
    EXPECT_EQ(client->Scan({}).index(), 0u);
    EXPECT_EQ(client->CasDelete("k", 1).index(), 0u);
    EXPECT_EQ(client->RawGet("k", {.ns = "logs"}).index(), 0u);  // Any store knows.
    EXPECT_EQ(client->Get("k", {.ns = "unheard-of"}).index(), 0u);
  }
  EXPECT_THAT(at_leader, ElementsAre("CompareAndSwap", "Get", "Scan", "CompareAndDelete"));
  EXPECT_THAT(at_follower, ElementsAre("CompareAndSwap", "RawGet", "Get"));
}

TEST(Client, ALeaderIsAskedForExceptWithAPageToken) {
  ScriptedStore store([](const std::string& method, auto&) { return AnyReply(method); });
  const auto client = ClientOf({store.address()});
  EXPECT_EQ(client->Get("k").index(), 0u);
  EXPECT_EQ(client->Cas("k", "v", 0).index(), 0u);
  EXPECT_EQ(client->Scan({}).index(), 0u);
  EXPECT_EQ(client->Scan({}, {.page_token = "t"}).index(), 0u);
  std::vector<bool> wanted;
  for (const std::string& bytes : store.requests()) {
    kvrpc::ScanRequest request;  // The context is in the same place in all.
    EXPECT_TRUE(request.ParseFromString(bytes));
    wanted.push_back(request.context().want_leader());
  }
  EXPECT_THAT(wanted, ElementsAre(true, true, true, false));
}

TEST(Client, ALeaderThatFailsIsLeftAndNotTriedEachTime) {
  ScriptedStore follower([&](auto&...) { return PassedOnTo(kNowhere, Found("v", 1)); });
  const auto client = ClientOf({follower.address()});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(std::get<0>(client->Get("k")), (VersionedValue{"v", 1}));
  EXPECT_EQ(follower.requests().size(), 3u);
}

TEST(Client, ALeaderThatWasDeposedIsLeftForTheNextOne) {
  ScriptedStore next([](auto&...) { return Found("v", 1); });
  ScriptedStore deposed([](auto&...) { return NotLeader(""); });
  std::atomic<bool> elected = false;
  ScriptedStore follower([&](auto&...) {
    return PassedOnTo(elected ? next.address() : deposed.address(), Found("v", 1));
  });
  const auto client = ClientOf({follower.address()});
  EXPECT_EQ(client->Get("k").index(), 0u);
  elected = true;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client->Get("k").index(), 0u);
  EXPECT_EQ(deposed.requests().size(), 1u);
  EXPECT_EQ(follower.requests().size(), 2u);
  EXPECT_EQ(next.requests().size(), 2u);
}

TEST(Client, AStoreThatIsDownOrSilentIsLeft) {
  ScriptedStore silent([](auto&...) { return Silence(); });
  ScriptedStore other([](auto&...) { return Found("v", 1); });
  const auto client =
      ClientOf({kNowhere, silent.address(), other.address()}, Duration::Milliseconds(20'000));
  const auto got =
      client->Get("k", {.timeout = Duration::Milliseconds(1500)});  // A third for the silent one.
  EXPECT_EQ(std::get<0>(got), (VersionedValue{"v", 1}));
}

TEST(Client, NobodyThereIsUnavailable) {
  const auto client = ClientOf({kNowhere}, kShort);
  const auto got = client->Get("k");
  EXPECT_EQ(std::get<Error>(got).kind, Error::kUnavailable);
  EXPECT_THAT(std::get<Error>(got).message, HasSubstr(kNowhere));
  EXPECT_EQ(std::get<Error>(client->Cas("k", "v", 0)).kind, Error::kUnavailable);
}

TEST(Client, TheLastWordOfAStoreTellsWhyThereIsNoAnswer) {
  ScriptedStore store([words = 0](auto&...) mutable -> Answer {
    if (++words == 1) return net::GrpcStatus(absl::StatusCode::kUnavailable, "no leader");
    return Silence();
  });
  const auto client = ClientOf({store.address(), kNowhere}, kShort);
  const auto got = client->Get("k");
  EXPECT_EQ(std::get<Error>(got).kind, Error::kUnavailable);
  EXPECT_THAT(std::get<Error>(got).message, HasSubstr("no leader"));
}

TEST(Client, LoadUntilTheEndIsOverload) {
  ScriptedStore busy([](auto&...) {
    store::Error error;
    error.code = store::ErrorCode::kServerIsBusy;
    error.outcome = store::Outcome::kNotApplied;
    error.message = "too many calls";
    error.backoff = Duration::Seconds(1);
    return net::StatusOf(error, Index(), nullptr);
  });
  // Shorter than the pause, so that no second attempt is cut off.
  const auto client = ClientOf({busy.address()}, Duration::Milliseconds(500));
  EXPECT_EQ(std::get<Error>(client->Get("k")).kind, Error::kOverloaded);
  EXPECT_EQ(std::get<Error>(client->Put("k", "v")).kind, Error::kOverloaded);
}

TEST(Client, ABrokenRuleIsRefusedAtOnce) {
  ScriptedStore store([](auto&...) { return net::InvalidRequest("the key is too long"); });
  const auto client = ClientOf({store.address()});
  const auto result = client->Cas("k", "v", 0);
  EXPECT_EQ(std::get<Error>(result).kind, Error::kRefused);
  EXPECT_EQ(std::get<Error>(result).message, "the key is too long");
  EXPECT_EQ(store.requests().size(), 1u);
}

TEST(Client, AWriteWithoutAnswerIsUnknownAndItsIdRepeatsIt) {
  std::atomic<bool> silent = true;
  ScriptedStore store([&](auto&...) -> Answer {
    if (silent) return Silence();
    return Wrote(5);
  });
  WriteId id;
  {
    const auto client = ClientOf({store.address()}, kShort);
    const auto result = client->Cas("k", "v", 4);
    ASSERT_TRUE(std::holds_alternative<Unknown>(result));
    id = std::get<Unknown>(result).id;
    EXPECT_TRUE(std::holds_alternative<Unknown>(client->CasDelete("k", 4)));
    EXPECT_TRUE(std::holds_alternative<Unknown>(client->Put("k", "v")));
    // Still unknown: nothing that was learned since speaks of the first attempt.
    const auto again = client->Cas("k", "v", 4, {.repeat = id});
    ASSERT_TRUE(std::holds_alternative<Unknown>(again));
    EXPECT_EQ(std::get<Unknown>(again).id, id);
  }
  EXPECT_EQ(IdOf(store.requests().front()), id);
  silent = false;
  const auto another = ClientOf({store.address()});
  EXPECT_EQ(another->Cas("k", "v", 4, {.repeat = id}).index(), 0u);
  EXPECT_EQ(IdOf(store.requests().back()), id);
}

// A repeat that cannot be sent at all tells nothing about the attempts before it.
TEST(Client, ARepeatThatIsRefusedOrCannotBeSentIsUnknown) {
  const WriteId id{.client_hi = 1, .client_lo = 2, .seq = 3, .seen_index = 4};
  EXPECT_TRUE(std::holds_alternative<Unknown>(
      ClientOf({kNowhere}, kShort)->Cas("k", "v", 0, {.repeat = id})));
  ScriptedStore store([](auto&...) { return net::InvalidRequest("no"); });
  EXPECT_TRUE(std::holds_alternative<Unknown>(
      ClientOf({store.address()})->Cas("k", "v", 0, {.repeat = id})));
}

TEST(Client, AttemptsHaveOneIdUntilAStoreSaysThatNoneCounts) {
  int calls = 0;
  ScriptedStore store([&](auto&...) -> Answer {
    switch (++calls) {
      case 1:
        return Wrote(1, 40);
      case 2:
        return GrpcStatus(absl::StatusCode::kUnknown, "lost");
      case 3:
        return net::RequestOvertaken(Index(52));
      default:
        return Wrote(3, 60);
    }
  });
  const auto client = ClientOf({store.address()});
  EXPECT_EQ(std::get<Applied>(client->Cas("a", "v", 0)).version, 1u);
  EXPECT_EQ(std::get<Applied>(client->Cas("k", "v", 2)).version, 3u);
  const std::vector<std::string> requests = store.requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_EQ(IdOf(requests[1]).seen_index, 40u);
  EXPECT_EQ(IdOf(requests[1]), IdOf(requests[2]));
  EXPECT_NE(IdOf(requests[2]).seq, IdOf(requests[3]).seq);
  EXPECT_EQ(IdOf(requests[3]).seen_index, 52u);
}

TEST(Client, AForgottenWriteIsUnknownOnlyAfterAnAttemptThatMayHaveCounted) {
  int calls = 0;
  ScriptedStore store([&](auto&...) -> Answer {
    if (++calls == 1) return GrpcStatus(absl::StatusCode::kUnknown, "lost");
    return net::RequestForgotten();
  });
  const auto client = ClientOf({store.address()});
  EXPECT_TRUE(std::holds_alternative<Unknown>(client->Cas("k", "v", 2)));
  EXPECT_EQ(store.requests().size(), 2u);
}

TEST(Client, APutGoesOnFromTheVersionThatItMeets) {
  ScriptedStore store([](const std::string&, const std::string& request) {
    kvrpc::CasResponse reply;
    reply.set_success(CasOf(request).expected_version() == 6);
    reply.set_current_version(reply.success() ? 7 : 6);
    return reply.SerializeAsString();
  });
  const auto client = ClientOf({store.address()});
  EXPECT_EQ(std::get<Applied>(client->Put("k", "v")).version, 7u);
  EXPECT_EQ(std::get<Mismatch>(client->Cas("k", "v", 2)).version, 6u);
}

TEST(Client, APutThatOthersAlwaysBeatEndsWithItsTime) {
  std::atomic<uint64_t> version = 0;
  ScriptedStore store([&](auto&...) {
    kvrpc::CasResponse reply;
    reply.set_current_version(++version);
    return reply.SerializeAsString();
  });
  const PutResult result = ClientOf({store.address()}, kShort)->Put("k", "v");
  EXPECT_GT(version, 1u);
  // How it ends depends on whether the last attempt was answered, cut off or not even sent.
  EXPECT_FALSE(std::holds_alternative<Applied>(result));
}

TEST(Client, TheNamespaceGoesWithEveryOperation) {
  ScriptedStore store([](const std::string&, const std::string& request) -> Answer {
    kvrpc::GetRequest get;
    kvrpc::ScanRequest scan;
    kvrpc::CasRequest cas;
    kvrpc::CasDeleteRequest del;
    const bool named = (get.ParseFromString(request) && get.namespace_() == "logs") ||
                       (del.ParseFromString(request) && del.namespace_() == "logs") ||
                       (cas.ParseFromString(request) && cas.namespace_() == "logs") ||
                       (scan.ParseFromString(request) && scan.namespace_() == "logs");
    if (named) return NoSuchNamespace("logs");
    return net::InvalidRequest("another namespace");
  });
  const auto client = ClientOf({store.address()});
  for (const Error& error : {std::get<Error>(client->Get("k", {.ns = "logs"})),
                             std::get<Error>(client->Cas("k", "v", 0, {.ns = "logs"})),
                             std::get<Error>(client->CasDelete("k", 1, {.ns = "logs"})),
                             std::get<Error>(client->Put("k", "v", {.ns = "logs"})),
                             std::get<Error>(client->ScanPrefix("k", {.ns = "logs"}))}) {
    EXPECT_EQ(error.kind, Error::kNotFound);
    EXPECT_THAT(error.message, HasSubstr("\"logs\""));
  }
}

TEST(Client, APrefixEndsWhereNoKeyCanBeginWithIt) {
  ScriptedStore store([](auto&...) { return kvrpc::ScanResponse().SerializeAsString(); });
  const auto client = ClientOf({store.address()});
  for (const char* prefix : {"a", "a\xff", "a\xff\xff", "\xff", "\xff\xff", ""}) {
    EXPECT_TRUE(std::holds_alternative<Page>(client->ScanPrefix(prefix)));
  }
  std::vector<std::pair<std::string, std::string>> ranges;
  for (const std::string& bytes : store.requests()) {
    kvrpc::ScanRequest request;
    EXPECT_TRUE(request.ParseFromString(bytes));
    ranges.emplace_back(request.start_key(), request.end_key());
  }
  EXPECT_THAT(ranges,
              ElementsAre(std::pair("a", "b"), std::pair("a\xff", "b"), std::pair("a\xff\xff", "b"),
                          std::pair("\xff", ""), std::pair("\xff\xff", ""), std::pair("", "")));
}

TEST(Client, ThreadsShareAConnectionAndCountTheirWrites) {
  ScriptedStore store([](auto&...) { return Wrote(1); });
  const auto client = ClientOf({store.address()});
  constexpr int kThreads = 8;
  constexpr int kWrites = 50;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < kWrites; ++k) EXPECT_EQ(client->Cas("k", "v", 0).index(), 0u);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store.connections(), 1u);
  std::set<uint64_t> seqs;
  for (const std::string& request : store.requests()) seqs.insert(IdOf(request).seq);
  EXPECT_EQ(seqs.size(), size_t{kThreads * kWrites});
}

TEST(Client, AThreadThatWaitsHoldsUpNoOther) {
  ScriptedStore store([](const std::string& method, const std::string&) -> Answer {
    if (method == "Scan") return Silence();
    return Found("v", 1);
  });
  const auto client = ClientOf({store.address()}, Duration::Milliseconds(600));
  std::atomic<bool> scanned = false;
  std::thread waiting([&] {
    EXPECT_EQ(std::get<Error>(client->Scan({})).kind, Error::kUnavailable);
    scanned = true;
  });
  while (store.requests().empty()) std::this_thread::yield();
  EXPECT_EQ(client->Get("k").index(), 0u);
  EXPECT_FALSE(scanned);
  waiting.join();
}

TEST(Client, BadEndpointsAreToldByCreate) {
  EXPECT_FALSE(Client::Create({}).ok());
  const auto client = Client::Create({.endpoints = {"127.0.0.1:50051", "nonsense"}});
  EXPECT_THAT(std::string(client.status().message()), HasSubstr("nonsense"));
}

}  // namespace
}  // namespace flaredb::client
