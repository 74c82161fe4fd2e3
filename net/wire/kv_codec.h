// SPDX-License-Identifier: Apache-2.0
// kvrpc.KvCas: requests -> store::Request, store::Reply -> responses.
#ifndef FLAREDB_NET_WIRE_KV_CODEC_H_
#define FLAREDB_NET_WIRE_KV_CODEC_H_

#include <string_view>

#include "core/store/recovery.h"
#include "core/store/request.h"
#include "net/wire/error_codec.h"
#include "net/wire/kv_call.h"

namespace flaredb::net {

// `message` is a serialized kvrpc request. Refuses what is no such message, other clusters than
// that of `self`, and requests that contradict themselves; limits are checked by the store.
DecodedKvCall DecodeCas(std::string_view message, const store::Identity& self);
DecodedKvCall DecodeCasDelete(std::string_view message, const store::Identity& self);
DecodedKvCall DecodeGet(std::string_view message, const store::Identity& self);
DecodedKvCall DecodeScan(std::string_view message, const store::Identity& self);

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
