// SPDX-License-Identifier: Apache-2.0
// Takes the switches of namespaces from state to state (core/pd/mode_switch.h).
//
//   kToEventual     every region of the namespace has the fence in its log, so no strong operation
//                   is under way any more; and every member has heard of it and has a clock past
//                   the fences' base, so that whatever it will stamp comes after what is there.
//   kToStrongDrain  every member has heard of it, so it accepts no more writes, and has none left
//                   that its region has not applied.
//   kToStrongFence  every region has the fence. Members need not be asked: none of them has writes,
//                   because of the drain, or because no member ever heard of kEventual.
//
// A fence that is in the log of a region stays in force whatever becomes of it: its parts inherit
// it, and each of its leaders obeys it. So it is enough that at some time each region of a scan
// without holes had the fence.
#ifndef FLAREDB_CORE_CLUSTER_MODE_DRIVER_H_
#define FLAREDB_CORE_CLUSTER_MODE_DRIVER_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/cluster/errand.h"
#include "core/cluster/region_reports.h"
#include "core/cluster/roster.h"
#include "core/kv/hlc.h"
#include "core/kv/namespace_command.h"
#include "core/pd/cluster.h"

namespace flaredb::cluster {

class ModeDriver {
 public:
  struct Work {
    std::vector<RegionErrand> fences;  // That are missing.
    bool done = false;                 // The switch may go one step on.
    kv::Hlc clock;                     // Members must not stay behind it; zero: no matter.
    std::string waits_for;             // "waits for ...". Empty when it is done.
  };

  // What the switch of `ns`, which is under way, needs.
  Work Look(Instant now, const pd::Namespace& ns, const Roster& roster, AskPd ask);
  // What became of a fence that was missing.
  void OnFence(RegionId region, const kv::ModeFence& sent, const kv::NamespaceReply& reply);

 private:
  // Fences of one mode epoch that are known to stand.
  struct Fences {
    pd::ModeEpoch mode_epoch;
    std::set<RegionId> regions;
    kv::Hlc base;  // The greatest.
  };

  static void LookForAnswers(Instant now, const Roster& roster, Work* work);
  void LookAtRegions(Instant now, const pd::Namespace& ns, const Roster& roster, AskPd ask,
                     Work* work);
  static void LookAtMembers(Instant now, const pd::Namespace& ns, const Roster& roster, Work* work);

  std::map<kv::NamespaceId, Fences> fences_;
};

}  // namespace flaredb::cluster

#endif  // FLAREDB_CORE_CLUSTER_MODE_DRIVER_H_
