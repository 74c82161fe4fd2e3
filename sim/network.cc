// SPDX-License-Identifier: Apache-2.0
#include "sim/network.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace flaredb::sim {

SimNetwork::SimNetwork(World* world, const NetworkProfile& profile, uint32_t endpoints)
    : world_(world),
      profile_(profile),
      endpoints_(endpoints),
      links_(static_cast<size_t>(endpoints) * endpoints) {
  INVARIANT(endpoints <= Choices::kOwnersMax);
}

void SimNetwork::Send(Packet packet) {
  const Endpoint from = packet.from;
  const Endpoint to = packet.to;
  INVARIANT(from < endpoints_ && to < endpoints_);
  Link& l = link(from, to);
  if (l.cuts != 0) return;
  if (world_->choices.Chance(Choice::kMessageLoss, profile_.loss_ppm, from)) return;
  const auto* between_stores = std::get_if<store::StoreMessage>(&packet.body);
  const bool doubled = between_stores != nullptr &&
                       std::holds_alternative<store::RaftEnvelope>(*between_stores) &&
                       world_->choices.Chance(Choice::kMessageCopy, profile_.copy_ppm, from);
  const uint64_t parcel = Store(std::move(packet), doubled ? 2 : 1);
  if (doubled) {
    const Duration later =
        world_->choices.Between(Choice::kMessageCopy, Duration(), profile_.copy_delay_max, from);
    world_->queue.After(Delay(from) + later, {EventKind::kDeliver, to, parcel});
  }
  if (l.holds != 0) {
    l.held.push_back(parcel);
  } else {
    Schedule(from, to, parcel);
  }
}

Packet SimNetwork::Take(uint64_t parcel) {
  Parcel& p = parcels_[parcel];
  INVARIANT(p.deliveries > 0);
  if (--p.deliveries > 0) return p.packet;
  free_.push_back(parcel);
  return std::move(p.packet);
}

void SimNetwork::Mend(Endpoint from, Endpoint to) {
  Link& l = link(from, to);
  if (l.cuts > 0) --l.cuts;
}

void SimNetwork::Release(Endpoint from, Endpoint to) {
  Link& l = link(from, to);
  if (l.holds == 0 || --l.holds > 0) return;
  for (const uint64_t parcel : std::exchange(l.held, {})) Schedule(from, to, parcel);
}

void SimNetwork::Heal() {
  profile_.slow_ppm = 0;
  profile_.loss_ppm = 0;
  profile_.copy_ppm = 0;
  for (Endpoint from = 0; from < endpoints_; ++from) {
    for (Endpoint to = 0; to < endpoints_; ++to) {
      Link& l = link(from, to);
      l.cuts = 0;
      l.holds = std::min(l.holds, 1u);
      Release(from, to);
    }
  }
}

uint64_t SimNetwork::Store(Packet packet, uint32_t deliveries) {
  if (free_.empty()) {
    parcels_.push_back({std::move(packet), deliveries});
    return parcels_.size() - 1;
  }
  const uint64_t parcel = free_.back();
  free_.pop_back();
  parcels_[parcel] = {std::move(packet), deliveries};
  return parcel;
}

void SimNetwork::Schedule(Endpoint from, Endpoint to, uint64_t parcel) {
  Link& l = link(from, to);
  Instant arrival = world_->now() + Delay(from);
  if (profile_.ordered) arrival = l.last_arrival = std::max(arrival, l.last_arrival);
  world_->queue.At(arrival, {EventKind::kDeliver, to, parcel});
}

Duration SimNetwork::Delay(Endpoint from) {
  const bool slow = world_->choices.Chance(Choice::kMessageDelay, profile_.slow_ppm, from);
  return world_->choices.Between(
      Choice::kMessageDelay, profile_.delay.first,
      slow ? std::max(profile_.slow_max, profile_.delay.last) : profile_.delay.last, from);
}

}  // namespace flaredb::sim
