// SPDX-License-Identifier: Apache-2.0
// How a command reaches a cluster that wants TLS.
#ifndef FLAREDB_NET_CLI_TLS_FLAGS_H_
#define FLAREDB_NET_CLI_TLS_FLAGS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "net/tls/tls_context.h"

namespace CLI {
class App;
}

namespace flaredb::net {

// Adds --tls-ca, --tls-cert and --tls-key, which, `with_environment`, FLAREDB_CLIENT_CA,
// FLAREDB_CLIENT_CERT and FLAREDB_CLIENT_KEY stand in for: FLAREDB_TLS_... are a server's own.
// `files` outlives the parse.
void AddTlsFlags(CLI::App* command, bool with_environment, TlsFiles* files);

// nullptr without --tls-ca: plain TCP. INVALID_ARGUMENT, one sentence: a file is missing or of no
// use, or one of the variables is set and empty.
absl::StatusOr<std::shared_ptr<const TlsContext>> ClientTls(const TlsFiles& files);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_TLS_FLAGS_H_
