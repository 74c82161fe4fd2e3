// SPDX-License-Identifier: Apache-2.0
// What a healed region is told to do, and has to have done: hand leadership over, and change its
// members. Orders amid faults may fail for a hundred good reasons; these may not.
#ifndef FLAREDB_SIM_FAULTS_LAST_ORDERS_H_
#define FLAREDB_SIM_FAULTS_LAST_ORDERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/membership.h"
#include "core/raft/view.h"
#include "sim/cluster/cluster.h"
#include "sim/world/world.h"

namespace flaredb::sim {

// One order after the other, each for whoever leads. A transfer is done when its target leads in
// the very next term: nobody else had to campaign. A change is done when it is committed and no
// joint phase is left. An order that is refused is given again, and one that has come to nothing is
// as well, with another target or wish, because what was sent before the region healed may
// still be on its way; but not for ever. Orders are faults of their kinds, and may be left out.
class LastOrders {
 public:
  // Requires that nobody else gives orders from the first Continue on. `world` and `cluster`
  // outlive this object.
  LastOrders(World* world, Cluster* cluster, Duration election_timeout)
      : world_(world), cluster_(cluster), election_timeout_(election_timeout) {}

  // Gives the next order if it is time to. To be called a few times in every election timeout,
  // until done() or failed().
  void Continue();
  bool done() const { return step_ == Step::kDone; }
  // An order came to nothing as often as it may.
  bool failed() const { return failures_ >= kFailuresMax; }
  // What was ordered last, and what became of it; a clause.
  const std::string& Describe() const { return latest_; }

 private:
  enum class Step : uint8_t { kTransfer, kChange, kDone };
  // A few elections may fail by chance, by messages of the time before.
  static constexpr uint32_t kFailuresMax = 10;
  // An order that has come to nothing by then has failed, in election timeouts.
  static constexpr int64_t kPatience = 5;

  // The order that is being carried out.
  struct Given {
    uint64_t id = 0;
    Term term;  // Of the leader who got it.
    Instant at;
    PeerId target;                             // Of a transfer; zero: a change.
    std::optional<raft::MemberChange> change;  // Of members.
  };

  void Give(uint32_t leader);
  std::optional<PeerId> Successor(const raft::View& leader);
  std::optional<raft::MemberChange> Wish(const raft::View& leader);
  std::vector<raft::MemberChange> Wishes(const raft::View& leader) const;
  bool Possible(const raft::View& leader, const raft::MemberChange& wish) const;
  std::optional<uint32_t> FreeStore(const raft::View& leader) const;
  bool CarriedOut() const;
  void Next();

  World* world_;
  Cluster* cluster_;
  const Duration election_timeout_;
  Step step_ = Step::kTransfer;
  std::optional<Given> given_;
  std::string latest_ = "nobody leads for long enough to be given an order";
  uint64_t orders_ = 0;
  uint32_t failures_ = 0;  // Of this step.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_FAULTS_LAST_ORDERS_H_
