// SPDX-License-Identifier: Apache-2.0
#include "core/region/state_machine.h"

#include <utility>

#include "core/kv/key.h"

namespace flaredb {

std::string ObjectPrefix(std::string_view object) {
  // Ordered as the names are, and no prefix of another: a zero byte is told from the end by what
  // follows it.
  std::string name;
  name.reserve(object.size() + 2);
  for (const char c : object) {
    name.push_back(c);
    if (c == '\0') name.push_back('\xff');
  }
  name.append("\0\x01", 2);
  return kv::EncodeKey(kv::NamespaceId::kMachine, name);
}

std::string ObjectRows::RowKey(std::string_view key) const {
  std::string row = prefix_;
  row.append(key);
  return row;
}

std::optional<std::string> ObjectRows::Get(std::string_view key) const {
  if (!status_.ok()) return std::nullopt;
  absl::StatusOr<std::optional<std::string>> value = data_.Get(RowKey(key));
  status_ = value.status();
  return value.ok() ? *std::move(value) : std::nullopt;
}

void ObjectRows::Scan(
    std::string_view begin, std::string_view end,
    absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const {
  if (!status_.ok()) return;
  const std::string last = end.empty() ? kv::PrefixSuccessor(prefix_) : RowKey(end);
  status_ = data_.Scan(RowKey(begin), last, [&](std::string_view key, std::string_view value) {
    return visit(key.substr(prefix_.size()), value);
  });
}

void MutableObjectRows::Put(std::string_view key, std::string value) {
  Change({RowKey(key), std::move(value)});
}

void MutableObjectRows::Delete(std::string_view key) {
  if (Get(key)) Change({RowKey(key), std::nullopt});
}

void MutableObjectRows::Change(Mutation mutation) {
  WriteBatch change;
  change.mutations.push_back(std::move(mutation));
  now_.Add(IoToken(1), change);
  changes_.mutations.push_back(std::move(change.mutations.front()));
}

}  // namespace flaredb
