// SPDX-License-Identifier: Apache-2.0
#include "core/pd/stores.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/pd/ids.h"
#include "core/pd/regions.h"
#include "core/pd/rows.h"

namespace flaredb::pd {

namespace {

constexpr size_t kHostBytesMax = 255;

bool IsPort(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > 5 || text.front() == '0') return false;
  if (!std::all_of(text.begin(), text.end(), is_digit)) return false;
  uint32_t port = 0;
  for (const char c : text) port = port * 10 + static_cast<uint32_t>(c - '0');
  return port <= 0xffff;
}

bool MayFollow(StoreState now, StoreState next) {
  switch (now) {
    case StoreState::kUp:
      return next == StoreState::kDraining || next == StoreState::kLost;
    case StoreState::kDraining:
      return next == StoreState::kUp || next == StoreState::kLost || next == StoreState::kDrained;
    case StoreState::kDrained:
      return next != StoreState::kDraining;
    case StoreState::kLost:
      return next == StoreState::kRemoved;
    case StoreState::kRemoved:
      return false;
  }
  return false;
}

// Why nobody can do without `store` yet.
std::optional<Refused> CheckNotNeeded(StoreId store, const ObjectRows& rows) {
  Coverage coverage("");
  RegionId holder;
  VisitRegions("", rows, [&](const RegionInfo& info) {
    coverage.Add(info.region);
    if (info.region.PeerOn(store) != nullptr) holder = info.region.id;
    return !holder;
  });
  if (holder) return Refused{Refusal::kHasReplicas, holder.value()};
  if (!coverage.Reaches("")) return Refused{Refusal::kRegionsUnknown};
  return std::nullopt;
}

std::optional<Refused> CheckStep(const StoreInfo& store, StoreState next, const ObjectRows& rows) {
  if (!MayFollow(store.state, next)) {
    return Refused{Refusal::kIllegalStep, static_cast<uint64_t>(store.state)};
  }
  if (next == StoreState::kDrained || next == StoreState::kRemoved) {
    return CheckNotNeeded(store.id, rows);
  }
  // If it is not up itself, another one is.
  const std::vector<StoreInfo> stores = ReadStores(rows);
  const bool others = std::any_of(stores.begin(), stores.end(), [&](const StoreInfo& other) {
    return other.id != store.id && other.state == StoreState::kUp;
  });
  return others ? std::nullopt : std::optional(Refused{Refusal::kLastStore});
}

// The member that owns the address of `store`, other than itself.
StoreId AddressOwner(const StoreDescriptor& store, const ObjectRows& rows) {
  for (const StoreInfo& other : ReadStores(rows)) {
    if (other.id != store.id && IsMember(other) && other.address == store.address) return other.id;
  }
  return StoreId();
}

}  // namespace

bool IsAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon > kHostBytesMax) return false;
  const std::string_view host = text.substr(0, colon);
  const auto is_visible = [](char c) { return c > ' ' && c < '\x7f'; };
  return std::all_of(host.begin(), host.end(), is_visible) && IsPort(text.substr(colon + 1));
}

std::optional<Refused> CheckDescriptor(const StoreDescriptor& store, const ClusterInfo& cluster) {
  if (!MayUseId(store.id.value(), cluster)) return Refused{Refusal::kBadStoreId};
  if (!IsAddress(store.address)) return Refused{Refusal::kBadAddress};
  return std::nullopt;
}

StoreInfo ChangeStore(StoreInfo store, ClusterInfo* cluster, MutableObjectRows* rows) {
  store.changed = ++cluster->revision;
  WriteStore(store, rows);
  return store;
}

Reply Apply(const PutStore& put, ClusterInfo* cluster, MutableObjectRows* rows) {
  const StoreDescriptor& store = put.store;
  if (const auto refused = CheckDescriptor(store, *cluster)) return *refused;
  const std::optional<StoreInfo> known = ReadStore(store.id, *rows);
  if (known && !IsMember(*known)) return Refused{Refusal::kNoLongerMember};
  if (known && known->instance != store.instance) return Refused{Refusal::kOtherInstance};
  if (known && static_cast<const StoreDescriptor&>(*known) == store) return *known;
  if (known && known->changed > put.seen) {
    return Refused{Refusal::kStoreChanged, known->changed.value()};
  }
  if (const StoreId owner = AddressOwner(store, *rows)) {
    return Refused{Refusal::kAddressTaken, owner.value()};
  }
  UseId(store.id.value(), cluster);
  return ChangeStore({store, known ? known->state : StoreState::kUp, Revision()}, cluster, rows);
}

Reply Apply(const SetStoreState& set, ClusterInfo* cluster, MutableObjectRows* rows) {
  std::optional<StoreInfo> store = ReadStore(set.store, *rows);
  if (!store) return Refused{Refusal::kNoSuchStore};
  if (store->state == set.state) return *store;
  if (store->state == StoreState::kDrained && set.state == StoreState::kDraining) return *store;
  if (store->changed > set.seen) return Refused{Refusal::kStoreChanged, store->changed.value()};
  if (const auto refused = CheckStep(*store, set.state, *rows)) return *refused;
  store->state = set.state;
  return ChangeStore(*std::move(store), cluster, rows);
}

}  // namespace flaredb::pd
