// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include <charconv>

#include "absl/strings/str_cat.h"
#include "core/base/strings.h"

namespace flaredb::net {
namespace {

absl::StatusOr<std::vector<SocketAddress>> GetAddresses(const HostPort& address, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const std::string port = std::to_string(address.port);
  const int error = getaddrinfo(address.host.c_str(), port.c_str(), &hints, &list);
  if (error != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot resolve \"", address.host, "\": ", gai_strerror(error),
                     "; check the name, or write the address in numbers"));
  }
  std::vector<SocketAddress> result;
  for (const addrinfo* a = list; a != nullptr; a = a->ai_next) {
    SocketAddress socket_address;
    memcpy(&socket_address.storage, a->ai_addr, a->ai_addrlen);
    socket_address.size = a->ai_addrlen;
    result.push_back(socket_address);
  }
  freeaddrinfo(list);
  return result;
}

}  // namespace

absl::StatusOr<HostPort> ParseHostPort(std::string_view text) {
  const auto fail = [&](const char* why) {
    return absl::InvalidArgumentError(absl::StrCat("address \"", ToAbsl(text), "\" ", why,
                                                   "; expected host:port or [ipv6]:port"));
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail("has no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return fail("holds an IPv6 address without brackets");
  }
  if (host.empty()) return fail("has no host");
  if (host.find('\0') != std::string_view::npos) return fail("holds a zero byte");
  uint16_t port = 0;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc() || end != port_text.data() + port_text.size()) {
    return fail("has a port that is not a number from 0 to 65535");
  }
  return HostPort{std::string(host), port};
}

std::string SocketAddress::ToString() const {
  char host[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
    return absl::StrCat(host, ":", ntohs(v4->sin_port));
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
  inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
  return absl::StrCat("[", host, "]:", ntohs(v6->sin6_port));
}

std::vector<SocketAddress> ResolveNumeric(const HostPort& address) {
  auto result = GetAddresses(address, AI_NUMERICHOST);
  if (!result.ok()) return {};
  return *std::move(result);
}

absl::StatusOr<std::vector<SocketAddress>> ResolveBlocking(const HostPort& address) {
  return GetAddresses(address, AI_ADDRCONFIG);
}

bool IsLoopback(const SocketAddress& address) {
  if (address.storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address.storage);
    return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
  return address.storage.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

}  // namespace flaredb::net
