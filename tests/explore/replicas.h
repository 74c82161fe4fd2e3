// SPDX-License-Identifier: Apache-2.0
// What one replica does with one event, computed once.
#ifndef FLAREDB_TESTS_EXPLORE_REPLICAS_H_
#define FLAREDB_TESTS_EXPLORE_REPLICAS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/effects.h"
#include "core/raft/raft.h"
#include "core/raft/view.h"
#include "tests/explore/log_tree.h"
#include "tests/explore/message_table.h"

namespace flaredb::explore {

// A disk after a sequence of persists.
struct DiskImage {
  Term term;
  PeerId vote;
  LogName log = 0;  // From the first entry on: what a compaction deletes still belongs to it.
  Index base;       // The entries after it are there.

  friend bool operator==(const DiskImage&, const DiskImage&) = default;
};

// A real raft::Raft with its disk, at one moment. Never changes.
struct Replica {
  struct Write {
    IoToken token;
    DiskImage after;
  };

  std::unique_ptr<const raft::Raft> raft;
  Instant clock;
  DiskImage durable;
  std::vector<Write> writes;  // Issued and not reported durable, in order.
  raft::View view;

  // What the replica takes for its durable state once its writes are done: its log among it.
  const DiskImage& written() const { return writes.empty() ? durable : writes.back().after; }
  bool leads() const { return view.role == raft::Role::kLeader; }
};

// Replicas behave equally if their names are equal; see Replicas::Name.
using ReplicaName = uint32_t;

struct Event {
  enum class Kind : uint8_t {
    kDeliver,      // The message `argument` arrives.
    kPersisted,    // The oldest write is durable.
    kTimeout,      // Of a replica that does not lead: it campaigns.
    kHeartbeat,    // Of a leader that hears everybody.
    kLoseContact,  // Of a leader that heard nobody for an election timeout.
    kPropose,
    kChange,    // Makes the nodes of the bit mask `argument` the voters.
    kTransfer,  // Leadership, to node `argument`.
    kCompact,   // The log, as far as it was applied.
    kCrash,     // And restart from the durable image.
  };
  Kind kind;
  uint32_t argument = 0;
};

struct Outcome {
  ReplicaName replica = 0;
  std::vector<MessageName> sends;
  std::string violation;  // Empty, or the broken promise in one sentence.
};

// A closed system of n replicas meets few different replicas in many different combinations. So
// each replica is kept once under a name, and what it does with an event is remembered.
//
// Time. Behaviour must follow from the name, which knows no times. A replica that does not lead is
// an hour older at each event: its election is due, and it remembers no contact with a leader, so
// stickiness and resting are not explored (they delay; safety does not rest on them). A leader's
// clock stands still but for heartbeats, so it has heard everybody just now, until kLoseContact
// makes it an hour older, too. Clocks of different replicas never meet.
class Replicas {
 public:
  // With empty logs: `voters` of `nodes` are voters, the others learners.
  Replicas(uint32_t nodes, uint32_t voters, bool forgetful_disks);

  ReplicaName initial(uint32_t node) const { return initial_[node]; }
  const Replica& at(ReplicaName name) const { return *replicas_[name]; }
  const Outcome& Step(ReplicaName name, Event event);

  // In force at the end of a log.
  const raft::ConfState& conf(LogName log) const;

  const LogTree& logs() const { return logs_; }
  const MessageTable& messages() const { return messages_; }
  size_t size() const { return replicas_.size(); }

 private:
  std::unique_ptr<Replica> Start(PeerId id, const DiskImage& image, Instant clock) const;
  Outcome Compute(const Replica& before, Event event);
  void Absorb(Replica* replica, raft::Raft* raft, raft::Effects* effects, Outcome* outcome);
  void Write(const raft::Persist& persist, const std::string& staged, Replica* replica);
  void Serve(const raft::SnapshotEffect& effect, const Replica& replica, raft::Raft* raft,
             raft::Effects* effects, std::string* staged);
  std::optional<std::string> BrokenPromise(const Replica& replica, const raft::Message& message);
  ReplicaName Name(std::unique_ptr<Replica> replica);

  const bool forgetful_disks_;
  const raft::Config config_;
  const raft::ConfState first_conf_;
  mutable std::map<LogName, raft::ConfState> confs_;  // Of logs that end in a kConf entry.
  LogTree logs_;
  MessageTable messages_;
  std::vector<std::unique_ptr<const Replica>> replicas_;
  std::vector<ReplicaName> initial_;
  std::unordered_map<uint64_t, ReplicaName> names_;  // By hash.
  std::unordered_map<uint64_t, uint32_t> known_;     // (replica, event) -> outcome.
  std::vector<std::unique_ptr<const Outcome>> outcomes_;
};

}  // namespace flaredb::explore

#endif  // FLAREDB_TESTS_EXPLORE_REPLICAS_H_
