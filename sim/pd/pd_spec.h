// SPDX-License-Identifier: Apache-2.0
// What the simulator needs to know of the placement driver.
#ifndef FLAREDB_SIM_PD_PD_SPEC_H_
#define FLAREDB_SIM_PD_PD_SPEC_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/pd/query.h"
#include "core/region/state_machine.h"
#include "sim/machine_spec.h"
#include "sim/pd/pd_model.h"
#include "sim/pd/pd_rules.h"
#include "sim/pd/pd_workload.h"

namespace flaredb::sim {

class PdSpec : public MachineSpec {
 public:
  // `machine` outlives this object.
  explicit PdSpec(const StateMachine* machine) : machine_(machine) {}

  const StateMachine& machine() const override { return *machine_; }
  ObjectModel NewModel() const override { return PdModel(); }
  MachineOp NextOperation(ClientChoices* choices) override { return workload_.Next(choices); }
  void OnAnswer(uint32_t, const MachineOp&, std::string_view answer) override {
    workload_.OnAnswer(answer);
  }
  std::string LastQuery() const override { return pd::EncodeQuery(pd::GetCluster{}); }
  std::optional<std::string> Check(const Executed& executed, const ObjectRows& rows) override {
    return rules_.Check(executed, rows);
  }

 private:
  const StateMachine* machine_;
  PdWorkload workload_;
  PdRules rules_;
};

// For a campaign about `machine`, which outlives it.
inline Subject AboutPd(const StateMachine* machine) {
  return {[machine] { return std::make_unique<PdSpec>(machine); }, "./bazelw run //sim/pd:sim --"};
}

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_PD_PD_SPEC_H_
