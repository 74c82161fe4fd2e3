// SPDX-License-Identifier: Apache-2.0
#include "net/client/kv_client.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "core/base/check.h"
#include "net/client/retry_policy.h"
#include "net/system_clock.h"
#include "proto/kvrpc.pb.h"

namespace flaredb::net {
namespace {

constexpr Duration kPauseMin = Duration::Milliseconds(10);
constexpr Duration kPauseMax = Duration::Milliseconds(500);
// One silent store must not use up the whole budget.
constexpr int64_t kAttemptsPerBudget = 3;
constexpr Duration kAttemptMin = Duration::Milliseconds(500);

uint64_t RandomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

template <typename Message>
KvResult<Message> Decode(KvResult<std::string> reply) {
  if (auto* error = std::get_if<KvError>(&reply)) return std::move(*error);
  Message message;
  if (!message.ParseFromString(std::get<std::string>(reply))) {
    return KvError{KvError::kUnknown, "the store's reply is not a valid " + message.GetTypeName() +
                                          ": use the same version of the program everywhere"};
  }
  return message;
}

}  // namespace

KvClient::KvClient(KvClientOptions options)
    : options_(std::move(options)),
      rng_(RandomSeed()),
      client_hi_(RandomSeed()),
      client_lo_(RandomSeed()) {
  INVARIANT(!options_.endpoints.empty());
}

KvClient::~KvClient() = default;

KvResult<KvGet> KvClient::Get(std::string_view key) {
  kvrpc::GetRequest request;
  request.set_key(std::string(key));
  auto reply = Decode<kvrpc::GetResponse>(
      Call("/kvrpc.KvCas/Get", false, [&](const WriteId&) { return request.SerializeAsString(); }));
  if (auto* error = std::get_if<KvError>(&reply)) return std::move(*error);
  auto& got = std::get<kvrpc::GetResponse>(reply);
  seen_index_ = std::max(seen_index_, got.applied_index());
  return KvGet{got.found(), std::move(*got.mutable_value()), got.version()};
}

KvResult<KvWrite> KvClient::CompareAndSwap(std::string_view key, std::string_view value,
                                           uint64_t expected) {
  kvrpc::CasRequest request;
  request.set_key(std::string(key));
  request.set_value(std::string(value));
  request.set_expected_version(expected);
  auto reply =
      Decode<kvrpc::CasResponse>(Call("/kvrpc.KvCas/CompareAndSwap", true, [&](const WriteId& id) {
        kvrpc::Context* context = request.mutable_context();
        context->mutable_request_id()->set_client_hi(client_hi_);
        context->mutable_request_id()->set_client_lo(client_lo_);
        context->mutable_request_id()->set_seq(id.seq);
        context->set_seen_index(id.seen_index);
        return request.SerializeAsString();
      }));
  if (auto* error = std::get_if<KvError>(&reply)) return std::move(*error);
  const auto& wrote = std::get<kvrpc::CasResponse>(reply);
  seen_index_ = std::max(seen_index_, wrote.applied_index());
  return KvWrite{wrote.success(), wrote.current_version()};
}

KvResult<KvWrite> KvClient::CompareAndDelete(std::string_view key, uint64_t expected) {
  kvrpc::CasDeleteRequest request;
  request.set_key(std::string(key));
  request.set_expected_version(expected);
  auto reply = Decode<kvrpc::CasDeleteResponse>(
      Call("/kvrpc.KvCas/CompareAndDelete", true, [&](const WriteId& id) {
        kvrpc::Context* context = request.mutable_context();
        context->mutable_request_id()->set_client_hi(client_hi_);
        context->mutable_request_id()->set_client_lo(client_lo_);
        context->mutable_request_id()->set_seq(id.seq);
        context->set_seen_index(id.seen_index);
        return request.SerializeAsString();
      }));
  if (auto* error = std::get_if<KvError>(&reply)) return std::move(*error);
  const auto& deleted = std::get<kvrpc::CasDeleteResponse>(reply);
  seen_index_ = std::max(seen_index_, deleted.applied_index());
  return KvWrite{deleted.success(), deleted.current_version()};
}

KvResult<KvPage> KvClient::Scan(const KvScanRange& range, uint32_t limit,
                                std::string_view page_token) {
  kvrpc::ScanRequest request;
  request.set_start_key(range.start);
  request.set_end_key(range.end);
  request.set_prefix(range.prefix);
  request.set_keys_only(range.keys_only);
  request.set_limit(limit);
  request.set_page_token(std::string(page_token));
  auto reply = Decode<kvrpc::ScanResponse>(Call(
      "/kvrpc.KvCas/Scan", false, [&](const WriteId&) { return request.SerializeAsString(); }));
  if (auto* error = std::get_if<KvError>(&reply)) return std::move(*error);
  auto& got = std::get<kvrpc::ScanResponse>(reply);
  seen_index_ = std::max(seen_index_, got.applied_index());
  KvPage page;
  for (kvrpc::VersionedKv& row : *got.mutable_kvs()) {
    page.rows.push_back(
        {std::move(*row.mutable_key()), std::move(*row.mutable_value()), row.version()});
  }
  page.next_page_token = std::move(*got.mutable_next_page_token());
  return page;
}

KvResult<std::string> KvClient::Call(const std::string& method, bool writes,
                                     const MakeRequest& make) {
  const Instant deadline = MonotonicNow() + options_.budget;
  const Duration attempt_max = std::max(options_.budget / kAttemptsPerBudget, kAttemptMin);
  WriteId id = NewWriteId();
  std::string address = options_.endpoints[endpoint_];
  bool maybe_applied = false;
  for (uint32_t attempt = 1;; ++attempt) {
    const Duration timeout = std::min(deadline - MonotonicNow(), attempt_max);
    UnaryResult result = CallOnce(address, method, make(id), timeout);
    const Judgement judgement = Judge(result);
    maybe_applied |= writes && judgement.maybe_applied;
    switch (judgement.next) {
      case Next::kDone:
        return std::move(result.message);
      case Next::kRefused:
        return KvError{maybe_applied ? KvError::kUnknown : KvError::kRefused,
                       result.status.message};
      case Next::kForgotten:
        if (maybe_applied) return KvError{KvError::kUnknown, result.status.message};
        [[fallthrough]];  // There is nothing that could have been forgotten.
      case Next::kNewRequest:
        seen_index_ = std::max(seen_index_, judgement.seen_index);
        id = NewWriteId();
        maybe_applied = false;
        break;
      case Next::kRetry:
        break;
    }
    if (!judgement.leader_address.empty() && judgement.leader_address != address) {
      address = judgement.leader_address;
    } else {
      endpoint_ = (endpoint_ + 1) % options_.endpoints.size();
      address = options_.endpoints[endpoint_];
    }
    Pause(judgement.pause, attempt, deadline);
    if (MonotonicNow() >= deadline) return OutOfTime(maybe_applied, judgement.busy, result.status);
  }
}

UnaryResult KvClient::CallOnce(const std::string& address, const std::string& method,
                               const std::string& request, Duration timeout) {
  std::unique_ptr<GrpcSyncClient>& connection = connections_[address];
  if (connection == nullptr) {
    GrpcChannelOptions options;
    options.seed = rng_.Next();
    options.tls = options_.tls;
    auto created = GrpcSyncClient::Create(address, options);
    if (!created.ok()) {
      return {{created.status().code(), std::string(created.status().message())}, "", Sent::kNo};
    }
    connection = *std::move(created);
  }
  return connection->Call(method, request, timeout);
}

void KvClient::Pause(Duration at_least, uint32_t attempt, Instant deadline) {
  // The first round over all endpoints is without pauses.
  Duration pause = at_least;
  if (attempt >= options_.endpoints.size()) {
    const uint32_t doublings =
        std::min<uint32_t>(attempt - static_cast<uint32_t>(options_.endpoints.size()), 10);
    const Duration grown = std::min(kPauseMin * (int64_t{1} << doublings), kPauseMax);
    pause = std::max(pause, rng_.Between(grown / 2, grown));
  }
  pause = std::min(pause, deadline - MonotonicNow());
  if (pause > Duration()) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(pause.nanoseconds()));
  }
}

KvError KvClient::OutOfTime(bool maybe_applied, bool busy, const GrpcStatus& last) const {
  const std::string seconds = std::to_string(options_.budget.milliseconds()) + " ms";
  if (maybe_applied) {
    return {KvError::kUnknown, "no answer within " + seconds +
                                   ", and the write may have taken effect: read the key and decide "
                                   "(last error: " +
                                   last.message + ")"};
  }
  return {busy ? KvError::kBusy : KvError::kUnavailable,
          "no answer within " + seconds + ": " + last.message};
}

}  // namespace flaredb::net
