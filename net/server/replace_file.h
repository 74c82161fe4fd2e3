// SPDX-License-Identifier: Apache-2.0
#ifndef FLAREDB_NET_SERVER_REPLACE_FILE_H_
#define FLAREDB_NET_SERVER_REPLACE_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace flaredb::net {

// Writes a file whole or not at all, and syncs it and its folder. UNAVAILABLE, one sentence: it
// can't.
absl::Status ReplaceFile(const std::string& path, std::string_view text);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_REPLACE_FILE_H_
