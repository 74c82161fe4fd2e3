// SPDX-License-Identifier: Apache-2.0
// One gRPC call as the server sees it: the way from HTTP/2 frames to a handler and back.
#ifndef FLAREDB_NET_GRPC_SERVER_CALL_H_
#define FLAREDB_NET_GRPC_SERVER_CALL_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"
#include "net/event_loop.h"
#include "net/grpc_server.h"
#include "net/grpc_status.h"
#include "net/grpc_wire.h"
#include "net/header_block.h"
#include "net/http2_connection.h"

namespace flaredb::net {

// What the calls of one connection share. Lives as long as any of them is attached.
struct ServerCallHost {
  GrpcServer* server;
  std::shared_ptr<const std::string> peer;
  const ByteStream* stream;
  std::function<void()> recount;  // To be called when the following change.
  size_t partial_bytes = 0;       // Sum over the calls' incomplete messages.
  size_t request_bytes = 0;       // What the calls take, these included.
  size_t calls = 0;
};

// Shared by the connection (until the stream's end) and the handles of the handler.
class ServerCall : public Http2Stream, public std::enable_shared_from_this<ServerCall> {
 public:
  explicit ServerCall(ServerCallHost* host);
  ~ServerCall() override;

  bool open() const { return open_; }
  Instant deadline() const { return deadline_; }
  const std::string& peer() const { return *peer_; }
  std::optional<PeerCertificate> certificate() const {
    return host_ == nullptr ? std::nullopt : host_->stream->certificate();
  }
  std::string_view header(std::string_view name) const { return metadata_.Find(name); }
  void OnCancel(std::function<void()> fn) { on_cancel_ = std::move(fn); }

  using Http2Stream::connection_output_bytes;
  // Queues a message; false when the call is over.
  bool Send(std::string_view message);
  // Sends the status after everything queued; the first one counts.
  void Finish(const GrpcStatus& status);
  // Ends the call without its handler.
  void End(CallFault fault, absl::StatusCode code, std::string sentence);
  size_t unsent() const { return unsent_bytes(); }
  // What the call takes counts no more.
  void Exempt();
  void NotifyDrained(std::function<void()> fn) { on_drained_ = std::move(fn); }

 private:
  void OnHeaders(const HeaderBlock& headers) override;
  void OnData(std::string_view bytes) override;
  void OnEndStream() override;
  void OnDrained() override;
  void OnClosed(uint32_t error) override;

  void KeepMetadata(const HeaderBlock& headers);
  void HandleMessage(std::string_view message);
  // Counts what the call takes. False: the connection has too many incomplete messages.
  bool Count();
  void SendResponseHeaders();
  // The call is decided: no more events for the handler.
  void Conclude(absl::StatusCode code);

  ServerCallHost* host_;  // nullptr after OnClosed.
  EventLoop* const loop_;
  const std::shared_ptr<const std::string> peer_;
  HeaderBlock metadata_;
  GrpcMethodCounters* counters_ = nullptr;  // Of the method, once it is known; until the end.
  Instant started_;
  Instant deadline_ = Instant::Max();
  std::optional<EventLoop::TimerId> deadline_timer_;

  // Until the method is known the call belongs to nobody and messages are dropped.
  bool open_ = false;
  bool headers_sent_ = false;
  bool got_message_ = false;
  const UnaryHandler* unary_ = nullptr;
  const CallJudge* judge_ = nullptr;  // Goes with unary_.
  std::unique_ptr<StreamReader> reader_;
  MessageReader messages_;
  size_t partial_bytes_ = 0;  // Our parts of what host_ has.
  size_t request_bytes_ = 0;
  bool exempt_ = false;

  std::function<void()> on_cancel_;
  std::function<void()> on_drained_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_GRPC_SERVER_CALL_H_
