// SPDX-License-Identifier: Apache-2.0
// SOMETIMES and BUGGIFY (core/base/probe.h) within a run.
#ifndef FLAREDB_SIM_PROBES_H_
#define FLAREDB_SIM_PROBES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/probe.h"
#include "sim/world/profile.h"
#include "sim/world/world.h"

namespace flaredb::sim {

struct ProbeCounts {
  std::array<uint64_t, kProbes> hit{};
  std::array<uint64_t, kBuggifyPoints> taken{};  // Alternatives.

  uint64_t operator[](Probe probe) const { return hit[static_cast<size_t>(probe)]; }
  uint64_t operator[](BuggifyPoint point) const { return taken[static_cast<size_t>(point)]; }
  // Of kProbes and of kBuggifyPoints: how many are not at zero.
  size_t probes_hit() const;
  size_t points_taken() const;
  ProbeCounts& operator+=(const ProbeCounts& other);
};

// Counts situations; takes the alternatives that the profile allows for, by choice. Each one taken
// is a fault of the run (Fault::kBuggify).
class Probes : public ProbeSink {
 public:
  // Both outlive this object.
  Probes(World* world, const BuggifyProfile& profile) : world_(world), profile_(profile) {}

  void Hit(Probe probe) override { ++counts_.hit[static_cast<size_t>(probe)]; }
  bool Takes(BuggifyPoint point) override;
  bool Sabotages() override;
  // No alternative from now on.
  void Stop() { stopped_ = true; }

  const ProbeCounts& counts() const { return counts_; }

 private:
  World* world_;
  const BuggifyProfile& profile_;
  bool stopped_ = false;
  ProbeCounts counts_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_PROBES_H_
