// SPDX-License-Identifier: Apache-2.0
// kvrpc requests -> store::Request, store::Reply -> kvrpc responses.
#ifndef FLAREDB_NET_WIRE_KV_CODEC_H_
#define FLAREDB_NET_WIRE_KV_CODEC_H_

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/time.h"
#include "core/store/recovery.h"
#include "core/store/request.h"
#include "net/grpc_status.h"
#include "net/wire/error_codec.h"

namespace flaredb::net {

// What the response depends on beside the reply.
struct ReplyShape {
  bool return_current = false;                     // kvrpc.CasRequest.return_current
  kv::NamespaceId ns = kv::NamespaceId::kDefault;  // For page tokens.
};

// A decoded call. The budget of `request` is left to the caller.
struct KvCall {
  store::Request request;
  std::optional<Duration> deadline_wish;  // kvrpc.Context.deadline_ms
  ReplyShape shape;
};
// A status is never OK: it refuses the call with a typed detail.
using DecodedKvCall = std::variant<KvCall, GrpcStatus>;

// `message` is a serialized kvrpc request. Refuses what is no such message, other clusters than
// that of `self`, unknown namespaces, and requests that contradict themselves; limits are checked
// by the store.
DecodedKvCall DecodeCas(std::string_view message, const store::Identity& self);
DecodedKvCall DecodeCasDelete(std::string_view message, const store::Identity& self);
DecodedKvCall DecodeGet(std::string_view message, const store::Identity& self);
DecodedKvCall DecodeScan(std::string_view message, const store::Identity& self);

// The serialized kvrpc response, or the status for an error.
using EncodedKvReply = std::variant<std::string, GrpcStatus>;

// Consumes `reply`, the answer to an operation of the function's kind.
EncodedKvReply EncodeCas(const ReplyShape& shape, store::Reply reply,
                         const AddressOfStore& address_of);
EncodedKvReply EncodeCasDelete(const ReplyShape& shape, store::Reply reply,
                               const AddressOfStore& address_of);
EncodedKvReply EncodeGet(const ReplyShape& shape, store::Reply reply,
                         const AddressOfStore& address_of);
EncodedKvReply EncodeScan(const ReplyShape& shape, store::Reply reply,
                          const AddressOfStore& address_of);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_WIRE_KV_CODEC_H_
