// SPDX-License-Identifier: Apache-2.0
#include "core/pd/bootstrap.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/pd/ids.h"
#include "core/pd/namespaces.h"
#include "core/pd/regions.h"
#include "core/pd/rows.h"
#include "core/pd/stores.h"

namespace flaredb::pd {

namespace {

// Whether a cluster may begin with `regions`, in the order of their keys: every key in one of them,
// ids used once, a replica of each on `founder`.
bool AreSound(const std::vector<Region>& regions, StoreId founder) {
  Coverage coverage("");
  std::set<RegionId> region_ids;
  std::set<PeerId> peer_ids;
  for (const Region& region : regions) {
    if (coverage.Reaches("") || region.start_key != coverage.next()) return false;
    coverage.Add(region);
    if (!region_ids.insert(region.id).second || region.id.value() > kChosenIdMax) return false;
    if (region.PeerOn(founder) == nullptr) return false;
    for (const Peer& peer : region.peers) {
      if (!peer_ids.insert(peer.id).second || peer.id.value() > kChosenIdMax) return false;
    }
  }
  return coverage.Reaches("");
}

}  // namespace

Reply Found(const Bootstrap& bootstrap, MutableObjectRows* rows) {
  ClusterInfo founded;
  founded.id = bootstrap.cluster;
  founded.founder = bootstrap.store.id;
  founded.next_id = 1;
  if (const auto refused = CheckDescriptor(bootstrap.store, founded)) return *refused;
  std::vector<Region> regions = bootstrap.regions;
  std::sort(regions.begin(), regions.end(),
            [](const Region& a, const Region& b) { return a.start_key < b.start_key; });
  if (!AreSound(regions, bootstrap.store.id)) return Refused{Refusal::kBadRegions};

  UseId(bootstrap.store.id.value(), &founded);
  for (const Region& region : regions) {
    UseId(region.id.value(), &founded);
    for (const Peer& peer : region.peers) UseId(peer.id.value(), &founded);
    WriteRegion({region, Term(), PeerId()}, rows);
  }
  ChangeStore({bootstrap.store, StoreState::kUp, Revision()}, &founded, rows);
  CreateNamespace({std::string(kDefaultNamespace), std::nullopt}, &founded, rows);
  WriteCluster(founded, rows);
  return Done{};
}

Reply Apply(const Bootstrap& bootstrap, ClusterInfo* cluster, MutableObjectRows* rows) {
  const std::optional<StoreInfo> founder = ReadStore(cluster->founder, *rows);
  const bool same = bootstrap.cluster == cluster->id && bootstrap.store.id == cluster->founder &&
                    founder && founder->instance == bootstrap.store.instance;
  if (!same) return Refused{Refusal::kBootstrapped, cluster->id.value()};
  return Done{};
}

}  // namespace flaredb::pd
