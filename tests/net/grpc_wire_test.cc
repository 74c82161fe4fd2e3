// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_wire.h"

#include <string>
#include <vector>

#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "net/token_bucket.h"

namespace flaredb::net {
namespace {

std::string Frame(std::string_view message) {
  std::string out;
  AppendFrame(message, &out);
  return out;
}

// Feeds `bytes` in pieces of `piece` bytes and collects the messages.
std::vector<std::string> Read(MessageReader* reader, std::string_view bytes, size_t piece) {
  std::vector<std::string> messages;
  for (size_t i = 0; i < bytes.size(); i += piece) {
    const std::string chunk(bytes.substr(i, piece));  // Its own memory: lifetimes are checked.
    reader->Append(chunk);
    std::string_view message;
    while (reader->Next(&message) == MessageReader::kMessage) messages.emplace_back(message);
  }
  return messages;
}

TEST(MessageReader, CutsTheSameMessagesWhateverTheChunks) {
  const std::vector<std::string> sent = {"", "a", std::string(300, 'x'), "", std::string(7, '\0')};
  std::string bytes;
  for (const std::string& message : sent) AppendFrame(message, &bytes);
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    MessageReader reader(1000);
    EXPECT_EQ(Read(&reader, bytes, piece), sent) << "piece=" << piece;
    EXPECT_EQ(reader.partial_bytes(), 0u);
  }
}

TEST(MessageReader, HoldsWhatHasArrivedNotWhatWasClaimed) {
  MessageReader reader(1 << 30);
  EXPECT_TRUE(Read(&reader, std::string("\0\x3f\0\0\0abc", 8), 8).empty());
  EXPECT_EQ(reader.partial_bytes(), 8u);
}

TEST(MessageReader, LetsGoOfALargeMessageThatWasTaken) {
  MessageReader reader(1 << 20);
  std::string frame;
  AppendFrame(std::string(1'000'000, 'm'), &frame);
  ASSERT_EQ(Read(&reader, frame, 16000).size(), 1u);
  EXPECT_LE(reader.held_bytes(), 64u << 10);
}

TEST(MessageReader, AcceptsTheLimitAndRefusesOneMore) {
  MessageReader at_limit(10);
  EXPECT_EQ(Read(&at_limit, Frame(std::string(10, 'x')), 3).size(), 1u);
  MessageReader reader(10);
  EXPECT_TRUE(Read(&reader, Frame(std::string(11, 'x')), 100).empty());
  EXPECT_EQ(reader.error().code, absl::StatusCode::kResourceExhausted);
  MessageReader piecewise(10);
  EXPECT_TRUE(Read(&piecewise, Frame(std::string(11, 'x')), 2).empty());
  EXPECT_EQ(piecewise.error().code, absl::StatusCode::kResourceExhausted);
}

TEST(MessageReader, RefusesCompressionAndUnknownFlags) {
  MessageReader compressed(10);
  Read(&compressed, std::string("\1\0\0\0\0", 5), 5);
  EXPECT_EQ(compressed.error().code, absl::StatusCode::kUnimplemented);
  MessageReader unknown(10);
  Read(&unknown, std::string("\2\0\0\0\0", 5), 1);
  EXPECT_EQ(unknown.error().code, absl::StatusCode::kInternal);
  // An error lasts.
  EXPECT_TRUE(Read(&unknown, Frame("a"), 6).empty());
}

TEST(MessageReader, SurvivesRandomBytes) {
  Rng rng(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    const uint64_t size = rng.Below(64);
    for (uint64_t i = 0; i < size; ++i) {
      bytes.push_back(static_cast<char>(rng.Chance(700000) ? 0 : rng.Below(256)));
    }
    MessageReader whole(40);
    MessageReader piecewise(40);
    EXPECT_EQ(Read(&whole, bytes, 64), Read(&piecewise, bytes, 1 + rng.Below(5)));
    EXPECT_EQ(whole.error().code, piecewise.error().code);
  }
}

TEST(PercentEncoding, RoundTripsEveryByte) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const std::string encoded = PercentEncode(all);
  for (const char c : encoded) EXPECT_TRUE(c >= 0x20 && c <= 0x7e);
  EXPECT_EQ(PercentDecode(encoded), all);
  EXPECT_EQ(PercentEncode("a%\n\xc3\xa4 b"), "a%25%0A%C3%A4 b");
}

TEST(PercentEncoding, LeavesWhatIsNotValidAsItIs) {
  EXPECT_EQ(PercentDecode("%"), "%");
  EXPECT_EQ(PercentDecode("%4"), "%4");
  EXPECT_EQ(PercentDecode("%zz%41"), "%zzA");
  EXPECT_EQ(PercentDecode("%4a%4A"), "JJ");
}

TEST(BinaryHeader, IsUnpaddedBase64AndAcceptsBoth) {
  EXPECT_EQ(EncodeBinaryHeader("a"), "YQ");
  EXPECT_EQ(DecodeBinaryHeader("YQ"), "a");
  EXPECT_EQ(DecodeBinaryHeader("YQ=="), "a");
  EXPECT_EQ(DecodeBinaryHeader(""), "");
  EXPECT_EQ(DecodeBinaryHeader("!"), std::nullopt);
}

TEST(Timeout, ParsesEveryUnit) {
  EXPECT_EQ(ParseTimeout("1H"), Duration::Seconds(3600));
  EXPECT_EQ(ParseTimeout("2M"), Duration::Seconds(120));
  EXPECT_EQ(ParseTimeout("3S"), Duration::Seconds(3));
  EXPECT_EQ(ParseTimeout("4m"), Duration::Milliseconds(4));
  EXPECT_EQ(ParseTimeout("5u"), Duration::Microseconds(5));
  EXPECT_EQ(ParseTimeout("6n"), Duration::Nanoseconds(6));
  EXPECT_EQ(ParseTimeout("0n"), Duration());
}

TEST(Timeout, SaturatesInsteadOfOverflowing) {
  const std::optional<Duration> longest = ParseTimeout("99999999H");
  ASSERT_TRUE(longest.has_value());
  EXPECT_GT(*longest, Duration::Seconds(3600LL * 24 * 365 * 70));
  const Instant now = Instant::FromNanoseconds(int64_t{1} << 61);
  EXPECT_GT(now + *longest, now);
}

TEST(Timeout, RefusesWhatTheProtocolDoes) {
  for (const char* text : {"", "S", "1", "-1S", "+1S", " 1S", "1 S", "1s", "1h", "123456789S",
                           "1.5S", "0x1S", "1SS"}) {
    EXPECT_EQ(ParseTimeout(text), std::nullopt) << text;
  }
}

TEST(Timeout, FormatsInTheFinestUnitThatFitsRoundedUp) {
  EXPECT_EQ(FormatTimeout(Duration()), "0n");
  EXPECT_EQ(FormatTimeout(Duration::Nanoseconds(99999999)), "99999999n");
  EXPECT_EQ(FormatTimeout(Duration::Nanoseconds(100000001)), "100001u");
  EXPECT_EQ(FormatTimeout(Duration::Seconds(5)), "5000000u");
  for (int64_t ns = 1; ns > 0 && ns < (int64_t{1} << 60); ns *= 7) {
    const Duration given = Duration::Nanoseconds(ns);
    EXPECT_GE(ParseTimeout(FormatTimeout(given)).value(), given);
  }
}

TEST(ContentType, FollowsTheProtocol) {
  for (const char* good : {"application/grpc", "application/grpc+proto", "application/grpc;a=b"}) {
    EXPECT_TRUE(IsGrpcContentType(good)) << good;
  }
  for (const char* bad : {"", "application/grpc-web", "application/json", "application/grpcx"}) {
    EXPECT_FALSE(IsGrpcContentType(bad)) << bad;
  }
}

HeaderBlock GoodRequest() {
  HeaderBlock headers;
  headers.Add(":method", "POST");
  headers.Add(":path", "/a.B/C");
  headers.Add("te", "trailers");
  headers.Add("content-type", "application/grpc");
  return headers;
}

HeaderBlock Without(const HeaderBlock& headers, std::string_view name) {
  HeaderBlock result;
  for (size_t i = 0; i < headers.size(); ++i) {
    if (headers[i].name != name) result.Add(headers[i].name, headers[i].value);
  }
  return result;
}

HeaderBlock With(HeaderBlock headers, std::string_view name, std::string_view value) {
  headers = Without(headers, name);
  headers.Add(name, value);
  return headers;
}

TEST(RequestHead, TakesAGoodRequest) {
  const HeaderBlock headers = With(GoodRequest(), "grpc-timeout", "20m");
  const RequestHead head = ReadRequestHead(headers);
  EXPECT_EQ(head.http_error, 0);
  EXPECT_TRUE(head.refusal.ok());
  EXPECT_EQ(head.path, "/a.B/C");
  EXPECT_EQ(head.timeout, Duration::Milliseconds(20));
}

TEST(RequestHead, RefusesWhatIsNotGrpc) {
  EXPECT_EQ(ReadRequestHead(With(GoodRequest(), ":method", "GET")).http_error, 405);
  EXPECT_EQ(ReadRequestHead(Without(GoodRequest(), "content-type")).http_error, 415);
  EXPECT_EQ(ReadRequestHead(With(GoodRequest(), "content-type", "text/html")).http_error, 415);
}

TEST(RequestHead, RefusesBadGrpcWithAStatus) {
  const auto code = [](const HeaderBlock& headers) {
    return ReadRequestHead(headers).refusal.code;
  };
  EXPECT_EQ(code(Without(GoodRequest(), "te")), absl::StatusCode::kInternal);
  EXPECT_EQ(code(With(GoodRequest(), "grpc-timeout", "soon")), absl::StatusCode::kInternal);
  EXPECT_EQ(code(With(GoodRequest(), "grpc-timeout", "")), absl::StatusCode::kInternal);
  EXPECT_EQ(code(With(GoodRequest(), "grpc-encoding", "gzip")), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(code(With(GoodRequest(), "grpc-encoding", "identity")), absl::StatusCode::kOk);
  EXPECT_EQ(code(With(GoodRequest(), ":path", "")), absl::StatusCode::kUnimplemented);
}

TEST(StatusTrailers, RoundTripWithDetails) {
  const GrpcStatus sent = StatusWithDetail(absl::StatusCode::kAborted, "zwei Wörter\n100%",
                                           "errorpb.Error", std::string("\0\xff", 2));
  HeaderBlock trailers;
  AppendStatus(sent, &trailers);
  GrpcStatus received;
  ASSERT_TRUE(ReadStatus(trailers, &received));
  EXPECT_EQ(received.code, sent.code);
  EXPECT_EQ(received.message, sent.message);
  EXPECT_EQ(received.details, sent.details);
  EXPECT_EQ(FindDetail(received, "errorpb.Error"), std::string("\0\xff", 2));
  EXPECT_EQ(FindDetail(received, "Error"), std::nullopt);
}

TEST(StatusTrailers, NeedAValidCode) {
  for (const char* text : {"", "-1", "x", "1x", "99999999999999999999"}) {
    HeaderBlock trailers;
    trailers.Add("grpc-status", text);
    GrpcStatus status;
    EXPECT_FALSE(ReadStatus(trailers, &status)) << text;
  }
  HeaderBlock unknown;
  unknown.Add("grpc-status", "17");
  GrpcStatus status;
  ASSERT_TRUE(ReadStatus(unknown, &status));
  EXPECT_EQ(status.code, absl::StatusCode::kUnknown);
}

TEST(StatusDetails, SurviveRandomBytes) {
  Rng rng(11);
  for (int round = 0; round < 20000; ++round) {
    GrpcStatus status(absl::StatusCode::kAborted, "");
    const uint64_t size = rng.Below(24);
    for (uint64_t i = 0; i < size; ++i) {
      status.details.push_back(static_cast<char>(rng.Chance(500000) ? 0x1a : rng.Below(256)));
    }
    FindDetail(status, "a.B");
  }
}

TEST(TokenBucket, AllowsTheBurstThenTheRate) {
  Instant now = Instant::FromNanoseconds(1);
  TokenBucket bucket(3, 10, now);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.Take(now));
  EXPECT_FALSE(bucket.Take(now));
  now = now + Duration::Milliseconds(99);
  EXPECT_FALSE(bucket.Take(now));
  now = now + Duration::Milliseconds(1);
  EXPECT_TRUE(bucket.Take(now));
  EXPECT_FALSE(bucket.Take(now));
  now = now + Duration::Seconds(1000000);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.Take(now));
  EXPECT_FALSE(bucket.Take(now));
}

}  // namespace
}  // namespace flaredb::net
