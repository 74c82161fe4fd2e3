// SPDX-License-Identifier: Apache-2.0
#include "sim/world/network.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/check.h"
#include "sim/world/recorder.h"

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
  if (world_->recorder != nullptr) world_->recorder->Sent(&packet);
  if (l.cuts != 0) {
    if (world_->recorder != nullptr) world_->recorder->Fared(packet, Record::Fate::kCut);
    world_->faults.Mattered(l.cut_by);
    return;
  }
  if (Happens(Fault::kLoseMessage, Choice::kMessageLoss, profile_.loss_ppm, from)) {
    if (world_->recorder != nullptr) world_->recorder->Fared(packet, Record::Fate::kLost);
    return;
  }
  MayCorrupt(&packet);
  const auto* between_stores = std::get_if<store::StoreMessage>(&packet.body);
  const bool doubled = between_stores != nullptr &&
                       std::holds_alternative<store::RaftEnvelope>(*between_stores) &&
                       Happens(Fault::kCopyMessage, Choice::kMessageCopy, profile_.copy_ppm, from);
  const uint64_t parcel = Store(std::move(packet), doubled ? 2 : 1);
  if (doubled) {
    const Duration later =
        world_->choices.Between(Choice::kMessageCopy, Duration(), profile_.copy_delay_max, from);
    world_->queue.After(Delay(from) + later, {EventKind::kDeliver, to, parcel});
  }
  if (l.holds != 0) {
    world_->faults.Mattered(Fault::kHoldLink);
    l.held.push_back(parcel);
  } else {
    Schedule(from, to, parcel);
  }
}

std::optional<Packet> SimNetwork::Take(uint64_t parcel) {
  Parcel& p = parcels_[parcel];
  INVARIANT(p.deliveries > 0);
  const bool last = --p.deliveries == 0;
  if (last) free_.push_back(parcel);
  if (p.lost) return std::nullopt;
  return last ? std::move(p.packet) : p.packet;
}

// Chance asks for it, and nothing leaves it out. Who calls makes a difference by it.
bool SimNetwork::Happens(Fault fault, Choice kind, uint32_t rate_ppm, Endpoint from) {
  if (!world_->choices.Chance(kind, rate_ppm, from) || !world_->faults.Fires(fault, from))
    return false;
  world_->faults.Mattered(fault);
  return true;
}

// Pieces of snapshots carry a checksum of their own; for all else the streams' checksums stand.
void SimNetwork::MayCorrupt(Packet* packet) {
  auto* between_stores = std::get_if<store::StoreMessage>(&packet->body);
  auto* envelope =
      between_stores != nullptr ? std::get_if<store::RaftEnvelope>(between_stores) : nullptr;
  auto* request =
      envelope != nullptr ? std::get_if<raft::SnapshotRequest>(&envelope->message.body) : nullptr;
  if (request == nullptr || request->chunk->data.empty()) return;
  if (!Happens(Fault::kCorruptPiece, Choice::kPiece, profile_.corrupt_ppm, packet->from)) return;
  raft::SnapshotChunk chunk = *request->chunk;
  const uint64_t bit = world_->choices.Pick(Choice::kPiece, chunk.data.size() * 8, packet->from);
  chunk.data[bit / 8] = static_cast<char>(chunk.data[bit / 8] ^ (1 << bit % 8));
  request->chunk = std::make_shared<const raft::SnapshotChunk>(std::move(chunk));
}

void SimNetwork::Cut(Endpoint from, Endpoint to, Fault why) {
  Link& l = link(from, to);
  ++l.cuts;
  l.cut_by = why;
}

void SimNetwork::Mend(Endpoint from, Endpoint to) {
  Link& l = link(from, to);
  if (l.cuts > 0) --l.cuts;
}

void SimNetwork::Hasten(Endpoint from, Endpoint to) {
  Link& l = link(from, to);
  if (l.slows > 0) --l.slows;
}

uint64_t SimNetwork::Reset(Endpoint from, Endpoint to) {
  uint64_t lost = 0;
  for (Parcel& parcel : parcels_) {
    if (parcel.deliveries == 0 || parcel.lost) continue;
    if (parcel.packet.from != from || parcel.packet.to != to) continue;
    parcel.lost = true;
    ++lost;
    if (world_->recorder != nullptr) world_->recorder->Fared(parcel.packet, Record::Fate::kReset);
  }
  return lost;
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
  profile_.corrupt_ppm = 0;
  for (Endpoint from = 0; from < endpoints_; ++from) {
    for (Endpoint to = 0; to < endpoints_; ++to) {
      Link& l = link(from, to);
      l.cuts = 0;
      l.slows = 0;
      l.holds = std::min(l.holds, 1u);
      Release(from, to);
    }
  }
}

uint64_t SimNetwork::Store(Packet packet, uint32_t deliveries) {
  if (free_.empty()) {
    parcels_.push_back({std::move(packet), deliveries, false});
    return parcels_.size() - 1;
  }
  const uint64_t parcel = free_.back();
  free_.pop_back();
  parcels_[parcel] = {std::move(packet), deliveries, false};
  return parcel;
}

void SimNetwork::Schedule(Endpoint from, Endpoint to, uint64_t parcel) {
  Link& l = link(from, to);
  Instant arrival = world_->now() + Delay(from);
  if (l.slows != 0) {
    world_->faults.Mattered(Fault::kSlowLink);
    arrival = arrival + world_->choices.Between(Choice::kMessageDelay, Duration(),
                                                profile_.slow_link_max, from);
  }
  if (arrival < l.last_arrival) {
    const bool overtakes = !profile_.ordered && world_->faults.Fires(Fault::kOvertake, from);
    if (overtakes) world_->faults.Mattered(Fault::kOvertake);
    if (!overtakes) arrival = l.last_arrival;
  }
  l.last_arrival = std::max(arrival, l.last_arrival);
  world_->queue.At(arrival, {EventKind::kDeliver, to, parcel});
}

Duration SimNetwork::Delay(Endpoint from) {
  const bool slow = Happens(Fault::kSlowMessage, Choice::kMessageDelay, profile_.slow_ppm, from);
  return world_->choices.Between(
      Choice::kMessageDelay, profile_.delay.first,
      slow ? std::max(profile_.slow_max, profile_.delay.last) : profile_.delay.last, from);
}

}  // namespace flaredb::sim
