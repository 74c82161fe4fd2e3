// SPDX-License-Identifier: Apache-2.0
// Regions, epochs and peers <-> metapb.
#ifndef FLAREDB_NET_WIRE_REGION_CODEC_H_
#define FLAREDB_NET_WIRE_REGION_CODEC_H_

#include "core/region/region.h"

namespace metapb {
class Region;
class RegionEpoch;
}  // namespace metapb

namespace flaredb::net {

void EncodeEpoch(const RegionEpoch& epoch, metapb::RegionEpoch* out);
RegionEpoch DecodeEpoch(const metapb::RegionEpoch& epoch);

void EncodeRegion(const Region& region, metapb::Region* out);
// Copies what is there; the sender vouches for its sense.
Region DecodeRegion(const metapb::Region& region);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_WIRE_REGION_CODEC_H_
