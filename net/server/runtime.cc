// SPDX-License-Identifier: Apache-2.0
#include "net/server/runtime.h"

#include <utility>
#include <variant>

#include "absl/types/span.h"
#include "core/store/wall_clock.h"
#include "net/system_clock.h"

namespace flaredb::net {
namespace {

bool ConcernsACall(const store::Event& event) {
  if (const auto* received = std::get_if<store::MessageReceived>(&event)) {
    return std::holds_alternative<store::ForwardedRequest>(received->message);
  }
  return std::holds_alternative<store::ClientCall>(event) ||
         std::holds_alternative<store::ClientGone>(event);
}

store::Error StoppedError(bool is_write) {
  store::Error error;
  error.code = is_write ? store::ErrorCode::kStaleCommand : store::ErrorCode::kReadNotReady;
  error.outcome = is_write ? store::Outcome::kUnknown : store::Outcome::kNotApplied;
  error.message = is_write ? "the store was stopped before the outcome was known; the write may "
                             "have been applied: read the key, or retry with the same request id"
                           : "the store was stopped before it had an answer; ask another one";
  return error;
}

}  // namespace

Runtime::~Runtime() { loop_->SetTurn(nullptr); }

void Runtime::Start(const store::Options& options, store::RecoveredStore recovered, Disk* disk,
                    Transport* transport) {
  disk_ = disk;
  transport_ = transport;
  store_ =
      std::make_unique<store::Store>(options, std::move(recovered), &disk->data(), loop_->now());
  loop_->SetTurn([this](Instant now) { Turn(now); });
}

store::CallId Runtime::Call(store::Request request, Done done) {
  ++last_call_;
  calls_.emplace(last_call_, OpenCall{store::IsWrite(request.operation), std::move(done)});
  Add(store::ClientCall{last_call_, std::move(request)});
  return last_call_;
}

void Runtime::Abandon(store::CallId id) {
  if (calls_.erase(id) > 0) Add(store::ClientGone{id});
}

void Runtime::GiveUpCalls() {
  for (auto& [id, call] : std::exchange(calls_, {})) {
    Add(store::ClientGone{id});
    call.done({StoppedError(call.is_write), Index()});
  }
}

void Runtime::Deliver(store::Event event) {
  if (const auto* done = std::get_if<store::DiskDone>(&event)) {
    for (; !commits_.empty() && commits_.front().first <= done->token; commits_.pop_front()) {
      figures_.commit_seconds.Add(loop_->now() - commits_.front().second);
    }
    figures_.commits_waiting = commits_.size();
  }
  Add(std::move(event));
}

void Runtime::Add(store::Event event) {
  (holding_ && ConcernsACall(event) ? held_ : events_).push_back(std::move(event));
}

void Runtime::Release() {
  holding_ = false;
  for (store::Event& event : held_) events_.push_back(std::move(event));
  held_.clear();
}

Instant Runtime::next_deadline() const {
  return events_.empty() ? store_->next_deadline() : Instant();
}

void Runtime::Turn(Instant now) {
  if (events_.empty() && now < store_->next_deadline()) return;
  const Instant begun = MonotonicNow();
  figures_.events += events_.size();
  // When a call came the wall clock showed something else, but to the turn it comes now.
  const uint64_t unix_ms = UnixMsAt(now);
  for (store::Event& event : events_) {
    if (auto* call = std::get_if<store::ClientCall>(&event)) call->unix_ms = unix_ms;
  }
  store::TellWallClock(&events_, [&] { return unix_ms; });
  effects_.Clear();
  store_->Turn(now, absl::MakeSpan(events_), &effects_);
  events_.clear();
  Perform();
  figures_.turn_seconds.Add(MonotonicNow() - begun);
}

void Runtime::Perform() {
  // The disk first: its writer works while this thread encodes.
  if (effects_.commit.has_value()) {
    commits_.emplace_back(effects_.commit->token, loop_->now());
    figures_.commits_waiting = commits_.size();
    disk_->Write(*std::move(effects_.commit));
  }
  figures_.log_fetches += effects_.fetches.size();
  for (env::LogFetch& fetch : effects_.fetches) disk_->ReadLog(std::move(fetch));
  for (const store::Send& send : effects_.sends) transport_->Send(send.to, send.message);
  transport_->Flush();
  for (store::CallReply& reply : effects_.replies) {
    auto call = calls_.extract(reply.id);
    if (!call.empty()) call.mapped().done(std::move(reply.reply));
  }
  if (!effects_.failure.ok()) failure_ = effects_.failure;
}

}  // namespace flaredb::net
