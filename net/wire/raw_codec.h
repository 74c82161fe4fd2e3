// SPDX-License-Identifier: Apache-2.0
// kvrpc.KvRaw: requests -> store::Request, store::Reply -> responses. As kv_codec.h.
#ifndef FLAREDB_NET_WIRE_RAW_CODEC_H_
#define FLAREDB_NET_WIRE_RAW_CODEC_H_

#include <string_view>

#include "core/store/recovery.h"
#include "core/store/request.h"
#include "net/wire/error_codec.h"
#include "net/wire/kv_call.h"

namespace flaredb::net {

DecodedKvCall DecodeRawPut(std::string_view message, const store::Identity& self);
DecodedKvCall DecodeRawDelete(std::string_view message, const store::Identity& self);
DecodedKvCall DecodeRawGet(std::string_view message, const store::Identity& self);
DecodedKvCall DecodeRawScan(std::string_view message, const store::Identity& self);

EncodedKvReply EncodeRawPut(const ReplyShape& shape, store::Reply reply,
                            const AddressOfStore& address_of);
EncodedKvReply EncodeRawDelete(const ReplyShape& shape, store::Reply reply,
                               const AddressOfStore& address_of);
EncodedKvReply EncodeRawGet(const ReplyShape& shape, store::Reply reply,
                            const AddressOfStore& address_of);
EncodedKvReply EncodeRawScan(const ReplyShape& shape, store::Reply reply,
                             const AddressOfStore& address_of);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_WIRE_RAW_CODEC_H_
