// SPDX-License-Identifier: Apache-2.0
#include "core/region/region.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/codec.h"

namespace flaredb {

namespace {

constexpr uint8_t kFormat = 1;

bool RangeIsSound(const Region& region) {
  return region.end_key.empty() || region.start_key < region.end_key;
}

bool PeersAreSound(const std::vector<Peer>& peers) {
  for (size_t i = 0; i < peers.size(); ++i) {
    const bool ascends = i == 0 ? static_cast<bool>(peers[i].id) : peers[i - 1].id < peers[i].id;
    const bool repeated = std::any_of(peers.begin(), peers.begin() + i, [&](const Peer& other) {
      return other.store == peers[i].store;
    });
    if (!ascends || !peers[i].store || repeated) return false;
  }
  return !peers.empty();
}

const Peer* Find(const std::vector<Peer>& peers, auto&& wanted) {
  const auto it = std::find_if(peers.begin(), peers.end(), wanted);
  return it == peers.end() ? nullptr : &*it;
}

}  // namespace

const Peer* Region::PeerOn(StoreId store) const {
  return Find(peers, [store](const Peer& peer) { return peer.store == store; });
}

const Peer* Region::PeerOf(PeerId id) const {
  return Find(peers, [id](const Peer& peer) { return peer.id == id; });
}

raft::ConfState ConfStateOf(const Region& region) {
  raft::ConfState conf;
  for (const Peer& peer : region.peers) {
    conf.voters.push_back(peer.id);
    conf.members.push_back({peer.id, peer.store, Incarnation()});
  }
  return conf;
}

absl::StatusOr<std::vector<Peer>> PeersOf(const raft::ConfState& conf) {
  std::vector<Peer> peers;
  for (const PeerId id : conf.Everybody()) {
    const StoreId store = conf.Find(id).store;
    if (!store) {
      return absl::DataLossError(
          absl::StrCat("the configuration does not say on which store peer ", id.value(), " is"));
    }
    peers.push_back({id, store});
  }
  if (!PeersAreSound(peers)) {
    return absl::DataLossError(
        "the configuration does not give every peer a store of its own, or has none");
  }
  return peers;
}

kv::KeyRange DataRange(const Region& region) {
  constexpr kv::NamespaceId kLast = kv::NamespaceId::kMachine;
  const kv::KeyRange records = {kv::EncodeKey(kv::NamespaceId{1}, ""),
                                kv::PrefixSuccessor(kv::EncodeKey(kLast, ""))};
  return {std::max(records.begin, region.start_key),
          region.end_key.empty() ? records.end : std::min(records.end, region.end_key)};
}

std::string EncodeRegion(const Region& region) {
  INVARIANT(region.id) << "a region has an id";
  INVARIANT(RangeIsSound(region)) << "region " << region.id;
  INVARIANT(PeersAreSound(region.peers)) << "region " << region.id;

  ByteWriter out;
  out.U8(kFormat);
  out.Varint(region.id.value());
  out.Bytes(region.start_key);
  out.Bytes(region.end_key);
  out.Varint(region.epoch.conf_version);
  out.Varint(region.epoch.version);
  out.Varint(region.peers.size());
  for (const Peer& peer : region.peers) {
    out.Varint(peer.id.value());
    out.Varint(peer.store.value());
  }
  return out.Take();
}

absl::StatusOr<Region> DecodeRegion(std::string_view bytes) {
  ByteReader in(bytes);
  Region region;
  in.FormatVersion(kFormat);
  region.id = RegionId(in.Varint());
  in.Require(static_cast<bool>(region.id), "a region id is not 0");
  region.start_key = in.Bytes();
  region.end_key = in.Bytes();
  in.Require(RangeIsSound(region), "the start key lies before the end key");
  region.epoch.conf_version = in.Varint();
  region.epoch.version = in.Varint();
  // Ends at the first defect, so a wrong count costs no more than the bytes that are there.
  for (uint64_t left = in.Varint(); in.ok() && left > 0; --left) {
    Peer& peer = region.peers.emplace_back();
    peer.id = PeerId(in.Varint());
    peer.store = StoreId(in.Varint());
  }
  in.Require(PeersAreSound(region.peers), "peers are sorted, unique and on different stores");
  if (absl::Status status = in.Finish("a region"); !status.ok()) return status;
  return region;
}

}  // namespace flaredb
