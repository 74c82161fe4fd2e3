// SPDX-License-Identifier: Apache-2.0
// What has to hold of the placement driver, said without a model of it.
#ifndef FLAREDB_SIM_PD_PD_RULES_H_
#define FLAREDB_SIM_PD_PD_RULES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/pd/cluster.h"
#include "core/region/state_machine.h"
#include "sim/machine_spec.h"

namespace flaredb::sim {

class PdRules {
 public:
  // The next command of the log, and the rows after it. A sentence when one of these is broken:
  //   ids        none is allocated twice, or after it came into use
  //   stores     none disappears, changes its instance, or comes back after it was given up; two
  //              members never share an address; one is always up
  //   namespaces none disappears or changes its id; mode_epoch grows by one with the state, and
  //              the state goes along an arrow of core/pd/mode_switch.h
  //   revision   grows with every change of a row of these, and is the one of that row
  //   regions    share no key; what is known of a key is never older than it was; ids lead to their
  //              regions
  std::optional<std::string> Check(const Executed& executed, const ObjectRows& rows);

 private:
  std::optional<std::string> CheckIds(const Executed& executed);
  std::optional<std::string> CheckStores(const ObjectRows& rows);
  std::optional<std::string> CheckNamespaces(const ObjectRows& rows);
  std::optional<std::string> CheckRegions(const ObjectRows& rows);

  // Whether a row that is not as it was may have the revision that it has.
  bool IsNew(pd::Revision changed) const { return changed > before_ && changed <= revision_; }

  // After the last command.
  pd::Revision before_;
  std::map<StoreId, pd::StoreInfo> stores_;
  std::map<std::string, pd::Namespace> namespaces_;
  std::map<char, uint64_t> versions_;  // What is known of a key, or was.

  pd::Revision revision_;  // After this one.
  std::set<uint64_t> ids_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_PD_PD_RULES_H_
