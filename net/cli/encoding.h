// SPDX-License-Identifier: Apache-2.0
// Keys and values, which are bytes, as texts of the command line.
#ifndef FLAREDB_NET_CLI_ENCODING_H_
#define FLAREDB_NET_CLI_ENCODING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flaredb::net {

enum class Encoding : uint8_t {
  kNone,  // The bytes themselves.
  kHex,   // Two digits a byte; either case in, lower case out.
  kBase64,
};

std::string Encode(Encoding encoding, std::string_view bytes);
// nullopt when `text` is no such encoding of anything.
std::optional<std::string> Decode(Encoding encoding, std::string_view text);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_ENCODING_H_
