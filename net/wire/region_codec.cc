// SPDX-License-Identifier: Apache-2.0
#include "net/wire/region_codec.h"

#include "proto/metapb.pb.h"

namespace flaredb::net {

void EncodeEpoch(const RegionEpoch& epoch, metapb::RegionEpoch* out) {
  out->set_conf_ver(epoch.conf_version);
  out->set_version(epoch.version);
}

RegionEpoch DecodeEpoch(const metapb::RegionEpoch& epoch) {
  return {epoch.conf_ver(), epoch.version()};
}

void EncodeRegion(const Region& region, metapb::Region* out) {
  out->set_id(region.id.value());
  out->set_start_key(region.start_key);
  out->set_end_key(region.end_key);
  EncodeEpoch(region.epoch, out->mutable_region_epoch());
  for (const Peer& peer : region.peers) {
    metapb::Peer* to = out->add_peers();
    to->set_id(peer.id.value());
    to->set_store_id(peer.store.value());
  }
}

Region DecodeRegion(const metapb::Region& region) {
  Region out;
  out.id = RegionId(region.id());
  out.start_key = region.start_key();
  out.end_key = region.end_key();
  out.epoch = DecodeEpoch(region.region_epoch());
  for (const metapb::Peer& peer : region.peers()) {
    out.peers.push_back({PeerId(peer.id()), StoreId(peer.store_id())});
  }
  return out;
}

}  // namespace flaredb::net
