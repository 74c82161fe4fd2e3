// SPDX-License-Identifier: Apache-2.0
// Counts the faults of a run: those that happened, and those that something came of.
#ifndef FLAREDB_SIM_FAULT_LEDGER_H_
#define FLAREDB_SIM_FAULT_LEDGER_H_

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "sim/fault.h"
#include "sim/reduction.h"

namespace flaredb::sim {

struct FaultCounts {
  struct Count {
    uint64_t fired = 0;
    // Something would have been otherwise: a message was lost at a cut link, a crash took something
    // that was not yet durable, a paused process had something to do... The place that calls
    // FaultLedger::Mattered decides.
    uint64_t mattered = 0;
  };
  std::array<Count, kFaults> kinds{};

  const Count& operator[](Fault fault) const { return kinds[static_cast<size_t>(fault)]; }
  uint64_t fired() const;
  FaultCounts& operator+=(const FaultCounts& other);
};

// Everything that makes a fault asks here first.
class FaultLedger {
 public:
  // `reduction` outlives this object.
  explicit FaultLedger(const Reduction* reduction) : reduction_(reduction) {}

  // A fault might happen now, as chance or plan has it: whether it does.
  bool Fires(Fault fault);
  // Something came of a fault that happened; each time that something does.
  void Mattered(Fault fault) { ++counts_.kinds[static_cast<size_t>(fault)].mattered; }

  const FaultCounts& counts() const { return counts_; }
  // Those that happened, in order.
  const std::vector<FaultName>& fired() const { return fired_; }

 private:
  const Reduction* reduction_;
  std::array<uint32_t, kFaults> last_number_{};
  FaultCounts counts_;
  std::vector<FaultName> fired_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_FAULT_LEDGER_H_
