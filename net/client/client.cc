// SPDX-License-Identifier: Apache-2.0
#include "net/client/client.h"

#include <utility>
#include <variant>

#include "core/kv/key.h"
#include "net/client/attempts.h"
#include "net/client/calls.h"
#include "net/client/leaders.h"
#include "net/system_clock.h"
#include "proto/kvrpc.pb.h"

namespace flaredb::client {
namespace {

void SetWriteId(const WriteId& id, kvrpc::Context* context) {
  context->mutable_request_id()->set_client_hi(id.client_hi);
  context->mutable_request_id()->set_client_lo(id.client_lo);
  context->mutable_request_id()->set_seq(id.seq);
  context->set_seen_index(id.seen_index);
}

// What a reply tells beside what was asked for.
template <typename Response>
void Learn(const Place& place, const Response& reply, Attempts* attempts) {
  attempts->Saw(reply.applied_index());
  attempts->SawLeader(place, reply.leader().region_id(), reply.leader().address());
}

// A read by the leader of `place`.
template <typename Response, typename Request>
Result<Response> ReadAt(const Place& place, Attempts* attempts, std::string_view method,
                        const Request& request, Duration timeout) {
  Result<Response> reply = Read<Response>(attempts, method, request, timeout, &place);
  if (const auto* got = std::get_if<Response>(&reply)) Learn(place, *got, attempts);
  return reply;
}

template <typename Response, typename Request>
CasResult Write(Attempts* attempts, std::string_view method, Request request, Duration timeout,
                const std::optional<WriteId>& repeat) {
  const Place place{request.namespace_(), request.key()};
  request.mutable_context()->set_want_leader(true);
  WriteId last;
  Attempts::WriteReply reply = attempts->Write(
      method,
      [&](const WriteId& id) {
        last = id;
        SetWriteId(id, request.mutable_context());
        return request.SerializeAsString();
      },
      timeout, repeat, place);
  if (auto* unknown = std::get_if<Unknown>(&reply)) return std::move(*unknown);
  if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
  Response response;
  if (!response.ParseFromString(std::get<std::string>(reply))) {
    return Unknown{last, NotA<Response>()};
  }
  Learn(place, response, attempts);
  if (!response.success()) return Mismatch{response.current_version()};
  return Applied{response.current_version()};
}

// Writes until no other writer is faster: a mismatch tells the version to expect next.
template <typename WriteIf>
PutResult Insist(uint64_t expected, Duration timeout, const WriteIf& write_if) {
  const Instant deadline = net::MonotonicNow() + timeout;
  do {
    CasResult result = write_if(expected, deadline - net::MonotonicNow());
    if (const auto* applied = std::get_if<Applied>(&result)) return *applied;
    if (auto* unknown = std::get_if<Unknown>(&result)) return std::move(*unknown);
    if (auto* error = std::get_if<Error>(&result)) return std::move(*error);
    expected = std::get<Mismatch>(result).version;
  } while (net::MonotonicNow() < deadline);
  return Error{Error::kOverloaded, "other writers kept changing the key: try again"};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Create(ClientOptions options) {
  const Duration timeout = options.timeout;
  auto attempts = Attempts::Create(std::move(options));
  if (!attempts.ok()) return attempts.status();
  return std::unique_ptr<Client>(new Client(timeout, *std::move(attempts)));
}

Client::Client(Duration timeout, std::unique_ptr<Attempts> attempts)
    : timeout_(timeout), attempts_(std::move(attempts)) {}

Client::~Client() = default;

Result<std::optional<VersionedValue>> Client::Get(std::string_view key,
                                                  const CallOptions& options) {
  kvrpc::GetRequest request;
  request.set_key(std::string(key));
  request.set_namespace_(options.ns);
  request.mutable_context()->set_want_leader(true);
  auto reply = ReadAt<kvrpc::GetResponse>({options.ns, key}, attempts_.get(), "/kvrpc.KvCas/Get",
                                          request, options.timeout.value_or(timeout_));
  if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
  auto& got = std::get<kvrpc::GetResponse>(reply);
  if (!got.found()) return std::nullopt;
  return VersionedValue{std::move(*got.mutable_value()), got.version()};
}

CasResult Client::Cas(std::string_view key, std::string_view value, uint64_t expected,
                      const WriteOptions& options) {
  kvrpc::CasRequest request;
  request.set_key(std::string(key));
  request.set_value(std::string(value));
  request.set_expected_version(expected);
  request.set_namespace_(options.ns);
  return Write<kvrpc::CasResponse>(attempts_.get(), "/kvrpc.KvCas/CompareAndSwap",
                                   std::move(request), options.timeout.value_or(timeout_),
                                   options.repeat);
}

CasResult Client::CasDelete(std::string_view key, uint64_t expected, const WriteOptions& options) {
  kvrpc::CasDeleteRequest request;
  request.set_key(std::string(key));
  request.set_expected_version(expected);
  request.set_namespace_(options.ns);
  return Write<kvrpc::CasDeleteResponse>(attempts_.get(), "/kvrpc.KvCas/CompareAndDelete",
                                         std::move(request), options.timeout.value_or(timeout_),
                                         options.repeat);
}

PutResult Client::Put(std::string_view key, std::string_view value, const CallOptions& options) {
  return Insist(0, options.timeout.value_or(timeout_), [&](uint64_t expected, Duration left) {
    return Cas(key, value, expected, {.ns = options.ns, .timeout = left});
  });
}

PutResult Client::Delete(std::string_view key, const CallOptions& options) {
  // A read first, because a write that meets a mismatch costs as much as one that does not.
  auto found = Get(key, options);
  if (auto* error = std::get_if<Error>(&found)) return std::move(*error);
  if (!std::get<0>(found).has_value()) return Applied{};
  const uint64_t version = std::get<0>(found)->version;
  return Insist(version, options.timeout.value_or(timeout_), [&](uint64_t expected, Duration left) {
    if (expected == 0) return CasResult(Applied{});  // Somebody else deleted it.
    return CasDelete(key, expected, {.ns = options.ns, .timeout = left});
  });
}

Result<Page> Client::Scan(const KeyRange& range, const ScanOptions& options) {
  auto request = ScanRequestOf<kvrpc::ScanRequest>(range, options);
  // Where a later page begins only its token knows, so who leads there is not told of this place.
  request.mutable_context()->set_want_leader(options.page_token.empty());
  auto reply =
      ReadAt<kvrpc::ScanResponse>({options.ns, range.begin}, attempts_.get(), "/kvrpc.KvCas/Scan",
                                  request, options.timeout.value_or(timeout_));
  if (auto* error = std::get_if<Error>(&reply)) return std::move(*error);
  auto& got = std::get<kvrpc::ScanResponse>(reply);
  Page page;
  for (kvrpc::VersionedKv& row : *got.mutable_kvs()) {
    page.rows.push_back(
        {std::move(*row.mutable_key()), std::move(*row.mutable_value()), row.version()});
  }
  page.next_page_token = std::move(*got.mutable_next_page_token());
  return page;
}

Result<Page> Client::ScanPrefix(std::string_view prefix, const ScanOptions& options) {
  return Scan({.begin = std::string(prefix), .end = kv::PrefixSuccessor(prefix)}, options);
}

}  // namespace flaredb::client
