// SPDX-License-Identifier: Apache-2.0
#include "core/raft/types.h"

#include <algorithm>

namespace flaredb::raft {
namespace {

bool Has(const std::vector<PeerId>& sorted, PeerId id) {
  return std::binary_search(sorted.begin(), sorted.end(), id);
}

}  // namespace

bool ConfState::IsVoter(PeerId id) const { return Has(voters, id) || Has(voters_outgoing, id); }

bool ConfState::IsMember(PeerId id) const { return IsVoter(id) || Has(learners, id); }

std::vector<PeerId> ConfState::Everybody() const {
  std::vector<PeerId> all;
  all.reserve(voters.size() + voters_outgoing.size() + learners.size());
  all.insert(all.end(), voters.begin(), voters.end());
  all.insert(all.end(), voters_outgoing.begin(), voters_outgoing.end());
  all.insert(all.end(), learners.begin(), learners.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

Member ConfState::Find(PeerId id) const {
  const auto at = std::lower_bound(members.begin(), members.end(), id,
                                   [](const Member& m, PeerId x) { return m.id < x; });
  return at != members.end() && at->id == id ? *at : Member{id, StoreId(), Incarnation()};
}

}  // namespace flaredb::raft
