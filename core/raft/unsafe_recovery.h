// SPDX-License-Identifier: Apache-2.0
// What to do when a majority of the voters is lost for ever. Raft cannot go on by itself then, and
// nobody can know what the lost disks had acknowledged: an operator decides, with open eyes.
#ifndef FLAREDB_CORE_RAFT_UNSAFE_RECOVERY_H_
#define FLAREDB_CORE_RAFT_UNSAFE_RECOVERY_H_

#include <string>
#include <variant>
#include <vector>

#include "absl/types/span.h"
#include "core/base/types.h"
#include "core/raft/types.h"
#include "core/raft/view.h"

namespace flaredb::raft {

// Made by PlanRecovery, carried out by Raft::Recover at `chosen`, once.
struct RecoveryPlan {
  // The survivor with the most complete log (thesis 3.6.1). A learner may have it: then it becomes
  // a voter.
  PeerId chosen;
  // Its log's end when the plan was made; it must not have moved. Everything up to here is kept.
  // What was acknowledged after it may be lost, and what was never acknowledged may be there.
  LogId chosen_log;
  Term term;       // Above every survivor's.
  ConfState conf;  // Survivors only.

  // For the operator.
  std::vector<PeerId> lost;  // Voters and learners that will be removed. They must never come back.
  // Known to be committed by a survivor. Acknowledged entries between it and a lost disk's end are
  // what the plan gives up unless `chosen_log` has them.
  Index known_committed;

  // A few lines for people.
  std::string Describe() const;
};

// Why no plan can be made.
enum class NoPlan : uint8_t {
  kNoSurvivor,  // No survivor is a member, by its own log.
  kNotNeeded,   // The survivors are a quorum: let them elect a leader instead.
  // A survivor knows of commits that the most complete log of a member lacks. If it is a member
  // itself, disks are damaged; if it was removed, those who had them are lost, and its log is the
  // last copy.
  kDisagree,
};

// Plans from the views of all survivors, which must be stopped or without contact to the lost, and
// have none among them who leads: its lease may rest on what the lost ones promised.
std::variant<RecoveryPlan, NoPlan> PlanRecovery(absl::Span<const View> survivors);

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_UNSAFE_RECOVERY_H_
