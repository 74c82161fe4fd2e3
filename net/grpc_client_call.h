// SPDX-License-Identifier: Apache-2.0
// One gRPC call as the client sees it: the way from a request to HTTP/2 frames and back.
#ifndef FLAREDB_NET_GRPC_CLIENT_CALL_H_
#define FLAREDB_NET_GRPC_CLIENT_CALL_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"
#include "net/event_loop.h"
#include "net/grpc_client.h"
#include "net/grpc_status.h"
#include "net/grpc_wire.h"
#include "net/header_block.h"
#include "net/http2_connection.h"

namespace flaredb::net {

// What a call needs of its channel.
class ClientCallHost {
 public:
  // The call is over and wants to be forgotten.
  virtual void Forget(ClientCallId id) = 0;
  // Why a stream ended without an answer, such as "connection to 127.0.0.1:1 lost: reset by peer";
  // empty when the connection is fine.
  virtual std::string ConnectionLoss(const Http2Connection* connection) const = 0;

 protected:
  ~ClientCallHost() = default;
};

// Shared by the channel (until the call's end), the connection (until the stream's end) and the
// ClientStream. Exactly one of `done` and `reader` is set.
class ClientCall : public Http2Stream, public std::enable_shared_from_this<ClientCall> {
 public:
  ClientCall(EventLoop* loop, ClientCallHost* host, ClientCallId id, std::string method,
             const CallOptions& options, size_t max_message_bytes, UnaryDone done,
             ClientStreamReader* reader);
  ~ClientCall() override;

  ClientCallId id() const { return id_; }
  bool open() const { return open_; }
  bool wait_for_ready() const { return options_.wait_for_ready; }

  // Sends what was queued on a connection that can start a stream.
  void Start(Http2Connection* connection, const std::string& authority);
  bool Send(std::string_view message);
  void CloseSend();
  size_t unsent() const { return early_.size() + unsent_bytes(); }

  // Ends the call and reports it, now; the first end counts.
  void Finish(GrpcStatus status, Sent sent, std::string message = "");
  // The same, but reports from the loop: for callers that have the user on their stack.
  void FinishLater(GrpcStatus status, Sent sent);
  // Ends the call without a report.
  void Cancel();

 private:
  void OnHeaders(const HeaderBlock& headers) override;
  void OnData(std::string_view bytes) override;
  void OnEndStream() override;
  void OnClosed(uint32_t error) override;

  void OnDeadline();
  void HandleMessage(std::string_view message);
  // Ends the call because of what the server sent.
  void RefuseAnswer(GrpcStatus status);
  GrpcStatus UnansweredStatus(uint32_t error, Sent sent) const;
  // Returns false when the call was over already.
  bool Conclude();

  EventLoop* const loop_;
  ClientCallHost* host_;  // nullptr after the end.
  const ClientCallId id_;
  const std::string method_;
  const CallOptions options_;
  UnaryDone done_;
  ClientStreamReader* reader_;
  std::optional<EventLoop::TimerId> deadline_timer_;
  bool open_ = true;

  std::string early_;                       // Frames queued before Start.
  bool send_closed_ = false;                // CloseSend was called.
  const Http2Connection* http2_ = nullptr;  // Since Start; valid while attached.

  MessageReader messages_;
  std::optional<std::string> reply_;  // Of a unary call.
  bool got_headers_ = false;
  std::optional<GrpcStatus> status_;      // From grpc-status.
  std::optional<GrpcStatus> http_error_;  // The answer is no gRPC response.
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_GRPC_CLIENT_CALL_H_
