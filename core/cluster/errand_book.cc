// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/errand_book.h"

#include <algorithm>

namespace flaredb::cluster {

void ErrandBook::Want(Instant now, const std::string& purpose,
                      const std::variant<pd::Command, RegionErrand>& what,
                      std::vector<Errand>* errands) {
  Entry& entry = entries_[purpose];
  if (now < entry.until) return;
  under_way_.erase(entry.under_way);
  entry = {++last_, now + timeout_};
  errands->push_back({last_, what});
  under_way_.emplace(last_, UnderWay{purpose, errands->back()});
}

std::optional<Errand> ErrandBook::End(Instant now, ErrandId errand) {
  const auto node = under_way_.extract(errand);
  if (node.empty()) return std::nullopt;
  entries_[node.mapped().purpose] = {ErrandId(), now + pause_};
  return node.mapped().errand;
}

void ErrandBook::Expire(Instant now) {
  std::erase_if(entries_, [&](const auto& entry) {
    if (now < entry.second.until) return false;
    under_way_.erase(entry.second.under_way);
    return true;
  });
}

Instant ErrandBook::next_deadline() const {
  Instant next = Instant::Max();
  for (const auto& [purpose, entry] : entries_) next = std::min(next, entry.until);
  return next;
}

}  // namespace flaredb::cluster
