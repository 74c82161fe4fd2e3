// SPDX-License-Identifier: Apache-2.0
#include "sim/pd/region_story.h"

#include <algorithm>
#include <utility>

namespace flaredb::sim {

RegionStory::RegionStory(const Region& first) {
  now_.push_back({first, Term(1), first.peers.front().id});
}

pd::RegionInfo RegionStory::Report(ClientChoices* choices) {
  if (!past_.empty() && choices->Chance(40)) return past_[choices->Pick(past_.size())];
  const size_t at = choices->Pick(now_.size());
  past_.push_back(now_[at]);
  const char key = static_cast<char>(kFirstKey + choices->Pick(kLastKey - kFirstKey + 1));
  const Region& region = now_[at].region;
  if (region.Contains(std::string(1, key)) && region.start_key != std::string(1, key) &&
      choices->Chance(40)) {
    Split(at, key, choices->Chance(50));
  } else if (choices->Chance(50)) {
    ChangePeers(at, StoreId(1 + choices->Pick(kStores)));
  } else {
    Elect(at, choices->Pick(region.peers.size()));
  }
  // Whichever of the two halves.
  return choices->Chance(50) ? now_[at] : now_.back();
}

void RegionStory::Split(size_t at, char key, bool keeps_right) {
  pd::RegionInfo& old = now_[at];
  ++old.region.epoch.version;
  pd::RegionInfo half = old;
  half.region.id = RegionId(next_id_++);
  for (Peer& peer : half.region.peers) peer.id = PeerId(next_id_++);
  half.leader = half.region.peers.front().id;
  (keeps_right ? half : old).region.end_key = std::string(1, key);
  (keeps_right ? old : half).region.start_key = std::string(1, key);
  now_.push_back(std::move(half));
}

void RegionStory::ChangePeers(size_t at, StoreId store) {
  pd::RegionInfo& info = now_[at];
  const Peer* there = info.region.PeerOn(store);
  if (there == nullptr) {
    info.region.peers.push_back({PeerId(next_id_++), store});
  } else if (there->id != info.leader) {
    info.region.peers.erase(info.region.peers.begin() + (there - info.region.peers.data()));
  } else {
    return;
  }
  ++info.region.epoch.conf_version;
}

void RegionStory::Elect(size_t at, size_t leader) {
  ++now_[at].term;
  now_[at].leader = now_[at].region.peers[leader].id;
}

}  // namespace flaredb::sim
