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

}  // namespace flaredb::raft
