// SPDX-License-Identifier: Apache-2.0
#include "net/server/runtime.h"

#include <utility>

#include "absl/types/span.h"

namespace flaredb::net {

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
  calls_.emplace(last_call_, std::move(done));
  events_.push_back(store::ClientCall{last_call_, std::move(request)});
  return last_call_;
}

void Runtime::Abandon(store::CallId id) {
  if (calls_.erase(id) > 0) events_.push_back(store::ClientGone{id});
}

Instant Runtime::next_deadline() const {
  return events_.empty() ? store_->next_deadline() : Instant();
}

void Runtime::Turn(Instant now) {
  if (events_.empty() && now < store_->next_deadline()) return;
  effects_.Clear();
  store_->Turn(now, absl::MakeSpan(events_), &effects_);
  events_.clear();
  Perform();
}

void Runtime::Perform() {
  // The disk first: its writer works while this thread encodes.
  if (effects_.commit.has_value()) disk_->Write(*std::move(effects_.commit));
  for (env::LogFetch& fetch : effects_.fetches) disk_->ReadLog(std::move(fetch));
  for (const store::Send& send : effects_.sends) transport_->Send(send.to, send.message);
  transport_->Flush();
  for (store::CallReply& reply : effects_.replies) {
    auto call = calls_.extract(reply.id);
    if (!call.empty()) call.mapped()(std::move(reply.reply));
  }
  if (!effects_.failure.ok()) failure_ = effects_.failure;
}

}  // namespace flaredb::net
