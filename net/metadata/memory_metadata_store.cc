// SPDX-License-Identifier: Apache-2.0
#include "net/metadata/memory_metadata_store.h"

#include <utility>

namespace flaredb::metadata {
namespace {

constexpr size_t kKeyBytesMax = 8192;
constexpr size_t kValueBytesMax = 1 << 20;
constexpr size_t kPageRowsMax = 10000;

std::optional<client::Error> Refuse(std::string_view key, std::string_view value = "") {
  const auto refused = [](const char* message) {
    return client::Error{client::Error::kRefused, message};
  };
  if (key.empty() || key.size() > kKeyBytesMax) return refused("a key has 1 to 8192 bytes");
  if (value.size() > kValueBytesMax) return refused("a value has at most 1048576 bytes");
  return std::nullopt;
}

}  // namespace

Result<std::optional<VersionedValue>> MemoryMetadataStore::Get(std::string_view key) {
  if (auto refusal = Refuse(key)) return *std::move(refusal);
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(key);
  if (found == records_.end() || !found->second.value.has_value()) return std::nullopt;
  return VersionedValue{*found->second.value, found->second.version};
}

PutResult MemoryMetadataStore::Put(std::string_view key, std::string_view value) {
  if (auto refusal = Refuse(key, value)) return *std::move(refusal);
  const std::lock_guard lock(mutex_);
  Record& record = records_[std::string(key)];
  record.value = std::string(value);
  return client::Applied{++record.version};
}

CasResult MemoryMetadataStore::PutIf(std::string_view key, std::string_view value,
                                     uint64_t version) {
  if (auto refusal = Refuse(key, value)) return *std::move(refusal);
  const std::lock_guard lock(mutex_);
  Record& record = records_[std::string(key)];
  if (record.live_version() != version) return client::Mismatch{record.live_version()};
  record.value = std::string(value);
  return client::Applied{++record.version};
}

PutResult MemoryMetadataStore::Delete(std::string_view key) {
  if (auto refusal = Refuse(key)) return *std::move(refusal);
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(key);
  if (found != records_.end() && found->second.value.has_value()) {
    found->second.value.reset();
    ++found->second.version;
  }
  return client::Applied{0};
}

CasResult MemoryMetadataStore::DeleteIf(std::string_view key, uint64_t version) {
  if (auto refusal = Refuse(key)) return *std::move(refusal);
  if (version == 0) {
    return client::Error{client::Error::kRefused, "the version of a delete is at least 1"};
  }
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(key);
  const uint64_t live = found == records_.end() ? 0 : found->second.live_version();
  if (live != version) return client::Mismatch{live};
  found->second.value.reset();
  ++found->second.version;
  return client::Applied{0};
}

// A page token is the key that the next page begins with.
Result<Page> MemoryMetadataStore::List(std::string_view prefix, uint32_t limit,
                                       std::string_view page_token) {
  if (!page_token.empty() && !page_token.starts_with(prefix)) {
    return client::Error{client::Error::kRefused, "the page token is of another listing"};
  }
  const size_t rows_max = limit == 0 || limit > kPageRowsMax ? kPageRowsMax : limit;
  const std::lock_guard lock(mutex_);
  Page page;
  const std::string_view from = page_token.empty() ? prefix : page_token;
  for (auto at = records_.lower_bound(from); at != records_.end(); ++at) {
    const auto& [key, record] = *at;
    if (!key.starts_with(prefix)) break;
    if (!record.value.has_value()) continue;
    if (page.rows.size() == rows_max) {
      page.next_page_token = key;
      break;
    }
    page.rows.push_back({key, *record.value, record.version});
  }
  return page;
}

}  // namespace flaredb::metadata
