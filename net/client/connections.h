// SPDX-License-Identifier: Apache-2.0
// The connections of a client, shared by all threads that use it.
#ifndef FLAREDB_NET_CLIENT_CONNECTIONS_H_
#define FLAREDB_NET_CLIENT_CONNECTIONS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "core/base/time.h"
#include "net/event_loop.h"
#include "net/grpc_client.h"

namespace flaredb::client {

// One connection to each address that was ever called, and one thread, which serves all of them.
// The thread takes no signals.
class Connections {
 public:
  // Fails when the process is out of descriptors or memory. `seed` spreads attempts to connect.
  // `tls` nullptr: plain TCP. `token` empty: none is shown.
  static absl::StatusOr<std::unique_ptr<Connections>> Create(
      uint64_t seed, std::shared_ptr<const net::TlsContext> tls, const std::string& token);
  // No call may be in progress.
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // A unary call of "/package.Service/Method". Blocks the calling thread until it is done, at most
  // `timeout`; fails fast when the store can't be reached. Thread-safe.
  net::UnaryResult Call(const std::string& address, std::string method, std::string request,
                        Duration timeout);

 private:
  Connections(std::unique_ptr<net::EventLoop> loop, uint64_t seed,
              std::shared_ptr<const net::TlsContext> tls, const std::string& token);

  // The rest is for the thread alone while it runs.
  void Run();
  net::GrpcChannel& ChannelTo(const std::string& address);

  const std::unique_ptr<net::EventLoop> loop_;
  const uint64_t seed_;
  const std::shared_ptr<const net::TlsContext> tls_;
  const net::Metadata metadata_;  // Of every call.
  std::map<std::string, std::unique_ptr<net::GrpcChannel>> channels_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace flaredb::client

#endif  // FLAREDB_NET_CLIENT_CONNECTIONS_H_
