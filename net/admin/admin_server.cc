// SPDX-License-Identifier: Apache-2.0
#include "net/admin/admin_server.h"

#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/admin/http_server.h"
#include "net/admin/metrics.h"
#include "net/admin/probes.h"
#include "net/admin/process_figures.h"
#include "net/event_loop.h"
#include "net/system_clock.h"

namespace flaredb::net {
namespace {

constexpr char kText[] = "text/plain; charset=utf-8";

constexpr char kIndex[] =
    "/metrics          figures for Prometheus\n"
    "/livez?verbose    is the process alive\n"
    "/readyz?verbose   does the store serve\n";

HttpAnswer AnswerProbe(std::string_view page, std::string_view query, const Probe& results) {
  const bool passed = Passed(results);
  const bool verbose = query == "verbose" || query.starts_with("verbose=");
  return {passed ? 200 : 503, kText, ProbePage(page, results, !passed || verbose)};
}

HttpAnswer Answer(const ServerStatus& status, std::string_view path, std::string_view query) {
  if (path == "/") return {200, kText, kIndex};
  if (path == "/metrics") {
    return {200, kMetricsContentType, MetricsPage(status, ReadProcessFigures(status.data_dir))};
  }
  if (path == "/livez") return AnswerProbe("livez", query, Liveness(status, MonotonicNow()));
  if (path == "/readyz") return AnswerProbe("readyz", query, Readiness(status, MonotonicNow()));
  return {404, kText, kIndex};
}

class HttpAdminServer : public AdminServer {
 public:
  HttpAdminServer(std::unique_ptr<EventLoop> loop, const StatusBoard* board)
      : loop_(std::move(loop)),
        http_(loop_.get(), [board](std::string_view path, std::string_view query) {
          return Answer(*board->Read(), path, query);
        }) {}

  ~HttpAdminServer() override {
    if (!thread_.joinable()) return;
    loop_->Post([this] { stopping_ = true; });
    thread_.join();
  }

  absl::Status Listen(std::string_view address) {
    if (const auto port = http_.Listen(address); !port.ok()) {
      const std::string why = absl::StrCat("--admin-addr: ", port.status().message());
      return absl::IsInvalidArgument(port.status()) ? absl::InvalidArgumentError(why)
                                                    : absl::UnavailableError(why);
    }
    thread_ = std::thread([this] {
      while (!stopping_) loop_->RunOnce(Instant::Max());
    });
    return absl::OkStatus();
  }

 private:
  // As soon as the thread runs, all but Post belongs to it.
  const std::unique_ptr<EventLoop> loop_;
  HttpServer http_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(std::string_view address,
                                                                const StatusBoard* board) {
  auto loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  auto server = std::make_unique<HttpAdminServer>(*std::move(loop), board);
  if (absl::Status s = server->Listen(address); !s.ok()) return s;
  return server;
}

}  // namespace flaredb::net
