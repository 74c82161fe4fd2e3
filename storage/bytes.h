// SPDX-License-Identifier: Apache-2.0
// Big-endian numbers at fixed places of a buffer.
#ifndef FLAREDB_STORAGE_BYTES_H_
#define FLAREDB_STORAGE_BYTES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flaredb::storage {

// Writes the 8 bytes at `to`.
inline void StoreBe64(char* to, uint64_t x) {
  for (int i = 7; i >= 0; --i, x >>= 8) to[i] = static_cast<char>(x);
}

// Reads the 8 bytes at `from`.
inline uint64_t LoadBe64(const char* from) {
  uint64_t x = 0;
  for (int i = 0; i < 8; ++i) x = x << 8 | static_cast<uint8_t>(from[i]);
  return x;
}

template <size_t n>
std::string_view View(const std::array<char, n>& bytes) {
  return {bytes.data(), n};
}

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_BYTES_H_
