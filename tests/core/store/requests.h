// SPDX-License-Identifier: Apache-2.0
// Requests in short, and what their answers say. A wrong kind of answer fails the test.
#ifndef FLAREDB_TESTS_CORE_STORE_REQUESTS_H_
#define FLAREDB_TESTS_CORE_STORE_REQUESTS_H_

#include <cstdint>
#include <string>

#include "core/store/request.h"

namespace flaredb::store {

inline constexpr Duration kBudget = Duration::Seconds(5);

Request Make(Operation operation, Duration budget = kBudget);
Request Get(const std::string& key);
// Without a request id: may not be carried out twice.
kv::CompareAndSwap Swap(const std::string& key, const std::string& value, uint64_t expected = 0);
kv::CompareAndSwap Named(kv::CompareAndSwap swap, uint64_t seq, Index seen = Index::Max());
Request In(uint64_t region, RegionEpoch epoch, Request request);

// Borrowed from `reply`.
const Error& ErrorOf(const Reply& reply);
const kv::WriteReply& WriteOf(const Reply& reply);
// The value read, "(none)" when the key does not exist.
std::string ValueOf(const Reply& reply);

}  // namespace flaredb::store

#endif  // FLAREDB_TESTS_CORE_STORE_REQUESTS_H_
