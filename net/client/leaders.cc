// SPDX-License-Identifier: Apache-2.0
#include "net/client/leaders.h"

#include <iterator>

namespace flaredb::client {

std::string Leaders::Find(const Place& place) const {
  const std::lock_guard lock(mutex_);
  const auto leader = leaders_.find(RegionAt(place));
  return leader == leaders_.end() ? "" : leader->second;
}

void Leaders::Learn(const Place& place, uint64_t region, const std::string& address, Instant now) {
  if (region == 0 || address.empty()) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(avoided_until_, [&](const auto& each) { return each.second <= now; });
  if (avoided_until_.contains(address)) return;
  leaders_[region] = address;
  if (RegionAt(place) == region) return;
  auto& keys = regions_[std::string(place.ns)];
  const auto at = keys.insert_or_assign(std::string(place.key), region).first;
  // Neighbours in one region are one.
  if (const auto next = std::next(at); next != keys.end() && next->second == region) {
    keys.erase(next);
  }
  if (at != keys.begin() && std::prev(at)->second == region) keys.erase(at);
}

void Leaders::Forget(const std::string& address) {
  const std::lock_guard lock(mutex_);
  ForgetLocked(address);
}

void Leaders::Avoid(const std::string& address, Instant now) {
  const std::lock_guard lock(mutex_);
  ForgetLocked(address);
  avoided_until_[address] = now + kAvoided;
}

void Leaders::ForgetLocked(const std::string& address) {
  std::erase_if(leaders_, [&](const auto& each) { return each.second == address; });
}

// Below the first key that was told of there is nothing better than that one.
uint64_t Leaders::RegionAt(const Place& place) const {
  const auto ns = regions_.find(place.ns);
  if (ns == regions_.end()) return 0;
  auto at = ns->second.upper_bound(place.key);
  if (at != ns->second.begin()) --at;
  return at->second;
}

}  // namespace flaredb::client
