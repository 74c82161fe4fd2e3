// SPDX-License-Identifier: Apache-2.0
// A majority of the voters is lost for ever, and somebody has to get the region to work again with
// what is left (core/raft/unsafe_recovery.h).
#ifndef FLAREDB_SIM_FAULTS_MAJORITY_LOSS_H_
#define FLAREDB_SIM_FAULTS_MAJORITY_LOSS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/time.h"
#include "core/raft/unsafe_recovery.h"
#include "sim/cluster/cluster.h"
#include "sim/world/world.h"

namespace flaredb::sim {

// The operator collects what all survivors report once they all run and nobody leads any more,
// makes a plan and orders the chosen one to carry it out; again if nothing came of it, until those
// who are left are a quorum and have a leader. A few times that goes wrong: the order is lost,
// comes twice or to everybody, or somebody crashes, the chosen one in the very turn, perhaps. All
// of this is of Fault::kLoseMajority.
class MajorityLoss : public TurnObserver {
 public:
  // `world` and `cluster` outlive this object.
  MajorityLoss(World* world, Cluster* cluster, Duration election_timeout)
      : world_(world), cluster_(cluster), election_timeout_(election_timeout) {}

  // Requires that everything has healed and nobody else gives orders from now on, until done().
  // False: the fault is left out, an order is under way, or nothing could be recovered; then
  // nothing has happened.
  bool Begin();
  // To be called a few times in every election timeout, until done() or hopeless().
  void Continue();
  bool begun() const { return begun_; }
  bool done() const { return done_; }
  // What is left was leaving the region when the others were lost, or the last one to know of a
  // commit had left it: there is nothing to recover, or no plan that keeps everything.
  bool hopeless() const { return hopeless_; }
  // What the operator waits for; a clause.
  const std::string& Describe() const { return latest_; }

  std::optional<Death> CrashAfterTurn(uint32_t node, Moments moments) override;

 private:
  enum class Mishap : uint8_t {
    kNone,
    kLost,         // Nobody gets the order.
    kTwice,        // The chosen one gets it twice.
    kToEverybody,  // All others get it, too.
    kCrashInTurn,  // The chosen one crashes before the effects leave,
    kCrashSoon,    // or some time after.
    kOthersCrash,
    kCount,
  };
  static constexpr uint32_t kMishapsMax = 4;
  // An order that has come to nothing by then is given anew, in election timeouts.
  static constexpr int64_t kPatience = 2;

  void OnNoPlan(raft::NoPlan why);
  void Give(const raft::RecoveryPlan& plan);
  void GiveTo(uint32_t node, const raft::RecoveryPlan& plan);
  Mishap NextMishap(uint32_t chosen);
  void Crash(uint32_t node);
  Death NextDeath();

  World* world_;
  Cluster* cluster_;
  const Duration election_timeout_;
  bool begun_ = false;
  bool done_ = false;
  bool hopeless_ = false;
  std::optional<Instant> given_at_;  // The latest order.
  uint64_t recoveries_ = 0;          // When that was given.
  uint64_t orders_ = 0;
  uint32_t mishaps_ = 0;
  bool ambush_ = false;                   // Whoever recovers next dies in that turn.
  std::optional<uint32_t> about_to_die_;  // Dies at the next Continue.
  std::string latest_ = "nobody has made a plan of recovery";
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_FAULTS_MAJORITY_LOSS_H_
