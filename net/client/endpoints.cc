// SPDX-License-Identifier: Apache-2.0
#include "net/client/endpoints.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace flaredb::client {

Endpoints::Endpoints(std::vector<std::string> addresses) : addresses_(std::move(addresses)) {
  INVARIANT(!addresses_.empty());
  preferred_ = addresses_.front();
}

std::string Endpoints::Preferred() const {
  const std::lock_guard lock(mutex_);
  return preferred_;
}

void Endpoints::Prefer(const std::string& address) {
  const std::lock_guard lock(mutex_);
  if (preferred_ != address) preferred_ = address;
}

Route::Route(const Endpoints* endpoints, const std::string& leader)
    : endpoints_(endpoints),
      address_(leader.empty() ? endpoints->Preferred() : leader),
      followed_(leader) {
  const std::vector<std::string>& all = endpoints_->addresses();
  const auto at = std::find(all.begin(), all.end(), address_);
  // An address of nobody's list is followed by the list from its beginning.
  next_ = at == all.end() ? 0 : static_cast<size_t>(at - all.begin() + 1) % all.size();
}

void Route::Advance(const std::string& leader_address) {
  if (!leader_address.empty() && leader_address != address_ && leader_address != followed_) {
    followed_ = leader_address;
    address_ = leader_address;
    return;
  }
  const std::vector<std::string>& all = endpoints_->addresses();
  // Not the one that was just asked, if there is another.
  if (all[next_] == address_) next_ = (next_ + 1) % all.size();
  address_ = all[next_];
  next_ = (next_ + 1) % all.size();
}

}  // namespace flaredb::client
