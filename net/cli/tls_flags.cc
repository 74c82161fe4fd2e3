// SPDX-License-Identifier: Apache-2.0
#include "net/cli/tls_flags.h"

#include <string>

#include "CLI/CLI.hpp"

namespace flaredb::net {

void AddTlsFlags(CLI::App* command, bool with_environment, TlsFiles* files) {
  const auto add = [&](const char* flag, const char* variable, std::string* path,
                       const char* help) {
    CLI::Option* const option = command->add_option(flag, *path, help)->type_name("FILE");
    if (with_environment) option->envname(variable);
  };
  add("--tls-ca", "FLAREDB_CLIENT_CA", &files->ca,
      "Speak TLS with stores whose certificates this signed");
  add("--tls-cert", "FLAREDB_CLIENT_CERT", &files->cert, "Certificate to show to the stores");
  add("--tls-key", "FLAREDB_CLIENT_KEY", &files->key, "Key of that certificate");
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
