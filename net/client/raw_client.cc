// SPDX-License-Identifier: Apache-2.0
// The operations of a client on namespaces in eventual mode.
#include <string>
#include <utility>
#include <variant>

#include "core/kv/key.h"
#include "net/client/attempts.h"
#include "net/client/calls.h"
#include "net/client/client.h"
#include "proto/kvrpc.pb.h"

namespace flaredb::client {
namespace {

template <typename Response, typename Request>
RawResult Write(Attempts* attempts, std::string_view method, const Request& request,
                Duration timeout) {
  auto reply =
      ParseWriteReply<Response>(attempts->WriteOnce(method, request.SerializeAsString(), timeout));
  if (auto* unknown = std::get_if<Unknown>(&reply)) return std::move(*unknown);
  if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
  return Accepted{std::get<Response>(reply).hlc()};
}

}  // namespace

RawResult Client::RawPut(std::string_view key, std::string_view value, const CallOptions& options) {
  kvrpc::RawPutRequest request;
  request.set_key(std::string(key));
  request.set_value(std::string(value));
  request.set_namespace_(options.ns);
  return Write<kvrpc::RawPutResponse>(attempts_.get(), "/kvrpc.KvRaw/RawPut", request,
                                      options.timeout.value_or(timeout_));
}

RawResult Client::RawDelete(std::string_view key, const CallOptions& options) {
  kvrpc::RawDeleteRequest request;
  request.set_key(std::string(key));
  request.set_namespace_(options.ns);
  return Write<kvrpc::RawDeleteResponse>(attempts_.get(), "/kvrpc.KvRaw/RawDelete", request,
                                         options.timeout.value_or(timeout_));
}

Result<std::optional<RawValue>> Client::RawGet(std::string_view key, const CallOptions& options) {
  kvrpc::RawGetRequest request;
  request.set_key(std::string(key));
  request.set_namespace_(options.ns);
  auto reply = Read<kvrpc::RawGetResponse>(attempts_.get(), "/kvrpc.KvRaw/RawGet", request,
                                           options.timeout.value_or(timeout_));
  if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
  auto& got = std::get<kvrpc::RawGetResponse>(reply);
  if (!got.found()) return std::nullopt;
  return RawValue{std::move(*got.mutable_value()), got.hlc()};
}

Result<RawPage> Client::RawScan(const KeyRange& range, const ScanOptions& options) {
  const auto request = ScanRequestOf<kvrpc::RawScanRequest>(range, options);
  auto reply = Read<kvrpc::RawScanResponse>(attempts_.get(), "/kvrpc.KvRaw/RawScan", request,
                                            options.timeout.value_or(timeout_));
  if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
  auto& got = std::get<kvrpc::RawScanResponse>(reply);
  RawPage page;
  for (kvrpc::RawKv& row : *got.mutable_kvs()) {
    page.rows.push_back(
        {std::move(*row.mutable_key()), std::move(*row.mutable_value()), row.hlc()});
  }
  page.next_page_token = std::move(*got.mutable_next_page_token());
  return page;
}

Result<RawPage> Client::RawScanPrefix(std::string_view prefix, const ScanOptions& options) {
  return RawScan({.begin = std::string(prefix), .end = kv::PrefixSuccessor(prefix)}, options);
}

}  // namespace flaredb::client
