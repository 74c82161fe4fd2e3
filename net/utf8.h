// SPDX-License-Identifier: Apache-2.0
// What of bytes that came from elsewhere may be shown to a terminal.
#ifndef FLAREDB_NET_UTF8_H_
#define FLAREDB_NET_UTF8_H_

#include <cstddef>
#include <string_view>

namespace flaredb::net {

// How many bytes at the beginning of `text`, which is not empty, are one character of well-formed
// UTF-8 (RFC 3629) from U+00A0 up. 0 when none are: for ASCII too, and for the control characters
// U+0080 to U+009F, which terminals obey as they do ESC and a character.
size_t PrintableBeyondAscii(std::string_view text);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_UTF8_H_
