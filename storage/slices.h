// SPDX-License-Identifier: Apache-2.0
// The bridge between our views of bytes and RocksDB's.
#ifndef FLAREDB_STORAGE_SLICES_H_
#define FLAREDB_STORAGE_SLICES_H_

#include <array>
#include <cstddef>
#include <string_view>

#include "rocksdb/slice.h"

namespace flaredb::storage {

inline rocksdb::Slice ToSlice(std::string_view s) { return {s.data(), s.size()}; }
template <size_t n>
rocksdb::Slice ToSlice(const std::array<char, n>& bytes) {
  return {bytes.data(), n};
}
inline std::string_view FromSlice(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SLICES_H_
