// SPDX-License-Identifier: Apache-2.0
// When tombstones of eventual namespaces may go: when no write that is older than they are can come
// any more. Each store says up to when all that it accepted is applied (store::Outbox::Watermark);
// the least of these is a time before which nothing is under way. A store that is away holds it
// where it last was, so what it comes back with meets the tombstones that it has to meet.
#ifndef FLAREDB_CORE_CLUSTER_COLLECTION_H_
#define FLAREDB_CORE_CLUSTER_COLLECTION_H_

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/cluster/errand.h"
#include "core/cluster/region_reports.h"
#include "core/cluster/roster.h"
#include "core/kv/hlc.h"
#include "core/kv/namespace_command.h"
#include "core/pd/cluster.h"

namespace flaredb::cluster {

// Every write of `ns`, which is eventual, from before this is applied by its region, whoever
// accepted it. Zero: some member has not said. `slowest` is whose word it is.
struct Watermark {
  kv::Hlc time;
  StoreId slowest;
};
Watermark WatermarkOf(const pd::Namespace& ns, const Roster& roster);

// A round of a namespace has all its regions collect up to one watermark, some records at a time. A
// minute of time between rounds says nothing of how long one takes: a namespace of millions of
// records takes as long as it takes, and others have their turn beside it.
class Collection {
 public:
  // So many namespaces at a time: each piece is an entry of a log, and those are for users.
  static constexpr size_t kRoundsAtOnce = 16;

  // The first round of a namespace comes an interval after `now`, each other one an interval after
  // the end of the one before. A round that got nowhere for so long gives way to those that wait.
  Collection(Instant now, Duration interval) : interval_(interval), started_(now) {}

  // What is to be collected of `ns`, which is eventual: a command for each of its regions that has
  // not carried out its part.
  std::vector<RegionErrand> Look(Instant now, const pd::Namespace& ns, const Roster& roster,
                                 AskPd ask);
  // It is not eventual any more.
  void Forget(kv::NamespaceId ns);
  // A region carried it out, as far as it says.
  void OnCollected(Instant now, RegionId region, const kv::CollectTombstones& done,
                   const kv::NamespaceReply& reply);

  // When Look does what it did not do before. Max: it was asked about nothing.
  Instant next_deadline() const;

 private:
  // Of one namespace.
  struct Round {
    kv::Hlc before;
    std::set<RegionId> done;
    std::map<RegionId, std::string> rest;  // Where others go on: a user key.
  };
  // By when it begins, or gives way.
  using Schedule = std::set<std::pair<Instant, kv::NamespaceId>>;
  struct Entry {
    Round round;
    Schedule* where = nullptr;  // One of the two below.
    Instant at;
  };

  bool OthersWait(Instant now) const;
  bool MayBegin(Instant now, const Entry& entry, kv::NamespaceId ns) const;
  void Put(kv::NamespaceId ns, Entry* entry, Schedule* where, Instant at);

  const Duration interval_;
  const Instant started_;
  Instant looked_at_;
  std::map<kv::NamespaceId, Entry> entries_;
  Schedule resting_;
  Schedule under_way_;
};

}  // namespace flaredb::cluster

#endif  // FLAREDB_CORE_CLUSTER_COLLECTION_H_
