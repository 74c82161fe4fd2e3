// SPDX-License-Identifier: Apache-2.0
#include "sim/probes.h"

#include <algorithm>

namespace flaredb::sim {

size_t ProbeCounts::probes_hit() const {
  return static_cast<size_t>(std::count_if(hit.begin(), hit.end(), [](uint64_t n) { return n; }));
}

size_t ProbeCounts::points_taken() const {
  return static_cast<size_t>(
      std::count_if(taken.begin(), taken.end(), [](uint64_t n) { return n; }));
}

ProbeCounts& ProbeCounts::operator+=(const ProbeCounts& other) {
  for (size_t i = 0; i < kProbes; ++i) hit[i] += other.hit[i];
  for (size_t i = 0; i < kBuggifyPoints; ++i) taken[i] += other.taken[i];
  return *this;
}

bool Probes::Takes(BuggifyPoint point) {
  const auto i = static_cast<size_t>(point);
  if (stopped_ || !profile_.points[i]) return false;
  if (!world_->choices.Chance(Choice::kBuggify, profile_.ppm, world_->acting)) return false;
  if (!world_->faults.Fires(Fault::kBuggify, world_->acting)) return false;
  // Every point asks only where the answer makes a difference.
  world_->faults.Mattered(Fault::kBuggify);
  ++counts_.taken[i];
  return true;
}

bool Probes::Sabotages() {
  const auto at = world_->sabotage.find(world_->acting);
  if (at == world_->sabotage.end() || at->second.done) return false;
  at->second.done = at->second.calls == 0;
  if (!at->second.done) --at->second.calls;
  return at->second.done;
}

}  // namespace flaredb::sim
