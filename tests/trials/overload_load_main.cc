// SPDX-License-Identifier: Apache-2.0
// overload_load: as many calls at a time as is said, from one thread, and what became of them.
//   overload_load --addr 127.0.0.1:50051 --method raw_put --outstanding 1000 --seconds 10
// A call that is answered is followed by another one at once, and one that is refused for load
// after the pause that a client is told to make. Ends with one line of JSON. Exit 0: it was
// measured; 2: bad input.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "core/base/time.h"
#include "net/event_loop.h"
#include "net/grpc_client.h"
#include "net/system_clock.h"
#include "proto/kvrpc.pb.h"

namespace flaredb::net {
namespace {

constexpr int kBadInput = 2;
// Of a server's limit of concurrent streams.
constexpr size_t kCallsPerConnection = 500;
constexpr Duration kBusyPause = Duration::Milliseconds(100);

struct Settings {
  std::vector<std::string> addresses;
  std::string method = "raw_put";
  std::string ns;
  size_t outstanding = 100;
  size_t value_bytes = 100;
  size_t keys = 10000;
  double seconds = 10;
  double warm_up_seconds = 1;
  int64_t timeout_ms = 20000;
};

// How long calls took that ended alike.
struct Kind {
  std::vector<double> ms;

  nlohmann::json Told(double seconds) {
    std::sort(ms.begin(), ms.end());
    const auto at = [&](double part) {
      return ms[static_cast<size_t>(static_cast<double>(ms.size() - 1) * part)];
    };
    return {{"per_second", static_cast<double>(ms.size()) / seconds},
            {"p50_ms", at(0.5)},
            {"p99_ms", at(0.99)},
            {"max_ms", at(1)}};
  }
};

class Load {
 public:
  Load(EventLoop* loop, const Settings& settings)
      : loop_(loop),
        settings_(settings),
        value_(settings.value_bytes, 'v'),
        from_(loop->now() + Seconds(settings.warm_up_seconds)),
        until_(from_ + Seconds(settings.seconds)) {
    GrpcChannelOptions options;
    options.http2.max_concurrent_streams = kCallsPerConnection;
    const size_t connections =
        std::max(settings.addresses.size(), (settings.outstanding - 1) / kCallsPerConnection + 1);
    for (size_t i = 0; i < connections; ++i) {
      options.seed = i + 1;
      channels_.push_back(std::make_unique<GrpcChannel>(
          loop, settings.addresses[i % settings.addresses.size()], options));
    }
    for (size_t i = 0; i < settings.outstanding; ++i) Call(i % connections);
  }

  void Run() {
    while (loop_->now() < until_) loop_->RunOnce(until_);
  }
  nlohmann::json Told() {
    nlohmann::json told = {{"outstanding", settings_.outstanding}};
    for (auto& [code, kind] : kinds_) {
      told[absl::StatusCodeToString(code)] = kind.Told(settings_.seconds);
    }
    if (!last_failure_.empty()) told["last_failure"] = last_failure_;
    return told;
  }

 private:
  static Duration Seconds(double s) {
    return Duration::Microseconds(static_cast<int64_t>(s * 1e6));
  }

  void Call(size_t channel) {
    const auto began = loop_->now();
    CallOptions options;
    options.wait_for_ready = true;
    options.deadline = began + Duration::Milliseconds(settings_.timeout_ms);
    const auto [method, request] = Next();
    channels_[channel]->Unary(method, request, options, [=, this](const UnaryResult& result) {
      Count(result.status, began);
      if (result.status.ok()) return Call(channel);
      loop_->StartTimer(loop_->now() + kBusyPause, [=, this] { Call(channel); });
    });
  }

  void Count(const GrpcStatus& status, Instant began) {
    const bool ok = status.ok();
    const bool busy = status.code == absl::StatusCode::kResourceExhausted;
    if (!ok && !busy) last_failure_ = status.message;
    if (loop_->now() < from_) return;
    const auto took = loop_->now() - began;
    kinds_[status.code].ms.push_back(static_cast<double>(took.nanoseconds()) / 1e6);
  }

  std::pair<const char*, std::string> Next() {
    const std::string key = "load-" + std::to_string(++calls_ % settings_.keys);
    if (settings_.method == "raw_put") {
      kvrpc::RawPutRequest request;
      request.set_key(key);
      request.set_value(value_);
      request.set_namespace_(settings_.ns);
      return {"/kvrpc.KvRaw/RawPut", request.SerializeAsString()};
    }
    if (settings_.method == "put") {
      kvrpc::CasRequest request;
      // A new one each time, so that every write is one.
      request.set_key(key + "-" + std::to_string(calls_) + "-" +
                      std::to_string(began_.nanoseconds()));
      request.set_value(value_);
      request.set_namespace_(settings_.ns);
      return {"/kvrpc.KvCas/CompareAndSwap", request.SerializeAsString()};
    }
    kvrpc::GetRequest request;
    request.set_key(key);
    request.set_namespace_(settings_.ns);
    return {"/kvrpc.KvCas/Get", request.SerializeAsString()};
  }

  EventLoop* const loop_;
  const Settings settings_;
  const std::string value_;
  const Instant from_;
  const Instant until_;
  const Duration began_ = Duration::Milliseconds(static_cast<int64_t>(UnixMsNow()));
  uint64_t calls_ = 0;
  std::map<absl::StatusCode, Kind> kinds_;
  std::string last_failure_;
  std::vector<std::unique_ptr<GrpcChannel>> channels_;  // The last: its calls use the others.
};

int Main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Calls at a time, and what became of them");
  app.add_option("--addr", settings.addresses)->required()->delimiter(',');
  app.add_option("--method", settings.method)->check(CLI::IsMember({"put", "get", "raw_put"}));
  app.add_option("--namespace", settings.ns);
  app.add_option("--outstanding", settings.outstanding)->check(CLI::Range(1, 1000000));
  app.add_option("--value-bytes", settings.value_bytes);
  app.add_option("--keys", settings.keys)->check(CLI::Range(1, 1000000));
  app.add_option("--seconds", settings.seconds);
  app.add_option("--warm-up-seconds", settings.warm_up_seconds);
  app.add_option("--timeout-ms", settings.timeout_ms);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadInput;
  }
  const auto loop = EventLoop::Create();
  if (!loop.ok()) {
    std::cerr << loop.status().message() << '\n';
    return kBadInput;
  }
  Load load(loop->get(), settings);
  load.Run();
  std::cout << load.Told().dump() << std::endl;
  return 0;
}

}  // namespace
}  // namespace flaredb::net

int main(int argc, char** argv) { return flaredb::net::Main(argc, argv); }
