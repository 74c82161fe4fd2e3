// SPDX-License-Identifier: Apache-2.0
#include "net/cli/tls_flags.h"

#include "CLI/CLI.hpp"

namespace flaredb::net {

void AddTlsFlags(CLI::App* command, TlsFiles* files) {
  command->add_option("--tls-ca", files->ca, "Speak TLS with stores whose certificates this signed")
      ->envname("FLAREDB_CLIENT_CA")
      ->type_name("FILE");
  command->add_option("--tls-cert", files->cert, "Certificate to show to the stores")
      ->envname("FLAREDB_CLIENT_CERT")
      ->type_name("FILE");
  command->add_option("--tls-key", files->key, "Key of that certificate")
      ->envname("FLAREDB_CLIENT_KEY")
      ->type_name("FILE");
}

absl::StatusOr<std::shared_ptr<const TlsContext>> ClientTls(const TlsFiles& files) {
  if (files.empty()) return std::shared_ptr<const TlsContext>();
  if (files.ca.empty()) {
    return absl::InvalidArgumentError(
        "--tls-ca is missing: without it nobody knows which stores to trust");
  }
  if (files.cert.empty() != files.key.empty()) {
    return absl::InvalidArgumentError(
        "--tls-cert and --tls-key belong together: give both or neither");
  }
  return TlsContext::ForClient(files);
}

}  // namespace flaredb::net
