// SPDX-License-Identifier: Apache-2.0
#include "core/raft/quorum.h"

#include <algorithm>

#include "absl/container/fixed_array.h"
#include "core/base/check.h"

namespace flaredb::raft {
namespace {

uint64_t MajorityValue(const std::vector<PeerId>& voters,
                       absl::FunctionRef<uint64_t(PeerId)> reached) {
  INVARIANT(!voters.empty());
  // Highest first, each inserted where it belongs: for so few that beats a general sort.
  absl::FixedArray<uint64_t, 7> values(voters.size());
  for (size_t i = 0; i < voters.size(); ++i) {
    const uint64_t value = reached(voters[i]);
    size_t place = i;
    for (; place > 0 && values[place - 1] < value; --place) values[place] = values[place - 1];
    values[place] = value;
  }
  return values[Majority(voters.size()) - 1];
}

VoteState MajorityVotes(const std::vector<PeerId>& voters,
                        absl::FunctionRef<Ballot(PeerId)> ballot) {
  size_t granted = 0;
  size_t missing = 0;
  for (const PeerId id : voters) {
    const Ballot said = ballot(id);
    if (said == Ballot::kGranted) ++granted;
    if (said == Ballot::kMissing) ++missing;
  }
  const size_t needed = Majority(voters.size());
  if (granted >= needed) return VoteState::kWon;
  return granted + missing >= needed ? VoteState::kPending : VoteState::kLost;
}

}  // namespace

uint64_t QuorumValue(const ConfState& conf, absl::FunctionRef<uint64_t(PeerId)> reached) {
  const uint64_t incoming = MajorityValue(conf.voters, reached);
  return conf.joint() ? std::min(incoming, MajorityValue(conf.voters_outgoing, reached)) : incoming;
}

bool HasQuorum(const ConfState& conf, absl::FunctionRef<bool(PeerId)> predicate) {
  return QuorumValue(conf, [&](PeerId id) -> uint64_t { return predicate(id) ? 1 : 0; }) == 1;
}

VoteState CountVotes(const ConfState& conf, absl::FunctionRef<Ballot(PeerId)> ballot) {
  const VoteState incoming = MajorityVotes(conf.voters, ballot);
  if (!conf.joint()) return incoming;
  const VoteState outgoing = MajorityVotes(conf.voters_outgoing, ballot);
  if (incoming == VoteState::kLost || outgoing == VoteState::kLost) return VoteState::kLost;
  return incoming == VoteState::kWon ? outgoing : incoming;
}

}  // namespace flaredb::raft
