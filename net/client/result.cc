// SPDX-License-Identifier: Apache-2.0
#include "net/client/result.h"

#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>

namespace flaredb::client {

std::string ToString(const WriteId& id) {
  std::array<char, 80> text;
  const int size =
      std::snprintf(text.data(), text.size(), "%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%" PRIx64,
                    id.client_hi, id.client_lo, id.seq, id.seen_index);
  return std::string(text.data(), static_cast<size_t>(size));
}

std::optional<WriteId> ParseWriteId(std::string_view text) {
  WriteId id;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (uint64_t* number : {&id.client_hi, &id.client_lo, &id.seq, &id.seen_index}) {
    if (number != &id.client_hi && (at == end || *at++ != '-')) return std::nullopt;
    const auto [next, error] = std::from_chars(at, end, *number, 16);
    if (error != std::errc()) return std::nullopt;
    at = next;
  }
  if (at != end) return std::nullopt;
  return id;
}

}  // namespace flaredb::client
