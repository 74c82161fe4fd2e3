// SPDX-License-Identifier: Apache-2.0
// LM: equal position, equal history (thesis 3.5).
#ifndef FLAREDB_SIM_INVARIANTS_LOG_MATCHING_H_
#define FLAREDB_SIM_INVARIANTS_LOG_MATCHING_H_

#include <cstdint>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "core/base/types.h"
#include "core/raft/entry.h"
#include "sim/invariants/names.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

// What identifies an entry beside its position.
uint64_t ContentHash(const raft::EntryView& entry);

// Knows every entry that any replica ever appended. Whoever appends an entry of some (term, index)
// must append the same bytes after an entry of the same term; by induction the whole logs below it
// are equal.
class LogMatching {
 public:
  LogMatching(const Names* names, FailureReport* report) : names_(names), report_(report) {}

  // `node` appends `entry` after an entry of `previous_term`.
  void OnAppend(uint32_t node, Term previous_term, const raft::EntryView& entry);
  // Nobody is left who has any entry of `term` or a later one: they may be used once more.
  void Forget(Term term);

 private:
  struct Known {
    Term term;
    Term previous_term;
    uint64_t content = 0;
    uint32_t node = 0;  // Who appended it first.
  };

  const Names* names_;
  FailureReport* report_;
  std::vector<absl::InlinedVector<Known, 2>> by_index_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_LOG_MATCHING_H_
