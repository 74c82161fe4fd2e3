// SPDX-License-Identifier: Apache-2.0
// What clients ask of a store and what they are told.
#ifndef FLAREDB_CORE_STORE_REQUEST_H_
#define FLAREDB_CORE_STORE_REQUEST_H_

#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/base/variant.h"
#include "core/kv/command.h"
#include "core/kv/engine.h"
#include "core/kv/hlc.h"
#include "core/kv/mode.h"
#include "core/kv/namespace_command.h"
#include "core/kv/namespace_state.h"
#include "core/region/region.h"
#include "core/region/state_machine.h"

namespace flaredb::store {

// Reads say of which mode they take the namespace to be, and are refused if it is not. In a strong
// one they are linearizable. In an eventual one they are answered at once, by whatever is applied
// at the store that is asked and whatever it has accepted itself.
struct GetRequest {
  kv::NamespaceId ns = kv::NamespaceId::kDefault;
  std::string key;
  kv::Mode mode = kv::Mode::kStrong;
};

// Live keys of [begin, end); an empty `end` means the end of the namespace.
struct ScanRequest {
  kv::NamespaceId ns = kv::NamespaceId::kDefault;
  std::string begin;
  std::string end;
  uint64_t rows_max = 0;   // 0: the store's limit; more is clamped to it.
  uint64_t bytes_max = 0;  // As rows_max.
  bool keys_only = false;
  kv::Mode mode = kv::Mode::kStrong;
};

// A write to an eventual namespace: accepted by the store that is asked, whoever it can reach, and
// answered when its disk has it.
struct RawWriteRequest {
  kv::NamespaceId ns = kv::NamespaceId::kNone;
  std::string key;
  std::optional<std::string> value;  // Absent: the key is deleted.
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

// A kv::NamespaceCommand comes from stores and the placement driver, not from clients.
struct Operation
    : std::variant<GetRequest, ScanRequest, kv::CompareAndSwap, kv::CompareAndDelete,
                   ExecuteRequest, QueryRequest, RawWriteRequest, kv::NamespaceCommand> {
  FLAREDB_DECLARE_VARIANT(Operation)
};

// Whether the operation may change anything.
inline bool IsWrite(const Operation& operation) {
  return !std::holds_alternative<GetRequest>(operation) &&
         !std::holds_alternative<ScanRequest>(operation) &&
         !std::holds_alternative<QueryRequest>(operation);
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
  // Not empty: the namespace that the operation is for, in place of its id, which the store finds
  // out. A write to a strong namespace creates one that is not there.
  std::string namespace_name = {};
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
  // The namespace is not of the mode that the operation is for, or is about to be of another one;
  // `namespace_mode` says what it is.
  kNamespaceMode,
  kStoreFailed,        // The store's disk failed; it has stopped.
  kNamespaceNotFound,  // There is none of that name.
  kNotAccepting,       // The store accepts no writes to eventual namespaces; others may.
};

struct NamespaceMode {
  kv::Mode mode = kv::Mode::kStrong;
  kv::ModeEpoch mode_epoch;
  bool changing = false;  // Into the other one: asking again makes sense.

  friend bool operator==(const NamespaceMode&, const NamespaceMode&) = default;
};

struct Error {
  ErrorCode code = ErrorCode::kNotLeader;
  Outcome outcome = Outcome::kNotApplied;
  std::string message;                          // One sentence: what, why, what to do.
  RegionId region_id;                           // Zero when no region is concerned.
  StoreId leader;                               // kNotLeader: where to try, zero when unknown.
  std::optional<Region> region;                 // kEpochNotMatch.
  Duration backoff;                             // kServerIsBusy.
  std::optional<NamespaceMode> namespace_mode;  // kNamespaceMode.
};

struct GetReply {
  std::optional<kv::VersionedValue> found;
};
struct ScanReply {
  kv::ScanPage page;
};

struct AcceptedReply {
  kv::Hlc hlc;  // Of two writes to a key the one with the later time wins.
};

struct Result : std::variant<GetReply, ScanReply, kv::WriteReply, Error, MachineReply,
                             AcceptedReply, kv::NamespaceReply> {
  FLAREDB_DECLARE_VARIANT(Result)
};

struct Reply {
  Result result;
  // The serving replica had applied this much when it answered: what a client passes as
  // kv::Retry::seen_index of its next writes. Zero with most errors.
  Index applied_index;

  // The store that led the region and carried the call out.
  struct Elsewhere {
    RegionId region;
    StoreId leader;
  };
  // When that was not the store that was asked. Not sent between stores: it is the asked one's
  // knowledge.
  std::optional<Elsewhere> elsewhere = std::nullopt;
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_REQUEST_H_
