// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_status.h"

#include <cstdint>

#include "core/base/strings.h"

namespace flaredb::net {
namespace {

// google.rpc.Status and google.protobuf.Any have three and two fields; their encoding is written
// out here so that this layer needs no generated messages.
constexpr uint32_t kVarint = 0;
constexpr uint32_t kFixed64 = 1;
constexpr uint32_t kBytes = 2;
constexpr uint32_t kFixed32 = 5;

constexpr uint32_t kStatusCode = 1;
constexpr uint32_t kStatusMessage = 2;
constexpr uint32_t kStatusDetails = 3;
constexpr uint32_t kAnyTypeUrl = 1;
constexpr uint32_t kAnyValue = 2;

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

void AppendBytes(uint32_t field, std::string_view bytes, std::string* out) {
  AppendVarint(field << 3 | kBytes, out);
  AppendVarint(bytes.size(), out);
  out->append(bytes);
}

bool TakeVarint(std::string_view* in, uint64_t* value) {
  *value = 0;
  for (uint32_t shift = 0; shift < 64 && !in->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(in->front());
    in->remove_prefix(1);
    *value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Takes one field off `in`; `bytes` is set for length-delimited ones. False on malformed input.
bool TakeField(std::string_view* in, uint32_t* field, std::string_view* bytes) {
  uint64_t tag;
  if (!TakeVarint(in, &tag)) return false;
  *field = static_cast<uint32_t>(tag >> 3);
  *bytes = {};
  uint64_t size = 0;
  switch (tag & 7) {
    case kVarint:
      return TakeVarint(in, &size);
    case kFixed64:
      size = 8;
      break;
    case kFixed32:
      size = 4;
      break;
    case kBytes:
      if (!TakeVarint(in, &size)) return false;
      break;
    default:
      return false;
  }
  if (size > in->size()) return false;
  if ((tag & 7) == kBytes) *bytes = in->substr(0, size);
  in->remove_prefix(size);
  return true;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const GrpcStatus& status) {
  out << absl::StatusCodeToString(status.code);
  if (!status.message.empty()) out << ": " << status.message;
  return out;
}

GrpcStatus StatusWithDetail(absl::StatusCode code, std::string message, std::string_view type_name,
                            std::string_view value) {
  std::string any;
  AppendBytes(kAnyTypeUrl, std::string("type.googleapis.com/").append(type_name), &any);
  AppendBytes(kAnyValue, value, &any);
  std::string details;
  AppendVarint(kStatusCode << 3 | kVarint, &details);
  AppendVarint(static_cast<uint64_t>(code), &details);
  AppendBytes(kStatusMessage, message, &details);
  AppendBytes(kStatusDetails, any, &details);
  return GrpcStatus(code, std::move(message), std::move(details));
}

std::optional<std::string> FindDetail(const GrpcStatus& status, std::string_view type_name) {
  std::string_view rest = status.details;
  while (!rest.empty()) {
    uint32_t field;
    std::string_view any;
    if (!TakeField(&rest, &field, &any)) return std::nullopt;
    if (field != kStatusDetails) continue;
    std::string_view type;
    std::string_view value;
    while (!any.empty()) {
      uint32_t any_field;
      std::string_view bytes;
      if (!TakeField(&any, &any_field, &bytes)) return std::nullopt;
      if (any_field == kAnyTypeUrl) type = bytes;
      if (any_field == kAnyValue) value = bytes;
    }
    type.remove_prefix(type.rfind('/') + 1);  // npos + 1 is 0: a type without a host.
    if (type == type_name) return std::string(value);
  }
  return std::nullopt;
}

}  // namespace flaredb::net
