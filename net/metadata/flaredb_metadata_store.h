// SPDX-License-Identifier: Apache-2.0
// A MetadataStore on a FlareDB cluster.
#ifndef FLAREDB_NET_METADATA_FLAREDB_METADATA_STORE_H_
#define FLAREDB_NET_METADATA_FLAREDB_METADATA_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/client/client.h"
#include "net/metadata/metadata_store.h"
#include "net/metadata/service_table.h"

namespace flaredb::metadata {

// The keys of one service: those of its namespace that begin with its prefix, told without it. A
// call blocks for the client's timeout at most; Delete may take it twice.
class FlaredbMetadataStore : public MetadataStore {
 public:
  // Many services of a process share one client.
  FlaredbMetadataStore(std::shared_ptr<client::Client> client, const Service& service);

  Result<std::optional<VersionedValue>> Get(std::string_view key) override;
  PutResult Put(std::string_view key, std::string_view value) override;
  CasResult PutIf(std::string_view key, std::string_view value, uint64_t version) override;
  PutResult Delete(std::string_view key) override;
  CasResult DeleteIf(std::string_view key, uint64_t version) override;
  Result<Page> List(std::string_view prefix, uint32_t limit, std::string_view page_token) override;

 private:
  // The cluster's key; empty for the empty key, which no store may take for the prefix itself.
  std::string FullKey(std::string_view key) const;

  const std::shared_ptr<client::Client> client_;
  const std::string ns_;
  const std::string prefix_;
};

}  // namespace flaredb::metadata

#endif  // FLAREDB_NET_METADATA_FLAREDB_METADATA_STORE_H_
