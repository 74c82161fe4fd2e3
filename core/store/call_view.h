// SPDX-License-Identifier: Apache-2.0
// A call that is not answered yet, as monitors and reports see it.
#ifndef FLAREDB_CORE_STORE_CALL_VIEW_H_
#define FLAREDB_CORE_STORE_CALL_VIEW_H_

#include <cstdint>
#include <variant>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/store/event.h"
#include "core/store/outbox.h"

namespace flaredb::store {

// Names a request that a store makes for its own sake, within its life.
using OwnId = Ordinal<struct OwnRequestTag>;

// Who asked: a client of this store, another store for a client of its own, or this store itself,
// with a parcel of its outbox or for what it wants to know or have done.
struct ForwardOrigin {
  StoreId store;
  uint64_t id = 0;

  friend bool operator==(const ForwardOrigin&, const ForwardOrigin&) = default;
};
using Origin = std::variant<CallId, ForwardOrigin, ParcelId, OwnId>;

enum class CallStep : uint8_t {
  kNowhere,    // Nobody works on it, which can't be.
  kNamed,      // Until it is known which namespace its name stands for.
  kParked,     // Until a leader is known, or where the region is.
  kForwarded,  // To `store`, as its ForwardOrigin{this store, `forward_id`}.
  kProposed,   // Until `index` is applied.
  kReadAsked,  // Until it is known at which index the state may be read,
  kReadAt,     // and then until `index` is applied.
  kAccepted,   // Until the disk has it.
};

struct CallView {
  Origin origin;
  Instant deadline;  // By the store's clock; then it fails.
  CallStep step = CallStep::kNowhere;
  StoreId store;
  uint64_t forward_id = 0;
  Index index;
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_CALL_VIEW_H_
