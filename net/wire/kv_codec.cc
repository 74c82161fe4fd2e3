// SPDX-License-Identifier: Apache-2.0
#include "net/wire/kv_codec.h"

#include <string>
#include <utility>
#include <variant>

#include "proto/kvrpc.pb.h"

namespace flaredb::net {
namespace {

// As TakeReply; what is no answer to the client becomes a status.
std::variant<kv::WriteReply, GrpcStatus> TakeWrite(const ReplyShape& shape, store::Reply* reply,
                                                   const AddressOfStore& address_of) {
  auto taken = TakeReply<kv::WriteReply>(shape, reply, address_of);
  const auto* write = std::get_if<kv::WriteReply>(&taken);
  if (write == nullptr) return taken;
  if (write->result == kv::WriteResult::kForgotten) return RequestForgotten();
  if (write->result == kv::WriteResult::kOvertaken) return RequestOvertaken(reply->applied_index);
  return taken;
}

template <typename Response>
void TellLeader(const ReplyShape& shape, const store::Reply& reply,
                const AddressOfStore& address_of, Response* out) {
  if (!shape.want_leader || !reply.elsewhere) return;
  out->mutable_leader()->set_region_id(reply.elsewhere->region.value());
  out->mutable_leader()->set_address(address_of(reply.elsewhere->leader));
}

}  // namespace

DecodedKvCall DecodeCas(std::string_view message, const store::Identity& self) {
  kvrpc::CasRequest in;
  if (!Parse(message, &in)) return NotA(in);
  kv::CompareAndSwap cas;
  cas.ns = kv::NamespaceId::kDefault;
  cas.key = std::move(*in.mutable_key());
  cas.value = std::move(*in.mutable_value());
  cas.expected = kv::Version(in.expected_version());
  DecodedKvCall decoded = CallOf(std::move(cas), &in, self, Routing::kByRegion);
  if (auto* call = std::get_if<KvCall>(&decoded)) call->shape.return_current = in.return_current();
  return decoded;
}

DecodedKvCall DecodeCasDelete(std::string_view message, const store::Identity& self) {
  kvrpc::CasDeleteRequest in;
  if (!Parse(message, &in)) return NotA(in);
  kv::CompareAndDelete cas;
  cas.ns = kv::NamespaceId::kDefault;
  cas.key = std::move(*in.mutable_key());
  cas.expected = kv::Version(in.expected_version());
  return CallOf(std::move(cas), &in, self, Routing::kByRegion);
}

DecodedKvCall DecodeGet(std::string_view message, const store::Identity& self) {
  kvrpc::GetRequest in;
  if (!Parse(message, &in)) return NotA(in);
  store::GetRequest get;
  get.key = std::move(*in.mutable_key());
  get.mode = kv::Mode::kStrong;
  return CallOf(std::move(get), &in, self, Routing::kByRegion);
}

DecodedKvCall DecodeScan(std::string_view message, const store::Identity& self) {
  kvrpc::ScanRequest in;
  if (!Parse(message, &in)) return NotA(in);
  store::ScanRequest scan;
  scan.mode = kv::Mode::kStrong;
  DecodedKvCall decoded = CallOf(std::move(scan), &in, self, Routing::kByRegion);
  if (auto* call = std::get_if<KvCall>(&decoded)) {
    auto refusal =
        TakeScan(&in, call->shape.ns, &std::get<store::ScanRequest>(call->request.operation));
    if (refusal) return *std::move(refusal);
  }
  return decoded;
}

EncodedKvReply EncodeCas(const ReplyShape& shape, store::Reply reply,
                         const AddressOfStore& address_of) {
  auto taken = TakeWrite(shape, &reply, address_of);
  if (auto* status = std::get_if<GrpcStatus>(&taken)) return std::move(*status);
  auto& write = std::get<kv::WriteReply>(taken);
  kvrpc::CasResponse out;
  out.set_success(write.result == kv::WriteResult::kApplied);
  out.set_current_version(write.version.value());
  if (shape.return_current && !out.success()) out.set_current_value(std::move(write.value));
  out.set_applied_index(reply.applied_index.value());
  TellLeader(shape, reply, address_of, &out);
  return out.SerializeAsString();
}

EncodedKvReply EncodeCasDelete(const ReplyShape& shape, store::Reply reply,
                               const AddressOfStore& address_of) {
  auto taken = TakeWrite(shape, &reply, address_of);
  if (auto* status = std::get_if<GrpcStatus>(&taken)) return std::move(*status);
  const auto& write = std::get<kv::WriteReply>(taken);
  kvrpc::CasDeleteResponse out;
  out.set_success(write.result == kv::WriteResult::kApplied);
  out.set_current_version(write.version.value());
  out.set_applied_index(reply.applied_index.value());
  TellLeader(shape, reply, address_of, &out);
  return out.SerializeAsString();
}

EncodedKvReply EncodeGet(const ReplyShape& shape, store::Reply reply,
                         const AddressOfStore& address_of) {
  auto taken = TakeReply<store::GetReply>(shape, &reply, address_of);
  if (auto* status = std::get_if<GrpcStatus>(&taken)) return std::move(*status);
  auto& found = std::get<store::GetReply>(taken).found;
  kvrpc::GetResponse out;
  out.set_found(found.has_value());
  if (found.has_value()) {
    out.set_value(std::move(found->value));
    out.set_version(found->version.value());
  }
  out.set_applied_index(reply.applied_index.value());
  TellLeader(shape, reply, address_of, &out);
  return out.SerializeAsString();
}

EncodedKvReply EncodeScan(const ReplyShape& shape, store::Reply reply,
                          const AddressOfStore& address_of) {
  auto taken = TakeReply<store::ScanReply>(shape, &reply, address_of);
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
  TellLeader(shape, reply, address_of, &out);
  return out.SerializeAsString();
}

}  // namespace flaredb::net
