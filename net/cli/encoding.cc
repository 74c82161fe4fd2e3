// SPDX-License-Identifier: Apache-2.0
#include "net/cli/encoding.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/escaping.h"
#include "core/base/strings.h"

namespace flaredb::net {
namespace {

bool IsHex(std::string_view text) {
  return text.size() % 2 == 0 && std::all_of(text.begin(), text.end(),
                                             [](unsigned char c) { return std::isxdigit(c) != 0; });
}

}  // namespace

std::string Encode(Encoding encoding, std::string_view bytes) {
  switch (encoding) {
    case Encoding::kNone:
      return std::string(bytes);
    case Encoding::kHex:
      return absl::BytesToHexString(ToAbsl(bytes));
    case Encoding::kBase64:
      return absl::Base64Escape(ToAbsl(bytes));
  }
  return "";
}

std::optional<std::string> Decode(Encoding encoding, std::string_view text) {
  std::string bytes;
  switch (encoding) {
    case Encoding::kNone:
      return std::string(text);
    case Encoding::kHex:
      // The library takes odd digits and letters for zeros.
      if (!IsHex(text)) return std::nullopt;
      return absl::HexStringToBytes(ToAbsl(text));
    case Encoding::kBase64:
      if (!absl::Base64Unescape(ToAbsl(text), &bytes)) return std::nullopt;
      return bytes;
  }
  return std::nullopt;
}

}  // namespace flaredb::net
