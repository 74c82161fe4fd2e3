// SPDX-License-Identifier: Apache-2.0
#include "net/wire/raw_codec.h"

#include <optional>
#include <string>
#include <utility>

#include "proto/kvrpc.pb.h"

namespace flaredb::net {
namespace {

// Of a put or delete.
template <typename Response>
EncodedKvReply EncodeAccepted(const ReplyShape& shape, store::Reply reply,
                              const AddressOfStore& address_of) {
  auto taken = TakeReply<store::AcceptedReply>(shape, &reply, address_of);
  if (auto* status = std::get_if<GrpcStatus>(&taken)) return std::move(*status);
  Response out;
  out.set_success(true);
  out.set_hlc(std::get<store::AcceptedReply>(taken).hlc.value());
  return out.SerializeAsString();
}

}  // namespace

DecodedKvCall DecodeRawPut(std::string_view message, const store::Identity& self) {
  kvrpc::RawPutRequest in;
  if (!Parse(message, &in)) return NotA(in);
  store::RawWriteRequest put;
  put.ns = kv::NamespaceId::kDefault;
  put.key = std::move(*in.mutable_key());
  put.value = std::move(*in.mutable_value());
  return CallOf(std::move(put), &in, self, Routing::kAnyStore);
}

DecodedKvCall DecodeRawDelete(std::string_view message, const store::Identity& self) {
  kvrpc::RawDeleteRequest in;
  if (!Parse(message, &in)) return NotA(in);
  store::RawWriteRequest removal;
  removal.ns = kv::NamespaceId::kDefault;
  removal.key = std::move(*in.mutable_key());
  return CallOf(std::move(removal), &in, self, Routing::kAnyStore);
}

DecodedKvCall DecodeRawGet(std::string_view message, const store::Identity& self) {
  kvrpc::RawGetRequest in;
  if (!Parse(message, &in)) return NotA(in);
  store::GetRequest get;
  get.key = std::move(*in.mutable_key());
  get.mode = kv::Mode::kEventual;
  return CallOf(std::move(get), &in, self, Routing::kAnyStore);
}

DecodedKvCall DecodeRawScan(std::string_view message, const store::Identity& self) {
  kvrpc::RawScanRequest in;
  if (!Parse(message, &in)) return NotA(in);
  store::ScanRequest scan;
  scan.mode = kv::Mode::kEventual;
  DecodedKvCall decoded = CallOf(std::move(scan), &in, self, Routing::kAnyStore);
  if (auto* call = std::get_if<KvCall>(&decoded)) {
    auto refusal =
        TakeScan(&in, call->shape.ns, &std::get<store::ScanRequest>(call->request.operation));
    if (refusal) return *std::move(refusal);
  }
  return decoded;
}

EncodedKvReply EncodeRawPut(const ReplyShape& shape, store::Reply reply,
                            const AddressOfStore& address_of) {
  return EncodeAccepted<kvrpc::RawPutResponse>(shape, std::move(reply), address_of);
}

EncodedKvReply EncodeRawDelete(const ReplyShape& shape, store::Reply reply,
                               const AddressOfStore& address_of) {
  return EncodeAccepted<kvrpc::RawDeleteResponse>(shape, std::move(reply), address_of);
}

EncodedKvReply EncodeRawGet(const ReplyShape& shape, store::Reply reply,
                            const AddressOfStore& address_of) {
  auto taken = TakeReply<store::GetReply>(shape, &reply, address_of);
  if (auto* status = std::get_if<GrpcStatus>(&taken)) return std::move(*status);
  auto& found = std::get<store::GetReply>(taken).found;
  kvrpc::RawGetResponse out;
  out.set_found(found.has_value());
  if (found.has_value()) {
    out.set_value(std::move(found->value));
    out.set_hlc(found->hlc.value());
  }
  return out.SerializeAsString();
}

EncodedKvReply EncodeRawScan(const ReplyShape& shape, store::Reply reply,
                             const AddressOfStore& address_of) {
  auto taken = TakeReply<store::ScanReply>(shape, &reply, address_of);
  if (auto* status = std::get_if<GrpcStatus>(&taken)) return std::move(*status);
  kv::ScanPage& page = std::get<store::ScanReply>(taken).page;
  kvrpc::RawScanResponse out;
  for (kv::ScanRow& row : page.rows) {
    kvrpc::RawKv* to = out.add_kvs();
    to->set_key(std::move(row.key));
    to->set_value(std::move(row.value));
    to->set_hlc(row.hlc.value());
  }
  if (!page.next_key.empty()) {
    out.set_next_page_token(EncodePageToken(shape.ns, page.next_key));
    out.set_more(true);
  }
  return out.SerializeAsString();
}

}  // namespace flaredb::net
