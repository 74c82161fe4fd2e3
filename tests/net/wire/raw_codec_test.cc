// SPDX-License-Identifier: Apache-2.0
#include "net/wire/raw_codec.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "core/base/rng.h"
#include "proto/errorpb.pb.h"
#include "proto/kvrpc.pb.h"

namespace flaredb::net {
namespace {

constexpr store::Identity kSelf{.cluster_id = 77, .store = StoreId(2)};
constexpr kv::Hlc kTime{(uint64_t{1700000000000} << 16) + 3};

std::string AddressOf(StoreId) { return ""; }

// The operation of a call that must not be refused.
template <typename Operation>
Operation Decoded(const DecodedKvCall& decoded) {
  if (const auto* status = std::get_if<GrpcStatus>(&decoded)) {
    ADD_FAILURE() << *status;
    return {};
  }
  return std::get<Operation>(std::get<KvCall>(decoded).request.operation);
}

template <typename T>
errorpb::Error Refusal(const T& decoded) {
  errorpb::Error error;
  const auto* status = std::get_if<GrpcStatus>(&decoded);
  EXPECT_NE(status, nullptr);
  if (status == nullptr) return error;
  EXPECT_TRUE(error.ParseFromString(FindDetail(*status, "errorpb.Error").value_or("?")));
  EXPECT_EQ(error.outcome(), errorpb::NOT_APPLIED);
  return error;
}

template <typename Message>
Message Parsed(const EncodedKvReply& reply) {
  Message message;
  EXPECT_TRUE(std::holds_alternative<std::string>(reply));
  if (std::holds_alternative<std::string>(reply)) {
    EXPECT_TRUE(message.ParseFromString(std::get<std::string>(reply)));
  }
  return message;
}

TEST(RawCodec, APutIsAWriteWithAValueAndADeleteIsOneWithout) {
  kvrpc::RawPutRequest put;
  put.set_key("k");
  put.set_value(std::string("\0v", 2));
  put.set_namespace_("default");
  const auto write = Decoded<store::RawWriteRequest>(DecodeRawPut(put.SerializeAsString(), kSelf));
  EXPECT_EQ(write.ns, kv::NamespaceId::kDefault);
  EXPECT_EQ(write.key, "k");
  EXPECT_EQ(write.value, std::string("\0v", 2));

  put.clear_value();
  EXPECT_EQ(Decoded<store::RawWriteRequest>(DecodeRawPut(put.SerializeAsString(), kSelf)).value,
            std::string());

  kvrpc::RawDeleteRequest removal;
  removal.set_key("k");
  const auto gone =
      Decoded<store::RawWriteRequest>(DecodeRawDelete(removal.SerializeAsString(), kSelf));
  EXPECT_EQ(gone.key, "k");
  EXPECT_EQ(gone.value, std::nullopt);
}

// The numbers that other programs rely on.
TEST(RawCodec, ADeleteHasTheKeyInField1AndTheNamespaceInField2) {
  const std::string bytes =
      "\x0a\x01k\x12\x07"
      "default";
  EXPECT_EQ(Decoded<store::RawWriteRequest>(DecodeRawDelete(bytes, kSelf)).key, "k");
  const auto reply = EncodeRawDelete({}, {store::AcceptedReply{kTime}, Index()}, AddressOf);
  EXPECT_EQ(std::get<std::string>(reply).substr(0, 2), "\x08\x01");
}

TEST(RawCodec, ReadsAreForEventualNamespaces) {
  kvrpc::RawGetRequest get;
  get.set_key("k");
  EXPECT_EQ(Decoded<store::GetRequest>(DecodeRawGet(get.SerializeAsString(), kSelf)).mode,
            kv::Mode::kEventual);
  kvrpc::RawScanRequest scan;
  scan.set_prefix("a\xff");
  scan.set_limit(7);
  scan.set_max_bytes(8);
  scan.set_keys_only(true);
  const auto got = Decoded<store::ScanRequest>(DecodeRawScan(scan.SerializeAsString(), kSelf));
  EXPECT_EQ(got.mode, kv::Mode::kEventual);
  EXPECT_EQ(got.begin, "a\xff");
  EXPECT_EQ(got.end, "b");
  EXPECT_EQ(got.rows_max, 7u);
  EXPECT_EQ(got.bytes_max, 8u);
  EXPECT_TRUE(got.keys_only);
}

TEST(RawCodec, AContextBringsItsDeadline) {
  kvrpc::RawGetRequest get;
  get.mutable_context()->set_deadline_ms(1500);
  get.mutable_context()->set_cluster_id(77);
  const DecodedKvCall decoded = DecodeRawGet(get.SerializeAsString(), kSelf);
  EXPECT_EQ(std::get<KvCall>(decoded).deadline_wish, Duration::Milliseconds(1500));
  EXPECT_FALSE(std::get<KvCall>(decoded).request.context.has_value());
}

TEST(RawCodec, RefusesAnotherClusterARegionAndWhatIsNoMessage) {
  kvrpc::RawGetRequest get;
  get.mutable_context()->set_cluster_id(78);
  EXPECT_TRUE(Refusal(DecodeRawGet(get.SerializeAsString(), kSelf)).has_cluster_mismatch());
  get.mutable_context()->set_cluster_id(77);
  get.mutable_context()->set_region_id(1);
  get.mutable_context()->mutable_region_epoch()->set_version(1);
  EXPECT_TRUE(Refusal(DecodeRawGet(get.SerializeAsString(), kSelf)).has_invalid_request());
  for (auto* decode : {DecodeRawPut, DecodeRawDelete, DecodeRawGet, DecodeRawScan}) {
    const errorpb::Error error = Refusal(decode("\x0a\xff", kSelf));
    EXPECT_TRUE(error.has_invalid_request());
    EXPECT_NE(error.message().find("kvrpc.Raw"), std::string::npos);
  }
}

TEST(RawCodec, WritesAreAnsweredWithTheirTime) {
  const store::Reply reply{store::AcceptedReply{kTime}, Index()};
  const auto put = Parsed<kvrpc::RawPutResponse>(EncodeRawPut({}, reply, AddressOf));
  EXPECT_TRUE(put.success());
  EXPECT_EQ(put.hlc(), kTime.value());
  const auto removal = Parsed<kvrpc::RawDeleteResponse>(EncodeRawDelete({}, reply, AddressOf));
  EXPECT_TRUE(removal.success());
  EXPECT_EQ(removal.hlc(), kTime.value());
}

TEST(RawCodec, ReadsAreAnsweredWithTheTimeOfTheWriteThatWon) {
  store::GetReply found{kv::VersionedValue{"v", kv::Version(4), kTime}};
  auto get = Parsed<kvrpc::RawGetResponse>(EncodeRawGet({}, {found, Index(1)}, AddressOf));
  EXPECT_TRUE(get.found());
  EXPECT_EQ(get.value(), "v");
  EXPECT_EQ(get.hlc(), kTime.value());
  get = Parsed<kvrpc::RawGetResponse>(EncodeRawGet({}, {store::GetReply(), Index(1)}, AddressOf));
  EXPECT_FALSE(get.found());
}

TEST(RawCodec, APageTokenContinuesItsScanInItsNamespaceOnly) {
  store::ScanReply page;
  page.page.rows = {{"k", "v", kv::Version(4), kTime}};
  page.page.next_key = "m";
  const auto got =
      Parsed<kvrpc::RawScanResponse>(EncodeRawScan({.ns = "default"}, {page, Index(8)}, AddressOf));
  ASSERT_EQ(got.kvs_size(), 1);
  EXPECT_EQ(got.kvs(0).key(), "k");
  EXPECT_EQ(got.kvs(0).value(), "v");
  EXPECT_EQ(got.kvs(0).hlc(), kTime.value());
  EXPECT_TRUE(got.more());

  kvrpc::RawScanRequest next;
  next.set_start_key("a");
  next.set_page_token(got.next_page_token());
  EXPECT_EQ(Decoded<store::ScanRequest>(DecodeRawScan(next.SerializeAsString(), kSelf)).begin, "m");
  const auto other =
      Parsed<kvrpc::RawScanResponse>(EncodeRawScan({.ns = "logs"}, {page, Index(8)}, AddressOf));
  next.set_page_token(other.next_page_token());
  EXPECT_TRUE(Refusal(DecodeRawScan(next.SerializeAsString(), kSelf)).has_invalid_request());
}

TEST(RawCodec, AnErrorAboutTheModeNamesTheNamespace) {
  store::Error error;
  error.code = store::ErrorCode::kNamespaceMode;
  error.namespace_mode = store::NamespaceMode{kv::Mode::kStrong, kv::ModeEpoch(5), false};
  auto mismatch = Refusal(EncodeRawGet({.ns = "logs"}, {error, Index()}, AddressOf));
  EXPECT_EQ(mismatch.namespace_mode_mismatch().namespace_(), "logs");
  EXPECT_EQ(mismatch.namespace_mode_mismatch().required_mode(), "eventual");
  EXPECT_EQ(mismatch.message(),
            "namespace \"logs\" is strong, and the call is for eventual ones: use kvrpc.KvCas "
            "(flaredb kv)");
  error.namespace_mode->changing = true;
  mismatch = Refusal(EncodeRawPut({.ns = "logs"}, {error, Index()}, AddressOf));
  EXPECT_EQ(mismatch.namespace_mode_changing().namespace_(), "logs");
  EXPECT_EQ(mismatch.message(),
            "namespace \"logs\" is on its way from strong to eventual and takes nothing new: retry "
            "shortly");
  error.code = store::ErrorCode::kNamespaceNotFound;
  mismatch = Refusal(EncodeRawScan({.ns = "logs"}, {error, Index()}, AddressOf));
  EXPECT_EQ(mismatch.namespace_not_found().namespace_(), "logs");
}

TEST(RawCodec, RandomBytesNeverCrash) {
  Rng rng(1);
  uint64_t decoded = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(rng.Below(40), '\0');
    for (char& c : bytes) c = static_cast<char>(rng.Next());
    for (auto* decode : {DecodeRawPut, DecodeRawDelete, DecodeRawGet, DecodeRawScan}) {
      decoded += std::holds_alternative<KvCall>(decode(bytes, kSelf)) ? 1 : 0;
    }
  }
  EXPECT_GT(decoded, 0u);
}

}  // namespace
}  // namespace flaredb::net
