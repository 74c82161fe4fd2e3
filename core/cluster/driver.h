// SPDX-License-Identifier: Apache-2.0
// The placement driver's decisions in time: what the store that leads its region does beside
// applying commands. It calls the roll of the stores and, from what they answer, grows regions onto
// stores, moves them off, takes mode switches step by step, has tombstones collected, and notes
// where regions are.
//
// It remembers nothing that matters. Whatever is decided is in pd::PdMachine before anybody acts on
// it, and everything else the stores will say again: a driver on another store begins with nothing
// and finishes what this one began. So there are no acknowledgements to lose and no steps to undo;
// it looks, again and again, at how things are and what is missing.
//
//   placement    core/cluster/placement.h     replicas where they belong
//   modes        core/cluster/mode_driver.h   switches of namespaces
//   collection   core/cluster/collection.h    tombstones of eventual namespaces
//   departures   core/cluster/departures.h    stores that go
//   reports      core/cluster/region_reports.h  what goes into the region table
#ifndef FLAREDB_CORE_CLUSTER_DRIVER_H_
#define FLAREDB_CORE_CLUSTER_DRIVER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/cluster/errand.h"
#include "core/cluster/roll_call.h"
#include "core/pd/query.h"
#include "core/pd/reply.h"
#include "core/region/region.h"

namespace flaredb::cluster {

struct DriverOptions {
  // Each store is called so often; sooner while what is waited for changes; and at once when there
  // is news for it and it answered the last call.
  Duration roll_interval = Duration::Milliseconds(400);
  // A store that did not answer for so long is silent: nothing new is placed there, and it is named
  // as what is waited for.
  Duration silence_timeout = Duration::Seconds(4);
  // An errand that was not answered for so long is forgotten, and run again if it is still needed.
  Duration errand_timeout = Duration::Seconds(5);
  // How far a store's wall clock may be ahead of most stores': beyond it the store stamps nothing.
  // To be well above what a message takes.
  Duration clock_skew_max = Duration::Milliseconds(500);
  // Between two collections of the tombstones of a namespace.
  Duration collect_interval = Duration::Seconds(60);
  // Voters of a region, if there are so many stores.
  size_t replicas = 3;
};

// The placement driver's region on this store.
class PdReader {
 public:
  virtual ~PdReader() = default;

  // As applied here. Its leader need not ask anybody: what it decides is checked again when
  // applied.
  virtual pd::Reply Ask(const pd::Query& query) const = 0;
  // Up to where that is: Ask answers the same as long as this is the same.
  virtual Index applied_index() const = 0;
  virtual const Region& region() const = 0;
};

struct Call {
  StoreId to;  // May be the driver's own store.
  RollCall call;
};

// Owned by the caller, who clears it.
struct DriverOutput {
  std::vector<Call> calls;      // May be lost.
  std::vector<Errand> errands;  // May be lost; each is answered by OnErrandDone at most once.

  void Clear() {
    calls.clear();
    errands.clear();
  }
};

class Driver {
 public:
  explicit Driver(const DriverOptions& options);
  ~Driver();

  // This store leads the placement driver's region in `term`, and has applied everything of the
  // terms before. Begins anew, with nothing in memory.
  void Lead(Instant now, Term term);
  // It does no longer. Nothing happens until it leads again.
  void Retire();
  bool leading() const;

  // To be followed by Turn, as is OnErrandDone. Ignored unless it answers a call of this term.
  void OnAnswer(Instant now, StoreId from, RollAnswer answer);
  // Ignored if the errand is not under way any more.
  void OnErrandDone(Instant now, ErrandId errand, const ErrandOutcome& outcome);

  // Looks at everything and adds what follows to `output`. Due at next_deadline(), after the events
  // above, and when `pd` has applied more. O(stores + namespaces + regions) when something changed
  // or a call is due.
  void Turn(Instant now, const PdReader& pd, DriverOutput* output);

  // Max while it does not lead.
  Instant next_deadline() const;
  // What the cluster waits for, a sentence each, in a fixed order; as of the last Turn.
  const std::vector<std::string>& waiting() const;

 private:
  class Impl;
  const DriverOptions options_;
  uint64_t leads_ = 0;          // How often it was told to lead.
  std::unique_ptr<Impl> impl_;  // Null while it does not lead.
};

}  // namespace flaredb::cluster

#endif  // FLAREDB_CORE_CLUSTER_DRIVER_H_
