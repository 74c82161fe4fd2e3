// SPDX-License-Identifier: Apache-2.0
// Who takes over what a stopping store leads.
#ifndef FLAREDB_NET_SERVER_HAND_OVER_H_
#define FLAREDB_NET_SERVER_HAND_OVER_H_

#include <cstdint>
#include <map>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/store/order.h"
#include "core/store/store.h"

namespace flaredb::net {

// Asked again and again until nothing is left. Stateful only so as not to ask the store too often.
class HandOver {
 public:
  // A transfer that has not happened after this is ordered again, of another voter if there is one:
  // the store gives up the first one by itself before.
  static constexpr Duration kPatience = Duration::Milliseconds(600);

  // The transfers to order now: for each region that is led here and has another voter, the one in
  // contact that has the most of the log.
  std::vector<store::Order> Next(Instant now, const std::vector<store::PeerView>& peers);

  // Regions that are led here and that another voter could lead.
  static size_t Left(const std::vector<store::PeerView>& peers);

 private:
  struct Asked {
    PeerId target;
    Instant at;
  };
  std::map<RegionId, Asked> asked_;
  uint64_t last_order_ = 0;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_HAND_OVER_H_
