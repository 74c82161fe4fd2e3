// SPDX-License-Identifier: Apache-2.0
// What may be asked of a store, and what it holds for those who ask: the limits that its operator
// may set. net/config/settings.cc has the flag of each, and its range.
#ifndef FLAREDB_NET_SERVER_LIMITS_H_
#define FLAREDB_NET_SERVER_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "core/store/store.h"
#include "net/grpc_server.h"

namespace flaredb::net {

struct Limits {
  // See store::Options.
  size_t key_bytes = 8 << 10;
  size_t value_bytes = 1 << 20;
  size_t scan_rows = 10000;
  size_t scan_bytes = 2 << 20;  // A page has to fit into a message, with what its encoding adds.
  size_t waiting_calls = 20000;
  size_t waiting_bytes = 256 << 20;
  size_t uncommitted_bytes = 64 << 20;  // See raft::Config,
  size_t outbox_bytes = 64 << 20;       // store::Outbox::Limits.
  // See ListenerOptions, Http2Options and GrpcServerOptions.
  size_t connections = 10000;
  size_t connections_per_address = 10000;
  size_t streams = 1024;
  size_t held_bytes = 256 << 20;

  friend bool operator==(const Limits&, const Limits&) = default;
};

inline void Apply(const Limits& limits, store::Options* options) {
  options->key_bytes_max = limits.key_bytes;
  options->value_bytes_max = limits.value_bytes;
  options->scan_rows_max = limits.scan_rows;
  options->scan_bytes_max = limits.scan_bytes;
  options->waiting_calls_max = limits.waiting_calls;
  options->waiting_bytes_max = limits.waiting_bytes;
  options->raft.uncommitted_bytes_max = limits.uncommitted_bytes;
  options->outbox.bytes_max = limits.outbox_bytes;
}

inline void Apply(const Limits& limits, GrpcServerOptions* options) {
  options->listener.max_connections = limits.connections;
  options->listener.max_connections_per_address = limits.connections_per_address;
  options->http2.max_concurrent_streams = static_cast<uint32_t>(limits.streams);
  options->max_held_bytes = limits.held_bytes;
}

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_LIMITS_H_
