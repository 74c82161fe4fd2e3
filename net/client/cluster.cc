// SPDX-License-Identifier: Apache-2.0
#include "net/client/cluster.h"

#include <utility>

#include "net/client/attempts.h"
#include "net/client/calls.h"
#include "proto/modes.pb.h"
#include "proto/pdpb.pb.h"

namespace flaredb::client {
namespace {

// raftpb.NamespaceInfo and GetModeResponse have the same fields.
template <typename Message>
NamespaceInfo InfoOf(const Message& mode) {
  return {.name = mode.namespace_(),
          .mode = mode.mode(),
          .state = mode.state(),
          .mode_epoch = mode.mode_epoch(),
          .from_default = mode.from_default()};
}

StoreInfo InfoOf(const metapb::Store& store) {
  return {store.id(), store.address(), static_cast<StoreState>(store.state())};
}

RegionInfo InfoOf(const pdpb::RegionInfo& from) {
  RegionInfo info;
  info.id = from.region().id();
  for (const metapb::Peer& peer : from.region().peers()) {
    info.stores.push_back(peer.store_id());
    if (peer.id() == from.leader()) info.leader = peer.store_id();
  }
  return info;
}

template <typename Response, typename Request>
std::variant<Response, Unknown, Error> Change(Attempts* attempts, std::string_view method,
                                              const Request& request, Duration timeout) {
  return ParseWriteReply<Response>(
      attempts->WriteAgain(method, request.SerializeAsString(), timeout));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Cluster>> Cluster::Create(ClientOptions options) {
  auto attempts = Attempts::Create(std::move(options));
  if (!attempts.ok()) return attempts.status();
  return std::unique_ptr<Cluster>(new Cluster(*std::move(attempts)));
}

Cluster::Cluster(std::unique_ptr<Attempts> attempts) : attempts_(std::move(attempts)) {}

Cluster::~Cluster() = default;

Result<std::vector<NamespaceInfo>> Cluster::ListNamespaces(std::string_view prefix,
                                                           Duration timeout) {
  raftpb::ListNamespaceModesRequest request;
  request.set_prefix(std::string(prefix));
  auto reply = Read<raftpb::ListNamespaceModesResponse>(
      attempts_.get(), "/raftpb.RaftService/ListNamespaceModes", request, timeout);
  if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
  std::vector<NamespaceInfo> infos;
  for (const auto& mode : std::get<raftpb::ListNamespaceModesResponse>(reply).namespaces()) {
    infos.push_back(InfoOf(mode));
  }
  return infos;
}

Result<NamespaceInfo> Cluster::GetNamespace(std::string_view name, Duration timeout) {
  raftpb::GetModeRequest request;
  request.set_namespace_(std::string(name));
  auto reply = Read<raftpb::GetModeResponse>(attempts_.get(), "/raftpb.RaftService/GetMode",
                                             request, timeout);
  if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
  return InfoOf(std::get<raftpb::GetModeResponse>(reply));
}

ChangeResult<ModeChanged> Cluster::ChangeMode(std::string_view name, const ModeChange& change,
                                              Duration timeout) {
  raftpb::UpdateNamespaceModeRequest request;
  request.set_namespace_(std::string(name));
  request.set_mode(change.mode);
  request.set_cancel(change.mode.empty());
  request.set_expected_mode_epoch(change.seen);
  request.set_dry_run(change.dry_run);
  request.set_wait_ms(1);
  auto reply = Change<raftpb::UpdateNamespaceModeResponse>(
      attempts_.get(), "/raftpb.RaftService/UpdateNamespaceMode", request, timeout);
  if (auto* unknown = std::get_if<Unknown>(&reply)) return std::move(*unknown);
  if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
  const auto& got = std::get<raftpb::UpdateNamespaceModeResponse>(reply);
  ModeChanged changed{.ns = InfoOf(got.mode()), .waiting_for = {}, .stores = {}, .regions = {}};
  changed.waiting_for.assign(got.waiting_for().begin(), got.waiting_for().end());
  changed.stores.assign(got.store_ids().begin(), got.store_ids().end());
  changed.regions.assign(got.region_ids().begin(), got.region_ids().end());
  return changed;
}

Result<StoreTable> Cluster::ListStores(Duration timeout) {
  auto reply = Read<pdpb::ListStoresResponse>(attempts_.get(), "/pdpb.Pd/ListStores",
                                              pdpb::ListStoresRequest(), timeout);
  if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
  const auto& got = std::get<pdpb::ListStoresResponse>(reply);
  StoreTable table;
  table.revision = got.revision();
  table.waiting_for.assign(got.waiting_for().begin(), got.waiting_for().end());
  table.alive.assign(got.alive().begin(), got.alive().end());
  for (const metapb::Store& store : got.stores()) table.stores.push_back(InfoOf(store));
  return table;
}

ChangeResult<StoreInfo> Cluster::SetStoreState(uint64_t store, StoreState state, uint64_t seen,
                                               Duration timeout) {
  pdpb::SetStoreStateRequest request;
  request.set_store_id(store);
  request.set_state(static_cast<metapb::StoreState>(static_cast<int>(state)));
  request.set_seen(seen);
  auto reply = Change<pdpb::SetStoreStateResponse>(attempts_.get(), "/pdpb.Pd/SetStoreState",
                                                   request, timeout);
  if (auto* unknown = std::get_if<Unknown>(&reply)) return std::move(*unknown);
  if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
  return InfoOf(std::get<pdpb::SetStoreStateResponse>(reply).store());
}

Result<std::vector<RegionInfo>> Cluster::ListRegions(Duration timeout) {
  std::vector<RegionInfo> infos;
  pdpb::ScanRegionsRequest request;
  do {
    auto reply =
        Read<pdpb::ScanRegionsResponse>(attempts_.get(), "/pdpb.Pd/ScanRegions", request, timeout);
    if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
    const auto& page = std::get<pdpb::ScanRegionsResponse>(reply);
    for (const pdpb::RegionInfo& info : page.regions()) infos.push_back(InfoOf(info));
    request.set_start_key(page.next_key());
  } while (!request.start_key().empty());
  return infos;
}

}  // namespace flaredb::client
