// SPDX-License-Identifier: Apache-2.0
// Which service keeps its metadata where: a file in TOML (examples/metadata/services.toml).
#ifndef FLAREDB_NET_METADATA_SERVICE_TABLE_H_
#define FLAREDB_NET_METADATA_SERVICE_TABLE_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/time.h"
#include "net/tls/tls_context.h"

namespace flaredb::metadata {

struct Service {
  std::string ns;      // The namespace, which is strong.
  std::string prefix;  // Of all keys of the service. No other of the namespace begins with it.
};

struct ServiceTable {
  std::vector<std::string> endpoints;  // Stores of the cluster, "host:port"; at least one.
  Duration timeout = Duration::Seconds(5);
  net::TlsFiles tls;       // As --tls-ca and so on of the command line; empty: plain TCP.
  std::string token_file;  // As --token-file; empty: no token is shown.
  std::map<std::string, Service> services;  // By name; at least one.

  // The error names those that there are.
  absl::StatusOr<Service> Find(const std::string& name) const;
};

// Errors are one sentence with `file`, line and column. Refused is what is no TOML, what this
// program does not know, a certificate without its key or a token without TLS, a mode that is not
// "strong" (metadata is written under conditions, which needs that), and services whose keys could
// mix: in one namespace, no prefix may begin another.
absl::StatusOr<ServiceTable> ParseServiceTable(std::string_view text, const std::string& file);
absl::StatusOr<ServiceTable> ReadServiceTable(const std::string& path);

}  // namespace flaredb::metadata

#endif  // FLAREDB_NET_METADATA_SERVICE_TABLE_H_
