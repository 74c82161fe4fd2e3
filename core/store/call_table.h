// SPDX-License-Identifier: Apache-2.0
// The calls that wait for an answer, each until its deadline.
#ifndef FLAREDB_CORE_STORE_CALL_TABLE_H_
#define FLAREDB_CORE_STORE_CALL_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/store/call_view.h"
#include "core/store/request.h"

namespace flaredb::store {

struct Call {
  Origin origin;
  Instant deadline;
  Request request;
  // How often the operation was handed to a leader that could have carried it out.
  uint32_t attempts = 0;
  // The ForwardedRequest that it waits for; zero when none.
  uint64_t forward_id = 0;
  uint64_t unix_ms = 0;          // See ClientCall.
  std::vector<kv::LwwRow> held;  // See ForwardedRequest.
  Index unseen;                  // See ForwardedRequest.
  size_t bytes = 0;              // That it came with.

  bool IsWrite() const;
  // Whether a store asks for itself: a question or an errand of this one, or a parcel of any. There
  // are not many of these, as each store has one for a region, and others may wait for them.
  bool IsOfAStore() const;
  // Whether the client left the routing to this store, which then may route the call again.
  bool IsRoutedHere() const;
  // Whether it may be passed on to another store: never twice, and not if its client chose this
  // one.
  bool MayBeForwarded() const;
  // Whether this store may try again after an interruption: the client left the routing to it, and
  // a second execution is harmless or recognized by its request id.
  bool MayRetry() const;
  // Whether it may route the call again now: also when nobody has tried yet.
  bool MayTryAgain() const;
};

// Names a call. Never reused, so whoever still holds the key of an answered call finds nothing.
struct CallKey {
  uint32_t slot = 0;
  uint32_t generation = 0;

  friend auto operator<=>(const CallKey&, const CallKey&) = default;
};

class CallTable {
 public:
  CallKey Add(Call call);
  // Null when the call was answered. Borrowed until the next Add or Remove.
  Call* Find(CallKey key);
  void Remove(CallKey key);
  size_t size() const { return size_; }
  size_t bytes() const { return bytes_; }  // Sum of Call::bytes.

  // Deadline of the call that expires first; Instant::Max() without calls.
  Instant next_deadline();
  // Shows each call to `show`, in no order that means anything.
  void ForEach(absl::FunctionRef<void(CallKey, const Call&)> show) const;
  // A call whose deadline has come, still in the table.
  std::optional<CallKey> NextExpired(Instant now);

 private:
  struct Slot {
    uint32_t generation = 0;
    std::optional<Call> call;
  };
  using Deadline = std::pair<Instant, CallKey>;

  // Forgets the deadlines of answered calls at the head of the heap.
  void DropAnswered();

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  size_t size_ = 0;
  size_t bytes_ = 0;
  // A heap, earliest first. Answered calls leave it when they reach the head, or when they are the
  // majority: their deadlines may lie far ahead.
  std::vector<Deadline> deadlines_;
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_CALL_TABLE_H_
