// SPDX-License-Identifier: Apache-2.0
#include "net/metadata/flaredb_metadata_store.h"

#include <utility>
#include <variant>

namespace flaredb::metadata {

FlaredbMetadataStore::FlaredbMetadataStore(std::shared_ptr<client::Client> client,
                                           const Service& service)
    : client_(std::move(client)), ns_(service.ns), prefix_(service.prefix) {}

std::string FlaredbMetadataStore::FullKey(std::string_view key) const {
  return key.empty() ? std::string() : prefix_ + std::string(key);
}

Result<std::optional<VersionedValue>> FlaredbMetadataStore::Get(std::string_view key) {
  return client_->Get(FullKey(key), {.ns = ns_});
}

PutResult FlaredbMetadataStore::Put(std::string_view key, std::string_view value) {
  return client_->Put(FullKey(key), value, {.ns = ns_});
}

CasResult FlaredbMetadataStore::PutIf(std::string_view key, std::string_view value,
                                      uint64_t version) {
  return client_->Cas(FullKey(key), value, version, {.ns = ns_});
}

PutResult FlaredbMetadataStore::Delete(std::string_view key) {
  return client_->Delete(FullKey(key), {.ns = ns_});
}

CasResult FlaredbMetadataStore::DeleteIf(std::string_view key, uint64_t version) {
  return client_->CasDelete(FullKey(key), version, {.ns = ns_});
}

Result<Page> FlaredbMetadataStore::List(std::string_view prefix, uint32_t limit,
                                        std::string_view page_token) {
  Result<Page> result =
      client_->ScanPrefix(prefix_ + std::string(prefix),
                          {.ns = ns_, .limit = limit, .page_token = std::string(page_token)});
  if (auto* page = std::get_if<Page>(&result)) {
    for (client::Row& row : page->rows) row.key.erase(0, prefix_.size());
  }
  return result;
}

}  // namespace flaredb::metadata
