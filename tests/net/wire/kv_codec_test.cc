// SPDX-License-Identifier: Apache-2.0
#include "net/wire/kv_codec.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "core/base/rng.h"
#include "net/wire/error_codec.h"
#include "proto/errorpb.pb.h"
#include "proto/kvrpc.pb.h"

namespace flaredb::net {
namespace {

constexpr store::Identity kSelf{.cluster_id = 77, .store = StoreId(2)};

std::string AddressOf(StoreId store) { return "host" + std::to_string(store.value()) + ":1"; }

errorpb::Error DetailOf(const GrpcStatus& status) {
  errorpb::Error error;
  const std::optional<std::string> detail = FindDetail(status, "errorpb.Error");
  EXPECT_TRUE(detail.has_value());
  EXPECT_TRUE(error.ParseFromString(detail.value_or("")));
  EXPECT_EQ(error.message(), status.message);
  return error;
}

// The refusal of a decoded call.
GrpcStatus Refusal(const DecodedKvCall& call) {
  EXPECT_TRUE(std::holds_alternative<GrpcStatus>(call));
  return std::holds_alternative<GrpcStatus>(call) ? std::get<GrpcStatus>(call) : GrpcStatus();
}

template <typename Message>
Message Parse(const EncodedKvReply& reply) {
  Message message;
  EXPECT_TRUE(std::holds_alternative<std::string>(reply));
  EXPECT_TRUE(message.ParseFromString(std::get<std::string>(reply)));
  return message;
}

TEST(KvCodec, DecodesACompareAndSwapWithAllItsContext) {
  kvrpc::CasRequest in;
  in.set_key("k");
  in.set_value(std::string("\0v", 2));
  in.set_expected_version(3);
  in.set_namespace_("default");
  in.set_return_current(true);
  kvrpc::Context* context = in.mutable_context();
  context->set_cluster_id(77);
  context->set_region_id(9);
  context->mutable_region_epoch()->set_conf_ver(4);
  context->mutable_region_epoch()->set_version(5);
  context->mutable_request_id()->set_client_hi(1);
  context->mutable_request_id()->set_client_lo(2);
  context->mutable_request_id()->set_seq(3);
  context->set_seen_index(6);
  context->set_deadline_ms(1500);

  const DecodedKvCall decoded = DecodeCas(in.SerializeAsString(), kSelf);
  const auto& call = std::get<KvCall>(decoded);
  const kv::CompareAndSwap expected{
      kv::NamespaceId::kDefault, "k", std::string("\0v", 2), kv::Version(3), {{1, 2, 3}, Index(6)}};
  EXPECT_EQ(std::get<kv::CompareAndSwap>(call.request.operation), expected);
  ASSERT_TRUE(call.request.context.has_value());
  EXPECT_EQ(call.request.context->region, RegionId(9));
  EXPECT_EQ(call.request.context->epoch, (RegionEpoch{4, 5}));
  EXPECT_EQ(call.deadline_wish, Duration::Milliseconds(1500));
  EXPECT_TRUE(call.shape.return_current);
}

TEST(KvCodec, ARequestWithoutContextLeavesTheRoutingToTheStore) {
  kvrpc::CasDeleteRequest in;
  in.set_key("k");
  in.set_expected_version(1);
  const DecodedKvCall decoded = DecodeCasDelete(in.SerializeAsString(), kSelf);
  const auto& call = std::get<KvCall>(decoded);
  EXPECT_FALSE(call.request.context.has_value());
  EXPECT_FALSE(call.deadline_wish.has_value());
  const kv::CompareAndDelete expected{kv::NamespaceId::kDefault, "k", kv::Version(1), {}};
  EXPECT_EQ(std::get<kv::CompareAndDelete>(call.request.operation), expected);
}

TEST(KvCodec, RefusesWhatIsNoMessage) {
  const GrpcStatus status = Refusal(DecodeGet("\x0a\xff", kSelf));
  EXPECT_EQ(status.code, absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message.find("kvrpc.GetRequest"), std::string::npos);
  const errorpb::Error error = DetailOf(status);
  EXPECT_EQ(error.outcome(), errorpb::NOT_APPLIED);
  EXPECT_TRUE(error.has_invalid_request());
}

TEST(KvCodec, ANamespaceGoesToTheStoreByItsName) {
  kvrpc::GetRequest in;
  in.set_namespace_("logs");
  DecodedKvCall decoded = DecodeGet(in.SerializeAsString(), kSelf);
  EXPECT_EQ(std::get<KvCall>(decoded).request.namespace_name, "logs");
  EXPECT_EQ(std::get<KvCall>(decoded).shape.ns, "logs");
}

TEST(KvCodec, TheDefaultNamespaceNeedsNoName) {
  kvrpc::GetRequest in;
  for (const char* name : {"", "default"}) {
    in.set_namespace_(name);
    const DecodedKvCall decoded = DecodeGet(in.SerializeAsString(), kSelf);
    EXPECT_EQ(std::get<KvCall>(decoded).request.namespace_name, "");
    EXPECT_EQ(std::get<KvCall>(decoded).shape.ns, "default");
  }
}

TEST(KvCodec, RefusesAnotherCluster) {
  kvrpc::GetRequest in;
  in.mutable_context()->set_cluster_id(78);
  const GrpcStatus status = Refusal(DecodeGet(in.SerializeAsString(), kSelf));
  EXPECT_EQ(status.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(DetailOf(status).cluster_mismatch().actual_cluster_id(), 77u);
}

TEST(KvCodec, RefusesARegionWithoutItsEpoch) {
  kvrpc::GetRequest in;
  in.mutable_context()->set_region_id(1);
  EXPECT_EQ(Refusal(DecodeGet(in.SerializeAsString(), kSelf)).code,
            absl::StatusCode::kInvalidArgument);
}

store::ScanRequest ScanOf(const kvrpc::ScanRequest& in) {
  const DecodedKvCall decoded = DecodeScan(in.SerializeAsString(), kSelf);
  EXPECT_TRUE(std::holds_alternative<KvCall>(decoded));
  return std::get<store::ScanRequest>(std::get<KvCall>(decoded).request.operation);
}

TEST(KvCodec, APrefixBecomesARange) {
  kvrpc::ScanRequest in;
  in.set_prefix("ab");
  EXPECT_EQ(ScanOf(in).begin, "ab");
  EXPECT_EQ(ScanOf(in).end, "ac");
  in.set_prefix("a\xff");
  EXPECT_EQ(ScanOf(in).end, "b");
  in.set_prefix("\xff\xff");
  EXPECT_EQ(ScanOf(in).begin, "\xff\xff");
  EXPECT_EQ(ScanOf(in).end, "");
  in.set_end_key("z");
  EXPECT_EQ(Refusal(DecodeScan(in.SerializeAsString(), kSelf)).code,
            absl::StatusCode::kInvalidArgument);
}

std::string TokenAfter(const std::string& next_key) {
  store::ScanReply page;
  page.page.next_key = next_key;
  const auto response =
      Parse<kvrpc::ScanResponse>(EncodeScan({}, {std::move(page), Index(1)}, AddressOf));
  EXPECT_TRUE(response.more());
  return response.next_page_token();
}

TEST(KvCodec, APageTokenContinuesItsScan) {
  kvrpc::ScanRequest in;
  in.set_start_key("b");
  in.set_end_key("m");
  in.set_page_token(TokenAfter("f"));
  EXPECT_EQ(ScanOf(in).begin, "f");
  EXPECT_EQ(ScanOf(in).end, "m");
}

TEST(KvCodec, RefusesThePageTokenOfAnotherScan) {
  kvrpc::ScanRequest in;
  in.set_start_key("b");
  in.set_end_key("m");
  for (const std::string& token :
       {TokenAfter("a"), TokenAfter("m"), std::string("f"), std::string("\2\4logsf"),
        std::string("\2\7default"), std::string("\1\7defaultf")}) {
    in.set_page_token(token);
    EXPECT_EQ(Refusal(DecodeScan(in.SerializeAsString(), kSelf)).code,
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(KvCodec, TheLastPageHasNoToken) {
  store::ScanReply page;
  page.page.rows = {{"k", "v", kv::Version(4), {}}};
  const auto response =
      Parse<kvrpc::ScanResponse>(EncodeScan({}, {std::move(page), Index(8)}, AddressOf));
  EXPECT_FALSE(response.more());
  EXPECT_EQ(response.next_page_token(), "");
  ASSERT_EQ(response.kvs_size(), 1);
  EXPECT_EQ(response.kvs(0).key(), "k");
  EXPECT_EQ(response.kvs(0).value(), "v");
  EXPECT_EQ(response.kvs(0).version(), 4u);
  EXPECT_EQ(response.applied_index(), 8u);
}

TEST(KvCodec, AMismatchShowsTheValueOnlyIfAsked) {
  const store::Reply reply{kv::WriteReply{kv::WriteResult::kMismatch, kv::Version(5), "current"},
                           Index(3)};
  auto response = Parse<kvrpc::CasResponse>(EncodeCas({}, reply, AddressOf));
  EXPECT_FALSE(response.success());
  EXPECT_EQ(response.current_version(), 5u);
  EXPECT_EQ(response.current_value(), "");
  EXPECT_EQ(response.applied_index(), 3u);
  response = Parse<kvrpc::CasResponse>(EncodeCas({.return_current = true}, reply, AddressOf));
  EXPECT_EQ(response.current_value(), "current");
}

TEST(KvCodec, ALeaderIsToldIfThereIsOneToTell) {
  kvrpc::GetRequest in;
  in.set_key("k");
  EXPECT_FALSE(std::get<KvCall>(DecodeGet(in.SerializeAsString(), kSelf)).shape.want_leader);
  in.mutable_context()->set_want_leader(true);
  EXPECT_TRUE(std::get<KvCall>(DecodeGet(in.SerializeAsString(), kSelf)).shape.want_leader);

  const store::Reply::Elsewhere elsewhere{RegionId(7), StoreId(3)};
  const store::Reply got{store::GetReply(), Index(1), elsewhere};
  const ReplyShape shape{.want_leader = true};
  EXPECT_FALSE(Parse<kvrpc::GetResponse>(EncodeGet({}, got, AddressOf)).has_leader());
  const store::Reply own{store::GetReply(), Index(1)};
  EXPECT_FALSE(Parse<kvrpc::GetResponse>(EncodeGet(shape, own, AddressOf)).has_leader());
  const auto check = [](const auto& response) {
    EXPECT_EQ(response.leader().address(), "host3:1");
    EXPECT_EQ(response.leader().region_id(), 7u);
  };
  check(Parse<kvrpc::GetResponse>(EncodeGet(shape, got, AddressOf)));
  check(Parse<kvrpc::ScanResponse>(EncodeScan(shape, {store::ScanReply(), Index(1), elsewhere}, AddressOf)));
  const store::Reply wrote{kv::WriteReply{kv::WriteResult::kApplied, kv::Version(1), ""}, Index(1),
                           elsewhere};
  check(Parse<kvrpc::CasResponse>(EncodeCas(shape, wrote, AddressOf)));
  check(Parse<kvrpc::CasDeleteResponse>(EncodeCasDelete(shape, wrote, AddressOf)));
}

TEST(KvCodec, AForgottenRequestIsAnErrorOfUnknownOutcome) {
  const store::Reply reply{kv::WriteReply{kv::WriteResult::kForgotten, {}, ""}, Index(3)};
  const auto encoded = EncodeCas({}, reply, AddressOf);
  const GrpcStatus& status = std::get<GrpcStatus>(encoded);
  EXPECT_EQ(status.code, absl::StatusCode::kUnknown);
  EXPECT_EQ(DetailOf(status).outcome(), errorpb::UNKNOWN);
  EXPECT_TRUE(DetailOf(status).has_request_forgotten());
}

TEST(KvCodec, AForgottenRequestThatWasNotAppliedTellsWithWhichIndexToAskAgain) {
  store::Error error;
  error.code = store::ErrorCode::kForgotten;
  error.outcome = store::Outcome::kNotApplied;
  const auto encoded = EncodeCas({}, {error, Index(31)}, AddressOf);
  const GrpcStatus& status = std::get<GrpcStatus>(encoded);
  EXPECT_EQ(status.code, absl::StatusCode::kAborted);
  EXPECT_EQ(DetailOf(status).outcome(), errorpb::NOT_APPLIED);
  EXPECT_EQ(DetailOf(status).request_forgotten().applied_index(), 31u);
}

TEST(KvCodec, AnOvertakenRequestTellsWithWhichIndexToAskAgain) {
  const store::Reply reply{kv::WriteReply{kv::WriteResult::kOvertaken, {}, ""}, Index(31)};
  const auto encoded = EncodeCasDelete({}, reply, AddressOf);
  const GrpcStatus& status = std::get<GrpcStatus>(encoded);
  EXPECT_EQ(status.code, absl::StatusCode::kAborted);
  EXPECT_EQ(DetailOf(status).outcome(), errorpb::NOT_APPLIED);
  EXPECT_EQ(DetailOf(status).request_overtaken().applied_index(), 31u);
}

TEST(KvCodec, AReplyOfAnotherKindIsNoCrash) {
  const auto encoded = EncodeGet({}, {kv::WriteReply{}, Index(1)}, AddressOf);
  EXPECT_EQ(std::get<GrpcStatus>(encoded).code, absl::StatusCode::kUnknown);
}

struct ErrorCase {
  store::ErrorCode code;
  absl::StatusCode status;
  errorpb::Error::KindCase kind;
};

// MULTIRAFT section 3.1: which gRPC code goes with which kind.
TEST(ErrorCodec, MapsEveryErrorToItsCodeAndKind) {
  using store::ErrorCode;
  const ErrorCase cases[] = {
      {ErrorCode::kNotLeader, absl::StatusCode::kUnavailable, errorpb::Error::kNotLeader},
      {ErrorCode::kEpochNotMatch, absl::StatusCode::kFailedPrecondition,
       errorpb::Error::kEpochNotMatch},
      {ErrorCode::kRegionNotFound, absl::StatusCode::kFailedPrecondition,
       errorpb::Error::kRegionNotFound},
      {ErrorCode::kKeyNotInRegion, absl::StatusCode::kFailedPrecondition,
       errorpb::Error::kKeyNotInRegion},
      {ErrorCode::kReadNotReady, absl::StatusCode::kUnavailable, errorpb::Error::kReadNotReady},
      {ErrorCode::kServerIsBusy, absl::StatusCode::kResourceExhausted,
       errorpb::Error::kServerIsBusy},
      {ErrorCode::kStaleCommand, absl::StatusCode::kUnknown, errorpb::Error::kStaleCommand},
      {ErrorCode::kDeadlineExceeded, absl::StatusCode::kDeadlineExceeded,
       errorpb::Error::kDeadlineExceeded},
      {ErrorCode::kForgotten, absl::StatusCode::kAborted, errorpb::Error::kRequestForgotten},
      {ErrorCode::kInvalidArgument, absl::StatusCode::kInvalidArgument,
       errorpb::Error::kInvalidRequest},
      {ErrorCode::kNamespaceMode, absl::StatusCode::kFailedPrecondition,
       errorpb::Error::kNamespaceModeMismatch},
      {ErrorCode::kStoreFailed, absl::StatusCode::kUnavailable, errorpb::Error::kStoreFailed},
      {ErrorCode::kNamespaceNotFound, absl::StatusCode::kNotFound,
       errorpb::Error::kNamespaceNotFound},
      {ErrorCode::kNotAccepting, absl::StatusCode::kUnavailable, errorpb::Error::kNotAccepting},
  };
  for (const ErrorCase& c : cases) {
    store::Error error;
    error.code = c.code;
    error.message = "text";
    error.namespace_mode.emplace();
    const GrpcStatus status = StatusOf(error, Index(7), AddressOf);
    EXPECT_EQ(status.code, c.status) << static_cast<int>(c.code);
    EXPECT_EQ(DetailOf(status).kind_case(), c.kind);
    EXPECT_EQ(DetailOf(status).outcome(), errorpb::NOT_APPLIED);
  }
}

TEST(ErrorCodec, UnavailableNeverHidesAnUnknownOutcome) {
  for (auto code = store::ErrorCode::kNotLeader; code <= store::ErrorCode::kNotAccepting;
       code = static_cast<store::ErrorCode>(static_cast<int>(code) + 1)) {
    store::Error error;
    error.code = code;
    error.outcome = store::Outcome::kUnknown;
    error.namespace_mode.emplace();
    const GrpcStatus status = StatusOf(error, Index(7), AddressOf);
    EXPECT_NE(status.code, absl::StatusCode::kUnavailable);
    EXPECT_EQ(DetailOf(status).outcome(), errorpb::UNKNOWN);
  }
}

TEST(ErrorCodec, NotLeaderTellsWhereTheLeaderIs) {
  store::Error error;
  error.code = store::ErrorCode::kNotLeader;
  error.region_id = RegionId(6);
  error.leader = StoreId(3);
  const errorpb::Error detail = DetailOf(StatusOf(error, Index(7), AddressOf));
  EXPECT_EQ(detail.not_leader().region_id(), 6u);
  EXPECT_EQ(detail.not_leader().leader().store_id(), 3u);
  EXPECT_EQ(detail.not_leader().leader_address(), "host3:1");
}

TEST(ErrorCodec, AWrongModeTellsBothModes) {
  store::Error error;
  error.code = store::ErrorCode::kNamespaceMode;
  error.namespace_mode = store::NamespaceMode{kv::Mode::kEventual, kv::ModeEpoch(5), false};
  errorpb::Error detail = DetailOf(StatusOf(error, Index(7), AddressOf));
  EXPECT_EQ(detail.namespace_mode_mismatch().required_mode(), "strong");
  EXPECT_EQ(detail.namespace_mode_mismatch().actual_mode(), "eventual");
  EXPECT_EQ(detail.namespace_mode_mismatch().mode_epoch(), 5u);
  error.namespace_mode->mode = kv::Mode::kStrong;
  detail = DetailOf(StatusOf(error, Index(7), AddressOf));
  EXPECT_EQ(detail.namespace_mode_mismatch().required_mode(), "eventual");
  EXPECT_EQ(detail.namespace_mode_mismatch().actual_mode(), "strong");
}

// Unlike a mismatch it passes.
TEST(ErrorCodec, AModeThatChangesTellsFromWhereToWhereAndWhenToAskAgain) {
  store::Error error;
  error.code = store::ErrorCode::kNamespaceMode;
  error.namespace_mode = store::NamespaceMode{kv::Mode::kEventual, kv::ModeEpoch(5), true};
  const GrpcStatus status = StatusOf(error, Index(7), AddressOf);
  EXPECT_EQ(status.code, absl::StatusCode::kAborted);
  const errorpb::Error detail = DetailOf(status);
  EXPECT_EQ(detail.outcome(), errorpb::NOT_APPLIED);
  EXPECT_EQ(detail.namespace_mode_changing().from(), "eventual");
  EXPECT_EQ(detail.namespace_mode_changing().to(), "strong");
  EXPECT_EQ(detail.namespace_mode_changing().mode_epoch(), 5u);
  EXPECT_GT(detail.namespace_mode_changing().retry_after_ms(), 0u);
}

TEST(KvCodec, RandomBytesNeverCrash) {
  Rng rng(1);
  uint64_t decoded = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(rng.Below(40), '\0');
    for (char& c : bytes) c = static_cast<char>(rng.Next());
    for (auto* decode : {DecodeCas, DecodeCasDelete, DecodeGet, DecodeScan}) {
      decoded += std::holds_alternative<KvCall>(decode(bytes, kSelf)) ? 1 : 0;
    }
  }
  EXPECT_GT(decoded, 0u);
}

}  // namespace
}  // namespace flaredb::net
