// SPDX-License-Identifier: Apache-2.0
#include "sim/pd/pd_model.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

namespace flaredb::sim {

using pd::ModeState;
using pd::Refusal;
using pd::Refused;
using pd::StoreState;

namespace {

constexpr uint64_t kChosenMax = 4294967295;

// What clients of the simulation send is either this or nonsense.
bool GoodAddress(const std::string& address) { return address.find(':') != std::string::npos; }
bool GoodName(const std::string& name) {
  return !name.empty() && name.find('/') == std::string::npos;
}

bool IsMember(StoreState state) {
  using enum StoreState;
  return state == kUp || state == kDraining || state == kDrained;
}

bool Newer(const pd::RegionInfo& known, const pd::RegionInfo& report) {
  return known.term > report.term ||
         known.region.epoch.conf_version > report.region.epoch.conf_version ||
         known.region.epoch.version > report.region.epoch.version;
}

}  // namespace

std::string PdModel::Execute(std::string_view bytes) {
  const auto command = pd::DecodeCommand(bytes);
  if (!command.ok()) return EncodeReply(Refused{Refusal::kNotUnderstood});
  if (!cluster_ && !std::holds_alternative<pd::Bootstrap>(*command)) {
    return EncodeReply(Refused{Refusal::kNotBootstrapped});
  }
  return EncodeReply(std::visit([this](const auto& c) { return On(c); }, *command));
}

pd::Reply PdModel::On(const pd::Bootstrap& bootstrap) {
  const pd::StoreDescriptor& store = bootstrap.store;
  if (cluster_) {
    const bool same = cluster_ == bootstrap.cluster && founder_ == store.id &&
                      stores_[founder_].instance == store.instance;
    return same ? pd::Reply(pd::Done{}) : Refused{Refusal::kBootstrapped, cluster_.value()};
  }
  if (store.id.value() > kChosenMax) return Refused{Refusal::kBadStoreId};
  if (!GoodAddress(store.address)) return Refused{Refusal::kBadAddress};
  // Clients bring one region or none.
  if (bootstrap.regions.empty()) return Refused{Refusal::kBadRegions};
  const Region& region = bootstrap.regions.front();
  cluster_ = bootstrap.cluster;
  founder_ = store.id;
  regions_[region.id] = {region, Term(), PeerId()};
  next_id_ = std::max({store.id.value(), region.id.value(), region.peers.back().id.value()}) + 1;
  Put(pd::StoreInfo{store, StoreState::kUp, {}});
  Put(pd::Namespace{
      kv::NamespaceId::kDefault, "default", ModeState::kStrong, pd::ModeEpoch(1), true, {}});
  return pd::Done{};
}

pd::Reply PdModel::On(const pd::PutStore& put) {
  const pd::StoreDescriptor& store = put.store;
  if (store.id.value() > kChosenMax && store.id.value() >= next_id_) {
    return Refused{Refusal::kBadStoreId};
  }
  if (!GoodAddress(store.address)) return Refused{Refusal::kBadAddress};
  const auto row = stores_.find(store.id);
  StoreState state = StoreState::kUp;
  if (row != stores_.end()) {
    const pd::StoreInfo& known = row->second;
    state = known.state;
    if (!IsMember(state)) return Refused{Refusal::kNoLongerMember};
    if (known.instance != store.instance) return Refused{Refusal::kOtherInstance};
    if (known.address == store.address && known.feature_level == store.feature_level) return known;
    if (known.changed > put.seen) return Refused{Refusal::kStoreChanged, known.changed.value()};
  }
  for (const auto& [id, other] : stores_) {
    if (id != store.id && IsMember(other.state) && other.address == store.address) {
      return Refused{Refusal::kAddressTaken, id.value()};
    }
  }
  next_id_ = std::max(next_id_, store.id.value() + 1);
  return Put(pd::StoreInfo{store, state, {}});
}

pd::Reply PdModel::On(const pd::SetStoreState& set) {
  using enum StoreState;
  static const std::map<StoreState, std::string> kLegal = {
      {kUp, "DL"}, {kDraining, "ULE"}, {kLost, "R"}, {kRemoved, ""}, {kDrained, "ULR"}};
  static const std::map<StoreState, char> kLetter = {
      {kUp, 'U'}, {kDraining, 'D'}, {kLost, 'L'}, {kRemoved, 'R'}, {kDrained, 'E'}};
  const auto row = stores_.find(set.store);
  if (row == stores_.end()) return Refused{Refusal::kNoSuchStore};
  pd::StoreInfo store = row->second;
  if (store.state == set.state) return store;
  if (store.state == kDrained && set.state == kDraining) return store;
  if (store.changed > set.seen) return Refused{Refusal::kStoreChanged, store.changed.value()};
  if (kLegal.at(store.state).find(kLetter.at(set.state)) == std::string::npos) {
    return Refused{Refusal::kIllegalStep, static_cast<uint64_t>(store.state)};
  }
  if (set.state == kRemoved || set.state == kDrained) {
    std::optional<std::string> covered = "";  // Up to here; nullopt: wholly.
    for (const pd::RegionInfo& info : Regions()) {
      for (const Peer& peer : info.region.peers) {
        if (peer.store == store.id) return Refused{Refusal::kHasReplicas, info.region.id.value()};
      }
      if (covered != info.region.start_key) continue;
      covered = info.region.end_key.empty() ? std::nullopt : std::optional(info.region.end_key);
    }
    if (covered) return Refused{Refusal::kRegionsUnknown};
  }
  const auto up = std::count_if(stores_.begin(), stores_.end(),
                                [](const auto& s) { return s.second.state == kUp; });
  if (store.state == kUp && up == 1) return Refused{Refusal::kLastStore};
  store.state = set.state;
  return Put(store);
}

pd::Reply PdModel::On(const pd::AllocateIds& allocate) {
  if (allocate.count < 1 || allocate.count > 1024) return Refused{Refusal::kTooManyIds};
  next_id_ += allocate.count;
  return pd::IdRange{next_id_ - allocate.count, allocate.count};
}

pd::Reply PdModel::On(const pd::EnsureNamespace& ensure) {
  if (!GoodName(ensure.name)) return Refused{Refusal::kBadName};
  if (pd::Namespace* known = Find(ensure.name)) return *known;
  return Put(
      pd::Namespace{kv::NamespaceId{static_cast<uint32_t>(namespaces_.size() + 1)},
                    ensure.name,
                    ensure.mode == pd::Mode::kEventual ? ModeState::kEventual : ModeState::kStrong,
                    pd::ModeEpoch(1),
                    !ensure.mode,
                    {}});
}

pd::Reply PdModel::On(const pd::StartModeSwitch& start) {
  pd::Namespace* ns = Find(start.name);
  if (ns == nullptr) return Refused{Refusal::kNoSuchNamespace};
  const bool eventually = ns->state == ModeState::kEventual || ns->state == ModeState::kToEventual;
  if (eventually == (start.mode == pd::Mode::kEventual)) {
    if (!std::exchange(ns->from_default, false)) return *ns;
    return Put(*ns);
  }
  if (start.seen && start.seen != ns->mode_epoch) {
    return Refused{Refusal::kModeChanged, ns->mode_epoch.value()};
  }
  if (ns->state != ModeState::kStrong && ns->state != ModeState::kEventual) {
    return Refused{Refusal::kOtherSwitch};
  }
  ns->from_default = false;
  return Enter(eventually ? ModeState::kToStrongDrain : ModeState::kToEventual, *ns);
}

pd::Reply PdModel::On(const pd::CancelModeSwitch& cancel) {
  const pd::Namespace* ns = Find(cancel.name);
  if (ns == nullptr) return Refused{Refusal::kNoSuchNamespace};
  if (ns->mode_epoch != cancel.at) return *ns;
  if (ns->state == ModeState::kToStrongFence) return Refused{Refusal::kTooLate};
  if (ns->state == ModeState::kToEventual) return Enter(ModeState::kToStrongFence, *ns);
  if (ns->state == ModeState::kToStrongDrain) return Enter(ModeState::kEventual, *ns);
  return *ns;
}

pd::Reply PdModel::On(const pd::AdvanceModeSwitch& advance) {
  const pd::Namespace* ns = Find(advance.name);
  if (ns == nullptr) return Refused{Refusal::kNoSuchNamespace};
  if (ns->mode_epoch != advance.at) return *ns;
  if (ns->state == ModeState::kToEventual) return Enter(ModeState::kEventual, *ns);
  if (ns->state == ModeState::kToStrongDrain) return Enter(ModeState::kToStrongFence, *ns);
  if (ns->state == ModeState::kToStrongFence) return Enter(ModeState::kStrong, *ns);
  return *ns;
}

pd::Reply PdModel::On(const pd::PutRegion& put) {
  const Region& region = put.info.region;
  const auto known = regions_.find(region.id);
  if (known != regions_.end() && Newer(known->second, put.info)) {
    return Refused{Refusal::kStaleRegion, region.id.value()};
  }
  std::vector<RegionId> over;
  for (const pd::RegionInfo& other : Regions()) {
    if (other.region.id == region.id || !ShareKeys(other.region, region)) continue;
    if (other.region.epoch.version >= region.epoch.version) {
      return Refused{Refusal::kStaleRegion, other.region.id.value()};
    }
    over.push_back(other.region.id);
  }
  for (const RegionId id : over) regions_.erase(id);
  regions_[region.id] = put.info;
  return pd::Done{};
}

pd::Reply PdModel::Put(pd::StoreInfo store) {
  store.changed = ++revision_;
  return stores_[store.id] = store;
}

pd::Reply PdModel::Put(pd::Namespace ns) {
  ns.changed = ++revision_;
  return namespaces_[ns.name] = ns;
}

pd::Reply PdModel::Enter(ModeState state, pd::Namespace ns) {
  ns.state = state;
  ++ns.mode_epoch;
  return Put(ns);
}

pd::Namespace* PdModel::Find(const std::string& name) {
  const auto row = namespaces_.find(name);
  return row == namespaces_.end() ? nullptr : &row->second;
}

}  // namespace flaredb::sim
