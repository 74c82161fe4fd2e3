// SPDX-License-Identifier: Apache-2.0
// How the placement driver and the stores talk: it calls the roll of all members, they answer.
//
// One pair of messages carries everything, so there is one thing to lose, to repeat and to put in
// order. Both may be lost and may come late or twice: a call holds what the store is to know and do
// at the moment, an answer how it stands, neither what has changed since some other message.
//
// What a store promises:
//   order     A call counts if its (term, round) is greater than that of every call before it. The
//             term outlives the store's process (core/cluster/directory.h), the round does not.
//   time      It lets its clock observe `clock` without regard to skew, and only then acts on
//             `view`. While its own wall clock is more than DriverOptions::clock_skew_max ahead of
//             `unix_ms` it stamps nothing by it: one clock that is far ahead would take all others
//             with it.
//   durable   An answer leaves when everything that it says of this store is durable: a directory
//             of revision `known`, a clock that will not go back behind `clock` or a watermark. A
//             store that said that it accepts no more writes must not forget it in a crash.
#ifndef FLAREDB_CORE_CLUSTER_ROLL_CALL_H_
#define FLAREDB_CORE_CLUSTER_ROLL_CALL_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/types.h"
#include "core/kv/command.h"
#include "core/kv/hlc.h"
#include "core/pd/cluster.h"
#include "core/pd/reply.h"
#include "core/raft/membership.h"
#include "core/raft/types.h"
#include "core/region/region.h"

namespace flaredb::cluster {

// See raft::Raft::ChangeMembers.
struct ChangeMembers {
  std::vector<raft::MemberChange> changes;

  friend bool operator==(const ChangeMembers&, const ChangeMembers&) = default;
};
// See raft::Raft::TransferLeadership.
struct MoveLeader {
  PeerId target;

  friend bool operator==(const MoveLeader&, const MoveLeader&) = default;
};

// What a region's leader is to do. Refused, without any effect, unless this store leads the region
// and its epoch is `epoch`; in force is then what the driver saw, or something that refuses by
// itself (a change under way, a member that is a voter already).
struct RegionOrder {
  RegionId region;
  RegionEpoch epoch;
  std::variant<ChangeMembers, MoveLeader> what;

  friend bool operator==(const RegionOrder&, const RegionOrder&) = default;
};

struct RollCall {
  Term term;           // Of the placement driver's group, in which the sender leads it.
  uint64_t round = 0;  // Ascending in a term, over the calls to all stores.
  Region pd;           // Where the placement driver is: its region, which the sender leads.
  kv::Hlc clock;       // See above. Zero: the sender has heard of none yet.
  // What the wall clocks of most stores show, in milliseconds since 1970; zero: too few have said.
  uint64_t unix_ms = 0;
  // What has changed since the store's last answer; everything if it knows nothing yet. Nothing at
  // all (revision 0) when the sender does not know that yet.
  pd::ClusterView view;
  std::vector<RegionOrder> orders;
  // Sentences about what the cluster waits for, for whoever asks this store.
  std::vector<std::string> waiting;

  friend bool operator==(const RollCall&, const RollCall&) = default;
};

// By the region's leader, about what it leads now.
struct RegionReport {
  pd::RegionInfo info;   // `leader` is the reporting store's peer.
  raft::ConfState conf;  // In force.
  // A change of members is not finished (not committed, or joint), leadership is being handed over,
  // or the leader has yet to commit an entry of its term: an order would be refused.
  bool changing = false;
  // Members that the leader would not promote or rely on: they lack much of the log
  // (raft::ProgressView::caught_up) or did not answer lately (recently_active). Ascending.
  std::vector<PeerId> behind;

  friend bool operator==(const RegionReport&, const RegionReport&) = default;
};

// Of a namespace that is not strong and settled there, as far as the store knows.
struct NamespaceReport {
  kv::NamespaceId ns = kv::NamespaceId::kNone;
  pd::ModeEpoch mode_epoch;  // What the store acts on.
  // Writes accepted here that the store may still send to their region, now or after a crash.
  uint64_t unshipped = 0;
  kv::Hlc watermark;  // store::Outbox::Watermark.

  friend bool operator==(const NamespaceReport&, const NamespaceReport&) = default;
};

struct OrderRefusal {
  RegionId region;
  std::string why;  // A sentence.

  friend bool operator==(const OrderRefusal&, const OrderRefusal&) = default;
};

struct RollAnswer {
  Term term;  // Of the call that it answers.
  uint64_t round = 0;
  pd::InstanceId instance;            // The life of this store's disk.
  pd::Revision known;                 // The directory that the store acts on. Zero: it has none.
  kv::Hlc clock;                      // The greatest time that was issued or observed here.
  uint64_t unix_ms = 0;               // What the wall clock here shows; zero: it is not told.
  std::vector<RegionReport> regions;  // That it leads, ascending by id.
  std::vector<NamespaceReport> namespaces;  // Ascending by id.
  std::vector<OrderRefusal> refusals;       // Of the orders in the call.

  friend bool operator==(const RollAnswer&, const RollAnswer&) = default;
};

}  // namespace flaredb::cluster

#endif  // FLAREDB_CORE_CLUSTER_ROLL_CALL_H_
