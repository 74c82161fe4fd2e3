// SPDX-License-Identifier: Apache-2.0
#include "sim/pd/pd_rules.h"

#include <variant>

#include "core/pd/command.h"
#include "core/pd/mode_switch.h"
#include "core/pd/reply.h"
#include "core/pd/rows.h"
#include "sim/pd/region_story.h"

namespace flaredb::sim {
namespace {

using Broken = std::optional<std::string>;

std::string NameOf(StoreId id) { return "store " + std::to_string(id.value()); }

bool LeadsTo(pd::ModeState from, pd::ModeState to) {
  return AfterStart(from) == to || AfterStep(from) == to || AfterCancel(from) == to;
}

}  // namespace

Broken PdRules::Check(const Executed& executed, const ObjectRows& rows) {
  const std::optional<pd::ClusterInfo> cluster = pd::ReadCluster(rows);
  if (!cluster) return std::nullopt;
  if (cluster->revision < before_) return "the revision falls.";
  revision_ = cluster->revision;
  Broken broken = CheckIds(executed);
  if (!broken) broken = CheckStores(rows);
  if (!broken) broken = CheckNamespaces(rows);
  if (!broken) broken = CheckRegions(rows);
  before_ = revision_;
  return broken;
}

Broken PdRules::CheckIds(const Executed& executed) {
  const auto command = pd::DecodeCommand(executed.command);
  const auto reply = pd::DecodeReply(executed.answer);
  if (!command.ok() || !reply.ok() || std::holds_alternative<pd::Refused>(*reply)) {
    return std::nullopt;
  }
  if (const auto* bootstrap = std::get_if<pd::Bootstrap>(&*command)) {
    ids_.insert(bootstrap->store.id.value());
    for (const Region& region : bootstrap->regions) {
      ids_.insert(region.id.value());
      for (const Peer& peer : region.peers) ids_.insert(peer.id.value());
    }
  }
  if (const auto* put = std::get_if<pd::PutStore>(&*command)) ids_.insert(put->store.id.value());
  if (const auto* range = std::get_if<pd::IdRange>(&*reply)) {
    for (uint64_t id = range->first; id < range->first + range->count; ++id) {
      if (!ids_.insert(id).second) return "the id " + std::to_string(id) + " is in use.";
    }
  }
  return std::nullopt;
}

Broken PdRules::CheckStores(const ObjectRows& rows) {
  std::map<StoreId, pd::StoreInfo> now;
  std::set<std::string> addresses;
  bool any_up = false;
  for (const pd::StoreInfo& store : pd::ReadStores(rows)) {
    now[store.id] = store;
    any_up = any_up || store.state == pd::StoreState::kUp;
    if (IsMember(store) && !addresses.insert(store.address).second) {
      return "two members are at " + store.address + ".";
    }
    const auto before = stores_.find(store.id);
    const bool same = before != stores_.end() && before->second == store;
    if (!same && !IsNew(store.changed)) return NameOf(store.id) + " changes without a revision.";
  }
  if (!any_up) return "no store is up.";
  for (const auto& [id, before] : stores_) {
    const auto after = now.find(id);
    if (after == now.end()) return NameOf(id) + " disappears.";
    if (after->second.instance != before.instance) return NameOf(id) + " has another instance.";
    const bool returns = IsMember(after->second) || after->second.state < before.state;
    if (!IsMember(before) && returns) return NameOf(id) + " returns.";
  }
  stores_ = std::move(now);
  return std::nullopt;
}

Broken PdRules::CheckNamespaces(const ObjectRows& rows) {
  std::map<std::string, pd::Namespace> now;
  std::set<kv::NamespaceId> ids;
  Broken broken;
  pd::VisitNamespaces("", rows, [&](const pd::Namespace& ns) {
    now[ns.name] = ns;
    const auto before = namespaces_.find(ns.name);
    const bool same = before != namespaces_.end() && before->second == ns;
    if (!same && !IsNew(ns.changed)) broken = ns.name + " changes without a revision.";
    if (!ids.insert(ns.id).second) broken = ns.name + " has the id of another namespace.";
    return true;
  });
  for (const auto& [name, before] : namespaces_) {
    const auto after = now.find(name);
    if (after == now.end()) return name + " disappears.";
    const pd::Namespace& ns = after->second;
    if (ns.id != before.id) return name + " has another id.";
    const bool stays = ns.state == before.state && ns.mode_epoch == before.mode_epoch;
    const bool goes = LeadsTo(before.state, ns.state) && ns.mode_epoch == before.mode_epoch.next();
    if (!stays && !goes) return "the mode of " + name + " jumps.";
  }
  namespaces_ = std::move(now);
  return broken;
}

Broken PdRules::CheckRegions(const ObjectRows& rows) {
  std::string end;
  bool any = false;
  Broken broken;
  pd::VisitRegions("", rows, [&](const pd::RegionInfo& info) {
    const Region& region = info.region;
    const std::string name = "region " + std::to_string(region.id.value());
    if (any && (end.empty() || region.start_key < end)) broken = name + " shares keys.";
    if (pd::ReadRegion(region.id, rows) != info) broken = name + " is not found by its id.";
    for (char key = RegionStory::kFirstKey - 1; key <= RegionStory::kLastKey; ++key) {
      if (!region.Contains(std::string(1, key))) continue;
      uint64_t& version = versions_[key];
      if (region.epoch.version < version) broken = "what " + name + " is was over.";
      version = region.epoch.version;
    }
    end = region.end_key;
    any = true;
    return !broken;
  });
  return broken;
}

}  // namespace flaredb::sim
