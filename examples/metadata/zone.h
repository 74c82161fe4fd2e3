// SPDX-License-Identifier: Apache-2.0
// A service on a MetadataStore, as small as it can be: names and their addresses.
#ifndef FLAREDB_EXAMPLES_METADATA_ZONE_H_
#define FLAREDB_EXAMPLES_METADATA_ZONE_H_

#include <map>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/metadata/metadata_store.h"

namespace flaredb::examples {

// A name's addresses are one value, so that adding one is to read, to change and to write under the
// version that was read. Errors are one sentence; kUnknown: the change may have been made.
class Zone {
 public:
  // `store` outlives the zone. Any number of zones may share what is in it.
  explicit Zone(metadata::MetadataStore* store) : store_(store) {}

  // Neither does harm when repeated, so that kUnknown is answered by doing it again.
  absl::Status Add(const std::string& name, const std::string& address);
  absl::Status Remove(const std::string& name, const std::string& address);
  // All names that begin with `prefix`, with their addresses.
  absl::StatusOr<std::map<std::string, std::set<std::string>>> List(const std::string& prefix);

 private:
  template <typename Change>
  absl::Status Update(const std::string& name, const Change& change);

  metadata::MetadataStore* const store_;
};

}  // namespace flaredb::examples

#endif  // FLAREDB_EXAMPLES_METADATA_ZONE_H_
