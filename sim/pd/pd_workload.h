// SPDX-License-Identifier: Apache-2.0
// What stores, leaders and operators ask of the placement driver, late copies and slips included.
#ifndef FLAREDB_SIM_PD_PD_WORKLOAD_H_
#define FLAREDB_SIM_PD_PD_WORKLOAD_H_

#include <map>
#include <string>
#include <string_view>

#include "core/pd/cluster.h"
#include "core/pd/command.h"
#include "core/pd/query.h"
#include "sim/machine_spec.h"
#include "sim/pd/region_story.h"

namespace flaredb::sim {

class PdWorkload {
 public:
  PdWorkload();

  MachineOp Next(ClientChoices* choices);
  // Somebody was told; from then on all clients know.
  void OnAnswer(std::string_view answer);

 private:
  pd::Bootstrap Founding(ClientChoices* choices);
  pd::StoreDescriptor Store(ClientChoices* choices);
  pd::Command NextCommand(ClientChoices* choices);
  pd::Query NextQuery(ClientChoices* choices);
  std::string Name(ClientChoices* choices);
  std::string Key(ClientChoices* choices);
  // The latest one that is known, or an older one.
  pd::Revision Seen(ClientChoices* choices);
  pd::ModeEpoch Epoch(const std::string& name, ClientChoices* choices);

  RegionStory story_;
  bool founded_ = false;
  pd::Revision revision_;
  std::map<std::string, pd::ModeEpoch> epochs_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_PD_PD_WORKLOAD_H_
