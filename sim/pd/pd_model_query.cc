// SPDX-License-Identifier: Apache-2.0
#include "sim/pd/pd_model.h"

#include <algorithm>
#include <optional>
#include <variant>

namespace flaredb::sim {

using pd::Refusal;
using pd::Refused;

namespace {

bool EndsBehind(const std::string& end, const std::string& key) { return end.empty() || key < end; }

}  // namespace

bool PdModel::ShareKeys(const Region& a, const Region& b) {
  return EndsBehind(a.end_key, b.start_key) && EndsBehind(b.end_key, a.start_key);
}

std::string PdModel::Query(std::string_view bytes) const {
  const auto query = pd::DecodeQuery(bytes);
  if (!query.ok()) return EncodeReply(Refused{Refusal::kNotUnderstood});
  if (!cluster_) return EncodeReply(Refused{Refusal::kNotBootstrapped});
  return EncodeReply(std::visit([this](const auto& q) { return On(q); }, *query));
}

std::string PdModel::State() const {
  return EncodeReply(On(pd::GetCluster{})) + EncodeReply(pd::RegionPage{Regions(), false, ""}) +
         std::to_string(next_id_);
}

pd::Reply PdModel::On(const pd::GetCluster& get) const {
  pd::ClusterView view{
      cluster_, get.known > revision_ ? pd::Revision() : get.known, revision_, {}, {}};
  for (const auto& [id, store] : stores_) {
    if (store.changed > view.since) view.stores.push_back(store);
  }
  for (const auto& [name, ns] : namespaces_) {
    if (ns.changed > view.since) view.namespaces.push_back(ns);
  }
  return view;
}

pd::Reply PdModel::On(const pd::GetRegion& get) const {
  for (const auto& [id, info] : regions_) {
    if (info.region.Contains(get.key)) return info;
  }
  return Refused{Refusal::kNoRegion};
}

pd::Reply PdModel::On(const pd::ScanRegions& scan) const {
  const Region asked{RegionId(), scan.start_key, scan.end_key, {}, {}};
  pd::RegionPage page;
  if (!EndsBehind(scan.end_key, scan.start_key)) return page;
  std::optional<std::string> covered = scan.start_key;  // Up to here; nullopt: wholly.
  for (const pd::RegionInfo& info : Regions()) {
    if (!ShareKeys(info.region, asked)) continue;
    if (page.regions.size() == scan.limit) {
      page.next_key = page.regions.back().region.end_key;
      return page;
    }
    page.regions.push_back(info);
    if (info.region.start_key > covered) page.has_hole = true;
    covered = info.region.end_key.empty() ? std::nullopt : std::optional(info.region.end_key);
  }
  if (covered && EndsBehind(scan.end_key, *covered)) page.has_hole = true;
  return page;
}

pd::Reply PdModel::On(const pd::GetNamespace& get) const {
  const auto row = namespaces_.find(get.name);
  return row == namespaces_.end() ? Refused{Refusal::kNoSuchNamespace} : pd::Reply(row->second);
}

pd::Reply PdModel::On(const pd::ListNamespaces& list) const {
  pd::NamespacePage page;
  for (const auto& [name, ns] : namespaces_) {
    if (!name.starts_with(list.prefix) || name <= list.after) continue;
    page.more = page.namespaces.size() == list.limit;
    if (page.more) break;
    page.namespaces.push_back(ns);
  }
  return page;
}

std::vector<pd::RegionInfo> PdModel::Regions() const {
  std::vector<pd::RegionInfo> regions;
  for (const auto& [id, info] : regions_) regions.push_back(info);
  std::sort(regions.begin(), regions.end(),
            [](const auto& a, const auto& b) { return a.region.start_key < b.region.start_key; });
  return regions;
}

}  // namespace flaredb::sim
