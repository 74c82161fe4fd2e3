// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_wire.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/strings.h"

namespace flaredb::net {
namespace {

struct TimeUnit {
  char letter;
  int64_t nanoseconds;
};
constexpr std::array<TimeUnit, 6> kTimeUnits = {{{'n', 1},
                                                 {'u', 1000},
                                                 {'m', 1000000},
                                                 {'S', 1000000000},
                                                 {'M', 60000000000},
                                                 {'H', 3600000000000}}};
constexpr int64_t kTimeoutDigitsMax = 99999999;

// A stream that once had a larger message does not keep the memory for it.
constexpr size_t kKeptCapacityBytes = 64 << 10;

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

RequestHead HttpError(int http_status) {
  RequestHead head;
  head.http_error = http_status;
  return head;
}

RequestHead Refuse(absl::StatusCode code, std::string message) {
  RequestHead head;
  head.refusal = GrpcStatus(code, std::move(message));
  return head;
}

}  // namespace

void AppendFrame(std::string_view message, std::string* out) {
  INVARIANT(message.size() <= std::numeric_limits<uint32_t>::max());
  const auto size = static_cast<uint32_t>(message.size());
  const char header[kFrameHeaderBytes] = {0, static_cast<char>(size >> 24),
                                          static_cast<char>(size >> 16),
                                          static_cast<char>(size >> 8), static_cast<char>(size)};
  out->append(header, sizeof(header)).append(message);
}

std::optional<size_t> MessageReader::MessageSize(std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  if (byte(0) == 1) {
    error_ = GrpcStatus(absl::StatusCode::kUnimplemented,
                        "compressed messages are not supported; send grpc-encoding: identity");
    return std::nullopt;
  }
  if (byte(0) != 0) {
    error_ = GrpcStatus(absl::StatusCode::kInternal,
                        absl::StrCat("malformed message frame: flag byte ", byte(0)));
    return std::nullopt;
  }
  const size_t size = byte(1) << 24 | byte(2) << 16 | byte(3) << 8 | byte(4);
  if (size > max_message_bytes_) {
    error_ = GrpcStatus(absl::StatusCode::kResourceExhausted,
                        absl::StrCat("message of ", size, " bytes is larger than the limit of ",
                                     max_message_bytes_, " bytes; send less at once"));
    return std::nullopt;
  }
  return size;
}

MessageReader::Result MessageReader::Next(std::string_view* message) {
  if (!error_.ok()) return kError;
  if (done_ > 0) {  // The message returned last was whole in partial_.
    partial_.clear();
    if (partial_.capacity() > kKeptCapacityBytes) partial_.shrink_to_fit();
    done_ = 0;
  }
  if (partial_.empty() && chunk_.size() >= kFrameHeaderBytes) {
    const std::optional<size_t> size = MessageSize(chunk_);
    if (!size.has_value()) return kError;
    if (chunk_.size() - kFrameHeaderBytes >= *size) {
      *message = chunk_.substr(kFrameHeaderBytes, *size);
      chunk_.remove_prefix(kFrameHeaderBytes + *size);
      return kMessage;
    }
  }
  const auto take = [this](size_t frame_bytes) {
    const size_t n = std::min(chunk_.size(), frame_bytes - partial_.size());
    partial_.append(chunk_.substr(0, n));
    chunk_.remove_prefix(n);
  };
  if (partial_.size() < kFrameHeaderBytes) take(kFrameHeaderBytes);
  if (partial_.size() < kFrameHeaderBytes) return kNeedMore;
  const std::optional<size_t> size = MessageSize(partial_);
  if (!size.has_value()) return kError;
  // Grows with what has arrived, never to a length that was only claimed.
  take(kFrameHeaderBytes + *size);
  if (partial_.size() < kFrameHeaderBytes + *size) return kNeedMore;
  done_ = partial_.size();
  *message = std::string_view(partial_).substr(kFrameHeaderBytes);
  return kMessage;
}

std::string PercentEncode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '%') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = HexValue(text[i + 1]);
      const int low = HexValue(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high << 4 | low));
        i += 2;
        continue;
      }
    }
    out.push_back(text[i]);
  }
  return out;
}

std::string EncodeBinaryHeader(std::string_view bytes) {
  std::string out = absl::Base64Escape(ToAbsl(bytes));
  while (!out.empty() && out.back() == '=') out.pop_back();
  return out;
}

std::optional<std::string> DecodeBinaryHeader(std::string_view text) {
  std::string out;
  if (!absl::Base64Unescape(ToAbsl(text), &out)) return std::nullopt;
  return out;
}

std::optional<Duration> ParseTimeout(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  const std::string_view digits = text.substr(0, text.size() - 1);
  if (!AllDigits(digits)) return std::nullopt;
  int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  for (const TimeUnit& unit : kTimeUnits) {
    if (unit.letter != text.back()) continue;
    // A quarter of the range, about 73 years, leaves room to add it to any instant.
    const int64_t longest = std::numeric_limits<int64_t>::max() / 4;
    if (value > longest / unit.nanoseconds) return Duration::Nanoseconds(longest);
    return Duration::Nanoseconds(value * unit.nanoseconds);
  }
  return std::nullopt;
}

std::string FormatTimeout(Duration timeout) {
  INVARIANT(timeout >= Duration());
  for (const TimeUnit& unit : kTimeUnits) {
    const int64_t ns = timeout.nanoseconds();
    const int64_t value = ns / unit.nanoseconds + (ns % unit.nanoseconds != 0 ? 1 : 0);
    if (value <= kTimeoutDigitsMax) {
      return absl::StrCat(value, absl::string_view(&unit.letter, 1));
    }
  }
  INVARIANT(false) << "2^63 ns are fewer than 10^8 hours";
  return {};
}

bool IsGrpcContentType(std::string_view content_type) {
  constexpr std::string_view kBase = "application/grpc";
  if (content_type.substr(0, kBase.size()) != kBase) return false;
  const std::string_view rest = content_type.substr(kBase.size());
  return rest.empty() || rest.front() == '+' || rest.front() == ';';
}

RequestHead ReadRequestHead(const HeaderBlock& headers) {
  RequestHead head;
  std::string_view method;
  std::string_view content_type;
  std::string_view te;
  std::string_view encoding = "identity";
  std::string_view timeout;
  bool has_timeout = false;
  for (size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers[i];
    if (name == ":method") {
      method = value;
    } else if (name == ":path") {
      head.path = value;
    } else if (name == "content-type") {
      content_type = value;
    } else if (name == "te") {
      te = value;
    } else if (name == "grpc-encoding") {
      encoding = value;
    } else if (name == "grpc-timeout") {
      timeout = value;
      has_timeout = true;
    }
  }
  if (method != "POST") return HttpError(405);
  if (!IsGrpcContentType(content_type)) return HttpError(415);
  // Proof that no proxy on the way drops trailers.
  if (te != "trailers") {
    return Refuse(absl::StatusCode::kInternal, "the request lacks the header te: trailers");
  }
  if (head.path.empty() || head.path.front() != '/') {
    return Refuse(absl::StatusCode::kUnimplemented, "the path names no method");
  }
  if (encoding != "identity") {
    return Refuse(absl::StatusCode::kUnimplemented,
                  absl::StrCat("grpc-encoding ", absl::CEscape(ToAbsl(encoding)),
                               " is not supported; use identity"));
  }
  if (has_timeout) {
    head.timeout = ParseTimeout(timeout);
    if (!head.timeout.has_value()) {
      return Refuse(absl::StatusCode::kInternal,
                    absl::StrCat("malformed grpc-timeout: ", absl::CEscape(ToAbsl(timeout))));
    }
  }
  return head;
}

bool ReadStatus(const HeaderBlock& trailers, GrpcStatus* status) {
  const std::string_view code_text = trailers.Find("grpc-status");
  if (code_text.empty() || code_text.size() > 9 || !AllDigits(code_text)) return false;
  int code = 0;
  std::from_chars(code_text.data(), code_text.data() + code_text.size(), code);
  // Codes that this version of the protocol does not know count as UNKNOWN.
  constexpr int kLast = static_cast<int>(absl::StatusCode::kUnauthenticated);
  status->code = code > kLast ? absl::StatusCode::kUnknown : static_cast<absl::StatusCode>(code);
  status->message = PercentDecode(trailers.Find("grpc-message"));
  status->details =
      DecodeBinaryHeader(trailers.Find("grpc-status-details-bin")).value_or(std::string());
  return true;
}

void AppendStatus(const GrpcStatus& status, HeaderBlock* trailers) {
  trailers->Add("grpc-status", std::to_string(static_cast<int>(status.code)));
  if (!status.message.empty()) trailers->Add("grpc-message", PercentEncode(status.message));
  if (!status.details.empty()) {
    trailers->Add("grpc-status-details-bin", EncodeBinaryHeader(status.details));
  }
}

absl::StatusCode CodeFromHttpStatus(int http_status) {
  switch (http_status) {
    case 400:
      return absl::StatusCode::kInternal;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kUnknown;
  }
}

absl::StatusCode CodeFromHttp2Error(uint32_t error) {
  switch (error) {
    case 0x7:  // REFUSED_STREAM
      return absl::StatusCode::kUnavailable;
    case 0x8:  // CANCEL
      return absl::StatusCode::kCancelled;
    case 0xb:  // ENHANCE_YOUR_CALM
      return absl::StatusCode::kResourceExhausted;
    case 0xc:  // INADEQUATE_SECURITY
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace flaredb::net
