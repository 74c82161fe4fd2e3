// SPDX-License-Identifier: Apache-2.0
#include "core/store/route_cache.h"

#include <iterator>

#include "core/base/check.h"

namespace flaredb::store {
namespace {

bool EndsAfter(const Region& region, std::string_view key) {
  return region.end_key.empty() || key < region.end_key;
}

bool ShareKeys(const Region& a, const Region& b) {
  return EndsAfter(a, b.start_key) && EndsAfter(b, a.start_key);
}

}  // namespace

bool RouteCache::Learn(const Region& region, StoreId leader) {
  std::vector<RegionId> replaced;
  for (const auto& [id, route] : by_id_) {
    const RegionEpoch& known = route.region.epoch;
    if (id != region.id && !ShareKeys(route.region, region)) continue;
    if (known.version > region.epoch.version) return false;
    if (id == region.id && known.conf_version > region.epoch.conf_version) return false;
    replaced.push_back(id);
  }
  // Who leads is not forgotten because somebody does not know.
  if (const auto known = by_id_.find(region.id); known != by_id_.end() && !leader) {
    if (region.PeerOn(known->second.leader) != nullptr) leader = known->second.leader;
  }
  for (const RegionId id : replaced) Forget(id);
  by_start_key_[region.start_key] = region.id;
  by_id_[region.id] = {region, leader};
  return true;
}

void RouteCache::OnNotLeader(RegionId region, StoreId asked, StoreId leader) {
  const auto found = by_id_.find(region);
  if (found == by_id_.end()) return;
  Route& route = found->second;
  if (leader && leader != asked) {
    route.leader = leader;
  } else if (Target(region) == asked) {
    route.leader = StoreId();
    route.next = (route.next + 1) % route.region.peers.size();
    if (Target(region) == asked) route.next = (route.next + 1) % route.region.peers.size();
  }
}

void RouteCache::OnSilent(RegionId region, StoreId asked) {
  const auto found = by_id_.find(region);
  if (found == by_id_.end() || Target(region) != asked) return;
  if (++found->second.silent == found->second.region.peers.size()) return Forget(region);
  OnNotLeader(region, asked, StoreId());
}

void RouteCache::Forget(RegionId region) {
  const auto found = by_id_.find(region);
  if (found == by_id_.end()) return;
  by_start_key_.erase(found->second.region.start_key);
  by_id_.erase(found);
}

const Region* RouteCache::FindByKey(std::string_view key) const {
  const auto after = by_start_key_.upper_bound(key);
  if (after == by_start_key_.begin()) return nullptr;
  const Region* region = Find(std::prev(after)->second);
  return region->Contains(key) ? region : nullptr;
}

const Region* RouteCache::Find(RegionId region) const {
  const auto found = by_id_.find(region);
  return found != by_id_.end() ? &found->second.region : nullptr;
}

std::vector<Region> RouteCache::regions() const {
  std::vector<Region> regions;
  for (const auto& [id, route] : by_id_) regions.push_back(route.region);
  return regions;
}

StoreId RouteCache::Target(RegionId region) const {
  const auto found = by_id_.find(region);
  INVARIANT(found != by_id_.end()) << "region " << region;
  const Route& route = found->second;
  return route.leader ? route.leader : route.region.peers[route.next].store;
}

}  // namespace flaredb::store
