// SPDX-License-Identifier: Apache-2.0
// A MetadataStore in memory, for the tests of services.
#ifndef FLAREDB_NET_METADATA_MEMORY_METADATA_STORE_H_
#define FLAREDB_NET_METADATA_MEMORY_METADATA_STORE_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "net/metadata/metadata_store.h"

namespace flaredb::metadata {

// Never answers Unknown, and Error only for what breaks a limit. Calls do not wait for anything.
class MemoryMetadataStore : public MetadataStore {
 public:
  Result<std::optional<VersionedValue>> Get(std::string_view key) override;
  PutResult Put(std::string_view key, std::string_view value) override;
  CasResult PutIf(std::string_view key, std::string_view value, uint64_t version) override;
  PutResult Delete(std::string_view key) override;
  CasResult DeleteIf(std::string_view key, uint64_t version) override;
  Result<Page> List(std::string_view prefix, uint32_t limit, std::string_view page_token) override;

 private:
  struct Record {
    std::optional<std::string> value;  // Absent after a delete, which counts as a version.
    uint64_t version = 0;
    uint64_t live_version() const { return value.has_value() ? version : 0; }
  };

  std::mutex mutex_;
  std::map<std::string, Record, std::less<>> records_;  // Guarded by mutex_.
};

}  // namespace flaredb::metadata

#endif  // FLAREDB_NET_METADATA_MEMORY_METADATA_STORE_H_
