// SPDX-License-Identifier: Apache-2.0
// Brings what the outbox holds to the regions that it belongs to.
#ifndef FLAREDB_CORE_STORE_SHIPPER_H_
#define FLAREDB_CORE_STORE_SHIPPER_H_

#include <map>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/env/disk.h"
#include "core/kv/mode.h"
#include "core/raft/config.h"
#include "core/region/region.h"
#include "core/store/calls.h"
#include "core/store/outbox.h"
#include "core/store/replica_set.h"
#include "core/store/request.h"

namespace flaredb::store {

// One parcel at a time for each region, sent again after a pause when it failed. Whether it arrived
// twice, or late, makes no difference: its rows merge.
class Shipper {
 public:
  // The pointers outlive this object. Parcels are calls of this store's own.
  Shipper(const raft::Config& config, Outbox* outbox, const ReplicaSet* replicas, Calls* calls)
      : config_(config), outbox_(outbox), replicas_(replicas), calls_(calls) {}

  // Sends what is to be sent now: to regions here, to those that are known to be elsewhere, and has
  // the others looked for.
  void Ship(Instant now);
  // Takes the answers, and releases what is applied: where a replica here shows it, or, where there
  // is none to wait for, at the leader's word. In the commit that has what was applied, or a later
  // one. A replica without its first snapshot is one to wait for as long as a leader speaks to it:
  // nobody may be left who does.
  void Settle(Instant now, env::GroupCommit* commit);

  // When the next Ship may find something that the last one did not; Instant::Max() when never.
  Instant next_deadline() const;

 private:
  struct Lane {
    ParcelId parcel;           // Under way; zero: none is.
    kv::ModeEpoch mode_epoch;  // Of the parcel.
    Instant not_before;
  };

  void ShipTo(const Region& region);
  void OnReply(ParcelId parcel, const Reply& reply, Instant now);
  void ReleaseApplied(Instant now, env::GroupCommit* commit);

  const raft::Config& config_;
  Outbox* const outbox_;
  const ReplicaSet* const replicas_;
  Calls* const calls_;
  std::map<RegionId, Lane> lanes_;  // Of regions with a parcel under way, or a pause.
  Instant next_;                    // See next_deadline.
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_SHIPPER_H_
