// SPDX-License-Identifier: Apache-2.0
// Where things lie in a store's key space. Order of encoded keys is order of user keys.
#ifndef FLAREDB_CORE_KV_KEY_H_
#define FLAREDB_CORE_KV_KEY_H_

#include <optional>
#include <string>
#include <string_view>

#include "core/kv/command.h"

namespace flaredb::kv {

// 'z', the namespace in 4 bytes big-endian, the user's key. System rows lie below 'z'.
std::string EncodeKey(NamespaceId ns, std::string_view user_key);
struct DecodedKey {
  NamespaceId ns = NamespaceId::kNone;
  std::string_view user_key;  // Borrowed from the argument.
};
// nullopt when `key` is not an encoded user key.
std::optional<DecodedKey> DecodeKey(std::string_view key);

// The encoded keys of `ns` in [begin, end) of user keys; an empty `end` means the end of the
// namespace.
struct KeyRange {
  std::string begin;
  std::string end;
};
KeyRange EncodeRange(NamespaceId ns, std::string_view begin, std::string_view end);

// The smallest key greater than every key that starts with `prefix`; empty when there is none
// (an empty prefix, or nothing but 0xff bytes).
std::string PrefixSuccessor(std::string_view prefix);

}  // namespace flaredb::kv

#endif  // FLAREDB_CORE_KV_KEY_H_
