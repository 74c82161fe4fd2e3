// SPDX-License-Identifier: Apache-2.0
#include "net/wire/kv_codec.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "core/kv/key.h"
#include "net/wire/region_codec.h"
#include "proto/kvrpc.pb.h"

namespace flaredb::net {
namespace {

constexpr std::string_view kDefaultNamespace = "default";
// A page token: this byte, the namespace in 4 bytes big-endian, the first key of the next page.
constexpr char kPageTokenFormat = 1;
constexpr size_t kPageTokenHeader = 5;

template <typename Message>
bool Parse(std::string_view bytes, Message* message) {
  return bytes.size() <= static_cast<size_t>(std::numeric_limits<int>::max()) &&
         message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

template <typename Message>
GrpcStatus NotA(const Message& message) {
  return InvalidRequest("the request is not a valid " + message.GetTypeName() +
                        " message: send one as proto/kvrpc.proto describes it");
}

// Fills what all requests share; the refusal, if any.
std::optional<GrpcStatus> TakeContext(const kvrpc::Context& context, const store::Identity& self,
                                      KvCall* call, kv::Retry* retry) {
  if (context.cluster_id() != 0 && context.cluster_id() != self.cluster_id) {
    return ClusterMismatch(context.cluster_id(), self.cluster_id);
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
  if (retry != nullptr && context.has_request_id()) {
    const kvrpc::RequestId& id = context.request_id();
    retry->id = {id.client_hi(), id.client_lo(), id.seq()};
    retry->seen_index = Index(context.seen_index());
  }
  return std::nullopt;
}

std::optional<GrpcStatus> TakeNamespace(std::string_view name, kv::NamespaceId* ns) {
  if (!name.empty() && name != kDefaultNamespace) return NamespaceNotFound(name);
  *ns = kv::NamespaceId::kDefault;
  return std::nullopt;
}

std::string EncodePageToken(kv::NamespaceId ns, std::string_view next_key) {
  const auto id = static_cast<uint32_t>(ns);
  std::string token = {kPageTokenFormat, static_cast<char>(id >> 24), static_cast<char>(id >> 16),
                       static_cast<char>(id >> 8), static_cast<char>(id)};
  token.append(next_key);
  return token;
}

// Narrows `scan` to what is left of it after the page that gave `token`. False for anything that
// is no token of a scan over this range.
bool TakePageToken(std::string_view token, store::ScanRequest* scan) {
  if (token.size() <= kPageTokenHeader) return false;
  const std::string_view next_key = token.substr(kPageTokenHeader);
  if (token != EncodePageToken(scan->ns, next_key)) return false;
  if (next_key < scan->begin || (!scan->end.empty() && next_key >= scan->end)) return false;
  scan->begin = std::string(next_key);
  return true;
}

// The alternative `Expected` of the reply, or the status to answer with instead.
template <typename Expected>
std::variant<Expected, GrpcStatus> Take(store::Reply* reply, const AddressOfStore& address_of) {
  if (auto* expected = std::get_if<Expected>(&reply->result)) return std::move(*expected);
  if (const auto* error = std::get_if<store::Error>(&reply->result)) {
    return StatusOf(*error, reply->applied_index, address_of);
  }
  return UnknownOutcome(
      "the leader answered with a reply of another kind: its version differs from this store's; "
      "run the same version on all stores");
}

// As Take; what is no answer to the client becomes a status.
std::variant<kv::WriteReply, GrpcStatus> TakeWrite(store::Reply* reply,
                                                   const AddressOfStore& address_of) {
  auto taken = Take<kv::WriteReply>(reply, address_of);
  const auto* write = std::get_if<kv::WriteReply>(&taken);
  if (write == nullptr) return taken;
  if (write->result == kv::WriteResult::kForgotten) return RequestForgotten();
  if (write->result == kv::WriteResult::kOvertaken) return RequestOvertaken(reply->applied_index);
  return taken;
}

}  // namespace

DecodedKvCall DecodeCas(std::string_view message, const store::Identity& self) {
  kvrpc::CasRequest in;
  if (!Parse(message, &in)) return NotA(in);
  KvCall call;
  kv::CompareAndSwap cas;
  if (auto refusal = TakeNamespace(in.namespace_(), &cas.ns)) return *std::move(refusal);
  if (auto refusal = TakeContext(in.context(), self, &call, &cas.retry)) return *std::move(refusal);
  cas.key = std::move(*in.mutable_key());
  cas.value = std::move(*in.mutable_value());
  cas.expected = kv::Version(in.expected_version());
  call.shape.return_current = in.return_current();
  call.request.operation = std::move(cas);
  return call;
}

DecodedKvCall DecodeCasDelete(std::string_view message, const store::Identity& self) {
  kvrpc::CasDeleteRequest in;
  if (!Parse(message, &in)) return NotA(in);
  KvCall call;
  kv::CompareAndDelete cas;
  if (auto refusal = TakeNamespace(in.namespace_(), &cas.ns)) return *std::move(refusal);
  if (auto refusal = TakeContext(in.context(), self, &call, &cas.retry)) return *std::move(refusal);
  cas.key = std::move(*in.mutable_key());
  cas.expected = kv::Version(in.expected_version());
  call.request.operation = std::move(cas);
  return call;
}

DecodedKvCall DecodeGet(std::string_view message, const store::Identity& self) {
  kvrpc::GetRequest in;
  if (!Parse(message, &in)) return NotA(in);
  KvCall call;
  store::GetRequest get;
  if (auto refusal = TakeNamespace(in.namespace_(), &get.ns)) return *std::move(refusal);
  if (auto refusal = TakeContext(in.context(), self, &call, nullptr)) return *std::move(refusal);
  get.key = std::move(*in.mutable_key());
  call.request.operation = std::move(get);
  return call;
}

DecodedKvCall DecodeScan(std::string_view message, const store::Identity& self) {
  kvrpc::ScanRequest in;
  if (!Parse(message, &in)) return NotA(in);
  KvCall call;
  store::ScanRequest scan;
  if (auto refusal = TakeNamespace(in.namespace_(), &scan.ns)) return *std::move(refusal);
  if (auto refusal = TakeContext(in.context(), self, &call, nullptr)) return *std::move(refusal);
  if (in.prefix().empty()) {
    scan.begin = std::move(*in.mutable_start_key());
    scan.end = std::move(*in.mutable_end_key());
  } else if (in.start_key().empty() && in.end_key().empty()) {
    scan.end = kv::PrefixSuccessor(in.prefix());
    scan.begin = std::move(*in.mutable_prefix());
  } else {
    return InvalidRequest(
        "prefix goes with neither start_key nor end_key: set the prefix or the range");
  }
  if (!in.page_token().empty() && !TakePageToken(in.page_token(), &scan)) {
    return InvalidRequest(
        "page_token does not belong to this scan: send the next_page_token of the page before and "
        "repeat that page's request otherwise unchanged");
  }
  call.shape.ns = scan.ns;
  scan.rows_max = in.limit();
  scan.bytes_max = in.max_bytes();
  scan.keys_only = in.keys_only();
  call.request.operation = std::move(scan);
  return call;
}

EncodedKvReply EncodeCas(const ReplyShape& shape, store::Reply reply,
                         const AddressOfStore& address_of) {
  auto taken = TakeWrite(&reply, address_of);
  if (auto* status = std::get_if<GrpcStatus>(&taken)) return std::move(*status);
  auto& write = std::get<kv::WriteReply>(taken);
  kvrpc::CasResponse out;
  out.set_success(write.result == kv::WriteResult::kApplied);
  out.set_current_version(write.version.value());
  if (shape.return_current && !out.success()) out.set_current_value(std::move(write.value));
  out.set_applied_index(reply.applied_index.value());
  return out.SerializeAsString();
}

EncodedKvReply EncodeCasDelete(const ReplyShape&, store::Reply reply,
                               const AddressOfStore& address_of) {
  auto taken = TakeWrite(&reply, address_of);
  if (auto* status = std::get_if<GrpcStatus>(&taken)) return std::move(*status);
  const auto& write = std::get<kv::WriteReply>(taken);
  kvrpc::CasDeleteResponse out;
  out.set_success(write.result == kv::WriteResult::kApplied);
  out.set_current_version(write.version.value());
  out.set_applied_index(reply.applied_index.value());
  return out.SerializeAsString();
}

EncodedKvReply EncodeGet(const ReplyShape&, store::Reply reply, const AddressOfStore& address_of) {
  auto taken = Take<store::GetReply>(&reply, address_of);
  if (auto* status = std::get_if<GrpcStatus>(&taken)) return std::move(*status);
  auto& found = std::get<store::GetReply>(taken).found;
  kvrpc::GetResponse out;
  out.set_found(found.has_value());
  if (found.has_value()) {
    out.set_value(std::move(found->value));
    out.set_version(found->version.value());
  }
  out.set_applied_index(reply.applied_index.value());
  return out.SerializeAsString();
}

EncodedKvReply EncodeScan(const ReplyShape& shape, store::Reply reply,
                          const AddressOfStore& address_of) {
  auto taken = Take<store::ScanReply>(&reply, address_of);
  if (auto* status = std::get_if<GrpcStatus>(&taken)) return std::move(*status);
  kv::ScanPage& page = std::get<store::ScanReply>(taken).page;
  kvrpc::ScanResponse out;
  for (kv::ScanRow& row : page.rows) {
    kvrpc::VersionedKv* to = out.add_kvs();
    to->set_key(std::move(row.key));
    to->set_value(std::move(row.value));
    to->set_version(row.version.value());
  }
  if (!page.next_key.empty()) {
    out.set_next_page_token(EncodePageToken(shape.ns, page.next_key));
    out.set_more(true);
  }
  out.set_applied_index(reply.applied_index.value());
  return out.SerializeAsString();
}

}  // namespace flaredb::net
