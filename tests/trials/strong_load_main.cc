// SPDX-License-Identifier: Apache-2.0
// strong_load: clients that read and write a cluster's keys, and a record of all that they were
// told, for check_history --model flaredb.
//   strong_load --addr 127.0.0.1:50051,127.0.0.1:50052 --seconds 60 --history FILE
// It ends after --seconds, or on SIGTERM, with one line of JSON. The keys are new ones: their
// prefix says when the load began. Exit 0: every call was resolved in its time; 1: one was not;
// 2: bad input.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/base/time.h"
#include "net/client/client.h"
#include "net/client/result.h"

namespace flaredb {
namespace {

using client::Client;
using Clock = std::chrono::steady_clock;

constexpr int kUnresolved = 1;
constexpr int kBadInput = 2;
// A call may be late by so much: what its thread and the machine take beside it.
constexpr double kLateMsMax = 2000;

std::atomic<bool> stopping = false;

struct Settings {
  std::vector<std::string> addresses;
  std::string ns;
  std::string history;
  double seconds = 60;
  size_t clients = 12;
  size_t keys = 40;
  int64_t timeout_ms = 5000;
};

// Lines in the order of events: a line is written before the call that it invokes, and after the
// answer that it tells.
class History {
 public:
  explicit History(const std::string& path) : out_(path) {}
  bool ok() const { return static_cast<bool>(out_); }

  template <typename... Words>
  void Add(size_t client, const Words&... words) {
    const std::lock_guard lock(mutex_);
    out_ << client;
    ((out_ << ' ' << words), ...);
    out_ << '\n';
  }
  void Close() { out_.close(); }

 private:
  std::mutex mutex_;
  std::ofstream out_;
};

struct Tally {
  uint64_t ok = 0;
  uint64_t mismatch = 0;
  uint64_t unknown = 0;
  uint64_t not_applied = 0;
  double longest_ms = 0;
  std::string last_error;
};

// One client: an operation after the other on a few keys, most of them with the version that it saw
// last, so that they succeed as long as nobody else was faster.
class Worker {
 public:
  Worker(const Settings& settings, size_t number, std::string prefix, History* history)
      : settings_(settings),
        number_(number),
        prefix_(std::move(prefix)),
        history_(history),
        random_(number) {
    // Each begins with another store.
    std::vector<std::string> endpoints = settings.addresses;
    const auto first = static_cast<std::ptrdiff_t>(number % endpoints.size());
    std::rotate(endpoints.begin(), endpoints.begin() + first, endpoints.end());
    client_ = Client::Create({.endpoints = std::move(endpoints),
                              .timeout = Duration::Milliseconds(settings.timeout_ms)})
                  .value();
  }

  void Run() {
    while (!stopping) Step();
  }
  const Tally& tally() const { return tally_; }

 private:
  void Step() {
    const std::string key = prefix_ + std::to_string(random_() % settings_.keys);
    uint64_t& seen = versions_[key];
    const auto began = Clock::now();
    const uint64_t dice = random_() % 100;
    bool failed = false;
    if (dice < 40) {
      failed = Get(key, &seen);
    } else if (dice < 90 || seen == 0) {
      const uint64_t value = ++values_ * settings_.clients + number_;
      // A few don't fit on purpose.
      const uint64_t expected = dice < 86 ? seen : seen + 1;
      history_->Add(number_, "invoke cas", key, expected, value);
      failed = Tell(client_->Cas(key, std::to_string(value), expected, {.ns = settings_.ns}), true,
                    &seen);
    } else {
      history_->Add(number_, "invoke cas_delete", key, seen);
      failed = Tell(client_->CasDelete(key, seen, {.ns = settings_.ns}), false, &seen);
    }
    const std::chrono::duration<double, std::milli> took = Clock::now() - began;
    tally_.longest_ms = std::max(tally_.longest_ms, took.count());
    if (failed) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }

  // Whether it failed.
  bool Get(const std::string& key, uint64_t* seen) {
    history_->Add(number_, "invoke get", key);
    const auto result = client_->Get(key, {.ns = settings_.ns});
    if (const auto* error = std::get_if<client::Error>(&result)) return Fail(*error);
    const auto& found = std::get<0>(result);
    ++tally_.ok;
    *seen = found ? found->version : 0;
    if (found) {
      history_->Add(number_, "ok", found->version, found->value);
    } else {
      history_->Add(number_, "ok 0");
    }
    return false;
  }

  bool Tell(const client::CasResult& result, bool has_version, uint64_t* seen) {
    if (const auto* applied = std::get_if<client::Applied>(&result)) {
      ++tally_.ok;
      *seen = applied->version;
      has_version ? history_->Add(number_, "ok", applied->version) : history_->Add(number_, "ok");
    } else if (const auto* mismatch = std::get_if<client::Mismatch>(&result)) {
      ++tally_.mismatch;
      *seen = mismatch->version;
      history_->Add(number_, "mismatch", mismatch->version);
    } else if (std::holds_alternative<client::Unknown>(result)) {
      ++tally_.unknown;
      history_->Add(number_, "info");
      return true;
    } else {
      return Fail(std::get<client::Error>(result));
    }
    return false;
  }

  bool Fail(const client::Error& error) {
    ++tally_.not_applied;
    tally_.last_error = error.message;
    history_->Add(number_, "fail");
    return true;
  }

  const Settings& settings_;
  const size_t number_;
  const std::string prefix_;
  History* const history_;
  std::mt19937_64 random_;
  std::unique_ptr<Client> client_;
  std::map<std::string, uint64_t> versions_;
  uint64_t values_ = 0;
  Tally tally_;
};

int BadInput(const std::string& message) {
  std::cerr << "strong_load: " << message << "\n";
  return kBadInput;
}

int Run(const Settings& settings) {
  History history(settings.history);
  if (!history.ok()) return BadInput("cannot write " + settings.history);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string prefix = "load-" + std::to_string(now.count()) + "-";

  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < settings.clients; ++i) {
    workers.push_back(std::make_unique<Worker>(settings, i, prefix, &history));
  }
  const auto began = Clock::now();
  for (const auto& worker : workers) threads.emplace_back([&worker] { worker->Run(); });
  const auto end = began + std::chrono::duration<double>(settings.seconds);
  while (!stopping && Clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  stopping = true;
  for (std::thread& thread : threads) thread.join();
  history.Close();

  Tally sum;
  for (const auto& worker : workers) {
    const Tally& tally = worker->tally();
    sum.ok += tally.ok;
    sum.mismatch += tally.mismatch;
    sum.unknown += tally.unknown;
    sum.not_applied += tally.not_applied;
    sum.longest_ms = std::max(sum.longest_ms, tally.longest_ms);
    if (!tally.last_error.empty()) sum.last_error = tally.last_error;
  }
  const bool resolved = sum.longest_ms <= static_cast<double>(settings.timeout_ms) + kLateMsMax;
  std::printf(
      "{\"ok\":%llu,\"mismatch\":%llu,\"unknown\":%llu,\"not_applied\":%llu,\"longest_ms\":%.0f,"
      "\"resolved\":%s}\n",
      static_cast<unsigned long long>(sum.ok), static_cast<unsigned long long>(sum.mismatch),
      static_cast<unsigned long long>(sum.unknown),
      static_cast<unsigned long long>(sum.not_applied), sum.longest_ms,
      resolved ? "true" : "false");
  if (!sum.last_error.empty()) std::cerr << "strong_load: an error: " << sum.last_error << "\n";
  return resolved ? 0 : kUnresolved;
}

int Main(int argc, char** argv) {
  CLI::App app("Reads and writes keys, and records what it was told", "strong_load");
  Settings settings;
  app.add_option("--addr", settings.addresses, "Stores")->delimiter(',')->required();
  app.add_option("--history", settings.history, "File to write")->required();
  app.add_option("--namespace", settings.ns, "By default the one that needs no name");
  app.add_option("--seconds", settings.seconds)->check(CLI::PositiveNumber);
  app.add_option("--clients", settings.clients)->check(CLI::PositiveNumber);
  app.add_option("--keys", settings.keys)->check(CLI::PositiveNumber);
  app.add_option("--timeout-ms", settings.timeout_ms, "Of a call")->check(CLI::PositiveNumber);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::ParseError& error) {
    return BadInput(error.what());
  }
  return Run(settings);
}

}  // namespace
}  // namespace flaredb

int main(int argc, char** argv) {
  std::signal(SIGTERM, [](int) { flaredb::stopping = true; });
  return flaredb::Main(argc, argv);
}
