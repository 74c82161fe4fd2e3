// SPDX-License-Identifier: Apache-2.0
// Where a client keeps the token that it shows.
#ifndef FLAREDB_NET_CLIENT_TOKEN_FILE_H_
#define FLAREDB_NET_CLIENT_TOKEN_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace flaredb::client {

// The first line, without its end. INVALID_ARGUMENT, one sentence: the file can't be read, or the
// line is empty.
absl::StatusOr<std::string> ReadTokenFile(const std::string& path);

}  // namespace flaredb::client

#endif  // FLAREDB_NET_CLIENT_TOKEN_FILE_H_
