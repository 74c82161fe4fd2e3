// SPDX-License-Identifier: Apache-2.0
#include "net/wire/kv_call.h"

#include <algorithm>

#include "core/base/strings.h"
#include "core/pd/namespaces.h"
#include "net/wire/region_codec.h"
#include "proto/kvrpc.pb.h"

namespace flaredb::net {
namespace {

// A page token: this byte, the size of the namespace's name in one byte, the name, the first key of
// the next page.
constexpr char kPageTokenFormat = 2;

kv::Retry* RetryOf(store::Operation* operation) {
  if (auto* cas = std::get_if<kv::CompareAndSwap>(operation)) return &cas->retry;
  if (auto* cas = std::get_if<kv::CompareAndDelete>(operation)) return &cas->retry;
  return nullptr;
}

}  // namespace

std::optional<GrpcStatus> TakeContext(const kvrpc::Context& context, const store::Identity& self,
                                      Routing routing, KvCall* call) {
  if (context.cluster_id() != 0 && context.cluster_id() != self.cluster_id) {
    return ClusterMismatch(context.cluster_id(), self.cluster_id);
  }
  if (context.region_id() != 0 && routing == Routing::kAnyStore) {
    return InvalidRequest(
        "context.region_id is set, and any store answers this call by itself: leave it out");
  }
  if (context.region_id() != 0) {
    if (!context.has_region_epoch()) {
      return InvalidRequest(
          "context.region_id is set without context.region_epoch: set both, or neither to let the "
          "store find the region");
    }
    call->request.context =
        store::RoutingContext{RegionId(context.region_id()), DecodeEpoch(context.region_epoch())};
  }
  // A day is longer than any budget that a caller of this function grants.
  constexpr uint64_t kMaxMs = 24 * 3600 * 1000;
  if (context.deadline_ms() != 0) {
    call->deadline_wish =
        Duration::Milliseconds(static_cast<int64_t>(std::min(context.deadline_ms(), kMaxMs)));
  }
  call->shape.want_leader = context.want_leader();
  kv::Retry* const retry = RetryOf(&call->request.operation);
  if (retry != nullptr && context.has_request_id()) {
    const kvrpc::RequestId& id = context.request_id();
    retry->id = {id.client_hi(), id.client_lo(), id.seq()};
    retry->seen_index = Index(context.seen_index());
  }
  return std::nullopt;
}

void TakeNamespace(std::string name, KvCall* call) {
  if (name.empty()) name = pd::kDefaultNamespace;
  if (name != pd::kDefaultNamespace) call->request.namespace_name = name;
  call->shape.ns = std::move(name);
}

std::string EncodePageToken(std::string_view ns, std::string_view next_key) {
  std::string token = {kPageTokenFormat, static_cast<char>(ns.size())};
  token.append(ns);
  token.append(next_key);
  return token;
}

bool TakePageToken(std::string_view token, std::string_view ns, store::ScanRequest* scan) {
  const std::string header = EncodePageToken(ns, "");
  if (token.size() <= header.size() || token.substr(0, header.size()) != header) return false;
  const std::string_view next_key = token.substr(header.size());
  if (next_key < scan->begin || (!scan->end.empty() && next_key >= scan->end)) return false;
  scan->begin = std::string(next_key);
  return true;
}

}  // namespace flaredb::net
