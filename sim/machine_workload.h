// SPDX-License-Identifier: Apache-2.0
// What clients ask of a state machine of the user's own, and whether they are told the truth.
#ifndef FLAREDB_SIM_MACHINE_WORKLOAD_H_
#define FLAREDB_SIM_MACHINE_WORKLOAD_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "sim/clients.h"
#include "sim/history/history.h"
#include "sim/invariants/commits.h"
#include "sim/machine_spec.h"

namespace flaredb::sim {

// The history is one of attempts: a store carries each out at most once, and what a machine makes
// of a command that comes twice is its own affair.
//
// An answer names a place in the log, hence the order of all operations is known. ANSWER: that they
// are linearizable in this order, and that
//   of a command  the entry there is this command, nobody else was answered with it, it was not yet
//                 committed when the attempt began, and the answer is the machine's at that place
//   of a query    the answer is the model's at that place, which is not before what was committed
//                 when the attempt began
class MachineWorkload : public Clients {
 public:
  // Everything passed outlives this object.
  MachineWorkload(World* world, const Profile& profile, const Region& region, SimNetwork* network,
                  MachineSpec* spec, const Commits* commits)
      : Clients(world, profile, region, network), spec_(spec), commits_(commits) {}

  // APPLY: no command is more often in the log than attempts for it may have succeeded. On a double
  // check, LIN: checker C, which does not look at the places that answers name, finds an order,
  // too.
  void JudgeHistory(bool double_check) override;
  void BeginAnew(bool) override { INVARIANT(false) << "no run of a machine loses a majority"; }
  const VersionedHistory& history() const override { return no_history_; }

 private:
  enum class Fate : uint8_t { kUnknown, kNotApplied, kAnswered };
  struct Attempt {
    MachineOp op;
    uint32_t client = 0;
    Index committed;  // When it began.
    EventNumber invoke = 0;
    EventNumber complete = kNever;
    Fate fate = Fate::kUnknown;
    std::string answer;
  };

  void StartOperation(Client* client) override;
  void StartAudit(Client* client) override;
  void OnAsked(const Client& client, AttemptId attempt) override;
  void OnRefused(const Client& client, AttemptId attempt, const store::Error& error,
                 Index applied) override;
  void OnResult(Client* client, AttemptId attempt, const store::Result& result,
                Index applied) override;
  void OnEnd(const Client&, bool) override {}

  static store::Operation OperationOf(MachineOp op);
  // A sentence when the answer is wrong.
  std::string WrongAnswer(const Attempt& attempt, const MachineReply& reply);
  EventNumber NextEvent();
  void CheckApplications();
  void CheckOrder();

  MachineSpec* spec_;
  const Commits* commits_;
  std::vector<Attempt> attempts_;  // By AttemptId - 1.
  const VersionedHistory no_history_;
  std::set<Index> answered_;          // Places of commands that somebody was answered with.
  std::vector<std::string> objects_;  // In the order in which clients came to them.
  std::vector<Index> committed_;      // Up to where the log was, by event - 1.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_MACHINE_WORKLOAD_H_
