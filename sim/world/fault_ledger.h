// SPDX-License-Identifier: Apache-2.0
// Counts the faults of a run: those that happened, and those that something came of.
#ifndef FLAREDB_SIM_WORLD_FAULT_LEDGER_H_
#define FLAREDB_SIM_WORLD_FAULT_LEDGER_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "sim/world/fault.h"
#include "sim/world/reduction.h"

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

  // Is told of every fault that happens, and at which endpoint, if there is one to name.
  using Listener = std::function<void(Fault fault, std::optional<uint32_t> endpoint)>;
  void SetListener(Listener listener) { listener_ = std::move(listener); }

  // A fault might happen now, as chance or plan has it: whether it does.
  bool Fires(Fault fault, std::optional<uint32_t> endpoint = std::nullopt);
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
  Listener listener_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_FAULT_LEDGER_H_
