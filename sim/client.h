// SPDX-License-Identifier: Apache-2.0
// One client of a run: operations one after another, each with its attempts.
#ifndef FLAREDB_SIM_CLIENT_H_
#define FLAREDB_SIM_CLIENT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/store/request.h"
#include "sim/history/history.h"
#include "sim/world/network.h"

namespace flaredb::sim {

enum class ClientState : uint8_t {
  kThinking,  // The timer starts the next operation.
  kWaiting,   // For the answer to an attempt; the timer ends the wait.
  kPausing,   // After a refusal; the timer starts the next attempt.
  kDone,
};

// The operation in progress.
struct ClientOp {
  store::Operation operation;
  Instant began;
  Instant give_up_at;
  uint32_t attempts = 0;
  std::vector<VersionedHistory::OpRef> refs;  // A scan is a read of every key that it may show,
  uint32_t group = 0;                         // and one operation of the history.
  ValueId value = 0;                          // Of a swap.
  uint32_t key = 0;                           // Unless a scan.
  kv::NamespaceId ns = kv::NamespaceId::kDefault;
  std::optional<size_t> write;  // In the EventualLedger.
  EventNumber read = 0;         // When an eventual one began.
  // Some attempt was not refused for certain: it may have taken effect, or still may.
  bool maybe_applied = false;
  // A write that nothing names: it is not asked again unless it was refused for certain.
  bool once = false;
};

struct Client {
  uint32_t slot = 0;    // Where it sits on the network: slot-th after the stores.
  uint32_t number = 0;  // Which logical client sits there; new after an unknown outcome.
  uint64_t seq = 0;     // Its last request.
  Index seen_index;     // Highest applied index that it was told.
  uint32_t store = 0;   // The last one that answered well.
  ClientState state = ClientState::kThinking;
  uint64_t timer = 0;                   // Numbers the timers; only the latest counts.
  AttemptId attempt = 0;                // The one it waits for,
  AttemptId second_attempt = 0;         // and another one; zero: none.
  uint32_t target = 0;                  // The store of that attempt.
  Instant asked_at;                     // When that left.
  std::optional<store::Error> refusal;  // The last one of the operation.
  ClientOp op;
  // At the end of a run: reads every key from this store, and never gives up.
  bool auditor = false;
  uint32_t audited = 0;  // Keys read so far.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CLIENT_H_
