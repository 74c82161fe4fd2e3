// SPDX-License-Identifier: Apache-2.0
// mode_switch_load: switches a namespace of many keys from strong to eventual and back while
// clients write to it by both doors, and checks what they were told.
//   mode_switch_load --addr 127.0.0.1:50051,127.0.0.1:50052,127.0.0.1:50053 --namespace trial
// A line of JSON for each switch and one at the end. The namespace must be new. Exit 0: nothing was
// lost, no version went back, nothing came in by the wrong door, and every call was resolved; 1:
// not so, and standard error says what; 2: bad input; 3: the trial could not be carried out.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/base/time.h"
#include "net/client/client.h"
#include "net/client/cluster.h"
#include "net/client/result.h"

namespace flaredb {
namespace {

using client::Client;
using client::Cluster;
using Clock = std::chrono::steady_clock;

constexpr int kWrong = 1;
constexpr int kBadInput = 2;
constexpr int kCannot = 3;
constexpr int64_t kTimeoutMs = 10000;  // Of a call.
constexpr double kLateMsMax = 2000;    // Beyond it, for the machine.
constexpr size_t kFillers = 64;

double MsSince(Clock::time_point then) {
  return std::chrono::duration<double, std::milli>(Clock::now() - then).count();
}

struct Settings {
  std::vector<std::string> addresses;
  std::string ns;
  size_t keys = 100000;
  size_t round_trips = 10;
  size_t writers = 8;
  size_t value_bytes = 100;
  double rest_seconds = 2;  // Of load between two switches.
};

// What the one writer of a key knows of it. Values are numbers; zero: no value, it was deleted.
struct KeyState {
  uint64_t value = 0;            // Of the last write that was acknowledged.
  std::vector<uint64_t> maybes;  // Of later ones with an unknown outcome.
  uint64_t version = 0;          // The greatest that was seen.
  uint64_t expected = 0;         // The live version, as far as is known.
};

// What is common to all writers: whether they may go on, what they may meet, and what went wrong.
class Trial {
 public:
  enum Phase : uint64_t { kStrong = 0, kToEventual = 1, kEventual = 2, kToStrong = 3 };

  // Counts up through the phases, for ever.
  uint64_t phase() const { return phase_; }
  static Phase PhaseOf(uint64_t count) { return static_cast<Phase>(count % 4); }
  void NextPhase() {
    const std::lock_guard lock(mutex_);
    ++phase_;
    if (PhaseOf(phase_) == kToEventual || PhaseOf(phase_) == kToStrong) {
      gap_ms_ = 0;
      opened_.reset();
    }
  }

  // A write was accepted by one door: was it open?
  //   count   phase() before the call
  void OnAccepted(bool raw, uint64_t count, Clock::time_point invoked) {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    ++(raw ? raw_accepted_ : strong_accepted_);
    if (last_accepted_) {
      gap_ms_ = std::max(gap_ms_,
                         std::chrono::duration<double, std::milli>(now - *last_accepted_).count());
    }
    last_accepted_ = now;
    const Phase phase = PhaseOf(phase_);
    if (phase_ == count && phase == (raw ? kStrong : kEventual)) {
      WrongLocked(raw ? "a RawPut was accepted in strong mode"
                      : "a CAS succeeded in eventual mode");
    }
    const bool to_eventual = phase == kToEventual || phase == kEventual;
    if (raw == to_eventual) {
      if (!opened_) opened_ = now;
    } else if (opened_ && invoked > *opened_) {
      WrongLocked("a write was accepted by the old door after one by the new door");
    }
  }
  void OnRefused() { ++refused_; }
  void OnUnknown() { ++unknown_; }
  void OnNotApplied(const std::string& message) {
    const std::lock_guard lock(mutex_);
    ++not_applied_;
    last_error_ = message;
  }
  void OnReturned(double ms) {
    const std::lock_guard lock(mutex_);
    longest_ms_ = std::max(longest_ms_, ms);
    if (ms > kTimeoutMs + kLateMsMax) WrongLocked("a call was not resolved in its time");
  }
  void Wrong(const std::string& what) {
    const std::lock_guard lock(mutex_);
    WrongLocked(what);
  }

  // Writers hold this, shared, while a call is open.
  void EnterCall() {
    for (;;) {
      ++open_calls_;
      if (!paused_) return;
      --open_calls_;
      while (paused_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  void LeaveCall() { --open_calls_; }
  void Pause() {
    paused_ = true;
    while (open_calls_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  void Resume() {
    {
      const std::lock_guard lock(mutex_);
      last_accepted_.reset();
    }
    paused_ = false;
  }

  double gap_ms() {
    const std::lock_guard lock(mutex_);
    return gap_ms_;
  }
  uint64_t wrongs() {
    const std::lock_guard lock(mutex_);
    return wrongs_;
  }
  void PrintSummary() {
    const std::lock_guard lock(mutex_);
    std::printf(
        "{\"strong_accepted\":%llu,\"raw_accepted\":%llu,\"refused\":%llu,\"unknown\":%llu,"
        "\"not_applied\":%llu,\"longest_ms\":%.0f,\"wrong\":%llu}\n",
        static_cast<unsigned long long>(strong_accepted_),
        static_cast<unsigned long long>(raw_accepted_),
        static_cast<unsigned long long>(refused_.load()),
        static_cast<unsigned long long>(unknown_.load()),
        static_cast<unsigned long long>(not_applied_), longest_ms_,
        static_cast<unsigned long long>(wrongs_));
    if (!last_error_.empty()) std::cerr << "mode_switch_load: an error: " << last_error_ << "\n";
  }

  std::atomic<bool> stopping = false;

 private:
  void WrongLocked(const std::string& what) {
    if (++wrongs_ <= 20) std::cerr << "mode_switch_load: WRONG: " << what << "\n";
  }

  std::atomic<uint64_t> phase_ = 0;
  std::atomic<bool> paused_ = false;
  std::atomic<int64_t> open_calls_ = 0;
  std::atomic<uint64_t> refused_ = 0;
  std::atomic<uint64_t> unknown_ = 0;
  std::mutex mutex_;
  std::optional<Clock::time_point> last_accepted_;
  std::optional<Clock::time_point> opened_;  // The new door, by the first write that it let in.
  double gap_ms_ = 0;
  double longest_ms_ = 0;
  uint64_t strong_accepted_ = 0;
  uint64_t raw_accepted_ = 0;
  uint64_t not_applied_ = 0;
  uint64_t wrongs_ = 0;
  std::string last_error_;
};

std::string KeyName(size_t key) {
  std::string digits = std::to_string(key);
  return "key-" + std::string(8 - std::min<size_t>(8, digits.size()), '0') + digits;
}

class Writer {
 public:
  Writer(const Settings& settings, size_t number, Trial* trial, std::vector<KeyState>* keys)
      : settings_(settings), number_(number), trial_(trial), keys_(keys), random_(number) {
    const client::ClientOptions all{.endpoints = settings.addresses,
                                    .timeout = Duration::Milliseconds(kTimeoutMs)};
    client::ClientOptions one = all;
    // Times of one store only grow, so that the last write to a key is the one that wins.
    one.endpoints = {settings.addresses[number % settings.addresses.size()]};
    strong_ = Client::Create(all).value();
    raw_ = Client::Create(one).value();
  }

  void Run() {
    while (!trial_->stopping) {
      trial_->EnterCall();
      Step();
      trial_->LeaveCall();
    }
  }

 private:
  void Step() {
    const size_t keys = (settings_.keys + settings_.writers - 1 - number_) / settings_.writers;
    const size_t key = random_() % keys * settings_.writers + number_;
    const uint64_t phase = trial_->phase();
    const bool eventual =
        Trial::PhaseOf(phase) == Trial::kEventual || Trial::PhaseOf(phase) == Trial::kToEventual;
    // Now and then by the door that should be closed.
    const bool raw = random_() % 10 == 0 ? !eventual : eventual;
    const bool deletes = random_() % 10 == 0;
    const uint64_t value = deletes ? 0 : ++values_ * settings_.writers + number_;
    const auto invoked = Clock::now();
    if (raw) {
      RawWrite(key, value, phase, invoked);
    } else {
      StrongWrite(key, value, phase, invoked);
    }
    trial_->OnReturned(MsSince(invoked));
  }

  std::string Text(uint64_t value) const {
    std::string text = std::to_string(value) + " ";
    text.resize(std::max(text.size(), settings_.value_bytes), '.');
    return text;
  }

  void RawWrite(size_t key, uint64_t value, uint64_t phase, Clock::time_point invoked) {
    const client::CallOptions options{.ns = settings_.ns};
    const std::string name = KeyName(key);
    const client::RawResult result =
        value == 0 ? raw_->RawDelete(name, options) : raw_->RawPut(name, Text(value), options);
    if (std::holds_alternative<client::Accepted>(result)) {
      trial_->OnAccepted(true, phase, invoked);
      OnWritten(&(*keys_)[key], value);
    } else if (std::holds_alternative<client::Unknown>(result)) {
      OnUnknown(&(*keys_)[key], value);
    } else {
      OnError(std::get<client::Error>(result));
    }
  }

  void StrongWrite(size_t key, uint64_t value, uint64_t phase, Clock::time_point invoked) {
    KeyState& state = (*keys_)[key];
    const client::WriteOptions options{.ns = settings_.ns};
    const std::string name = KeyName(key);
    if (value == 0 && state.expected == 0) return;
    const client::CasResult result = value == 0
                                         ? strong_->CasDelete(name, state.expected, options)
                                         : strong_->Cas(name, Text(value), state.expected, options);
    if (const auto* applied = std::get_if<client::Applied>(&result)) {
      trial_->OnAccepted(false, phase, invoked);
      if (value != 0 && applied->version <= state.version) {
        trial_->Wrong(name + ": version " + std::to_string(applied->version) + " after " +
                      std::to_string(state.version));
      }
      // A deletion takes a version, too.
      state.version = value != 0 ? applied->version : state.version + 1;
      state.expected = applied->version;
      OnWritten(&state, value);
    } else if (const auto* mismatch = std::get_if<client::Mismatch>(&result)) {
      OnVersion(name, mismatch->version, &state);
    } else if (std::holds_alternative<client::Unknown>(result)) {
      OnUnknown(&state, value);
    } else {
      OnError(std::get<client::Error>(result));
    }
  }

  void OnVersion(const std::string& name, uint64_t version, KeyState* state) {
    if (version != 0 && version < state->version) {
      trial_->Wrong(name + ": version " + std::to_string(version) + " is there after " +
                    std::to_string(state->version));
    }
    state->version = std::max(state->version, version);
    state->expected = version;
  }
  static void OnWritten(KeyState* state, uint64_t value) {
    state->value = value;
    state->maybes.clear();
  }
  void OnUnknown(KeyState* state, uint64_t value) {
    trial_->OnUnknown();
    state->maybes.push_back(value);
  }
  void OnError(const client::Error& error) {
    if (error.kind == client::Error::kRefused) {
      trial_->OnRefused();
    } else {
      trial_->OnNotApplied(error.message);
    }
  }

  const Settings& settings_;
  const size_t number_;
  Trial* const trial_;
  std::vector<KeyState>* const keys_;
  std::mt19937_64 random_;
  std::unique_ptr<Client> strong_;
  std::unique_ptr<Client> raw_;
  uint64_t values_ = 0;
};

// All rows of the namespace: key, value's number, version. An error's message on failure.
struct SeenRow {
  std::string key;
  uint64_t value = 0;
  uint64_t version = 0;
};
template <typename ScanPage>
std::variant<std::vector<SeenRow>, std::string> ReadAll(const std::string& ns, ScanPage scan) {
  std::vector<SeenRow> rows;
  client::ScanOptions options{.ns = ns, .timeout = Duration::Seconds(30)};
  do {
    auto page = scan(options);
    if (const auto* error = std::get_if<client::Error>(&page)) return error->message;
    for (auto& row : std::get<0>(page).rows) {
      uint64_t version = 0;
      if constexpr (requires { row.version; }) version = row.version;
      rows.push_back({std::move(row.key), std::stoull(row.value), version});
    }
    options.page_token = std::get<0>(page).next_page_token;
  } while (!options.page_token.empty());
  return rows;
}

class Controller {
 public:
  explicit Controller(const Settings& settings) : settings_(settings), keys_(settings.keys) {
    const client::ClientOptions all{.endpoints = settings.addresses,
                                    .timeout = Duration::Milliseconds(kTimeoutMs)};
    cluster_ = Cluster::Create(all).value();
    client_ = Client::Create(all).value();
    for (const std::string& address : settings.addresses) {
      client::ClientOptions one = all;
      one.endpoints = {address};
      stores_.push_back(Client::Create(one).value());
    }
  }

  int Run() {
    if (!Fill()) return kCannot;
    std::vector<std::unique_ptr<Writer>> writers;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < settings_.writers; ++i) {
      writers.push_back(std::make_unique<Writer>(settings_, i, &trial_, &keys_));
    }
    for (const auto& writer : writers) threads.emplace_back([&writer] { writer->Run(); });
    bool carried_out = true;
    for (size_t i = 0; i < settings_.round_trips && carried_out; ++i) {
      carried_out = Switch("eventual") && Switch("strong");
    }
    trial_.stopping = true;
    for (std::thread& thread : threads) thread.join();
    trial_.PrintSummary();
    if (trial_.wrongs() > 0) return kWrong;
    return carried_out ? 0 : kCannot;
  }

 private:
  bool Fill() {
    const auto began = Clock::now();
    std::atomic<uint64_t> failed = 0;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kFillers; ++i) {
      threads.emplace_back([this, i, &failed] {
        for (size_t key = i; key < settings_.keys; key += kFillers) {
          const std::string value = "0 " + std::string(settings_.value_bytes, '.');
          const auto result = client_->Put(KeyName(key), value, {.ns = settings_.ns});
          const auto* applied = std::get_if<client::Applied>(&result);
          if (applied == nullptr || applied->version != 1) {
            ++failed;
            continue;
          }
          keys_[key] = {kFilled, {}, 1, 1};
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::printf("{\"filled\":%zu,\"took_ms\":%.0f}\n", settings_.keys, MsSince(began));
    std::fflush(stdout);
    if (failed > 0) std::cerr << "mode_switch_load: " << failed << " keys could not be created\n";
    return failed == 0;
  }

  bool Switch(const std::string& mode) {
    Rest();
    trial_.NextPhase();
    const auto began = Clock::now();
    if (!ChangeTo(mode)) return false;
    const double took = MsSince(began);
    trial_.NextPhase();
    Rest();
    const double gap = trial_.gap_ms();
    trial_.Pause();
    const auto check_began = Clock::now();
    const bool checked = mode == "strong" ? CheckStrong() : CheckEventual();
    std::printf(
        "{\"to\":\"%s\",\"took_ms\":%.0f,\"no_write_for_ms\":%.0f,\"check_ms\":%.0f,"
        "\"wrong\":%llu}\n",
        mode.c_str(), took, gap, MsSince(check_began),
        static_cast<unsigned long long>(trial_.wrongs()));
    std::fflush(stdout);
    trial_.Resume();
    return checked;
  }

  void Rest() const {
    std::this_thread::sleep_for(std::chrono::duration<double>(settings_.rest_seconds));
  }

  bool ChangeTo(const std::string& mode) {
    constexpr double kPatienceMs = 300000;
    const auto began = Clock::now();
    std::string told = "nothing";
    while (MsSince(began) < kPatienceMs) {
      auto now = cluster_->GetNamespace(settings_.ns, Duration::Milliseconds(kTimeoutMs));
      if (const auto* ns = std::get_if<client::NamespaceInfo>(&now)) {
        if (ns->state == mode) return true;
        if (ns->state == "strong" || ns->state == "eventual") {
          auto begun = cluster_->ChangeMode(settings_.ns, {.mode = mode, .seen = ns->mode_epoch},
                                            Duration::Milliseconds(kTimeoutMs));
          if (const auto* error = std::get_if<client::Error>(&begun)) told = error->message;
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    std::cerr << "mode_switch_load: no switch to " << mode << " in " << kPatienceMs / 1000
              << " s; the last error: " << told << "\n";
    return false;
  }

  static bool Fits(const KeyState& state, uint64_t value) {
    return value == state.value ||
           std::find(state.maybes.begin(), state.maybes.end(), value) != state.maybes.end();
  }
  // What is not as the writers know it; empty: all is.
  std::string Compare(const std::vector<SeenRow>& rows) {
    std::vector<std::optional<SeenRow>> seen(keys_.size());
    for (const SeenRow& row : rows) {
      seen[std::stoull(row.key.substr(4))] = row;
    }
    for (size_t key = 0; key < keys_.size(); ++key) {
      const KeyState& state = keys_[key];
      // The value of the first write is 0 in its text, which means none elsewhere.
      const uint64_t value = !seen[key] ? 0 : (seen[key]->value == 0 ? kFilled : seen[key]->value);
      if (!Fits(state, value)) {
        return KeyName(key) + " has value " + std::to_string(value) + " instead of " +
               std::to_string(state.value);
      }
      if (seen[key] && seen[key]->version != 0 && seen[key]->version < state.version) {
        return KeyName(key) + " has version " + std::to_string(seen[key]->version) + " after " +
               std::to_string(state.version);
      }
    }
    return "";
  }

  bool CheckStrong() {
    auto rows = ReadAll(settings_.ns, [this](const client::ScanOptions& options) {
      return client_->Scan({}, options);
    });
    if (const auto* error = std::get_if<std::string>(&rows)) return Cannot(*error);
    const std::string defect = Compare(std::get<0>(rows));
    if (!defect.empty()) trial_.Wrong(defect);
    return true;
  }

  // Each store comes to show what was written, with no help.
  bool CheckEventual() {
    constexpr double kPatienceMs = 30000;
    const auto began = Clock::now();
    for (size_t i = 0; i < stores_.size(); ++i) {
      std::string defect;
      do {
        auto rows = ReadAll(settings_.ns, [&](const client::ScanOptions& options) {
          return stores_[i]->RawScan({}, options);
        });
        if (const auto* error = std::get_if<std::string>(&rows)) return Cannot(*error);
        defect = Compare(std::get<0>(rows));
      } while (!defect.empty() && MsSince(began) < kPatienceMs);
      if (!defect.empty()) trial_.Wrong(settings_.addresses[i] + ": " + defect);
    }
    return true;
  }

  static bool Cannot(const std::string& why) {
    std::cerr << "mode_switch_load: cannot read the keys: " << why << "\n";
    return false;
  }

  static constexpr uint64_t kFilled = UINT64_MAX;

  const Settings settings_;
  std::vector<KeyState> keys_;
  Trial trial_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Client> client_;
  std::vector<std::unique_ptr<Client>> stores_;  // One for each address.
};

int Main(int argc, char** argv) {
  CLI::App app("Switches the mode of a namespace while clients write to it", "mode_switch_load");
  Settings settings;
  app.add_option("--addr", settings.addresses, "All stores")->delimiter(',')->required();
  app.add_option("--namespace", settings.ns, "A new one")->required();
  app.add_option("--keys", settings.keys)->check(CLI::PositiveNumber);
  app.add_option("--round-trips", settings.round_trips)->check(CLI::PositiveNumber);
  app.add_option("--writers", settings.writers)->check(CLI::PositiveNumber);
  app.add_option("--value-bytes", settings.value_bytes);
  app.add_option("--rest-seconds", settings.rest_seconds, "Of load before and after each switch");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::ParseError& error) {
    std::cerr << "mode_switch_load: " << error.what() << "\n";
    return kBadInput;
  }
  if (settings.keys < settings.writers) {
    std::cerr
        << "mode_switch_load: --keys must not be below --writers, who have keys of their own\n";
    return kBadInput;
  }
  return Controller(settings).Run();
}

}  // namespace
}  // namespace flaredb

int main(int argc, char** argv) { return flaredb::Main(argc, argv); }
