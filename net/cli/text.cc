// SPDX-License-Identifier: Apache-2.0
#include "net/cli/text.h"

#include <cstdio>

namespace flaredb::net {

std::string Escape(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (byte < 0x20 || byte == 0x7f) {
      char code[8];
      std::snprintf(code, sizeof(code), "\\x%02x", byte);
      out += code;
    } else {
      out += c;
    }
  }
  return out;
}

void PrintError(std::string_view message) {
  std::fprintf(stderr, "flaredb: %s\n", Escape(message).c_str());
}

}  // namespace flaredb::net
