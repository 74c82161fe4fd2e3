// SPDX-License-Identifier: Apache-2.0
// The operations on strong namespaces, as the log carries them and as they are answered.
#ifndef FLAREDB_CORE_KV_COMMAND_H_
#define FLAREDB_CORE_KV_COMMAND_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "core/base/types.h"

namespace flaredb::kv {

// A namespace of keys. Allocated once, never reused. The last one holds the rows of a state machine
// that is not this one (core/region/state_machine.h) and takes no key-value operation.
enum class NamespaceId : uint32_t { kNone = 0, kDefault = 1, kMachine = 0xffffffff };

// Counts the changes of one key: 1, 2, 3... Never reused; 0 means "does not exist".
using Version = Ordinal<struct VersionTag>;

// Names one operation of one client for all its attempts. All zero: the client does not retry.
struct RequestId {
  uint64_t client_hi = 0;
  uint64_t client_lo = 0;
  uint64_t seq = 0;

  explicit operator bool() const { return client_hi != 0 || client_lo != 0 || seq != 0; }
  friend auto operator<=>(const RequestId&, const RequestId&) = default;
};

// What makes a write retryable: who asks, and since when. `seen_index` is the highest applied index
// of the region that the client knew before its first attempt; zero when it knew none. All attempts
// carry the same. It makes the answer to every attempt exact, however late attempts arrive and
// however many are under way at once, because whatever was applied stands above `seen_index`:
//   past    while seen_index >= Record::forgotten_index, the id of an attempt that was applied
//           cannot have been dropped from the record;
//   future  an identified write applies only while seen_index >= Record::changed_index. So when one
//           attempt was answered kMismatch, and then others change the key back to what the request
//           expects, an older attempt still on its way comes too late to take effect after all.
struct Retry {
  RequestId id;
  Index seen_index;

  friend bool operator==(const Retry&, const Retry&) = default;
};

// Writes `value` if the key's live version is `expected` (0: the key must not exist).
struct CompareAndSwap {
  NamespaceId ns = NamespaceId::kDefault;
  std::string key;
  std::string value;
  Version expected;
  Retry retry;

  friend bool operator==(const CompareAndSwap&, const CompareAndSwap&) = default;
};

// Deletes the key if its live version is `expected`, which is at least 1.
struct CompareAndDelete {
  NamespaceId ns = NamespaceId::kDefault;
  std::string key;
  Version expected;
  Retry retry;

  friend bool operator==(const CompareAndDelete&, const CompareAndDelete&) = default;
};

using Command = std::variant<CompareAndSwap, CompareAndDelete>;

// The bytes of a command in a log entry (docs/FORMAT.md). Decoding refuses anything else with
// DATA_LOSS: an unknown command stops the region, it is never skipped.
std::string EncodeCommand(const Command& command);
absl::StatusOr<Command> DecodeCommand(std::string_view bytes);

enum class WriteResult : uint8_t {
  kApplied,   // Took effect, now or at an earlier attempt of the same request.
  kMismatch,  // Takes no effect, at no attempt: the live version is not the expected one.
  // Takes no effect, at no attempt: the live version is the expected one, but the key changed after
  // Retry::seen_index, so another attempt may have been answered kMismatch. Worth asking again as a
  // new request, with the applied index that came with this answer.
  kOvertaken,
  // Takes no effect from now on; the record no longer remembers whether an earlier attempt did.
  kForgotten,
};

struct WriteReply {
  WriteResult result = WriteResult::kMismatch;
  // kApplied: the version that a swap produced, 0 for a delete. Otherwise the live version, 0 when
  // the key does not exist.
  Version version;
  // kMismatch: the live value, empty when the key does not exist.
  std::string value;

  friend bool operator==(const WriteReply&, const WriteReply&) = default;
};

}  // namespace flaredb::kv

#endif  // FLAREDB_CORE_KV_COMMAND_H_
