// SPDX-License-Identifier: Apache-2.0
// The stores of a cluster and their addresses, as flags name them.
#ifndef FLAREDB_NET_SERVER_MEMBERS_H_
#define FLAREDB_NET_SERVER_MEMBERS_H_

#include <map>
#include <string>
#include <string_view>

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

// The status of a stream whose sender was a member once and never will be again.
inline constexpr absl::StatusCode kExpelled = absl::StatusCode::kNotFound;

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_MEMBERS_H_
