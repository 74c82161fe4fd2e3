// SPDX-License-Identifier: Apache-2.0
// What is committed stays: SMS, CD, LC and exactly-once.
#ifndef FLAREDB_SIM_INVARIANTS_COMMITS_H_
#define FLAREDB_SIM_INVARIANTS_COMMITS_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/types.h"
#include "core/raft/types.h"
#include "sim/invariants/kv_model.h"
#include "sim/invariants/machine_history.h"
#include "sim/invariants/names.h"
#include "sim/invariants/replica.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

// The one history of the region, made from what any replica first called committed.
class Commits {
 public:
  // `birth` is what no log holds; see store::kRegionBirth. `spec` as for MachineHistory.
  Commits(RegionId region, RegionEpoch epoch, const raft::LogBase& birth, const Names* names,
          FailureReport* report, MachineSpec* spec = nullptr)
      : region_(region),
        birth_conf_version_(epoch.conf_version),
        names_(names),
        report_(report),
        entries_(birth.last.index.value(), Entry{birth.last.term, birth.last.term, 0, 0, nullptr}),
        confs_{{birth.last.index, birth.conf}},
        model_(epoch, birth.last.index),
        machine_(epoch, spec) {}

  // The replica on `node` raised its commit index from `from` to `to`, both within its log.
  //   SMS  the entries equal those that others called committed
  //   CD   entries new to the history are on a quorum of disks, of the configuration in force at
  //        the end of the turn or of that before it: either may be the one that it counted by
  //   LC   and in the log of everybody who leads a later term
  //   CFG  what OnConf asks of a log holds of the history
  void OnCommit(uint32_t node, Index from, Index to, const raft::ConfState& before,
                const std::vector<Replica>& replicas);

  // The replica on `node` has put a configuration into its log. CFG: of those in it only the last
  // may be uncommitted (thesis 4.1), and two that follow each other differ by a joint phase, or not
  // in voters. After OnCommit of the same turn.
  void OnConf(uint32_t node, const LogImage& log);

  // The replica on `node` starts its log at `base`, after a snapshot. SNAP: everything up to there
  // is committed. CFG: the configuration is the one in force there.
  void OnInstall(uint32_t node, const raft::LogBase& base);

  // `node` was elected. LC: its log holds what was committed in earlier terms (thesis 3.6.3); votes
  // may arrive so late that a later leader has committed more.
  void OnElected(uint32_t node, const std::vector<Replica>& replicas);

  // `node`, in `term`, takes the entries at and after `index` out of its log, which is still `log`.
  // CD: none of them was committed in that term or before. (A later term may have committed without
  // it what the old leader's late append makes it delete.)
  void OnTruncateIssued(uint32_t node, Term term, Index index, const LogImage& log);

  // The disk of `node` is about to lose its entries at and after `index`. CD: the history stays on
  // a quorum of the others. (The node may hold some of it: a truncation that was under way when
  // others committed takes away what nobody counted.)
  void OnTruncate(uint32_t node, Index index, const std::vector<Replica>& replicas);

  // A majority is lost for ever, and `log`, up to `chosen`, is the most complete one that is left:
  // the history ends with what both hold. In the log a configuration of `term` comes next, which
  // needs no neighbour (CFG). Where the history ends now. Not with a machine of the user's own.
  Index GoBackTo(const LogImage& log, raft::LogId chosen, Term term);

  Index last() const { return model_.applied(); }
  // Of a committed index, or 0 for index 0.
  Term TermAt(Index index) const { return index ? entries_[index.value() - 1].term : Term(); }
  // In force at a committed index.
  const raft::ConfState& ConfAt(Index index) const;
  // The version of the region's configuration at a committed index: each change of its peers raises
  // it, and the end of a joint phase alone does not.
  uint64_t ConfVersionAt(Index index) const;
  // Of the kConf entries that are committed, and of the birth; ascending.
  const std::vector<raft::ConfAt>& confs() const { return confs_; }
  const KvModel& model() const { return model_; }
  const MachineHistory& machine() const { return machine_; }

 private:
  struct Entry {
    Term term;
    Term committed_in;  // The term of who called it committed first,
    uint32_t node = 0;  // and who that was.
    uint64_t content = 0;
    std::shared_ptr<const raft::ConfState> conf;  // By which it was committed.
  };

  // Whether `log` holds the history up to `index`, by log matching; or a snapshot of it.
  bool Holds(const LogImage& log, Index index) const {
    return index <= log.base().last.index || log.TermAt(index) == TermAt(index);
  }
  void AddConf(uint32_t node, const raft::EntryView& entry);
  bool IsRecovery(Index index, Term term) const {
    return std::find(recoveries_.begin(), recoveries_.end(), raft::LogId{term, index}) !=
           recoveries_.end();
  }

  RegionId region_;
  uint64_t birth_conf_version_;
  const Names* names_;
  FailureReport* report_;
  std::vector<Entry> entries_;  // Of index 1, 2, ...
  std::vector<raft::ConfAt> confs_;
  KvModel model_;
  MachineHistory machine_;
  std::vector<raft::LogId> recoveries_;  // Configurations that were not agreed on, but ordered.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_COMMITS_H_
