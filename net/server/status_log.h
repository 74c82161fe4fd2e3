// SPDX-License-Identifier: Apache-2.0
// Logs what changed about the replicas of a store, for its operator.
#ifndef FLAREDB_NET_SERVER_STATUS_LOG_H_
#define FLAREDB_NET_SERVER_STATUS_LOG_H_

#include <cstdint>
#include <map>
#include <vector>

#include "core/base/types.h"
#include "core/store/store.h"

namespace flaredb::net {

class StatusLog {
 public:
  // Compares with the call before and logs the differences. True when every replica is well and
  // knows its leader.
  bool Update(const std::vector<store::PeerView>& peers);
  // How often a replica was seen with another leader than before, or with its first.
  uint64_t leader_changes() const { return leader_changes_; }

 private:
  struct Seen {
    Term term;
    PeerId leader;
    bool poisoned = false;
  };
  std::map<RegionId, Seen> seen_;
  uint64_t leader_changes_ = 0;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_STATUS_LOG_H_
