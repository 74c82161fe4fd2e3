// SPDX-License-Identifier: Apache-2.0
// Everything that leaves a store, and the order that its runtime must keep.
#ifndef FLAREDB_CORE_STORE_EFFECTS_H_
#define FLAREDB_CORE_STORE_EFFECTS_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "core/base/types.h"
#include "core/env/disk.h"
#include "core/store/event.h"
#include "core/store/message.h"
#include "core/store/order.h"

namespace flaredb::store {

struct Send {
  StoreId to;
  StoreMessage message;
};
struct CallReply {
  CallId id;
  Reply reply;
};

// Owned by the caller and reused: Clear keeps the capacity.
//
// Contract:
//   commit   is written as one atomic synced batch; commits of successive turns in order, any
//            number in flight. DiskDone reports a watermark. After a failure nothing more is
//            written.
//   sends    may leave at once, in any order, and may be lost.
//   replies  leave at once. Each ClientCall gets exactly one, unless ClientGone came first.
//   orders   are the outcomes of Order events.
//   failure  once set the store has stopped: beside `sends`, by which it hands leadership on, it
//            sends, writes and answers nothing more, and the process should end.
struct Effects {
  std::optional<env::GroupCommit> commit;
  std::vector<Send> sends;
  std::vector<CallReply> replies;
  std::vector<OrderOutcome> orders;
  std::vector<env::LogFetch> fetches;
  absl::Status failure;

  void Clear() {
    commit.reset();
    sends.clear();
    replies.clear();
    orders.clear();
    fetches.clear();
    failure = absl::OkStatus();
  }
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_EFFECTS_H_
