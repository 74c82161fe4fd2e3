// SPDX-License-Identifier: Apache-2.0
// Small random histories of operations on several versioned keys, and the verdict by definition.
#ifndef FLAREDB_TESTS_SIM_HISTORY_RANDOM_TRANSACTIONS_H_
#define FLAREDB_TESTS_SIM_HISTORY_RANDOM_TRANSACTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "sim/history/history.h"

namespace flaredb::sim {

// One operation: parts on different keys, all with its times and its client.
struct Transaction {
  struct Part {
    uint32_t key = 0;
    VersionedOp op;
  };
  std::vector<Part> parts;
  EventNumber invoke = 0;  // Unique, like `complete` unless that is kNever.
  EventNumber complete = kNever;

  bool unknown() const { return complete == kNever; }
};

// A few clients read, scan, write and write in batches; some outcomes stay unknown. Most of the
// histories are then damaged in a few places: a version, value, outcome or time, or a read torn in
// two. `operations_max` >= 3. Values are unique.
std::vector<Transaction> RandomTransactions(Rng* rng, size_t operations_max);

// As the run of a simulation would record it.
VersionedHistory Record(const std::vector<Transaction>& transactions);

// Tries every order of every subset that strict serializability allows. Exponential; shares no code
// with the checkers.
bool SerializableByDefinition(const std::vector<Transaction>& transactions);

// One line for each.
std::string Print(const std::vector<Transaction>& transactions);

}  // namespace flaredb::sim

#endif  // FLAREDB_TESTS_SIM_HISTORY_RANDOM_TRANSACTIONS_H_
