// SPDX-License-Identifier: Apache-2.0
// What one HTTP/2 connection may cost us, and how long it may be silent.
#ifndef FLAREDB_NET_HTTP2_OPTIONS_H_
#define FLAREDB_NET_HTTP2_OPTIONS_H_

#include <cstddef>
#include <cstdint>

#include "core/base/time.h"

namespace flaredb::net {

struct Http2Options {
  // Streams that the peer may have open at a time; more are refused unprocessed.
  uint32_t max_concurrent_streams = 1024;
  // Sum over a header block of name + value + 32 bytes each (RFC 9113 6.5.2).
  size_t max_header_list_bytes = 16 << 10;
  // Receive windows: how much the peer may send before we have read it.
  int32_t stream_window_bytes = 1 << 20;
  int32_t connection_window_bytes = 16 << 20;
  // What waits for the peer to read it, over all its streams. A connection beyond it is dropped.
  size_t max_output_bytes = 64 << 20;

  // Token buckets over frames that cost us work and the peer nothing: burst, then per second.
  // A connection that empties one is dropped. Resets are the peer's RST_STREAM and our own for
  // streams that it spoiled (rapid reset, CVE-2023-44487); control is PING, SETTINGS,
  // PRIORITY and empty DATA frames.
  uint32_t reset_burst = 1000;
  uint32_t resets_per_second = 100;
  uint32_t control_burst = 1000;
  uint32_t control_per_second = 100;

  // The peer must have sent its preface and SETTINGS by then.
  Duration handshake_timeout = Duration::Seconds(10);
  // Nothing received for keepalive_interval sends a PING; nothing for keepalive_timeout more ends
  // the connection. This is how a peer that vanished without FIN is noticed.
  Duration keepalive_interval = Duration::Seconds(20);
  Duration keepalive_timeout = Duration::Seconds(10);
  // Output waits and nothing of it could be delivered for so long: the peer does not read.
  Duration stall_timeout = Duration::Seconds(30);
  // No stream open for so long ends the connection. Duration() means never.
  Duration idle_timeout = Duration::Seconds(300);
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_HTTP2_OPTIONS_H_
