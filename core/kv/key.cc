// SPDX-License-Identifier: Apache-2.0
#include "core/kv/key.h"

#include "core/base/check.h"
#include "core/base/codec.h"

namespace flaredb::kv {

namespace {

constexpr char kUserKeys = 'z';
constexpr size_t kHeaderRoom = 1 + sizeof(uint32_t);

}  // namespace

std::string EncodeKey(NamespaceId ns, std::string_view user_key) {
  INVARIANT(ns != NamespaceId::kNone);
  ByteWriter out(kHeaderRoom + user_key.size());
  out.U8(kUserKeys);
  out.U32(static_cast<uint32_t>(ns));
  out.Raw(user_key);
  return out.Take();
}

std::optional<DecodedKey> DecodeKey(std::string_view key) {
  ByteReader in(key);
  const uint8_t area = in.U8();
  const NamespaceId ns{in.U32()};
  const std::string_view user_key = in.Rest();
  if (!in.ok() || area != kUserKeys || ns == NamespaceId::kNone) return std::nullopt;
  return DecodedKey{ns, user_key};
}

KeyRange EncodeRange(NamespaceId ns, std::string_view begin, std::string_view end) {
  return {EncodeKey(ns, begin),
          end.empty() ? PrefixSuccessor(EncodeKey(ns, end)) : EncodeKey(ns, end)};
}

std::string PrefixSuccessor(std::string_view prefix) {
  // A byte 0xff cannot be raised: the one before it decides.
  const size_t last = prefix.find_last_not_of('\xff');
  if (last == std::string_view::npos) return {};
  std::string successor(prefix.substr(0, last + 1));
  successor.back() = static_cast<char>(static_cast<uint8_t>(successor.back()) + 1);
  return successor;
}

}  // namespace flaredb::kv
