// SPDX-License-Identifier: Apache-2.0
// The stores of a cluster and their addresses: from a flag, and remembered in the data folder.
#ifndef FLAREDB_NET_SERVER_MEMBERS_H_
#define FLAREDB_NET_SERVER_MEMBERS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"

namespace flaredb::net {

// "host:port" of each store.
using Members = std::map<StoreId, std::string>;

// Reads "1=10.0.0.1:50051,2=10.0.0.2:50051". INVALID_ARGUMENT, one sentence: no list, an id that is
// no number from 1 up, an address that is none, an id or address named twice.
absl::StatusOr<Members> ParseMembers(std::string_view text);
// The inverse, in the order of ids.
std::string FormatMembers(const Members& members);

// A cluster id that everybody who was given the same list arrives at. Never zero.
uint64_t DeriveClusterId(const Members& members);

// The addresses are needed before any peer can be asked, and they are not replicated data; hence a
// text file of their own beside the database:
//   flaredb-members 1
//   1=10.0.0.1:50051,2=10.0.0.2:50051
// nullopt: there is no file. DATA_LOSS: it is damaged; the text says how to go on.
absl::StatusOr<std::optional<Members>> ReadMembersFile(const std::string& path);
// Replaces a file as a whole and syncs it. UNAVAILABLE, one sentence: it can't.
absl::Status ReplaceFile(const std::string& path, std::string_view text);
// The same of this file.
absl::Status WriteMembersFile(const std::string& path, const Members& members);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_MEMBERS_H_
