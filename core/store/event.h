// SPDX-License-Identifier: Apache-2.0
// Everything that enters a store.
#ifndef FLAREDB_CORE_STORE_EVENT_H_
#define FLAREDB_CORE_STORE_EVENT_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/base/variant.h"
#include "core/env/disk.h"
#include "core/kv/hlc.h"
#include "core/store/message.h"
#include "core/store/order.h"
#include "core/store/request.h"

namespace flaredb::store {

// Names a client's call between its arrival and its reply; chosen by the runtime.
using CallId = Ordinal<struct CallTag>;

struct MessageReceived {
  StoreId from;
  StoreMessage message;
};
struct ClientCall {
  CallId id;
  Request request;
  // The wall clock when it came, in milliseconds since 1970: it orders writes to eventual
  // namespaces, and nothing else.
  uint64_t unix_ms = 0;
};
// What the cluster has decided about a namespace.
struct NamespaceChanged {
  kv::NamespaceId ns = kv::NamespaceId::kNone;
  NamespaceMode mode;
  // What the store stamps from now on comes after this time: after the base of the region's fence
  // and after everything that may have been collected, or it would be taken for something older.
  kv::Hlc after = {};
};
// The wall clock goes on, as in ClientCall, whether or not anybody writes; see Outbox::Advance.
struct WallClock {
  uint64_t unix_ms = 0;
};
// The client went away: no reply is wanted. The operation may still take effect.
struct ClientGone {
  CallId id;
};
// Another store of the cluster says that this one was given up for lost or removed, and hears it no
// more: nobody else will tell it.
struct Expelled {};
// Every GroupCommit up to and including `token` is durable and visible to readers.
struct DiskDone {
  IoToken token;
};
// A write failed. It is not retried: what the disk holds is unknown until the next start.
struct DiskFailed {
  absl::Status status;
};
struct Event : std::variant<MessageReceived, ClientCall, ClientGone, Order, DiskDone, DiskFailed,
                            env::LogFetched, NamespaceChanged, WallClock, Expelled> {
  FLAREDB_DECLARE_VARIANT(Event)
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_EVENT_H_
