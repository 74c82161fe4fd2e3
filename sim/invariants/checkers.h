// SPDX-License-Identifier: Apache-2.0
// The invariants of one region over all its replicas, checked at every event that could break them.
// docs/SIMULATION.md lists the codes.
#ifndef FLAREDB_SIM_INVARIANTS_CHECKERS_H_
#define FLAREDB_SIM_INVARIANTS_CHECKERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/region/region.h"
#include "core/store/effects.h"
#include "core/store/recovery.h"
#include "core/store/store.h"
#include "sim/disk.h"
#include "sim/failure.h"
#include "sim/invariants/commits.h"
#include "sim/invariants/elections.h"
#include "sim/invariants/log_matching.h"
#include "sim/invariants/names.h"
#include "sim/invariants/replica.h"

namespace flaredb::sim {

class Checkers {
 public:
  // `disks` by node. Everything passed outlives this object.
  Checkers(const Region& region, const std::vector<const SimDisk*>& disks, FailureReport* report);

  // The store on `node` starts from its disk; `view` is its first.
  void OnStart(uint32_t node, const store::RecoveredRegion& recovered, const store::PeerView& view);
  // It has turned: `effects` is what leaves, `view` what it is now.
  void OnTurn(uint32_t node, const store::Effects& effects, const store::PeerView& view);
  // `commit` is about to become part of the image of its disk.
  void BeforeDurable(uint32_t node, const env::GroupCommit& commit);
  void OnCrash(uint32_t node) { replicas_[node].running = false; }
  // All is quiet and every replica has applied everything.
  void AtEnd();

  const std::vector<Replica>& replicas() const { return replicas_; }
  const Commits& commits() const { return commits_; }

 private:
  void Issue(uint32_t node, const env::GroupCommit& commit);
  void CheckSend(uint32_t node, const store::Send& send);
  void Fail(const char* invariant, std::optional<std::string> sentence);

  const Region region_;
  const Names names_;
  FailureReport* report_;
  std::vector<Replica> replicas_;
  Elections elections_;
  LogMatching log_matching_;
  Commits commits_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_CHECKERS_H_
