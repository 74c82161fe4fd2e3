// SPDX-License-Identifier: Apache-2.0
#include "net/server/graceful_stop.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "net/server/log.h"

namespace flaredb::net {
namespace {

// How long a stop waits until others lead, then for open calls, then for the last bytes to leave.
constexpr Duration kForLeaders = Duration::Seconds(2);
constexpr Duration kForCalls = Duration::Seconds(3);
constexpr Duration kForConnections = Duration::Milliseconds(200);
// Clients that are told to go elsewhere have so long to hear of it: longer than the connections
// give them (RFC 9113 6.8) before they take no more calls.
constexpr Duration kNotice = Duration::Milliseconds(150);
constexpr Duration kHandOverInterval = Duration::Milliseconds(10);

}  // namespace

void GracefulStop::Begin() {
  hand_over_until_ = loop_->now() + kForLeaders;
  runtime_->Hold();
  // Not in this turn: it may have calls, which the store proposes after it carried out orders.
  loop_->StartTimer(loop_->now() + kHandOverInterval, [this] { ContinueHandOver(); });
}

void GracefulStop::ContinueHandOver() {
  const std::vector<store::PeerView> peers = runtime_->store().peers();
  const size_t left = HandOver::Left(peers);
  if (left == 0 || loop_->now() >= *hand_over_until_) {
    if (left > 0) {
      Log(LogLevel::kWarn, "stops although it leads",
          {{"regions", uint64_t{left}}, {"reason", "no other store took over in time"}});
    }
    runtime_->Release();
    return GiveNotice();
  }
  for (store::Order& order : hand_over_.Next(loop_->now(), peers)) {
    runtime_->Deliver(std::move(order));
  }
  loop_->StartTimer(loop_->now() + kHandOverInterval, [this] { ContinueHandOver(); });
}

void GracefulStop::GiveNotice() {
  noticed_ = loop_->now();
  look_at_ = *noticed_ + kNotice;
  grpc_->GiveNotice();
}

bool GracefulStop::MayHangUp() {
  const Instant now = loop_->now();
  if (!noticed_.has_value() || now < *noticed_ + kNotice) return false;
  refuse_();
  look_at_ = *noticed_ + kForCalls;
  return runtime_->open_calls() == 0 || now >= look_at_;
}

void GracefulStop::HangUp() {
  runtime_->GiveUpCalls();
  transport_->Stop();
  grpc_->Drain([this] { drained_ = true; });
  const Instant until = loop_->now() + kForConnections;
  while (!drained_ && loop_->now() < until) {
    loop_->RunOnce(std::min(runtime_->next_deadline(), until));
  }
}

}  // namespace flaredb::net
