// SPDX-License-Identifier: Apache-2.0
// Files that a command makes.
#ifndef FLAREDB_NET_CLI_NEW_FILE_H_
#define FLAREDB_NET_CLI_NEW_FILE_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"

namespace flaredb::net {

// Writes a file that did not exist: an old one may be the only key to something. On failure nothing
// is left of it. UNAVAILABLE, one sentence, which ends with what to check: `option`.
absl::Status WriteNewFile(const std::string& path, const std::string& text, mode_t mode,
                          const char* option);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_NEW_FILE_H_
