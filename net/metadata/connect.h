// SPDX-License-Identifier: Apache-2.0
// The cluster of a service table.
#ifndef FLAREDB_NET_METADATA_CONNECT_H_
#define FLAREDB_NET_METADATA_CONNECT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "net/client/client.h"
#include "net/metadata/service_table.h"

namespace flaredb::metadata {

// A client as client::Client::Create makes it. INVALID_ARGUMENT, one sentence: a file that the
// table names is missing or of no use.
absl::StatusOr<std::unique_ptr<client::Client>> Connect(const ServiceTable& table);

}  // namespace flaredb::metadata

#endif  // FLAREDB_NET_METADATA_CONNECT_H_
