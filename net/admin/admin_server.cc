// SPDX-License-Identifier: Apache-2.0
#include "net/admin/admin_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/strings.h"
#include "net/address.h"
#include "net/admin/metrics.h"
#include "net/admin/probes.h"
#include "net/admin/process_figures.h"
#include "net/system_clock.h"

namespace flaredb::net {
namespace {

constexpr char kText[] = "text/plain; charset=utf-8";
// A slow reader must not hold up a supervisor's question.
constexpr size_t kThreads = 4;
constexpr time_t kPatienceSeconds = 2;
constexpr size_t kRequestBytesMax = 4 << 10;

constexpr char kIndex[] =
    "/metrics          figures for Prometheus\n"
    "/livez?verbose    is the process alive\n"
    "/readyz?verbose   does the store serve\n";

class HttpAdminServer : public AdminServer {
 public:
  explicit HttpAdminServer(const StatusBoard* board) : board_(board) {
    http_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    // An idle connection would occupy a thread, which asks for its end 100 times a second.
    http_.set_keep_alive_max_count(1);
    http_.set_keep_alive_timeout(kPatienceSeconds);  // Also of the first request.
    http_.set_read_timeout(kPatienceSeconds);
    http_.set_write_timeout(kPatienceSeconds);
    http_.set_payload_max_length(kRequestBytesMax);
    // Not the library's SO_REUSEPORT: two servers on one port would answer in turn.
    http_.set_socket_options([](int fd) {
      const int on = 1;
      setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    });
    http_.Get("/", [](const httplib::Request&, httplib::Response& response) {
      response.set_content(kIndex, kText);
    });
    http_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      const auto status = board_->Read();
      response.set_content(MetricsPage(*status, ReadProcessFigures(status->data_dir)),
                           kMetricsContentType);
    });
    AddProbe("livez", Liveness);
    AddProbe("readyz", Readiness);
  }

  ~HttpAdminServer() override {
    http_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Listen(std::string_view address) {
    const auto host_port = ParseHostPort(address);
    if (!host_port.ok()) return host_port.status();
    errno = 0;
    if (!http_.bind_to_port(host_port->host, host_port->port)) {
      return absl::UnavailableError(absl::StrCat(
          "cannot listen on ", ToAbsl(address),
          ", given as --admin-addr: ", errno == 0 ? "no such address" : strerror(errno),
          "; choose another address or port, or stop the port's owner"));
    }
    thread_ = std::thread([this] { http_.listen_after_bind(); });
    // The library ignores a stop that comes before this.
    while (!http_.is_running()) std::this_thread::yield();
    return absl::OkStatus();
  }

 private:
  void AddProbe(const std::string& page, Probe (*probe)(const ServerStatus&, Instant)) {
    http_.Get("/" + page,
              [this, page, probe](const httplib::Request& request, httplib::Response& response) {
                const Probe results = probe(*board_->Read(), MonotonicNow());
                const bool passed = Passed(results);
                response.status = passed ? 200 : 503;
                response.set_content(
                    ProbePage(page, results, !passed || request.has_param("verbose")), kText);
              });
  }

  const StatusBoard* const board_;
  httplib::Server http_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(std::string_view address,
                                                                const StatusBoard* board) {
  auto server = std::make_unique<HttpAdminServer>(board);
  if (absl::Status s = server->Listen(address); !s.ok()) return s;
  return server;
}

}  // namespace flaredb::net
