// SPDX-License-Identifier: Apache-2.0
// Where regions are that have no replica here, as far as this store has heard.
#ifndef FLAREDB_CORE_STORE_ROUTE_CACHE_H_
#define FLAREDB_CORE_STORE_ROUTE_CACHE_H_

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/types.h"
#include "core/region/region.h"

namespace flaredb::store {

// A guess is enough: whoever is asked in vain says so, and the guess is mended. As large as the
// cluster has regions.
class RouteCache {
 public:
  // A region as somebody knows it, and the store that is said to lead it (zero: nobody knows).
  // Takes the place of all that share keys with it, and is true; unless one of those has a greater
  // version, or it is the same region with a greater conf_version: then nothing changes.
  bool Learn(const Region& region, StoreId leader);
  // `asked` did not answer as a leader does; `leader` is whom it names, or zero. Whoever was asked
  // because nobody knows is not asked next.
  void OnNotLeader(RegionId region, StoreId asked, StoreId leader);
  // `asked` does not answer at all. Another of the region's stores is asked next; when there is
  // none left, the region is forgotten: it may have moved to stores that nobody here has heard of.
  void OnSilent(RegionId region, StoreId asked);
  // The region is not where it was thought to be.
  void Forget(RegionId region);

  // The region that holds an encoded key; null when it is not known. Borrowed until a change.
  // O(log regions).
  const Region* FindByKey(std::string_view key) const;
  const Region* Find(RegionId region) const;
  // Whom to ask: the leader, else one of the region's stores. Requires that the region is known.
  StoreId Target(RegionId region) const;

  size_t size() const { return by_id_.size(); }
  // All that are known, by id.
  std::vector<Region> regions() const;

 private:
  struct Route {
    Region region;
    StoreId leader;
    size_t next = 0;    // While there is no leader: the peer to ask.
    size_t silent = 0;  // How often somebody was asked who does not answer at all.
  };

  std::map<RegionId, Route> by_id_;
  std::map<std::string, RegionId, std::less<>> by_start_key_;
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_ROUTE_CACHE_H_
