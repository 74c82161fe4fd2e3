// SPDX-License-Identifier: Apache-2.0
// What all calls of kvrpc have in common.
#ifndef FLAREDB_NET_WIRE_KV_CALL_H_
#define FLAREDB_NET_WIRE_KV_CALL_H_

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/kv/key.h"
#include "core/store/recovery.h"
#include "core/store/request.h"
#include "net/grpc_status.h"
#include "net/wire/error_codec.h"

namespace kvrpc {
class Context;
}  // namespace kvrpc

namespace flaredb::net {

// What the response depends on beside the reply.
struct ReplyShape {
  bool return_current = false;  // kvrpc.CasRequest.return_current
  std::string ns = "default";   // For page tokens and errors.
  bool want_leader = false;     // kvrpc.Context.want_leader
};

// A decoded call. The budget of `request` is left to the caller.
struct KvCall {
  store::Request request;
  std::optional<Duration> deadline_wish;  // kvrpc.Context.deadline_ms
  ReplyShape shape;
};
// A status is never OK: it refuses the call with a typed detail.
using DecodedKvCall = std::variant<KvCall, GrpcStatus>;
// The serialized kvrpc response, or the status for an error.
using EncodedKvReply = std::variant<std::string, GrpcStatus>;

// --- For the codecs.

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

// Whether a call may name a region and be told again under its id (kvrpc.Context).
enum class Routing : uint8_t { kByRegion, kAnyStore };
// Takes what all requests have: the refusal, if any.
std::optional<GrpcStatus> TakeContext(const kvrpc::Context& context, const store::Identity& self,
                                      Routing routing, KvCall* call);
// Which id a name has is for the store to know, except that of "default", which is fixed.
void TakeNamespace(std::string name, KvCall* call);

// A call of `operation` with what all requests have. Consumes the bytes of `in`.
template <typename Request>
DecodedKvCall CallOf(store::Operation operation, Request* in, const store::Identity& self,
                     Routing routing) {
  KvCall call;
  call.request.operation = std::move(operation);
  TakeNamespace(std::move(*in->mutable_namespace_()), &call);
  if (auto refusal = TakeContext(in->context(), self, routing, &call)) return *refusal;
  return call;
}

// Narrows `scan` to what is left of it after the page that gave `token`. False for anything that is
// no token of a scan over this range of namespace `ns`.
bool TakePageToken(std::string_view token, std::string_view ns, store::ScanRequest* scan);
std::string EncodePageToken(std::string_view ns, std::string_view next_key);

// What a kvrpc.ScanRequest and a RawScanRequest have in common, which is everything. Consumes the
// bytes of `in`.
template <typename Request>
std::optional<GrpcStatus> TakeScan(Request* in, std::string_view ns, store::ScanRequest* scan) {
  if (in->prefix().empty()) {
    scan->begin = std::move(*in->mutable_start_key());
    scan->end = std::move(*in->mutable_end_key());
  } else if (in->start_key().empty() && in->end_key().empty()) {
    scan->end = kv::PrefixSuccessor(in->prefix());
    scan->begin = std::move(*in->mutable_prefix());
  } else {
    return InvalidRequest(
        "prefix goes with neither start_key nor end_key: set the prefix or the range");
  }
  if (!in->page_token().empty() && !TakePageToken(in->page_token(), ns, scan)) {
    return InvalidRequest(
        "page_token does not belong to this scan: send the next_page_token of the page before and "
        "repeat that page's request otherwise unchanged");
  }
  scan->rows_max = in->limit();
  scan->bytes_max = in->max_bytes();
  scan->keys_only = in->keys_only();
  return std::nullopt;
}

// The alternative `Expected` of the reply, or the status to answer with instead.
template <typename Expected>
std::variant<Expected, GrpcStatus> TakeReply(const ReplyShape& shape, store::Reply* reply,
                                             const AddressOfStore& address_of) {
  if (auto* expected = std::get_if<Expected>(&reply->result)) return std::move(*expected);
  if (const auto* error = std::get_if<store::Error>(&reply->result)) {
    return StatusOf(*error, reply->applied_index, address_of, shape.ns);
  }
  return UnknownOutcome(
      "the leader answered with a reply of another kind: its version differs from this store's; "
      "run the same version on all stores");
}

}  // namespace flaredb::net

#endif  // FLAREDB_NET_WIRE_KV_CALL_H_
