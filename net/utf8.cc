// SPDX-License-Identifier: Apache-2.0
#include "net/utf8.h"

namespace flaredb::net {

size_t PrintableBeyondAscii(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : byte(0) >= 0xc2 ? 2 : 0;
  if (length == 0 || length > text.size() || byte(0) > 0xf4) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // A control character, longer than needed, half a surrogate pair, or beyond Unicode.
  const bool bad = (byte(0) == 0xc2 && byte(1) < 0xa0) || (byte(0) == 0xe0 && byte(1) < 0xa0) ||
                   (byte(0) == 0xed && byte(1) >= 0xa0) || (byte(0) == 0xf0 && byte(1) < 0x90) ||
                   (byte(0) == 0xf4 && byte(1) >= 0x90);
  return bad ? 0 : length;
}

}  // namespace flaredb::net
