// SPDX-License-Identifier: Apache-2.0
// A store that answers as a test tells it to, for what real ones do too rarely.
#ifndef FLAREDB_TESTS_NET_CLIENT_SCRIPTED_STORE_H_
#define FLAREDB_TESTS_NET_CLIENT_SCRIPTED_STORE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "net/event_loop.h"
#include "net/grpc_server.h"
#include "net/grpc_status.h"

namespace flaredb::client {

struct Silence {};  // The call stays open.
using Answer = std::variant<std::string, net::GrpcStatus, Silence>;

// Serves what the client library calls on a free port of 127.0.0.1, in a thread of its own.
class ScriptedStore {
 public:
  // `script` runs in the store's thread. `method` is "Get", "CompareAndSwap"...
  using Script = std::function<Answer(const std::string& method, const std::string& request)>;
  explicit ScriptedStore(Script script);
  ~ScriptedStore();

  const std::string& address() const { return address_; }
  // Serialized requests in their order.
  std::vector<std::string> requests() const;
  size_t connections();

 private:
  const Script script_;
  const std::unique_ptr<net::EventLoop> loop_;
  std::unique_ptr<net::GrpcServer> server_;
  std::vector<net::UnaryCall> silent_;
  std::string address_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;  // Guarded by mutex_.
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace flaredb::client

#endif  // FLAREDB_TESTS_NET_CLIENT_SCRIPTED_STORE_H_
