// SPDX-License-Identifier: Apache-2.0
#include "net/cli/text.h"

#include <algorithm>
#include <cstdio>

#include "net/utf8.h"

namespace flaredb::net {

namespace {

std::string_view Break(char c) {
  return c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\\' ? "\\\\" : "";
}

std::string Escaped(std::string_view bytes, bool line) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const char c = bytes[0];
    const auto byte = static_cast<unsigned char>(c);
    const size_t length = PrintableBeyondAscii(bytes);
    if (const std::string_view code = Break(c); !code.empty()) {
      line ? out.append(code) : out.append(1, c);
    } else if (length > 0) {
      out.append(bytes.substr(0, length));
    } else if (byte < 0x20 || byte >= 0x7f) {
      char code[8];
      std::snprintf(code, sizeof(code), "\\x%02x", byte);
      out += code;
    } else {
      out += c;
    }
    bytes.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

}  // namespace

std::string Escape(std::string_view bytes) { return Escaped(bytes, /*line=*/true); }

std::string EscapeText(std::string_view bytes) { return Escaped(bytes, /*line=*/false); }

void PrintError(std::string_view message) {
  std::fprintf(stderr, "flaredb: %s\n", Escape(message).c_str());
}

}  // namespace flaredb::net
