// SPDX-License-Identifier: Apache-2.0
// Why a run does not get on: what everybody waits for, in words.
//
//   why_no_leader.cc  who would not vote for whom
//   why_behind.cc     what a leader does not send, and what did not come of what it sent
//   why_waiting.cc    which call is where
#ifndef FLAREDB_SIM_CLUSTER_STANDSTILL_H_
#define FLAREDB_SIM_CLUSTER_STANDSTILL_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/types.h"
#include "core/raft/view.h"
#include "core/store/call_view.h"
#include "sim/invariants/names.h"

namespace flaredb::sim {

// How everything stands at one moment, as the simulator knows it. Plain data.
struct Standstill {
  struct Store {
    bool runs = false;
    bool left_out = false;  // Nothing is asked of it any more; see Losses.
    Instant clock;          // What it shows.
    Incarnation life;       // Of the replica on its disk.
    raft::View view;        // Of its replica; no id: there is none.
    Index applied;
    size_t unfinished = 0;     // Commits that its disk has not completed,
    bool disk_failed = false;  // because it failed once.
    PeerId destroyed;          // The latest replica on its disk, if that is gone; else zero.
    // Every call that the store holds, and the attempt that it is; zero: another store's.
    std::vector<std::pair<uint64_t, store::CallView>> calls;

    bool has_replica() const { return runs && view.id; }
    // The replica waits for a write that the disk does not have, or has finished.
    bool waits_for_no_write() const {
      return has_replica() && unfinished == 0 && view.durable_token < view.issued_token;
    }
  };
  // A client that is not done.
  struct Client {
    uint32_t number = 0;
    std::string what;
    uint32_t store = 0;  // That it asks,
    uint32_t attempts = 0;
    uint64_t attempt = 0;  // and the latest; zero: it pauses between two.
    Instant since;         // When it asked first and last, in simulated time.
    Instant asked_at;
    std::string told;  // What it heard last; empty: nothing.
  };

  std::vector<Store> stores;
  std::vector<Client> clients;
  std::set<std::pair<uint32_t, uint32_t>> cut;  // Links, from and to.
  std::optional<uint32_t> leader;               // Of the highest term that has one.
  raft::ConfState conf;                         // The last that is committed.
  Index committed;
  Names names{0, {}};
};

// Why `peer`, a member, is not on `store`, which runs: a clause that begins with a verb.
std::string WhyNotThere(const Standstill::Store& store, PeerId peer);

// Lines, each indented and ended; empty when there is nothing to say.
//
// For each replica that could campaign: how far it is with it, whether the others would elect it as
// things stand, and why not, one by one.
std::string WhyNobodyLeads(const Standstill& all);
// Of that: why the replica on `node` is not elected.
std::string WhyNotElected(const Standstill& all, uint32_t node);
// Requires a leader: what it waits for itself, and for each member that is behind, what it has sent
// or what it is that nothing is sent.
std::string WhyBehind(const Standstill& all);
// For each client whom it asks, since when, and where its call is; then the calls that no client
// waits for any more, and the disks that have something to do.
std::string WhyWaiting(const Standstill& all);
// All of it.
std::string Explain(const Standstill& all);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CLUSTER_STANDSTILL_H_
