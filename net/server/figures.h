// SPDX-License-Identifier: Apache-2.0
// What the parts of a server count. Values, copied to hand them to other threads.
#ifndef FLAREDB_NET_SERVER_FIGURES_H_
#define FLAREDB_NET_SERVER_FIGURES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/types.h"
#include "net/histogram.h"

namespace flaredb::net {

// Of a Runtime, since its start.
struct RuntimeFigures {
  uint64_t events = 0;     // Handled by turns.
  Histogram turn_seconds;  // Turns with what they caused; idle iterations are none.
  Histogram
      commit_seconds;  // From handing a group commit to the disk until told that it is synced.
  size_t commits_waiting = 0;  // Of those, not yet told.
  uint64_t log_fetches = 0;    // Reads of entries that had left memory.
};

// Of the way to one other store, since its start.
struct LinkFigures {
  StoreId store;
  std::string address;
  bool up = false;
  uint64_t opened = 0;  // Times that it came up.
  uint64_t messages_sent = 0;
  uint64_t messages_dropped = 0;  // For want of a link, or of room in it.
  uint64_t bytes_sent = 0;        // Of batches, before HTTP/2 and TLS.
  size_t unsent_bytes = 0;        // Now.
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_FIGURES_H_
