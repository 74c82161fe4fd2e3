// SPDX-License-Identifier: Apache-2.0
// What clients ask of a store and what they are told.
#ifndef FLAREDB_CORE_STORE_REQUEST_H_
#define FLAREDB_CORE_STORE_REQUEST_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/kv/command.h"
#include "core/kv/engine.h"
#include "core/region/region.h"
#include "core/region/state_machine.h"

namespace flaredb::store {

struct GetRequest {
  kv::NamespaceId ns = kv::NamespaceId::kDefault;
  std::string key;
};

// Live keys of [begin, end); an empty `end` means the end of the namespace.
struct ScanRequest {
  kv::NamespaceId ns = kv::NamespaceId::kDefault;
  std::string begin;
  std::string end;
  uint64_t rows_max = 0;   // 0: the store's limit; more is clamped to it.
  uint64_t bytes_max = 0;  // As rows_max.
  bool keys_only = false;
};

// A command for an object of Options::machine. A store applies it at most once for each request.
struct ExecuteRequest {
  std::string object;
  std::string command;
};

// What Options::machine answers from an object's rows; linearizable, as Get is.
struct QueryRequest {
  std::string object;
  std::string query;
};

using Operation = std::variant<GetRequest, ScanRequest, kv::CompareAndSwap, kv::CompareAndDelete,
                               ExecuteRequest, QueryRequest>;

// Whether the operation goes through the log.
inline bool IsWrite(const Operation& operation) {
  return std::holds_alternative<kv::CompareAndSwap>(operation) ||
         std::holds_alternative<kv::CompareAndDelete>(operation) ||
         std::holds_alternative<ExecuteRequest>(operation);
}

// The region, and its epoch, that a client with a routing cache believes in. Checked strictly.
struct RoutingContext {
  RegionId region;
  RegionEpoch epoch;
};

struct Request {
  // Absent: the store finds the region by the key and forwards to its leader, once.
  std::optional<RoutingContext> context;
  // Time left to answer, from the moment that the store receives the request. After it the request
  // is answered kDeadlineExceeded. Zero means already over.
  Duration budget;
  Operation operation;
};

// Could the operation have taken effect?
enum class Outcome : uint8_t { kNotApplied, kUnknown };

enum class ErrorCode : uint8_t {
  kNotLeader,         // No leader known, or the forwarded request met no leader. Retry elsewhere.
  kEpochNotMatch,     // The region changed; `region` is what this store knows.
  kRegionNotFound,    // The context names a region without a replica here.
  kKeyNotInRegion,    // The key lies outside the region that the context names.
  kReadNotReady,      // A read was interrupted by a change of leader.
  kServerIsBusy,      // Too many requests wait; come back after `backoff`.
  kStaleCommand,      // A write whose leader was deposed before it knew the outcome.
  kDeadlineExceeded,  // The budget ran out.
  kForgotten,         // kv::WriteResult::kForgotten.
  kInvalidArgument,   // A limit or rule of the API; the message names it.
  kStoreFailed,       // The store's disk failed; it has stopped.
};

struct Error {
  ErrorCode code = ErrorCode::kNotLeader;
  Outcome outcome = Outcome::kNotApplied;
  std::string message;           // One sentence: what, why, what to do.
  RegionId region_id;            // Zero when no region is concerned.
  StoreId leader;                // kNotLeader: where to try, zero when unknown.
  std::optional<Region> region;  // kEpochNotMatch.
  Duration backoff;              // kServerIsBusy.
};

struct GetReply {
  std::optional<kv::VersionedValue> found;
};
struct ScanReply {
  kv::ScanPage page;
};

using Result = std::variant<GetReply, ScanReply, kv::WriteReply, Error, MachineReply>;

struct Reply {
  Result result;
  // The serving replica had applied this much when it answered: what a client passes as
  // kv::Retry::seen_index of its next writes. Zero with most errors.
  Index applied_index;
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_REQUEST_H_
