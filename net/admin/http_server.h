// SPDX-License-Identifier: Apache-2.0
// As much of HTTP/1.1 as supervisors and scrapers speak: a GET, its answer, the end of the
// connection. Everything that a client may cost has a bound.
#ifndef FLAREDB_NET_ADMIN_HTTP_SERVER_H_
#define FLAREDB_NET_ADMIN_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/base/time.h"
#include "net/event_loop.h"
#include "net/listener.h"

namespace flaredb::net {

struct HttpLimits {
  // Open at a time. One more ends the oldest: who has just come with a question is served, however
  // many hold on to a connection.
  size_t connections = 64;
  // Of a request, all headers included.
  size_t request_bytes = 8 << 10;
  // From the beginning of a connection to its end.
  Duration patience = Duration::Seconds(5);
};

struct HttpAnswer {
  int status = 200;
  std::string content_type;
  std::string body;
};

// `query` is what stands behind the path's "?".
using HttpHandler = std::function<HttpAnswer(std::string_view path, std::string_view query)>;

// Lives on the thread of its loop, which outlives it.
class HttpServer {
 public:
  HttpServer(EventLoop* loop, HttpHandler handler, HttpLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Serves at "host:port"; port 0 lets the system choose. Returns the port. One clear sentence on
  // failure.
  absl::StatusOr<uint16_t> Listen(std::string_view address);

 private:
  class Connection;

  void Accept(int fd);
  // The whole answer, headers included, to a request that ends with its headers.
  std::string Answer(std::string_view request) const;

  EventLoop* const loop_;
  const HttpHandler handler_;
  const HttpLimits limits_;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;  // In the order of their coming.
  uint64_t last_connection_ = 0;
  std::unique_ptr<Listener> listener_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_ADMIN_HTTP_SERVER_H_
