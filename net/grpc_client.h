// SPDX-License-Identifier: Apache-2.0
// Calls one gRPC server on an event loop. Knows methods and bytes, not messages.
#ifndef FLAREDB_NET_GRPC_CLIENT_H_
#define FLAREDB_NET_GRPC_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "net/event_loop.h"
#include "net/grpc_status.h"
#include "net/http2_options.h"
#include "net/tls/tls_context.h"

namespace flaredb::net {

class ChannelCore;  // The channel's state; private to grpc_client.cc.
class ClientCall;   // One call's state; private to grpc_client.cc.

// Request headers added by the caller: names in lower case without "grpc-" prefix; values of
// "-bin" names are raw bytes and are base64-coded on the wire.
using Metadata = std::vector<std::pair<std::string, std::string>>;

// Whether the server can have seen a request.
enum class Sent : uint8_t {
  kNo,     // Certainly not processed: never left, or refused unprocessed by the server. A retry
           // elsewhere cannot do it twice.
  kMaybe,  // It left, and no complete answer came: the outcome is unknown.
  kYes,    // The server answered, with a reply or a status.
};

struct UnaryResult {
  GrpcStatus status;
  std::string message;  // The reply; meaningful when status is OK.
  Sent sent = Sent::kNo;
};
using UnaryDone = std::function<void(UnaryResult result)>;

struct CallOptions {
  // On the loop's clock. When it passes the call ends with DEADLINE_EXCEEDED and the server is
  // told; the server is also told the remaining time in advance (grpc-timeout).
  Instant deadline = Instant::Max();
  // Taken off the time that the server is told: what it says of a deadline tells more than that
  // there was no answer, and needs time to arrive.
  Duration head_start;
  Metadata metadata;
  // While the channel has no connection: false fails at once with the reason of the last failed
  // attempt, true waits for a connection until the deadline.
  bool wait_for_ready = false;
};

struct GrpcChannelOptions {
  Http2Options http2;
  std::shared_ptr<const TlsContext> tls;  // nullptr: plain TCP.
  size_t max_message_bytes = 4 << 20;
  // Calls that may wait for a connection or a free stream; more fail with RESOURCE_EXHAUSTED.
  size_t max_queued_calls = 10000;
  Duration connect_timeout = Duration::Seconds(3);
  // Pause after a failed attempt: doubles from min to max, drawn from [pause/2, pause].
  Duration backoff_min = Duration::Milliseconds(50);
  Duration backoff_max = Duration::Seconds(2);
  // Seed of that draw; channels of one process should differ.
  uint64_t seed = 1;
};

// Names a call for Cancel. 0 names none.
using ClientCallId = uint64_t;

// Receives what the server sends on one streaming call. Not called from inside a member of the
// channel or the stream. After OnClosed nothing more is called.
class ClientStreamReader {
 public:
  virtual ~ClientStreamReader() = default;
  // `message` lives for the duration of the call only.
  virtual void OnMessage(std::string_view message) = 0;
  // The call is over, for whatever reason. `sent` tells of the stream's opening.
  virtual void OnClosed(const GrpcStatus& status, Sent sent) = 0;
};

// The sending side of a streaming call. Destroying it while open cancels the call without
// OnClosed. Members do nothing after the call's end.
class ClientStream {
 public:
  ClientStream() = default;
  ClientStream(ClientStream&&) = default;
  ClientStream& operator=(ClientStream&& other);
  ~ClientStream();

  // Queues a message (copied) and returns true, or returns false: the call has ended or CloseSend
  // was called. Watch unsent_bytes(): what exceeds max_output_bytes costs the connection.
  bool Send(std::string_view message);
  // No more messages from this side.
  void CloseSend();
  // Ends the call now, without OnClosed.
  void Cancel();
  bool open() const;
  // Bytes that this call has queued and that were not yet handed to the socket.
  size_t unsent_bytes() const;

 private:
  friend class GrpcChannel;
  explicit ClientStream(std::shared_ptr<ClientCall> call) : call_(std::move(call)) {}
  std::shared_ptr<ClientCall> call_;
};

// A lasting relation to one address: connects on the first call, keeps the connection, connects
// again with growing pauses after a failure. Any number of calls at a time; those beyond the
// server's limit of concurrent streams wait in the channel in their order.
//
// UNAVAILABLE messages name the address, the reason, and whether the request had been sent.
//
// Owned by the thread of its loop, which must outlive it. The destructor cancels what is open
// without calling back; it must not run inside a callback of the channel (Defer it).
class GrpcChannel {
 public:
  // `address` is "host:port" or "[ipv6]:port". An address that cannot be parsed makes every call
  // fail with INVALID_ARGUMENT. Names are resolved in a thread of their own at every attempt.
  GrpcChannel(EventLoop* loop, std::string address, GrpcChannelOptions options);
  ~GrpcChannel();
  GrpcChannel(const GrpcChannel&) = delete;
  GrpcChannel& operator=(const GrpcChannel&) = delete;

  // Calls "/package.Service/Method". `done` is called exactly once unless the call is cancelled,
  // on the loop's thread before a turn, never from inside this function.
  ClientCallId Unary(std::string method, std::string_view request, const CallOptions& options,
                     UnaryDone done);
  // Ends a unary call without calling `done`. Ended calls are ignored.
  void Cancel(ClientCallId call);

  // Opens a stream in both directions (or one: CloseSend after the only request). `reader` is not
  // owned and must live until OnClosed or until the stream is cancelled.
  ClientStream OpenStream(std::string method, const CallOptions& options,
                          ClientStreamReader* reader);

  // True while there is a connection on which a new call would leave at once.
  bool connected() const;
  const std::string& address() const;

 private:
  const std::unique_ptr<ChannelCore> core_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_GRPC_CLIENT_H_
