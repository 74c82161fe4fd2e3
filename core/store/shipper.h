// SPDX-License-Identifier: Apache-2.0
// Brings what the outbox holds to the regions that it belongs to.
#ifndef FLAREDB_CORE_STORE_SHIPPER_H_
#define FLAREDB_CORE_STORE_SHIPPER_H_

#include <map>
#include <optional>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/env/disk.h"
#include "core/region/region.h"
#include "core/store/outbox.h"
#include "core/store/request.h"

namespace flaredb::store {

// One parcel at a time for each region, sent again after a pause when it failed. Whether it arrived
// twice, or late, makes no difference: its rows merge.
class Shipper {
 public:
  // `outbox` outlives this object. `pause`: before a region is tried again.
  Shipper(Outbox* outbox, Duration pause) : outbox_(outbox), pause_(pause) {}

  // What is to be sent to `region` now; nullopt: nothing, or not yet.
  std::optional<Parcel> Next(const Region& region, Instant now);
  // The answer to a parcel that Next returned.
  void OnReply(ParcelId parcel, const Reply& reply, Instant now);
  // The replica of `region` here has applied everything up to `applied`; see Outbox::Release.
  void OnAppliedHere(const Region& region, Index applied, env::GroupCommit* commit);

  // When Next may have something that it did not have; Instant::Max() when never.
  Instant next_deadline() const;

 private:
  struct Lane {
    ParcelId parcel;  // Under way; zero: none is.
    Instant not_before;
  };

  Outbox* const outbox_;
  const Duration pause_;
  std::map<RegionId, Lane> lanes_;  // Of regions with a parcel under way, or a pause.
  bool more_ = false;               // A parcel arrived since the last Next.
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_SHIPPER_H_
