// SPDX-License-Identifier: Apache-2.0
// When tombstones of eventual namespaces may go: when no write that is older than they are can come
// any more. Each store says up to when all that it accepted is applied (store::Outbox::Watermark);
// the least of these is a time before which nothing is under way. A store that is away holds it
// where it last was, so what it comes back with meets the tombstones that it has to meet.
#ifndef FLAREDB_CORE_CLUSTER_COLLECTION_H_
#define FLAREDB_CORE_CLUSTER_COLLECTION_H_

#include <map>
#include <optional>
#include <set>
#include <string>
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

class Collection {
 public:
  // The first one comes an interval after `now`.
  Collection(Instant now, Duration interval) : interval_(interval), started_(now) {}

  // What is to be collected of `ns`, which is eventual: a command for each of its regions that has
  // not carried out its part.
  std::vector<RegionErrand> Look(Instant now, const pd::Namespace& ns, const Roster& roster,
                                 AskPd ask);
  // It is not eventual any more.
  void Forget(kv::NamespaceId ns) { rounds_.erase(ns); }
  // A region carried it out, as far as it says.
  void OnCollected(RegionId region, const kv::CollectTombstones& done,
                   const kv::NamespaceReply& reply);

  // When Look begins anew. Max: it was asked about nothing.
  Instant next_deadline() const;

 private:
  // Of one namespace.
  struct Round {
    kv::Hlc before;
    std::set<RegionId> done;
    std::map<RegionId, std::string> rest;  // Where others go on: a user key.
    bool complete = true;                  // All regions were.
    Instant next;                          // When the one after it begins.
  };

  const Duration interval_;
  const Instant started_;
  std::map<kv::NamespaceId, Round> rounds_;
};

}  // namespace flaredb::cluster

#endif  // FLAREDB_CORE_CLUSTER_COLLECTION_H_
