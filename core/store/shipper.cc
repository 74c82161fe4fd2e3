// SPDX-License-Identifier: Apache-2.0
#include "core/store/shipper.h"

#include <algorithm>
#include <variant>

#include "core/base/check.h"
#include "core/kv/key.h"

namespace flaredb::store {

std::optional<Parcel> Shipper::Next(const Region& region, Instant now) {
  more_ = false;
  const auto lane = lanes_.find(region.id);
  if (lane != lanes_.end() && (lane->second.parcel || now < lane->second.not_before)) {
    return std::nullopt;
  }
  const kv::KeyRange range = DataRange(region);
  std::optional<Parcel> parcel = outbox_->Take(range.begin, range.end);
  if (parcel) {
    lanes_[region.id] = {parcel->id, Instant()};
  } else if (lane != lanes_.end()) {
    lanes_.erase(lane);
  }
  return parcel;
}

void Shipper::OnReply(ParcelId parcel, const Reply& reply, Instant now) {
  const auto lane = std::find_if(lanes_.begin(), lanes_.end(),
                                 [&](const auto& each) { return each.second.parcel == parcel; });
  INVARIANT(lane != lanes_.end()) << "parcel " << parcel;
  const auto* answer = std::get_if<kv::NamespaceReply>(&reply.result);
  if (answer != nullptr && answer->admitted) {
    outbox_->OnApplied(parcel, reply.applied_index);
    lanes_.erase(lane);
    more_ = true;
  } else {
    outbox_->OnFailed(parcel);
    lane->second = {ParcelId(), now + pause_};
  }
}

void Shipper::OnAppliedHere(const Region& region, Index applied, env::GroupCommit* commit) {
  const kv::KeyRange range = DataRange(region);
  outbox_->Release(range.begin, range.end, applied, commit);
}

Instant Shipper::next_deadline() const {
  if (!outbox_->has_unsent()) return Instant::Max();
  Instant earliest = more_ ? Instant() : Instant::Max();
  for (const auto& [region, lane] : lanes_) {
    if (!lane.parcel) earliest = std::min(earliest, lane.not_before);
  }
  return earliest;
}

}  // namespace flaredb::store
