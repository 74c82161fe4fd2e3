// SPDX-License-Identifier: Apache-2.0
#include "tests/core/store/requests.h"

#include <utility>

#include <gtest/gtest.h>

namespace flaredb::store {

Request Make(Operation operation, Duration budget) {
  return {std::nullopt, budget, std::move(operation)};
}

Request Get(const std::string& key) { return Make(GetRequest{kv::NamespaceId::kDefault, key}); }

kv::CompareAndSwap Swap(const std::string& key, const std::string& value, uint64_t expected) {
  kv::CompareAndSwap swap;
  swap.key = key;
  swap.value = value;
  swap.expected = kv::Version(expected);
  return swap;
}

kv::CompareAndSwap Named(kv::CompareAndSwap swap, uint64_t seq, Index seen) {
  swap.retry.id = {1, 2, seq};
  swap.retry.seen_index = seen;
  return swap;
}

Request In(uint64_t region, RegionEpoch epoch, Request request) {
  request.context = RoutingContext{RegionId(region), epoch};
  return request;
}

const Error& ErrorOf(const Reply& reply) {
  static const Error none{
      ErrorCode::kStoreFailed, Outcome::kUnknown, "no error", {}, {}, {}, {}, {}};
  const auto* error = std::get_if<Error>(&reply.result);
  EXPECT_NE(error, nullptr) << "an error was expected";
  return error != nullptr ? *error : none;
}

const kv::WriteReply& WriteOf(const Reply& reply) {
  static const kv::WriteReply none;
  const auto* error = std::get_if<Error>(&reply.result);
  const auto* write = std::get_if<kv::WriteReply>(&reply.result);
  EXPECT_NE(write, nullptr) << (error != nullptr ? error->message : "not a write");
  return write != nullptr ? *write : none;
}

std::string ValueOf(const Reply& reply) {
  const auto* error = std::get_if<Error>(&reply.result);
  const auto* get = std::get_if<GetReply>(&reply.result);
  EXPECT_NE(get, nullptr) << (error != nullptr ? error->message : "not a read");
  return get != nullptr && get->found ? get->found->value : "(none)";
}

}  // namespace flaredb::store
