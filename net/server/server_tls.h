// SPDX-License-Identifier: Apache-2.0
// Whether a server speaks TLS, and with which certificates.
#ifndef FLAREDB_NET_SERVER_SERVER_TLS_H_
#define FLAREDB_NET_SERVER_SERVER_TLS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/tls/tls_context.h"

namespace flaredb::net {

struct TlsOptions {
  TlsFiles files;  // Either all or none: plain TCP...
  ClientCertificates clients = ClientCertificates::kRequired;
  bool insecure = false;  // ...on any address, because the operator says that he knows.
};

// Both nullptr: plain TCP.
struct ServerTls {
  std::shared_ptr<TlsContext> listener;  // For clients and other stores.
  std::shared_ptr<TlsContext> links;     // To other stores.
};

// INVALID_ARGUMENT, one sentence: some of the files are named, but not all.
absl::Status CheckAllNamed(const TlsFiles& files);

// INVALID_ARGUMENT, one sentence: a file is not named or of no use, or whoever trusts the same
// authorities would not take the certificate for a store's.
absl::StatusOr<ServerTls> LoadTls(const TlsOptions& options);

// INVALID_ARGUMENT, one sentence: there are tokens, but no TLS.
absl::Status CheckTokensAreHidden(const std::string& tokens_file, const TlsFiles& files);

// Without TLS whoever reaches the port may read and write everything. INVALID_ARGUMENT, one
// sentence: other machines reach `address`, "host:port", and neither TLS nor `insecure` was asked
// for. BLOCKS while a name is resolved.
absl::Status CheckExposure(const TlsOptions& options, const std::string& address);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_SERVER_TLS_H_
