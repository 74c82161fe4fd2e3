// SPDX-License-Identifier: Apache-2.0
#include "net/client/attempts.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "net/address.h"
#include "net/grpc_status.h"
#include "net/system_clock.h"

namespace flaredb::client {
namespace {

constexpr Duration kPauseMin = Duration::Milliseconds(10);
constexpr Duration kPauseMax = Duration::Milliseconds(500);
// One silent store must not use up all the time.
constexpr int64_t kAttemptsPerTimeout = 3;
constexpr Duration kAttemptMin = Duration::Milliseconds(500);

// The time of one operation, and how much of it is spent between attempts.
class Budget {
 public:
  Budget(Duration timeout, const std::vector<std::string>& addresses, Rng rng)
      : timeout_(timeout),
        deadline_(net::MonotonicNow() + timeout),
        attempt_max_(std::max(timeout / kAttemptsPerTimeout, kAttemptMin)),
        addresses_(addresses),
        rng_(rng) {}

  Duration ForAttempt() const { return std::min(deadline_ - net::MonotonicNow(), attempt_max_); }
  bool Spent() const { return net::MonotonicNow() >= deadline_; }

  // Waits before the next attempt. The first round over all stores is without pauses.
  void Pause(Duration at_least) {
    Duration pause = at_least;
    if (++attempts_ >= addresses_.size()) {
      const size_t doublings = std::min<size_t>(attempts_ - addresses_.size(), 10);
      const Duration grown = std::min(kPauseMin * (int64_t{1} << doublings), kPauseMax);
      pause = std::max(pause, rng_.Between(grown / 2, grown));
    }
    pause = std::min(pause, deadline_ - net::MonotonicNow());
    if (pause > Duration()) {
      std::this_thread::sleep_for(std::chrono::nanoseconds(pause.nanoseconds()));
    }
  }

  // Why there is no answer yet: the last of what tells most.
  void Note(const net::UnaryResult& result) {
    const Telling telling = TellingOf(result);
    if (telling < telling_) return;
    telling_ = telling;
    why_ = result.status.message;
  }
  std::string NoAnswer() const {
    return absl::StrCat("no answer within ", timeout_.milliseconds(), " ms from ",
                        absl::StrJoin(addresses_, ", "), ": ", why_);
  }

 private:
  // In ascending order: a connection that failed, or an attempt that was cut off here; a store's
  // word on a deadline; another word of a store.
  enum class Telling : uint8_t { kNothing, kLate, kWord };

  static Telling TellingOf(const net::UnaryResult& result) {
    if (result.sent != net::Sent::kYes) return Telling::kNothing;
    const bool late = result.status.code == absl::StatusCode::kDeadlineExceeded;
    return late ? Telling::kLate : Telling::kWord;
  }

  const Duration timeout_;
  const Instant deadline_;
  const Duration attempt_max_;
  const std::vector<std::string>& addresses_;
  Rng rng_;
  size_t attempts_ = 0;
  std::string why_;
  Telling telling_ = Telling::kNothing;
};

Error OutOfTime(bool busy, std::string message) {
  return {busy ? Error::kOverloaded : Error::kUnavailable, std::move(message)};
}

Error Refused(const net::GrpcStatus& status) {
  const bool missing = status.code == absl::StatusCode::kNotFound;
  return {missing ? Error::kNotFound : Error::kRefused, status.message};
}

uint64_t Random64() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// As a header may carry it.
bool IsVisible(char c) { return c > ' ' && c <= '~'; }

Unknown NobodyKnows(const WriteId& id, const std::string& why) {
  return {id, "the write may have taken effect, or may yet: " + why};
}

}  // namespace

Attempts::Attempts(std::vector<std::string> endpoints, std::unique_ptr<Connections> connections,
                   uint64_t client_hi, uint64_t client_lo)
    : endpoints_(std::move(endpoints)),
      connections_(std::move(connections)),
      client_hi_(client_hi),
      client_lo_(client_lo) {}

absl::StatusOr<std::unique_ptr<Attempts>> Attempts::Create(ClientOptions options) {
  if (options.endpoints.empty()) {
    return absl::InvalidArgumentError("no store to connect to: name at least one as HOST:PORT");
  }
  for (const std::string& endpoint : options.endpoints) {
    if (const auto parsed = net::ParseHostPort(endpoint); !parsed.ok()) return parsed.status();
  }
  if (!options.token.empty() && options.tls == nullptr) {
    return absl::InvalidArgumentError(
        "a token needs TLS, as whoever sees it on its way may use it: name the stores' authority "
        "(--tls-ca), or give no token");
  }
  if (!std::all_of(options.token.begin(), options.token.end(), IsVisible)) {
    return absl::InvalidArgumentError(
        "the token has spaces or bytes that are no text: give it as \"flaredb token new\" made it");
  }
  auto connections = Connections::Create(Random64(), std::move(options.tls), options.token);
  if (!connections.ok()) return connections.status();
  return std::make_unique<Attempts>(std::move(options.endpoints), *std::move(connections),
                                    Random64(), Random64());
}

Attempts::Asked Attempts::Ask(std::string_view method, const std::string& request, Duration timeout,
                              Again again, const std::string& leader) {
  Budget budget(timeout, endpoints_.addresses(), Draws());
  Route route(&endpoints_, leader);
  bool maybe_applied = false;
  bool busy = false;
  for (;;) {
    net::UnaryResult result =
        connections_->Call(route.address(), std::string(method), request, budget.ForAttempt());
    const Judgement judgement = Judge(result);
    budget.Note(result);
    maybe_applied |= judgement.maybe_applied;
    busy |= judgement.busy;
    Note(route, leader, result, judgement);
    if (judgement.next == Next::kDone) return {std::move(result.message), {}, false};
    if (judgement.next == Next::kRefused) return {{}, Refused(result.status), maybe_applied};
    if (maybe_applied && again == Again::kUnlessMaybeApplied) {
      return {{}, OutOfTime(busy, result.status.message), maybe_applied};
    }
    route.Advance(judgement.leader_address);
    budget.Pause(judgement.pause);
    if (budget.Spent()) return {{}, OutOfTime(busy, budget.NoAnswer()), maybe_applied};
  }
}

Result<std::string> Attempts::Read(std::string_view method, const std::string& request,
                                   Duration timeout, const Place* place) {
  const std::string leader = place == nullptr ? "" : leaders_.Find(*place);
  Asked asked = Ask(method, request, timeout, Again::kAlways, leader);
  if (asked.reply) return *std::move(asked.reply);
  return std::move(asked.error);
}

Attempts::WriteReply Attempts::WriteOnce(std::string_view method, const std::string& request,
                                         Duration timeout) {
  return ReplyOf(Ask(method, request, timeout, Again::kUnlessMaybeApplied));
}

Attempts::WriteReply Attempts::WriteAgain(std::string_view method, const std::string& request,
                                          Duration timeout) {
  return ReplyOf(Ask(method, request, timeout, Again::kAlways));
}

Attempts::WriteReply Attempts::ReplyOf(Asked asked) {
  if (asked.reply) return *std::move(asked.reply);
  if (asked.maybe_applied) return NobodyKnows({}, asked.error.message);
  return std::move(asked.error);
}

Attempts::WriteReply Attempts::Write(std::string_view method, const MakeRequest& make,
                                     Duration timeout, const std::optional<WriteId>& repeat,
                                     const Place& place) {
  Budget budget(timeout, endpoints_.addresses(), Draws());
  const std::string leader = leaders_.Find(place);
  Route route(&endpoints_, leader);
  WriteId id = repeat.has_value() ? *repeat : NewWriteId();
  bool maybe_applied = repeat.has_value();
  bool busy = false;
  for (;;) {
    net::UnaryResult result =
        connections_->Call(route.address(), std::string(method), make(id), budget.ForAttempt());
    const Judgement judgement = Judge(result);
    budget.Note(result);
    maybe_applied |= judgement.maybe_applied;
    busy |= judgement.busy;
    Note(route, leader, result, judgement);
    switch (judgement.next) {
      case Next::kDone:
        return std::move(result.message);
      case Next::kRefused:
        if (maybe_applied) return NobodyKnows(id, result.status.message);
        return Refused(result.status);
      case Next::kForgotten:
        if (maybe_applied) return NobodyKnows(id, result.status.message);
        [[fallthrough]];  // There is nothing that could have been forgotten.
      case Next::kNewRequest:
        Saw(judgement.seen_index);
        id = NewWriteId();
        maybe_applied = false;
        break;
      case Next::kRetry:
        break;
    }
    route.Advance(judgement.leader_address);
    budget.Pause(judgement.pause);
    if (!budget.Spent()) continue;
    if (maybe_applied) return NobodyKnows(id, budget.NoAnswer());
    return OutOfTime(busy, budget.NoAnswer());
  }
}

void Attempts::Note(const Route& route, const std::string& leader, const net::UnaryResult& result,
                    const Judgement& judgement) {
  if (judgement.next == Next::kDone) {
    // Who was asked because it leads may be far from here: what any store answers stays where it
    // is.
    if (route.address() != leader) endpoints_.Prefer(route.address());
    return;
  }
  // A leader that is busy is still the one to ask.
  if (judgement.next != Next::kRetry || judgement.busy) return;
  if (result.sent == net::Sent::kYes) {
    leaders_.Forget(route.address());
  } else {
    leaders_.Avoid(route.address(), net::MonotonicNow());
  }
}

void Attempts::SawLeader(const Place& place, uint64_t region, const std::string& address) {
  leaders_.Learn(place, region, address, net::MonotonicNow());
}

void Attempts::Saw(uint64_t applied_index) {
  uint64_t seen = seen_index_.load();
  while (seen < applied_index && !seen_index_.compare_exchange_weak(seen, applied_index)) {
  }
}

WriteId Attempts::NewWriteId() {
  return {.client_hi = client_hi_,
          .client_lo = client_lo_,
          .seq = ++last_seq_,
          .seen_index = seen_index_.load()};
}

Rng Attempts::Draws() { return Rng(Mix64(client_lo_ + ++calls_)); }

}  // namespace flaredb::client
