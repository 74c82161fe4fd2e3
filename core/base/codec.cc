// SPDX-License-Identifier: Apache-2.0
#include "core/base/codec.h"

#include "absl/strings/str_cat.h"
#include "core/base/strings.h"

namespace flaredb {

void ByteWriter::U32(uint32_t x) {
  for (int shift = 24; shift >= 0; shift -= 8) U8(static_cast<uint8_t>(x >> shift));
}

void ByteWriter::U64(uint64_t x) {
  for (int shift = 56; shift >= 0; shift -= 8) U8(static_cast<uint8_t>(x >> shift));
}

void ByteWriter::Varint(uint64_t x) {
  for (; x >= 0x80; x >>= 7) U8(static_cast<uint8_t>(x | 0x80));
  U8(static_cast<uint8_t>(x));
}

void ByteWriter::Bytes(std::string_view bytes) {
  Varint(bytes.size());
  Raw(bytes);
}

void ByteReader::Fail(const char* defect) {
  if (!ok()) return;
  defect_ = defect;
  defect_at_ = bytes_.size() - rest_.size();
  rest_ = {};
}

void ByteReader::Require(bool holds, const char* rule) {
  if (!holds) Fail(rule);
}

void ByteReader::FormatVersion(uint8_t known) {
  Require(!rest_.empty() && static_cast<uint8_t>(rest_.front()) == known,
          "the format version is known to this program");
  U8();
}

std::string_view ByteReader::Raw(size_t size) {
  Require(size <= rest_.size(), "no field exceeds the end");
  if (!ok()) return {};
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::string_view ByteReader::Rest() { return Raw(rest_.size()); }

std::string_view ByteReader::Bytes() { return Raw(Varint()); }

template <typename Unsigned>
Unsigned ByteReader::BigEndian() {
  Unsigned x = 0;
  for (const char c : Raw(sizeof(Unsigned))) x = (x << 8) | static_cast<uint8_t>(c);
  return x;
}

uint8_t ByteReader::U8() {
  const std::string_view byte = Raw(1);
  return byte.empty() ? 0 : static_cast<uint8_t>(byte.front());
}

uint32_t ByteReader::U32() { return BigEndian<uint32_t>(); }

uint64_t ByteReader::U64() { return BigEndian<uint64_t>(); }

uint64_t ByteReader::Varint() {
  uint64_t x = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = U8();
    if (!ok()) return 0;
    // The tenth byte has room for the 64th bit alone.
    Require(shift < 63 || byte <= 1, "a varint fits 64 bits");
    Require(shift == 0 || byte != 0, "a varint is as short as it can be");
    if (!ok()) return 0;
    x |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return x;
  }
  return x;
}

absl::Status ByteReader::Finish(std::string_view what) const {
  if (ok() && rest_.empty()) return absl::OkStatus();
  const char* rule = ok() ? "nothing follows the last field" : defect_;
  const size_t at = ok() ? bytes_.size() - rest_.size() : defect_at_;
  return absl::DataLossError(absl::StrCat(ToAbsl(what), " cannot be decoded: at byte ", at, " of ",
                                          bytes_.size(), " it does not hold that ", rule));
}

}  // namespace flaredb
