// SPDX-License-Identifier: Apache-2.0
// "host:port" texts, socket addresses, and the way from one to the other.
#ifndef FLAREDB_NET_ADDRESS_H_
#define FLAREDB_NET_ADDRESS_H_

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace flaredb::net {

// A parsed but unresolved address.
struct HostPort {
  std::string host;  // Without the brackets of an IPv6 address. Never empty.
  uint16_t port = 0;
};

// Accepts "host:port" and "[ipv6]:port". The error is one sentence that quotes the text.
absl::StatusOr<HostPort> ParseHostPort(std::string_view text);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  // "127.0.0.1:50051", "[::1]:50051".
  std::string ToString() const;
};

// Resolves a numeric host; an empty result means that `host` is a name. Does not block.
std::vector<SocketAddress> ResolveNumeric(const HostPort& address);
// Resolves a name or number; BLOCKS while name servers are asked.
absl::StatusOr<std::vector<SocketAddress>> ResolveBlocking(const HostPort& address);

// Whether only this machine itself reaches the address.
bool IsLoopback(const SocketAddress& address);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_ADDRESS_H_
