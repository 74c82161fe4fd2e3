// SPDX-License-Identifier: Apache-2.0
// How a store that has an empty folder becomes a member of a cluster.
#ifndef FLAREDB_NET_SERVER_JOIN_H_
#define FLAREDB_NET_SERVER_JOIN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/pd/cluster.h"
#include "net/server/members.h"
#include "net/tls/tls_context.h"

namespace flaredb::net {

struct JoinRequest {
  StoreId store;
  pd::InstanceId instance;
  std::string address;         // Where the store listens.
  uint64_t feature_level = 0;  // See pd::StoreDescriptor.
  Members peers;               // Whom to ask; at least one.
  // Which cluster it has to be; absent: whichever the peers are of.
  std::optional<uint64_t> cluster_id = std::nullopt;
};
struct Joined {
  uint64_t cluster_id = 0;
  Members members;  // This store included.
};

// Asks the peers in turn until one of them answers for the cluster. BLOCKS; asks `stop` now and
// then, and tells when the reason changes why a peer could not answer. May be repeated, by the same
// instance.
//   FAILED_PRECONDITION  the cluster refuses the store, or is another one than asked for; the
//                        sentence says why and what to do
//   CANCELLED            `stop` returned true
using TellWait = std::function<void(const std::string& peer, const std::string& reason)>;
absl::StatusOr<Joined> Join(const JoinRequest& request, std::shared_ptr<const TlsContext> tls,
                            const std::function<bool()>& stop, const TellWait& tell);

// The instance that the folder's file remembers; `drawn`, which it then remembers, without one. It
// comes before everything else that the store does: a store that joined and then lost its power
// must come back as the same one. Errors are one sentence.
absl::StatusOr<pd::InstanceId> RememberInstance(const std::string& path, pd::InstanceId drawn);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_JOIN_H_
