// SPDX-License-Identifier: Apache-2.0
#include "net/access/door.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "net/event_loop.h"
#include "net/grpc_client.h"
#include "net/system_clock.h"
#include "proto/errorpb.pb.h"
#include "proto/kvrpc.pb.h"
#include "proto/modes.pb.h"
#include "proto/pdpb.pb.h"
#include "proto/raftpb.pb.h"

namespace flaredb::net {
namespace {

using absl::StatusCode;

std::vector<const google::protobuf::MethodDescriptor*> AllMethods() {
  std::vector<const google::protobuf::MethodDescriptor*> methods;
  for (const auto* message :
       {kvrpc::GetRequest::descriptor(), raftpb::RaftBatch::descriptor(),
        pdpb::GetClusterRequest::descriptor(), grpc::health::v1::HealthCheckRequest::descriptor(),
        grpc::reflection::v1::ServerReflectionRequest::descriptor(),
        grpc::reflection::v1alpha::ServerReflectionRequest::descriptor()}) {
    for (int s = 0; s < message->file()->service_count(); ++s) {
      const auto* service = message->file()->service(s);
      for (int m = 0; m < service->method_count(); ++m) methods.push_back(service->method(m));
    }
  }
  return methods;
}

std::string PathOf(const google::protobuf::MethodDescriptor& method) {
  return "/" + method.service()->full_name() + "/" + method.name();
}

const DoorEntry* EntryOf(const std::string& method) {
  for (const DoorEntry& entry : DoorEntries()) {
    if (entry.method == method) return &entry;
  }
  return nullptr;
}

// A method that is added to a service has to be judged.
TEST(DoorEntries, AreOneForEachMethodOfTheServices) {
  std::set<std::string> methods;
  for (const auto* method : AllMethods()) methods.insert(PathOf(*method));
  std::set<std::string> entries;
  for (const DoorEntry& entry : DoorEntries()) entries.insert(std::string(entry.method));
  EXPECT_EQ(entries, methods);
  EXPECT_EQ(DoorEntries().size(), entries.size());
}

TEST(DoorEntries, KnowTheNamespaceOfWhateverIsNotForOperators) {
  for (const auto* method : AllMethods()) {
    const DoorEntry* const entry = EntryOf(PathOf(*method));
    ASSERT_NE(entry, nullptr);
    const bool about_one = entry->right == Right::kSee || entry->right == Right::kRead ||
                           entry->right == Right::kWrite;
    EXPECT_EQ(entry->target_of != nullptr, about_one) << entry->method;
    const bool names_one = method->input_type()->FindFieldByName("namespace") != nullptr;
    EXPECT_EQ(about_one, names_one && entry->right != Right::kAdmin) << entry->method;
  }
}

constexpr char kTokens[] = R"(
[[token]]
name = "reader"
sha256 = "3d0941964aa3ebdcb00ccef58b1bb399f9f898465e9886d5aec7f31090a0fb30"
read = ["logs", "default"]

[[token]]
name = "writer"
sha256 = "b93006774cbdd4b299389a03ac3d88c3a76b460d538795bc12718011a909fba5"
write = ["logs"]

[[token]]
name = "both"
sha256 = "ff7772053abf7d817d6eec229a09e14f0d1552f1cb0aeedb2ac73784ac2d2e39"
read = ["*"]
write = ["*"]

[[token]]
name = "operator"
sha256 = "06e55b633481f7bb072957eabcf110c972e86691c3cfedabe088024bffe42f23"
admin = true
)";

// A server with all methods behind a door; they answer with what they were asked.
class DoorTest : public ::testing::Test {
 protected:
  void Open(bool want_certificates, std::optional<std::string> tokens) {
    std::optional<TokenTable> table;
    if (tokens.has_value()) {
      auto parsed = TokenTable::Parse("tokens", *tokens);
      ASSERT_TRUE(parsed.ok()) << parsed.status();
      table = *std::move(parsed);
    }
    door_.emplace(loop_.get(), want_certificates, std::move(table));
    GrpcServerOptions options;
    options.judge_of = [this](const std::string& method) { return door_->JudgeOf(method); };
    server_ = std::make_unique<GrpcServer>(loop_.get(), options);
    for (const auto* method : AllMethods()) {
      if (method->client_streaming()) {
        server_->RegisterStream(PathOf(*method), [](ServerStream stream) {
          stream.Finish({StatusCode::kAborted, "let in"});
          return nullptr;
        });
      } else {
        server_->RegisterUnary(PathOf(*method),
                               [](UnaryCall call, std::string_view) { call.Reply(""); });
      }
    }
    const auto port = server_->Listen("127.0.0.1:0");
    ASSERT_TRUE(port.ok());
    channel_ = std::make_unique<GrpcChannel>(loop_.get(), "127.0.0.1:" + std::to_string(*port),
                                             GrpcChannelOptions());
  }
  ~DoorTest() override {
    channel_.reset();
    server_.reset();
  }

  // With the header as it is.
  GrpcStatus CallWith(const std::string& authorization, const std::string& method,
                      const std::string& request) {
    CallOptions options;
    if (!authorization.empty()) options.metadata = {{"authorization", authorization}};
    std::optional<GrpcStatus> status;
    channel_->Unary(method, request, options,
                    [&status](UnaryResult result) { status = result.status; });
    const Instant deadline = MonotonicNow() + Duration::Seconds(10);
    while (!status && MonotonicNow() < deadline) loop_->RunOnce(deadline);
    EXPECT_TRUE(status.has_value()) << method;
    return status.value_or(GrpcStatus(StatusCode::kInternal, "no answer"));
  }
  GrpcStatus Call(const std::string& token, const std::string& method, const std::string& request) {
    return CallWith(token.empty() ? "" : "Bearer " + token, method, request);
  }

  template <typename Request>
  static std::string In(const std::string& ns) {
    Request request;
    request.set_namespace_(ns);
    return request.SerializeAsString();
  }

  static errorpb::Error DetailOf(const GrpcStatus& status) {
    errorpb::Error error;
    error.ParseFromString(FindDetail(status, "errorpb.Error").value_or(""));
    EXPECT_EQ(error.outcome(), errorpb::NOT_APPLIED) << status;
    EXPECT_EQ(error.message(), status.message);
    return error;
  }
  // The right that is missing; empty: the call was let in.
  std::string Missing(const std::string& token, const std::string& method,
                      const std::string& request) {
    const GrpcStatus status = Call(token, method, request);
    if (status.ok()) return "";
    EXPECT_EQ(status.code, StatusCode::kPermissionDenied) << status;
    return DetailOf(status).permission_denied().right();
  }

  const std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::optional<Door> door_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<GrpcChannel> channel_;
};

TEST_F(DoorTest, WithoutTokensAndCertificatesEverybodyMayDoEverything) {
  Open(false, std::nullopt);
  for (const auto* method : AllMethods()) {
    const GrpcStatus status = Call("", PathOf(*method), "");
    if (method->client_streaming()) {
      EXPECT_EQ(status.message, "let in") << PathOf(*method);
    } else {
      EXPECT_TRUE(status.ok()) << PathOf(*method) << status;
    }
  }
}

TEST_F(DoorTest, WhereCertificatesCountStoresAloneMayDoWhatStoresDo) {
  Open(true, std::nullopt);
  for (const auto* method : AllMethods()) {
    const GrpcStatus status = Call("", PathOf(*method), "");
    const bool for_stores = EntryOf(PathOf(*method))->right == Right::kStore;
    EXPECT_EQ(status.code == StatusCode::kPermissionDenied, for_stores) << PathOf(*method);
    if (!for_stores) continue;
    EXPECT_EQ(DetailOf(status).permission_denied().right(), "store");
  }
}

TEST_F(DoorTest, NoTokenMakesAStore) {
  Open(true, kTokens);
  for (const char* token : {"", "reader", "both", "operator"}) {
    for (const char* method :
         {"/raftpb.RaftService/Batch", "/pdpb.Pd/PutStore", "/pdpb.Pd/AllocateIds"}) {
      EXPECT_EQ(Missing(token, method, ""), "store");
    }
  }
}

TEST_F(DoorTest, WithoutATokenOnlyHealthAndReflectionAreServed) {
  Open(true, kTokens);
  for (const auto* method : AllMethods()) {
    const Right right = EntryOf(PathOf(*method))->right;
    if (right == Right::kStore) continue;
    for (const char* header : {"", "Bearer", "Bearer nobody", "Basic reader", "reader"}) {
      const GrpcStatus status = CallWith(header, PathOf(*method), "");
      EXPECT_EQ(status.code == StatusCode::kUnauthenticated, right != Right::kOpen)
          << PathOf(*method) << " " << header << " " << status;
      if (right == Right::kOpen) continue;
      EXPECT_TRUE(DetailOf(status).has_unauthenticated());
      EXPECT_EQ(status.message.find("nobody"), std::string::npos) << "a token was told";
    }
  }
}

TEST_F(DoorTest, ATokenMayDoWhatItsEntrySays) {
  Open(true, kTokens);
  const std::string cas = "/kvrpc.KvCas/CompareAndSwap";
  const std::string get = "/kvrpc.KvCas/Get";
  EXPECT_EQ(Missing("reader", get, In<kvrpc::GetRequest>("logs")), "");
  EXPECT_EQ(Missing("reader", get, In<kvrpc::GetRequest>("")), "");  // "default".
  EXPECT_EQ(Missing("reader", get, In<kvrpc::GetRequest>("log")), "read");
  EXPECT_EQ(Missing("reader", "/kvrpc.KvCas/Scan", In<kvrpc::ScanRequest>("users")), "read");
  EXPECT_EQ(Missing("reader", "/kvrpc.KvRaw/RawGet", In<kvrpc::RawGetRequest>("logs")), "");
  EXPECT_EQ(Missing("reader", "/kvrpc.KvRaw/RawGet", In<kvrpc::RawGetRequest>("u")), "read");
  EXPECT_EQ(Missing("reader", "/kvrpc.KvRaw/RawScan", In<kvrpc::RawScanRequest>("u")), "read");
  EXPECT_EQ(Missing("reader", cas, In<kvrpc::CasRequest>("logs")), "write");
  EXPECT_EQ(Missing("reader", "/kvrpc.KvCas/CompareAndDelete", In<kvrpc::CasDeleteRequest>("logs")),
            "write");
  EXPECT_EQ(Missing("reader", "/kvrpc.KvRaw/RawPut", In<kvrpc::RawPutRequest>("logs")), "write");
  EXPECT_EQ(Missing("reader", "/kvrpc.KvRaw/RawDelete", In<kvrpc::RawDeleteRequest>("logs")),
            "write");

  EXPECT_EQ(Missing("writer", cas, In<kvrpc::CasRequest>("logs")), "");
  EXPECT_EQ(Missing("writer", cas, In<kvrpc::CasRequest>("")), "write");
  EXPECT_EQ(Missing("writer", get, In<kvrpc::GetRequest>("logs")), "read");
  EXPECT_EQ(Missing("writer", "/kvrpc.KvRaw/RawPut", In<kvrpc::RawPutRequest>("logs")), "");

  EXPECT_EQ(Missing("operator", get, In<kvrpc::GetRequest>("logs")), "read");
  EXPECT_EQ(Missing("operator", cas, In<kvrpc::CasRequest>("logs")), "write");
}

// A mismatch may be answered with the value.
TEST_F(DoorTest, AWriteThatAsksForTheValueIsARead) {
  Open(true, kTokens);
  kvrpc::CasRequest request;
  request.set_namespace_("logs");
  request.set_return_current(true);
  const std::string cas = "/kvrpc.KvCas/CompareAndSwap";
  EXPECT_EQ(Missing("writer", cas, request.SerializeAsString()), "read");
  EXPECT_EQ(Missing("both", cas, request.SerializeAsString()), "");
}

TEST_F(DoorTest, OperatorsAloneLookAfterTheCluster) {
  Open(true, kTokens);
  for (const DoorEntry& entry : DoorEntries()) {
    if (entry.right != Right::kAdmin) continue;
    const std::string method(entry.method);
    EXPECT_EQ(Missing("both", method, ""), "admin") << method;
    EXPECT_EQ(Missing("operator", method, ""), "") << method;
  }
}

TEST_F(DoorTest, WhoeverMayUseANamespaceMaySeeItsMode) {
  Open(true, kTokens);
  const std::string get_mode = "/raftpb.RaftService/GetMode";
  for (const char* token : {"reader", "writer", "both", "operator"}) {
    EXPECT_EQ(Missing(token, get_mode, In<raftpb::GetModeRequest>("logs")), "") << token;
  }
  EXPECT_EQ(Missing("reader", get_mode, In<raftpb::GetModeRequest>("users")), "read");
}

TEST_F(DoorTest, ARefusalNamesTheTokenTheNamespaceAndTheRight) {
  Open(true, kTokens);
  const GrpcStatus status =
      Call("reader", "/kvrpc.KvRaw/RawPut", In<kvrpc::RawPutRequest>("l\"ogs"));
  EXPECT_EQ(status.message,
            "token \"reader\" may not write namespace \"l\\\"ogs\": in the tokens file its "
            "\"write\" would need that name");
  const errorpb::PermissionDenied denied = DetailOf(status).permission_denied();
  EXPECT_EQ(denied.token(), "reader");
  EXPECT_EQ(denied.namespace_(), "l\"ogs");
}

// Of several fields the parser takes the last, and so does the door.
TEST_F(DoorTest, ARequestThatNamesTwoNamespacesIsAboutTheLast) {
  Open(true, kTokens);
  const std::string logs = In<kvrpc::GetRequest>("logs");
  const std::string users = In<kvrpc::GetRequest>("users");
  EXPECT_EQ(Missing("reader", "/kvrpc.KvCas/Get", users + logs), "");
  EXPECT_EQ(Missing("reader", "/kvrpc.KvCas/Get", logs + users), "read");
}

TEST_F(DoorTest, WhatIsNoRequestAndWhatIsNoNameIsInvalid) {
  Open(true, kTokens);
  for (const std::string& request :
       {std::string("\xff\xff"), In<kvrpc::GetRequest>(std::string(256, 'n')),
        In<kvrpc::GetRequest>("a/b"), In<kvrpc::GetRequest>(std::string("a\0b", 3))}) {
    const GrpcStatus status = Call("both", "/kvrpc.KvCas/Get", request);
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument) << status;
    EXPECT_TRUE(DetailOf(status).has_invalid_request());
  }
}

TEST_F(DoorTest, NewTokensCountForConnectionsThatAreOpen) {
  Open(true, kTokens);
  const std::string get = In<kvrpc::GetRequest>("logs");
  EXPECT_EQ(Missing("reader", "/kvrpc.KvCas/Get", get), "");
  const std::string tokens = kTokens;
  const size_t second = tokens.find("[[token]]", 10);
  auto others = TokenTable::Parse("tokens", tokens.substr(second));
  ASSERT_TRUE(others.ok());
  door_->SetTokens(*std::move(others));
  EXPECT_EQ(Call("reader", "/kvrpc.KvCas/Get", get).code, StatusCode::kUnauthenticated);
  EXPECT_EQ(Missing("both", "/kvrpc.KvCas/Get", get), "");
}

// The first word's case does not matter (RFC 9110 11.1), nor how many spaces follow it (RFC 6750).
TEST_F(DoorTest, TheSchemeIsTakenHoweverItIsWritten) {
  Open(true, kTokens);
  for (const char* header : {"Bearer reader", "bearer reader", "BEARER  reader"}) {
    EXPECT_TRUE(CallWith(header, "/kvrpc.KvCas/Get", In<kvrpc::GetRequest>("logs")).ok()) << header;
  }
}

}  // namespace
}  // namespace flaredb::net
