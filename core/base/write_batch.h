// SPDX-License-Identifier: Apache-2.0
// Ordered mutations of a key space, as a value.
#ifndef FLAREDB_CORE_BASE_WRITE_BATCH_H_
#define FLAREDB_CORE_BASE_WRITE_BATCH_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flaredb {

// A put, or a deletion when `value` is absent.
struct Mutation {
  std::string key;
  std::optional<std::string> value;

  friend bool operator==(const Mutation&, const Mutation&) = default;
};

// Takes effect as a whole or not at all; a later mutation of a key wins.
struct WriteBatch {
  std::vector<Mutation> mutations;

  void Put(std::string key, std::string value) {
    mutations.push_back({std::move(key), std::move(value)});
  }
  void Delete(std::string key) { mutations.push_back({std::move(key), std::nullopt}); }
  bool empty() const { return mutations.empty(); }
  void Clear() { mutations.clear(); }
};

}  // namespace flaredb

#endif  // FLAREDB_CORE_BASE_WRITE_BATCH_H_
