// SPDX-License-Identifier: Apache-2.0
// The placement driver's state machine: who belongs to the cluster, which ids are taken, in which
// mode namespaces are, where regions are. It decides nothing by itself and waits for nothing: that
// is for whoever leads its group, by the commands of core/pd/command.h.
//
// An ordinary machine of the framework. Its rows are in the namespace kMachine, so whichever region
// holds that range is the placement driver's group, with the snapshots, reads and simulation of any
// other.
#ifndef FLAREDB_CORE_PD_PD_MACHINE_H_
#define FLAREDB_CORE_PD_PD_MACHINE_H_

#include <string>
#include <string_view>

#include "core/region/state_machine.h"

namespace flaredb::pd {

class PdMachine : public StateMachine {
 public:
  // `command` is a Command, the answer a Reply. O(log n), except for PutStore (O(stores)),
  // SetStoreState to kRemoved (O(stores + regions)) and PutRegion (+ the regions that it replaces).
  std::string Apply(std::string_view command, MutableObjectRows* rows) const override;
  // `query` is a Query, the answer a Reply.
  std::string Query(std::string_view query, const ObjectRows& rows) const override;
};

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_PD_MACHINE_H_
