// SPDX-License-Identifier: Apache-2.0
// Bytes of everything that is stored or sent between stores (docs/FORMAT.md).
//
// Decoding is exact: a value has one encoding, and any other bytes are refused. Replicas can then
// be compared by their bytes, and damage cannot hide as a second spelling of something valid.
#ifndef FLAREDB_CORE_BASE_CODEC_H_
#define FLAREDB_CORE_BASE_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace flaredb {

// Appends to a string of its own.
class ByteWriter {
 public:
  // `bytes_hint` saves reallocations; any value is correct.
  explicit ByteWriter(size_t bytes_hint = 0) { out_.reserve(bytes_hint); }

  void U8(uint8_t x) { out_.push_back(static_cast<char>(x)); }
  // Big-endian: bytes compare as the numbers do, so these may be part of a key.
  void U32(uint32_t x);
  void U64(uint64_t x);
  // 1 to 10 bytes, seven bits each, least significant first (LEB128): for small numbers in values.
  void Varint(uint64_t x);
  // A varint length, then the bytes.
  void Bytes(std::string_view bytes);
  // The bytes alone: for what ends a value or has a fixed length.
  void Raw(std::string_view bytes) { out_.append(bytes); }

  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads what ByteWriter wrote and never beyond the end. The first defect sticks: every later call
// returns zero or empty, so that a decoder is written as straight lines and asks once, in Finish.
// Views that it returns are borrowed from the bytes given.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes), rest_(bytes) {}

  // The first byte of every encoding; any other version than `known` is a defect.
  void FormatVersion(uint8_t known);
  uint8_t U8();
  uint32_t U32();
  uint64_t U64();
  // A varint with needless bytes, or beyond 64 bits, is a defect.
  uint64_t Varint();
  std::string_view Bytes();
  std::string_view Raw(size_t size);
  // Everything that is left.
  std::string_view Rest();

  // For rules of the format beyond its fields: `rule` states what must hold, and is a literal.
  void Require(bool holds, const char* rule);

  bool ok() const { return defect_ == nullptr; }
  // OK when there was no defect and all bytes were consumed. DATA_LOSS otherwise; the text names
  // `what` was decoded, the defect and its place, and shows none of the bytes.
  absl::Status Finish(std::string_view what) const;

 private:
  void Fail(const char* defect);
  template <typename Unsigned>
  Unsigned BigEndian();

  std::string_view bytes_;
  std::string_view rest_;
  const char* defect_ = nullptr;
  size_t defect_at_ = 0;
};

}  // namespace flaredb

#endif  // FLAREDB_CORE_BASE_CODEC_H_
