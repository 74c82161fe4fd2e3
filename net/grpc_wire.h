// SPDX-License-Identifier: Apache-2.0
// gRPC's own words over HTTP/2: framing, headers, statuses, time-outs. Pure functions of bytes.
// Source: github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md.
#ifndef FLAREDB_NET_GRPC_WIRE_H_
#define FLAREDB_NET_GRPC_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/base/time.h"
#include "net/grpc_status.h"
#include "net/header_block.h"

namespace flaredb::net {

// Before each message: one flag byte (1 = compressed) and its length, 32 bits, big-endian.
inline constexpr size_t kFrameHeaderBytes = 5;

// Appends `message` with its frame header. Requires message.size() < 2^32.
void AppendFrame(std::string_view message, std::string* out);

// Cuts a stream of bytes into messages. Usage:
//   reader.Append(chunk);
//   while (reader.Next(&message) == MessageReader::kMessage) { ... }
// A message that lies within one chunk is not copied.
class MessageReader {
 public:
  enum Result : unsigned char {
    kMessage,   // `message` is set; it lives until the next call of any member.
    kNeedMore,  // All of the chunk was taken.
    kError,     // error() tells; the stream can't be read any further.
  };

  explicit MessageReader(size_t max_message_bytes) : max_message_bytes_(max_message_bytes) {}

  // Offers more bytes; they must stay alive until Next has returned kNeedMore or kError.
  // Requires that Next returned kNeedMore since the last Append.
  void Append(std::string_view chunk) { chunk_ = chunk; }
  Result Next(std::string_view* message);

  // RESOURCE_EXHAUSTED: longer than max_message_bytes. UNIMPLEMENTED: compressed. INTERNAL: a flag
  // byte that is neither 0 nor 1.
  const GrpcStatus& error() const { return error_; }
  // Bytes held of a message that is not complete.
  size_t partial_bytes() const { return partial_.size() - done_; }
  // What the reader takes for that, with what it keeps for more.
  size_t held_bytes() const { return partial_.capacity(); }

 private:
  // The length told by the frame header `bytes`, or nothing and error_ set.
  std::optional<size_t> MessageSize(std::string_view bytes);

  const size_t max_message_bytes_;
  std::string_view chunk_;
  std::string partial_;  // The beginning of a frame whose rest is to come.
  size_t done_ = 0;      // partial_ up to here was returned by the last Next.
  GrpcStatus error_;
};

// grpc-message: bytes outside 0x20..0x7e and '%' as %XX.
std::string PercentEncode(std::string_view text);
// Lenient, as the protocol demands: what is no valid %XX stays as it is.
std::string PercentDecode(std::string_view text);

// Values of "-bin" headers: standard alphabet, sent without padding, accepted with or without.
std::string EncodeBinaryHeader(std::string_view bytes);
std::optional<std::string> DecodeBinaryHeader(std::string_view text);

// grpc-timeout: at most 8 digits and a unit out of H M S m u n. Longer than Duration can hold
// saturates; anything malformed is nothing.
std::optional<Duration> ParseTimeout(std::string_view text);
// The shortest unit in which `timeout` (at least 0) fits, rounded up.
std::string FormatTimeout(Duration timeout);

// "application/grpc", also with a subtype ("+proto") or parameters (";...").
bool IsGrpcContentType(std::string_view content_type);

// What a server needs of a request's headers.
struct RequestHead {
  // 0, or the HTTP status with which to answer what is no gRPC request at all (405, 415).
  int http_error = 0;
  // Not OK: answer with this status, trailers-only.
  GrpcStatus refusal;
  std::string_view path;  // Of the block; "/package.Service/Method".
  std::optional<Duration> timeout;
};
// Validates: POST, content-type, path, te: trailers, grpc-encoding identity, grpc-timeout.
RequestHead ReadRequestHead(const HeaderBlock& headers);

// Fills `status` from a response's trailers (or trailers-only headers): grpc-status,
// grpc-message, grpc-status-details-bin. False when there is no valid grpc-status.
bool ReadStatus(const HeaderBlock& trailers, GrpcStatus* status);
// The trailers that tell `status`. Reads nothing but `status`.
void AppendStatus(const GrpcStatus& status, HeaderBlock* trailers);

// The code for a response that is no gRPC response, by its HTTP status.
// Source: grpc/doc/http-grpc-status-mapping.md.
absl::StatusCode CodeFromHttpStatus(int http_status);
// The code for a stream ended by RST_STREAM with an RFC 9113 error code.
absl::StatusCode CodeFromHttp2Error(uint32_t error);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_GRPC_WIRE_H_
