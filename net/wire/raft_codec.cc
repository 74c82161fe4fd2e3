// SPDX-License-Identifier: Apache-2.0
#include "net/wire/raft_codec.h"

#include <string_view>
#include <utility>
#include <variant>

#include "core/base/strings.h"
#include "net/wire/forward_codec.h"
#include "net/wire/raft_message_codec.h"
#include "net/wire/roll_codec.h"
#include "proto/raftpb.pb.h"

namespace flaredb::net {
namespace {

absl::Status Bad(std::string_view what) { return absl::InvalidArgumentError(ToAbsl(what)); }

// No varint is longer.
constexpr size_t kIdBytes = 10;

size_t PayloadBytes(const store::PeerRemoved&) { return 0; }
size_t PayloadBytes(const store::StoreBeat& beat) { return beat.dead.size() * kIdBytes; }

void Add(const store::RaftEnvelope& in, raftpb::RaftBatch* batch) {
  EncodeEnvelope(in, batch->add_messages());
}
void Add(const store::ForwardedRequest& in, raftpb::RaftBatch* batch) {
  EncodeRequest(in, batch->add_requests());
}
void Add(const store::ForwardedReply& in, raftpb::RaftBatch* batch) {
  EncodeReply(in, batch->add_replies());
}
void Add(const store::PeerRemoved& in, raftpb::RaftBatch* batch) {
  raftpb::PeerRemoved* out = batch->add_removed_peers();
  out->set_region_id(in.region.value());
  out->set_peer_id(in.peer.value());
  out->set_conf_version(in.conf_version);
}
void Add(const store::StoreBeat& in, raftpb::RaftBatch* batch) {
  raftpb::StoreBeat* out = batch->add_beats();
  out->set_life(in.life);
  out->mutable_dead()->Reserve(static_cast<int>(in.dead.size()));
  for (const RegionId region : in.dead) out->add_dead(region.value());
}
void Add(const cluster::RollCall& in, raftpb::RaftBatch* batch) {
  EncodeRollCall(in, batch->add_roll_calls());
}
void Add(const cluster::RollAnswer& in, raftpb::RaftBatch* batch) {
  EncodeRollAnswer(in, batch->add_roll_answers());
}

absl::Status TakePeerRemoved(raftpb::PeerRemoved* in, store::PeerRemoved* out) {
  if (in->region_id() == 0) return Bad("a removed peer without a region");
  if (in->peer_id() == 0) return Bad("a removed peer without an id");
  if (in->conf_version() == 0) return Bad("a removed peer without the version that lacks it");
  *out = {RegionId(in->region_id()), PeerId(in->peer_id()), in->conf_version()};
  return absl::OkStatus();
}

absl::Status TakeBeat(raftpb::StoreBeat* in, store::StoreBeat* out) {
  if (in->life() == 0) return Bad("a store's beat without its life");
  out->life = in->life();
  out->dead.reserve(static_cast<size_t>(in->dead_size()));
  uint64_t last = 0;
  for (const uint64_t region : in->dead()) {
    if (region <= last) return Bad("a store's beat with dead regions out of order");
    out->dead.emplace_back(region);
    last = region;
  }
  return absl::OkStatus();
}

// Appends what `take` makes of each of `list`, up to the first refusal.
template <typename Message, typename List>
absl::Status TakeEach(List* list, absl::Status (*take)(typename List::value_type*, Message*),
                      std::vector<store::StoreMessage>* messages) {
  for (auto& in : *list) {
    Message out;
    if (absl::Status s = take(&in, &out); !s.ok()) return s;
    messages->emplace_back(std::move(out));
  }
  return absl::OkStatus();
}

}  // namespace

void AppendMessage(const store::StoreMessage& message, raftpb::RaftBatch* batch) {
  std::visit([batch](const auto& in) { Add(in, batch); }, message);
}

size_t PayloadBytes(const store::StoreMessage& message) {
  return std::visit([](const auto& in) { return PayloadBytes(in); }, message);
}

absl::Status TakeMessages(raftpb::RaftBatch* batch, std::vector<store::StoreMessage>* messages) {
  const size_t before = messages->size();
  absl::Status s = TakeEach(batch->mutable_messages(), TakeEnvelope, messages);
  if (s.ok()) s = TakeEach(batch->mutable_requests(), TakeRequest, messages);
  if (s.ok()) s = TakeEach(batch->mutable_replies(), TakeReply, messages);
  if (s.ok()) s = TakeEach(batch->mutable_removed_peers(), TakePeerRemoved, messages);
  if (s.ok()) s = TakeEach(batch->mutable_beats(), TakeBeat, messages);
  if (s.ok()) s = TakeEach(batch->mutable_roll_calls(), TakeRollCall, messages);
  if (s.ok()) s = TakeEach(batch->mutable_roll_answers(), TakeRollAnswer, messages);
  if (!s.ok()) messages->erase(messages->begin() + static_cast<ptrdiff_t>(before), messages->end());
  batch->Clear();
  return s;
}

}  // namespace flaredb::net
