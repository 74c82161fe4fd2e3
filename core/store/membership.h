// SPDX-License-Identifier: Apache-2.0
// How a store is part of a cluster whose members and regions change.
#ifndef FLAREDB_CORE_STORE_MEMBERSHIP_H_
#define FLAREDB_CORE_STORE_MEMBERSHIP_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/data_reader.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/cluster/directory.h"
#include "core/cluster/driver.h"
#include "core/cluster/roll_call.h"
#include "core/pd/command.h"
#include "core/store/calls.h"
#include "core/store/effects.h"
#include "core/store/outbox.h"
#include "core/store/replica_set.h"
#include "core/store/roll_report.h"
#include "core/store/store.h"

namespace flaredb::store {

// Three parts that a store plays:
//
//   of every store       it answers roll calls: keeps the directory, tells its calls what is in it,
//                        passes orders to the replicas that lead, reports how it stands
//   of the placement     while it leads that region: runs the driver, whose calls it sends and
//   whose driver's leader      errands become requests of its own of the founder       it proposes
//   the founding until it is applied. Whoever leads the placement
//                        driver's region while there is no cluster is the founder: nobody else has
//                        a replica.
//
// It keeps nothing that a crash may take: the directory is a row of the store, and whatever else it
// knows it is told again.
class Membership {
 public:
  // Gives an order to the replica here. Returns why it was refused, empty when it was begun.
  using Tell = std::function<std::string(const Order& order)>;

  // The pointers outlive this object. `calls` is told what the directory says.
  Membership(const Options& options, const Identity& identity, cluster::Directory directory,
             const ReplicaSet* replicas, const DataReader* data, Outbox* outbox, Calls* calls,
             Tell tell, Instant now);

  // The members below work on this turn; what they want durable goes to `commit`.
  void BeginTurn(Instant now, Effects* effects, env::GroupCommit* commit);
  void OnCall(StoreId from, const cluster::RollCall& call);
  void OnAnswer(StoreId from, cluster::RollAnswer answer);
  void OnExpelled();
  // A clock that is better than what it believes. See ClientCall.
  void OnWallClock(uint64_t unix_ms) { wall_ = {now_, unix_ms}; }
  // Runs what is due, after all events. Fails when data cannot be read.
  absl::Status Run();
  // The turn's commit, if there is one, is `last`; what is durable is `durable`. Sends the answers
  // that are.
  void EndTurn(IoToken last, IoToken durable);

  Instant next_deadline() const;
  const cluster::Directory& directory() const { return directory_; }
  const std::vector<std::string>& waiting() const { return waiting_; }

 private:
  // An answer that waits for the disk.
  struct Unsent {
    StoreId to;
    cluster::RollAnswer answer;
    IoToken token;  // Zero until the end of its turn.
  };
  struct WallClock {
    Instant at;
    uint64_t unix_ms = 0;
  };
  // A request of its own that is sent again while it is needed.
  struct Repeated {
    OwnId under_way;  // Zero: none is.
    Instant not_before;
    bool wanted = false;
    pd::Command command;  // As last sent,
    std::string refusal;  // and why it was refused, as a sentence; empty: it was not.
  };

  void Learn(StoreId from, const cluster::RollCall& call);
  void KeepDirectory();
  std::string WhyClosed() const;
  uint64_t UnixMs() const;
  const Replica* LedPdReplica() const;
  absl::Status RunDriver(const Replica* pd);
  void Send(const cluster::Errand& errand);
  void TakeReplies();
  void Found();
  void Introduce();
  pd::StoreDescriptor Self() const;
  Duration OwnBudget() const { return options_.raft.election_timeout * 4; }
  void ShowWaiting();
  void Repeat(const pd::Command& command, Repeated* request);

  const Options& options_;
  const Identity& identity_;
  cluster::Directory directory_;
  const ReplicaSet* const replicas_;
  const DataReader* const data_;
  Outbox* const outbox_;
  Calls* const calls_;
  const Tell tell_;
  WallClock wall_;
  uint64_t last_round_ = 0;           // Of directory_.pd_term().
  std::vector<std::string> told_;     // What is waited for, by the last call,
  std::vector<std::string> waiting_;  // and what is here.
  std::deque<Unsent> unsent_;

  cluster::Driver driver_;
  Term driver_term_;  // In which it leads; zero: it does not.
  Index pd_applied_;  // As of its last turn.
  bool driver_heard_ = false;
  cluster::DriverOutput output_;
  std::map<OwnId, cluster::ErrandId> errands_;
  Repeated founding_;
  Repeated introduction_;

  // Of the turn in progress.
  Instant now_;
  Effects* effects_ = nullptr;
  env::GroupCommit* commit_ = nullptr;
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_MEMBERSHIP_H_
