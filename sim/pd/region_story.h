// SPDX-License-Identifier: Apache-2.0
// What regions go through: splits, moves of replicas, elections. Whatever it reports was true at
// some time, so a placement driver must never believe anything that is over.
#ifndef FLAREDB_SIM_PD_REGION_STORY_H_
#define FLAREDB_SIM_PD_REGION_STORY_H_

#include <cstddef>
#include <string>
#include <vector>

#include "core/pd/cluster.h"
#include "core/region/region.h"
#include "sim/machine_spec.h"

namespace flaredb::sim {

class RegionStory {
 public:
  static constexpr char kFirstKey = 'b';  // Of those at which regions are split.
  static constexpr char kLastKey = 'i';
  static constexpr uint64_t kStores = 6;

  // Begins with `first`, which holds every key.
  explicit RegionStory(const Region& first);

  // A report: as often as not of what just happened to some region, else of anything before.
  pd::RegionInfo Report(ClientChoices* choices);

 private:
  // One of the regions as they are, by its place in now_.
  void Split(size_t at, char key, bool keeps_right);
  void ChangePeers(size_t at, StoreId store);
  void Elect(size_t at, size_t leader);

  std::vector<pd::RegionInfo> now_;
  std::vector<pd::RegionInfo> past_;
  uint64_t next_id_ = 100;  // Of regions and peers.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_PD_REGION_STORY_H_
