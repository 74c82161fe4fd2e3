// SPDX-License-Identifier: Apache-2.0
// The orderly end of a store, which its clients hardly notice.
#ifndef FLAREDB_NET_SERVER_GRACEFUL_STOP_H_
#define FLAREDB_NET_SERVER_GRACEFUL_STOP_H_

#include <functional>
#include <optional>
#include <utility>

#include "core/base/time.h"
#include "net/event_loop.h"
#include "net/grpc_server.h"
#include "net/server/hand_over.h"
#include "net/server/runtime.h"
#include "net/server/transport.h"

namespace flaredb::net {

// The steps and times of RunServer's end:
//
//   Begin --> others lead --> clients are told to go --> MayHangUp --> HangUp
//
// All that it is given outlives it.
class GracefulStop {
 public:
  // `refuse` has the services answer new calls with StoreDraining; it may be called repeatedly.
  GracefulStop(EventLoop* loop, Runtime* runtime, GrpcServer* grpc, Transport* transport,
               std::function<void()> refuse)
      : loop_(loop),
        runtime_(runtime),
        grpc_(grpc),
        transport_(transport),
        refuse_(std::move(refuse)) {}

  void Begin();
  bool begun() const { return hand_over_until_.has_value(); }
  // When MayHangUp may have another answer, whatever else happens.
  Instant look_at() const { return look_at_; }
  // Whether the calls of clients are dealt with. What was sent before its client heard of the end
  // is answered as ever, by way of the leader.
  bool MayHangUp();
  // Tells the other stores, and runs the loop until the last replies have left.
  void HangUp();

 private:
  void ContinueHandOver();
  void GiveNotice();

  EventLoop* const loop_;
  Runtime* const runtime_;
  GrpcServer* const grpc_;
  Transport* const transport_;
  const std::function<void()> refuse_;
  HandOver hand_over_;
  std::optional<Instant> hand_over_until_;
  std::optional<Instant> noticed_;  // When clients were told to go.
  Instant look_at_ = Instant::Max();
  bool drained_ = false;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_GRACEFUL_STOP_H_
