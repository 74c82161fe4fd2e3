// SPDX-License-Identifier: Apache-2.0
#include "net/server/join.h"

#include <cerrno>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/strings.h"
#include "core/base/time.h"
#include "net/grpc_sync.h"
#include "net/server/replace_file.h"
#include "proto/pdpb.pb.h"

namespace flaredb::net {
namespace {

constexpr Duration kCallTimeout = Duration::Seconds(3);
constexpr std::chrono::milliseconds kTryAgain{200};

constexpr size_t kInstanceBytesMax = 256;
constexpr char kInstanceScan[] = "flaredb-instance 1\n%16" SCNx64 "%16" SCNx64;

std::string InstanceText(pd::InstanceId instance) {
  char text[64];
  std::snprintf(text, sizeof(text), "flaredb-instance 1\n%016" PRIx64 "%016" PRIx64 "\n",
                instance.hi, instance.lo);
  return text;
}

absl::Status CannotRead(const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat("cannot read ", path, ": ", std::strerror(errno),
                   "; it tells which store this is: give it back to the user that runs the store"));
}

// Whether it makes no sense to ask again, whoever is asked.
bool IsFinal(const GrpcStatus& status) {
  return status.code == absl::StatusCode::kFailedPrecondition ||
         status.code == absl::StatusCode::kInvalidArgument ||
         status.code == absl::StatusCode::kPermissionDenied;
}

template <typename Response, typename Request>
GrpcStatus Ask(GrpcSyncClient* peer, const char* method, const Request& request,
               Response* response) {
  const UnaryResult result = peer->Call(method, request.SerializeAsString(), kCallTimeout);
  if (!result.status.ok()) return result.status;
  if (response->ParseFromString(result.message)) return {};
  return {absl::StatusCode::kFailedPrecondition,
          "the peer's answer is of another release: run the same version of the program on all "
          "stores"};
}

// Before the cluster hears of the store.
GrpcStatus CheckCluster(GrpcSyncClient* peer, const std::string& address, uint64_t wanted) {
  pdpb::GetClusterResponse cluster;
  GrpcStatus status = Ask(peer, "/pdpb.Pd/GetCluster", pdpb::GetClusterRequest(), &cluster);
  if (!status.ok() || !cluster.bootstrapped() || cluster.cluster_id() == wanted) return status;
  return {absl::StatusCode::kFailedPrecondition,
          absl::StrCat("the store at ", address, " belongs to cluster ", cluster.cluster_id(),
                       ", not to cluster ", wanted,
                       ": name a store of that cluster with --peer, or leave --cluster-id out")};
}

GrpcStatus AskPeer(const std::string& address, const JoinRequest& request,
                   std::shared_ptr<const TlsContext> tls, Joined* joined) {
  GrpcChannelOptions options;
  options.tls = std::move(tls);
  auto peer = GrpcSyncClient::Create(address, options);
  if (!peer.ok()) {
    return {absl::StatusCode::kUnavailable, std::string(FromAbsl(peer.status().message()))};
  }
  if (request.cluster_id.has_value()) {
    if (GrpcStatus s = CheckCluster(peer->get(), address, *request.cluster_id); !s.ok()) return s;
  }
  pdpb::ListStoresResponse stores;
  GrpcStatus status = Ask(peer->get(), "/pdpb.Pd/ListStores", pdpb::ListStoresRequest(), &stores);
  if (!status.ok()) return status;

  pdpb::PutStoreRequest put;
  put.mutable_store()->set_id(request.store.value());
  put.mutable_store()->set_address(request.address);
  put.mutable_store()->set_feature_level(request.feature_level);
  put.mutable_store()->mutable_instance()->set_hi(request.instance.hi);
  put.mutable_store()->mutable_instance()->set_lo(request.instance.lo);
  put.set_seen(stores.revision());
  pdpb::PutStoreResponse answer;
  status = Ask(peer->get(), "/pdpb.Pd/PutStore", put, &answer);
  if (!status.ok()) return status;

  joined->cluster_id = answer.cluster_id();
  for (const metapb::Store& store : stores.stores()) {
    if (store.state() != metapb::LOST && store.state() != metapb::REMOVED) {
      joined->members[StoreId(store.id())] = store.address();
    }
  }
  joined->members[request.store] = request.address;
  return {};
}

}  // namespace

absl::StatusOr<Joined> Join(const JoinRequest& request, std::shared_ptr<const TlsContext> tls,
                            const std::function<bool()>& stop, const TellWait& tell) {
  std::string told;
  while (true) {
    for (const auto& [id, address] : request.peers) {
      if (stop()) return absl::CancelledError("told to stop");
      Joined joined;
      const GrpcStatus status = AskPeer(address, request, tls, &joined);
      if (status.ok()) return joined;
      if (IsFinal(status)) return absl::FailedPreconditionError(ToAbsl(status.message));
      if (status.message != told) tell(address, status.message);
      told = status.message;
    }
    std::this_thread::sleep_for(kTryAgain);
  }
}

absl::StatusOr<pd::InstanceId> RememberInstance(const std::string& path, pd::InstanceId drawn) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (file) {
    std::string text(kInstanceBytesMax, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return CannotRead(path);
    text.resize(static_cast<size_t>(file.gcount()));
    pd::InstanceId instance;
    std::sscanf(text.c_str(), kInstanceScan, &instance.hi, &instance.lo);
    if (instance && text == InstanceText(instance)) return instance;
    return absl::DataLossError(absl::StrCat(
        path, " is damaged, and the store has no other data yet: delete it and start again"));
  }
  if (errno != ENOENT) return CannotRead(path);
  if (absl::Status s = ReplaceFile(path, InstanceText(drawn)); !s.ok()) return s;
  return drawn;
}

}  // namespace flaredb::net
