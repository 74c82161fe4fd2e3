// SPDX-License-Identifier: Apache-2.0
// The client on namespaces in eventual mode, with stores that answer as is needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "net/client/client.h"
#include "net/wire/error_codec.h"
#include "proto/kvrpc.pb.h"
#include "tests/net/client/scripted_store.h"

namespace flaredb::client {
namespace {

using net::GrpcStatus;
using testing::HasSubstr;

std::unique_ptr<Client> ClientOf(std::vector<std::string> endpoints,
                                 Duration timeout = Duration::Seconds(20)) {
  return Client::Create({.endpoints = std::move(endpoints), .timeout = timeout}).value();
}

std::string AcceptedAt(uint64_t hlc) {
  kvrpc::RawPutResponse reply;
  reply.set_success(true);
  reply.set_hlc(hlc);
  return reply.SerializeAsString();
}

GrpcStatus StoreError(store::ErrorCode code, store::Outcome outcome) {
  store::Error error;
  error.code = code;
  error.outcome = outcome;
  error.message = "for the test";
  if (code == store::ErrorCode::kNamespaceMode) error.namespace_mode.emplace();
  return net::StatusOf(error, Index(), [](StoreId) { return std::string(); });
}

TEST(RawClient, APutGoesOutAsItWasGiven) {
  ScriptedStore store([](auto&...) { return AcceptedAt(7); });
  const RawResult result = ClientOf({store.address()})->RawPut("k", "v", {.ns = "logs"});
  EXPECT_EQ(std::get<Accepted>(result).hlc, 7u);
  kvrpc::RawPutRequest request;
  ASSERT_TRUE(request.ParseFromString(store.requests().at(0)));
  EXPECT_EQ(request.key(), "k");
  EXPECT_EQ(request.value(), "v");
  EXPECT_EQ(request.namespace_(), "logs");
}

TEST(RawClient, ADeleteHasNoValueAndItsTimeInAFieldOfItsOwn) {
  ScriptedStore store([](const std::string& method, auto&) {
    EXPECT_EQ(method, "RawDelete");
    kvrpc::RawDeleteResponse reply;
    reply.set_success(true);
    reply.set_hlc(9);
    return reply.SerializeAsString();
  });
  const RawResult result = ClientOf({store.address()})->RawDelete("k");
  EXPECT_EQ(std::get<Accepted>(result).hlc, 9u);
}

TEST(RawClient, AWriteThatWasNotAcceptedIsMadeElsewhere) {
  ScriptedStore busy([](auto&...) {
    return StoreError(store::ErrorCode::kServerIsBusy, store::Outcome::kNotApplied);
  });
  ScriptedStore other([](auto&...) { return AcceptedAt(7); });
  const auto client = ClientOf({busy.address(), other.address()});
  EXPECT_TRUE(std::holds_alternative<Accepted>(client->RawPut("k", "v")));
  EXPECT_EQ(busy.requests().size(), 1u);
  EXPECT_EQ(other.requests().size(), 1u);
}

// A second attempt would be a second write, later than what others wrote since.
TEST(RawClient, AWriteThatMayHaveBeenAcceptedIsNotMadeAgain) {
  ScriptedStore store([](auto&...) {
    return StoreError(store::ErrorCode::kStoreFailed, store::Outcome::kUnknown);
  });
  ScriptedStore other([](auto&...) { return AcceptedAt(7); });
  const auto client = ClientOf({store.address(), other.address()});
  const RawResult result = client->RawPut("k", "v");
  ASSERT_TRUE(std::holds_alternative<Unknown>(result));
  EXPECT_EQ(std::get<Unknown>(result).id, WriteId());
  EXPECT_THAT(std::get<Unknown>(result).message, HasSubstr("may have taken effect"));
  EXPECT_EQ(other.requests().size(), 0u);
}

TEST(RawClient, SilenceLeavesTheOutcomeOfAWriteOpen) {
  ScriptedStore store([](auto&...) { return Silence(); });
  const auto client = ClientOf({store.address()}, Duration::Milliseconds(150));
  EXPECT_TRUE(std::holds_alternative<Unknown>(client->RawDelete("k")));
  EXPECT_EQ(store.requests().size(), 1u);
}

TEST(RawClient, AReadIsMadeAgainAfterAnything) {
  int calls = 0;
  ScriptedStore store([&](auto&...) -> Answer {
    if (++calls == 1) return StoreError(store::ErrorCode::kStoreFailed, store::Outcome::kUnknown);
    kvrpc::RawGetResponse reply;
    reply.set_found(true);
    reply.set_value("v");
    reply.set_hlc(4);
    return reply.SerializeAsString();
  });
  const auto got = ClientOf({store.address()})->RawGet("k");
  ASSERT_TRUE(std::holds_alternative<std::optional<RawValue>>(got));
  EXPECT_EQ(std::get<0>(got), (RawValue{"v", 4}));
}

TEST(RawClient, ANamespaceOfTheOtherModeIsRefusedAtOnce) {
  ScriptedStore store([](auto&...) {
    return StoreError(store::ErrorCode::kNamespaceMode, store::Outcome::kNotApplied);
  });
  const auto client = ClientOf({store.address()});
  const RawResult put = client->RawPut("k", "v");
  EXPECT_EQ(std::get<Error>(put).kind, Error::kRefused);
  const auto got = client->RawGet("k");
  EXPECT_EQ(std::get<Error>(got).kind, Error::kRefused);
  EXPECT_EQ(store.requests().size(), 2u);
}

TEST(RawClient, ANamespaceThatDoesNotExistIsNotFound) {
  ScriptedStore store([](auto&...) {
    return StoreError(store::ErrorCode::kNamespaceNotFound, store::Outcome::kNotApplied);
  });
  const auto got = ClientOf({store.address()})->RawGet("k");
  EXPECT_EQ(std::get<Error>(got).kind, Error::kNotFound);
}

TEST(RawClient, AScanHasPages) {
  ScriptedStore store([](auto&, const std::string& bytes) {
    kvrpc::RawScanRequest request;
    EXPECT_TRUE(request.ParseFromString(bytes));
    EXPECT_EQ(request.start_key(), "a");
    EXPECT_EQ(request.end_key(), "b");
    EXPECT_EQ(request.limit(), 5u);
    EXPECT_EQ(request.page_token(), "token");
    kvrpc::RawScanResponse reply;
    kvrpc::RawKv* row = reply.add_kvs();
    row->set_key("a1");
    row->set_value("v");
    row->set_hlc(3);
    reply.set_next_page_token("next");
    return reply.SerializeAsString();
  });
  const auto got =
      ClientOf({store.address()})->RawScanPrefix("a", {.limit = 5, .page_token = "token"});
  ASSERT_TRUE(std::holds_alternative<RawPage>(got));
  const auto& page = std::get<RawPage>(got);
  EXPECT_THAT(page.rows, testing::ElementsAre(RawRow{"a1", "v", 3}));
  EXPECT_EQ(page.next_page_token, "next");
}

TEST(RawClient, AReplyThatIsNoneLeavesTheOutcomeOfAWriteOpen) {
  ScriptedStore store([](auto&...) { return std::string("\xff"); });
  EXPECT_TRUE(std::holds_alternative<Unknown>(ClientOf({store.address()})->RawPut("k", "v")));
}

}  // namespace
}  // namespace flaredb::client
