// SPDX-License-Identifier: Apache-2.0
#include "net/client/token_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace flaredb::client {

absl::StatusOr<std::string> ReadTokenFile(const std::string& path) {
  std::string token;
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::getline(file, token);
  if (!file.eof() && file.fail()) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read the token file ", path, ": ",
                                                   std::strerror(errno),
                                                   "; name a file that this user can read"));
  }
  if (token.ends_with('\r')) token.pop_back();
  if (token.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the token file ", path,
                     " has no token in its first line: \"flaredb token new\" makes one"));
  }
  return token;
}

}  // namespace flaredb::client
