// SPDX-License-Identifier: Apache-2.0
#include "core/store/shipper.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/base/probe.h"
#include "core/kv/key.h"

namespace flaredb::store {
namespace {

// Whether a later fence shut the rows out for good. The drain before it waited until all members
// had released all rows, so these are of a store that was given up, and they with it. Kept, they
// would be sent again for ever, ahead of all others.
bool IsTooLate(kv::ModeEpoch rows, const kv::NamespaceReply& answer) {
  return answer.state.fence && rows < answer.state.fence->mode_epoch;
}

// Whether reads are answered by the replica, now or once it has its snapshot.
bool WillShow(const Replica& replica, Instant now) {
  return replica.region().initialized() || now < replica.view(now).raft.promised_until;
}

}  // namespace

void Shipper::Ship(Instant now) {
  if (!outbox_->has_unsent()) return;
  next_ = Instant::Max();
  std::erase_if(lanes_, [&](const auto& lane) {
    return !lane.second.parcel && lane.second.not_before <= now;
  });
  for (const auto& [id, replica] : *replicas_) {
    if (replica->region().initialized()) ShipTo(replica->region());
  }
  for (const Region& region : calls_->RegionsElsewhere()) {
    const Replica* replica = replicas_->Find(region.id);
    if (replica == nullptr || !replica->region().initialized()) ShipTo(region);
  }
  calls_->WantRegionOfUnsent();
}

void Shipper::ShipTo(const Region& region) {
  if (const auto lane = lanes_.find(region.id); lane != lanes_.end()) {
    if (!lane->second.parcel) next_ = std::min(next_, lane->second.not_before);
    return;
  }
  const kv::KeyRange range = DataRange(region);
  std::optional<Parcel> parcel = outbox_->Take(range.begin, range.end);
  if (!parcel) return;
  lanes_[region.id] = {parcel->id, parcel->batch.mode_epoch, Instant()};
  // What can't be sent within this time is sent again.
  calls_->Admit(parcel->id, Request{std::nullopt, config_.election_timeout * 4,
                                    kv::NamespaceCommand(std::move(parcel->batch))});
}

void Shipper::Settle(Instant now, env::GroupCommit* commit) {
  for (const auto& [parcel, reply] : calls_->TakeParcelReplies()) OnReply(parcel, reply, now);
  ReleaseApplied(now, commit);
}

void Shipper::OnReply(ParcelId parcel, const Reply& reply, Instant now) {
  const auto lane = std::find_if(lanes_.begin(), lanes_.end(),
                                 [&](const auto& each) { return each.second.parcel == parcel; });
  INVARIANT(lane != lanes_.end()) << "parcel " << parcel;
  const auto* answer = std::get_if<kv::NamespaceReply>(&reply.result);
  if (answer != nullptr && (answer->admitted || IsTooLate(lane->second.mode_epoch, *answer))) {
    outbox_->OnApplied(parcel, lane->first, reply.applied_index);
    lanes_.erase(lane);
    next_ = now;
  } else {
    REACHED(kParcelFailed);
    outbox_->OnFailed(parcel);
    lane->second = {ParcelId(), kv::ModeEpoch(), now + config_.heartbeat_interval};
    next_ = std::min(next_, lane->second.not_before);
  }
}

void Shipper::ReleaseApplied(Instant now, env::GroupCommit* commit) {
  for (const RegionId region : outbox_->RegionsToRelease()) {
    const Replica* replica = replicas_->Find(region);
    if (replica == nullptr || !WillShow(*replica, now)) {
      outbox_->ReleaseUnseen(region, commit);
    } else {
      outbox_->Release(region, replica->applied_index(), commit);
      calls_->Doubt(*replica);
    }
  }
  if (!outbox_->has_unseen()) return;
  for (const auto& [id, replica] : *replicas_) {
    outbox_->OnSeen(id, replica->applied_index(), commit);
  }
}

Instant Shipper::next_deadline() const { return outbox_->has_unsent() ? next_ : Instant::Max(); }

}  // namespace flaredb::store
