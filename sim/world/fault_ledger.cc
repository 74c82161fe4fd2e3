// SPDX-License-Identifier: Apache-2.0
#include "sim/world/fault_ledger.h"

namespace flaredb::sim {

uint64_t FaultCounts::fired() const {
  uint64_t sum = 0;
  for (const Count& count : kinds) sum += count.fired;
  return sum;
}

FaultCounts& FaultCounts::operator+=(const FaultCounts& other) {
  for (size_t kind = 0; kind < kFaults; ++kind) {
    kinds[kind].fired += other.kinds[kind].fired;
    kinds[kind].mattered += other.kinds[kind].mattered;
  }
  return *this;
}

bool FaultLedger::Fires(Fault fault, std::optional<uint32_t> endpoint) {
  const auto kind = static_cast<size_t>(fault);
  const FaultName name{fault, ++last_number_[kind]};
  if (reduction_->without[kind]) return false;
  if (reduction_->faults && reduction_->faults->count(name) == 0) return false;
  if (reduction_->faults_max && fired_.size() >= *reduction_->faults_max) return false;
  ++counts_.kinds[kind].fired;
  fired_.push_back(name);
  if (listener_) listener_(fault, endpoint);
  return true;
}

}  // namespace flaredb::sim
