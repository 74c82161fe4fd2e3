// SPDX-License-Identifier: Apache-2.0
#include "net/cli/tls_flags.h"

#include <cstdlib>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "net/cli/option_checks.h"

namespace flaredb::net {
namespace {

constexpr char kCaVariable[] = "FLAREDB_CLIENT_CA";
constexpr char kCertVariable[] = "FLAREDB_CLIENT_CERT";
constexpr char kKeyVariable[] = "FLAREDB_CLIENT_KEY";

}  // namespace

void AddTlsFlags(CLI::App* command, bool with_environment, TlsFiles* files) {
  const auto add = [&](const char* flag, const char* variable, std::string* path,
                       const char* help) {
    CLI::Option* const option =
        command->add_option(flag, *path, help)->check(NotEmpty())->type_name("FILE");
    if (with_environment) option->envname(variable);
  };
  add("--tls-ca", kCaVariable, &files->ca, "Speak TLS with stores whose certificates this signed");
  add("--tls-cert", kCertVariable, &files->cert, "Certificate to show to the stores");
  add("--tls-key", kKeyVariable, &files->key, "Key of that certificate");
}

absl::StatusOr<std::shared_ptr<const TlsContext>> ClientTls(const TlsFiles& files) {
  // The library takes an empty variable for none.
  for (const char* variable : {kCaVariable, kCertVariable, kKeyVariable}) {
    if (const char* const path = std::getenv(variable); path != nullptr && *path == '\0') {
      return absl::InvalidArgumentError(
          absl::StrCat(variable, " is empty: name a file, or leave it out"));
    }
  }
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
