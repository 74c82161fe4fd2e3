// SPDX-License-Identifier: Apache-2.0
#include "net/cli/token_flag.h"

#include <cstdlib>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "net/cli/option_checks.h"
#include "net/client/token_file.h"

namespace flaredb::net {
namespace {

constexpr char kVariable[] = "FLAREDB_TOKEN_FILE";

}  // namespace

void AddTokenFlag(CLI::App* command, bool with_environment, std::string* path) {
  CLI::Option* const option =
      command->add_option("--token-file", *path, "File with the token to show to the stores")
          ->check(NotEmpty())
          ->type_name("FILE");
  if (with_environment) option->envname(kVariable);
}

absl::StatusOr<std::string> ClientToken(const std::string& path) {
  // The library takes an empty variable for none.
  if (const char* const value = std::getenv(kVariable); value != nullptr && *value == '\0') {
    return absl::InvalidArgumentError(
        absl::StrCat(kVariable, " is empty: name a file, or leave it out"));
  }
  if (path.empty()) return "";
  return client::ReadTokenFile(path);
}

}  // namespace flaredb::net
