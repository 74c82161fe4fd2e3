// SPDX-License-Identifier: Apache-2.0
#include "net/server/pd_service.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/region/state_machine.h"
#include "net/server/reply_room.h"
#include "net/server/unary.h"
#include "net/wire/pd_codec.h"
#include "net/wire/region_codec.h"
#include "proto/errorpb.pb.h"
#include "proto/pdpb.pb.h"

namespace flaredb::net {
namespace {

// One call and what its handler needs.
struct Asked {
  const GrpcServer* server;
  PdCaller* pd;
  Duration budget;
  UnaryCall call;
  std::shared_ptr<const Waiting> waiting;
  std::shared_ptr<const Alive> alive;

  template <typename Message>
  void Reply(const Message& message) {
    ReplyIfRoom(*server, &call, message.SerializeAsString());
  }
};
// A std::function must be copyable.
using Ask = std::shared_ptr<Asked>;

// Goes on with the answer; a status ends the call.
template <typename T, typename Next>
PdDone<T> Then(const Ask& ask, Next next) {
  return [ask, next](PdResult<T> result) {
    if (const auto* status = std::get_if<GrpcStatus>(&result)) return ask->call.Fail(*status);
    next(std::get<T>(result));
  };
}

// ---- The cluster.

void GetCluster(const pdpb::GetClusterRequest&, const Ask& ask) {
  ask->pd->Ask<pd::ClusterView>(
      pd::GetCluster{}, ask->budget, [ask](PdResult<pd::ClusterView> result) {
        pdpb::GetClusterResponse out;
        if (const auto* status = std::get_if<GrpcStatus>(&result)) {
          errorpb::Error error;
          error.ParseFromString(FindDetail(*status, "errorpb.Error").value_or(""));
          const bool not_yet =
              error.placement_refused().reason() == errorpb::PlacementRefused::NOT_BOOTSTRAPPED;
          if (!not_yet) return ask->call.Fail(*status);
          return ask->Reply(out);
        }
        const auto& view = std::get<pd::ClusterView>(result);
        out.set_bootstrapped(true);
        out.set_cluster_id(view.cluster.value());
        out.set_revision(view.revision.value());
        ask->Reply(out);
      });
}

void AnswerMembers(const Ask& ask, const pd::RegionInfo& home, const pd::ClusterView& view) {
  pdpb::GetMembersResponse out;
  for (const pd::StoreInfo& store : view.stores) {
    if (home.region.PeerOn(store.id) != nullptr) EncodeStore(store, out.add_members());
  }
  if (const Peer* leader = home.region.PeerOf(home.leader); leader != nullptr) {
    out.set_leader_store(leader->store.value());
  }
  out.set_region_id(home.region.id.value());
  ask->Reply(out);
}

void GetMembers(const pdpb::GetMembersRequest&, const Ask& ask) {
  ask->pd->Ask<pd::RegionInfo>(
      pd::GetRegion{ObjectPrefix(pd::kObject)}, ask->budget,
      Then<pd::RegionInfo>(ask, [ask](const pd::RegionInfo& home) {
        ask->pd->Ask<pd::ClusterView>(
            pd::GetCluster{}, ask->budget,
            Then<pd::ClusterView>(ask, [=](const auto& view) { AnswerMembers(ask, home, view); }));
      }));
}

// ---- Stores.

void PutStore(const pdpb::PutStoreRequest& in, const Ask& ask) {
  if (in.store().id() == 0 || !DecodeDescriptor(in.store()).instance) {
    return ask->call.Fail(InvalidRequest(
        "a store has an id from 1 up and the instance that it drew at its start: set both"));
  }
  const pd::PutStore put{DecodeDescriptor(in.store()), pd::Revision(in.seen())};
  ask->pd->Tell<pd::StoreInfo>(put, ask->budget, Then<pd::StoreInfo>(ask, [ask](const auto& store) {
                                 ask->pd->Ask<pd::ClusterView>(
                                     pd::GetCluster{store.changed}, ask->budget,
                                     Then<pd::ClusterView>(ask, [=](const auto& view) {
                                       pdpb::PutStoreResponse out;
                                       EncodeStore(store, out.mutable_store());
                                       out.set_cluster_id(view.cluster.value());
                                       ask->Reply(out);
                                     }));
                               }));
}

void ListStores(const pdpb::ListStoresRequest& in, const Ask& ask) {
  ask->pd->Ask<pd::ClusterView>(
      pd::GetCluster{}, ask->budget,
      Then<pd::ClusterView>(ask, [ask, removed = in.removed()](const pd::ClusterView& view) {
        pdpb::ListStoresResponse out;
        for (const pd::StoreInfo& store : view.stores) {
          if (store.state == pd::StoreState::kRemoved && !removed) continue;
          EncodeStore(store, out.add_stores());
        }
        out.set_revision(view.revision.value());
        for (const std::string& sentence : (*ask->waiting)()) out.add_waiting_for(sentence);
        for (const StoreId store : (*ask->alive)()) out.add_alive(store.value());
        ask->Reply(out);
      }));
}

void SetStoreState(const pdpb::SetStoreStateRequest& in, const Ask& ask) {
  const std::optional<pd::StoreState> state = DecodeStoreState(in.state());
  if (!state || *state == pd::StoreState::kDrained) {
    return ask->call.Fail(InvalidRequest(
        "the state of a store is none: set UP, DRAINING, LOST or REMOVED (metapb.StoreState)"));
  }
  if (in.store_id() == 0) {
    return ask->call.Fail(InvalidRequest("store_id is 0: stores have ids from 1 up"));
  }
  const pd::SetStoreState set{StoreId(in.store_id()), *state, pd::Revision(in.seen())};
  ask->pd->Tell<pd::StoreInfo>(set, ask->budget, Then<pd::StoreInfo>(ask, [ask](const auto& store) {
                                 pdpb::SetStoreStateResponse out;
                                 EncodeStore(store, out.mutable_store());
                                 ask->Reply(out);
                               }));
}

// ---- Ids.

void AllocateIds(const pdpb::AllocateIdsRequest& in, const Ask& ask) {
  ask->pd->Tell<pd::IdRange>(pd::AllocateIds{in.count()}, ask->budget,
                             Then<pd::IdRange>(ask, [ask](const pd::IdRange& ids) {
                               pdpb::AllocateIdsResponse out;
                               out.set_first_id(ids.first);
                               out.set_count(ids.count);
                               ask->Reply(out);
                             }));
}

// ---- Regions.

void GetRegion(const pdpb::GetRegionRequest& in, const Ask& ask) {
  ask->pd->Ask<pd::RegionInfo>(pd::GetRegion{in.key()}, ask->budget,
                               Then<pd::RegionInfo>(ask, [ask](const pd::RegionInfo& info) {
                                 pdpb::GetRegionResponse out;
                                 EncodeRegionInfo(info, out.mutable_info());
                                 ask->Reply(out);
                               }));
}

void ScanRegions(const pdpb::ScanRegionsRequest& in, const Ask& ask) {
  pd::ScanRegions scan{in.start_key(), in.end_key()};
  if (in.limit() != 0) scan.limit = std::min(in.limit(), pd::kPageRowsMax);
  ask->pd->Ask<pd::RegionPage>(scan, ask->budget,
                               Then<pd::RegionPage>(ask, [ask](const pd::RegionPage& page) {
                                 pdpb::ScanRegionsResponse out;
                                 for (const pd::RegionInfo& info : page.regions) {
                                   EncodeRegionInfo(info, out.add_regions());
                                 }
                                 out.set_has_hole(page.has_hole);
                                 out.set_next_key(page.next_key);
                                 ask->Reply(out);
                               }));
}

// ---- Namespaces.

void EnsureNamespace(const pdpb::EnsureNamespaceRequest& in, const Ask& ask) {
  pd::EnsureNamespace ensure{NamespaceName(in.namespace_()), ParseMode(in.mode())};
  if (!in.mode().empty() && !ensure.mode) return ask->call.Fail(NoSuchMode(in.mode()));
  ask->pd->Tell<pd::Namespace>(ensure, ask->budget,
                               Then<pd::Namespace>(ask, [ask](const pd::Namespace& ns) {
                                 pdpb::EnsureNamespaceResponse out;
                                 EncodeNamespace(ns, out.mutable_mode());
                                 ask->Reply(out);
                               }));
}

// ---- The service.

class Registrar {
 public:
  Registrar(GrpcServer* server, PdCaller* pd, Waiting waiting, Alive alive)
      : server_(server),
        pd_(pd),
        waiting_(std::make_shared<const Waiting>(std::move(waiting))),
        alive_(std::make_shared<const Alive>(std::move(alive))) {}

  template <typename Request>
  void Add(const char* method, void (*handler)(const Request&, const Ask&)) {
    server_->RegisterUnary(std::string("/pdpb.Pd/") + method,
                           [server = server_, pd = pd_, waiting = waiting_, alive = alive_,
                            handler](UnaryCall call, std::string_view message) {
                             Request in;
                             if (!ParseOrFail(message, &in, &call)) return;
                             const Duration budget = TimeFor(call, server->loop()->now());
                             handler(in, std::make_shared<Asked>(Asked{
                                             server, pd, budget, std::move(call), waiting, alive}));
                           });
  }

 private:
  GrpcServer* const server_;
  PdCaller* const pd_;
  const std::shared_ptr<const Waiting> waiting_;
  const std::shared_ptr<const Alive> alive_;
};

}  // namespace

void RegisterPdService(GrpcServer* server, PdCaller* pd, Waiting waiting, Alive alive) {
  Registrar registrar(server, pd, std::move(waiting), std::move(alive));
  registrar.Add("GetCluster", GetCluster);
  registrar.Add("GetMembers", GetMembers);
  registrar.Add("PutStore", PutStore);
  registrar.Add("ListStores", ListStores);
  registrar.Add("SetStoreState", SetStoreState);
  registrar.Add("AllocateIds", AllocateIds);
  registrar.Add("GetRegion", GetRegion);
  registrar.Add("ScanRegions", ScanRegions);
  registrar.Add("EnsureNamespace", EnsureNamespace);
}

}  // namespace flaredb::net
