// SPDX-License-Identifier: Apache-2.0
// Serves gRPC on an event loop. Knows methods and bytes, not messages.
#ifndef FLAREDB_NET_GRPC_SERVER_H_
#define FLAREDB_NET_GRPC_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/time.h"
#include "net/byte_stream.h"
#include "net/event_loop.h"
#include "net/grpc_status.h"
#include "net/histogram.h"
#include "net/http2_options.h"
#include "net/listener.h"
#include "net/tls/tls_context.h"

namespace flaredb::net {

class ServerCall;        // One call's state (net/grpc_server_call.h).
class ServerConnection;  // One client; private to grpc_server.cc.

// What the caller sent besides the messages, and how the call is going. Common to the handles
// below. Every member may be called at any time on the loop's thread, also after the call's end.
class CallHandle {
 public:
  CallHandle() = default;
  CallHandle(CallHandle&&) = default;
  CallHandle& operator=(CallHandle&& other);
  ~CallHandle();

  // When the caller stops waiting, on the loop's clock; Instant::Max() when it told no timeout.
  // At this instant the call ends by itself with DEADLINE_EXCEEDED.
  Instant deadline() const;
  // The value of a request header, such as "x-flaredb-view"; empty when absent. Names in lower
  // case; "-bin" values decoded. The view lives as long as the handle.
  std::string_view header(std::string_view name) const;
  // "127.0.0.1:40312"
  const std::string& peer() const;
  // What the caller proved by TLS; nullopt when nothing, or after the call's end.
  std::optional<PeerCertificate> certificate() const;
  // True until a reply or status was given, the caller went away or the deadline passed.
  bool open() const;
  // What the client has not taken yet on the call's connection, in bytes.
  size_t connection_output_bytes() const;
  // Calls `fn` once when the call ends early: reset by the client, connection lost, deadline
  // passed, server closed. Not called after a reply or status was given. Runs on the loop's
  // thread before a turn; never from inside a member of this handle.
  void OnCancel(std::function<void()> fn);

 protected:
  explicit CallHandle(std::shared_ptr<ServerCall> call) : call_(std::move(call)) {}
  std::shared_ptr<ServerCall> call_;
};

// A call with one request and one reply. Reply or Fail ends it; of several the first counts, and
// after the call's end they do nothing. A handle destroyed while open answers INTERNAL.
class UnaryCall : public CallHandle {
 public:
  UnaryCall() = default;
  // `message` is copied. A reply larger than max_message_bytes becomes RESOURCE_EXHAUSTED.
  void Reply(std::string_view message);
  // `status` must not be OK.
  void Fail(const GrpcStatus& status);

 private:
  friend class ServerCall;
  using CallHandle::CallHandle;
};

// A call with any number of messages each way. A handle destroyed while open ends the call with
// INTERNAL.
class ServerStream : public CallHandle {
 public:
  ServerStream() = default;
  // Queues a message (copied) and returns true, or returns false: the call has ended.
  // Queued bytes beyond the connection's max_output_bytes cost the client its connection: watch
  // unsent_bytes().
  bool Send(std::string_view message);
  // Ends the call after everything queued. OK is fine here.
  void Finish(const GrpcStatus& status);
  // What the call takes does not count as GrpcServerOptions::max_held_bytes has it: for callers
  // that are trusted.
  void Exempt();
  // Bytes that this call has queued and that were not yet handed to the socket.
  size_t unsent_bytes() const;
  // Calls `fn` in the iteration in which unsent_bytes() returns to 0; once per call of OnDrained.
  void OnDrained(std::function<void()> fn);

 private:
  friend class ServerCall;
  using CallHandle::CallHandle;
};

// Receives what the client sends on one streaming call. Owned by the call, destroyed with it:
// after OnCancel's function ran or the status was given. Keeping the ServerStream in it is fine.
class StreamReader {
 public:
  virtual ~StreamReader() = default;
  // `message` lives for the duration of the call only.
  virtual void OnMessage(std::string_view message) = 0;
  // The client will send no more; for server-streaming methods the request is complete.
  virtual void OnHalfClose() = 0;
};

// Called in step 2 of the loop's iteration, before the turn. `request` lives for the duration of
// the call only: decode it, keep `call`, answer now or later.
using UnaryHandler = std::function<void(UnaryCall call, std::string_view request)>;
// Called when the call begins, before its first message. May return nullptr after ending it.
using StreamHandler = std::function<std::unique_ptr<StreamReader>(ServerStream stream)>;

// Whether a call may go on to its handler: OK, or why not. `request` is the message of a unary
// call; a streaming call is judged when it begins, and has none.
using CallJudge = std::function<GrpcStatus(const CallHandle& call, std::string_view request)>;

struct GrpcServerOptions {
  Http2Options http2;
  ListenerOptions listener;
  std::shared_ptr<const TlsContext> tls;  // nullptr: plain TCP.
  // Largest request and reply message in bytes.
  size_t max_message_bytes = 4 << 20;
  // Received but incomplete messages of one connection, in bytes. A stream that would pass it is
  // answered with RESOURCE_EXHAUSTED.
  size_t max_partial_bytes_per_connection = 32 << 20;
  // What all calls take together, and the replies that were not read yet. Beyond it the connections
  // that take most are ended, until three quarters of it are left.
  size_t max_held_bytes = 256 << 20;
  // Adds to the server's own refusals what the errors of its API have beside code and sentence.
  //   reached  a handler has seen the request
  // Empty: nothing is added.
  std::function<GrpcStatus(CallFault fault, bool reached, GrpcStatus status)> explain;
  // Asked for every method when it is registered; an empty judge lets all calls in. Empty: for
  // none.
  std::function<CallJudge(const std::string& method)> judge_of;
};

// Counts since the start; what "now" says is a level.
struct GrpcServerCounters {
  uint64_t connections_now = 0;
  uint64_t connections_total = 0;
  uint64_t connections_refused = 0;  // Over a connection limit.
  uint64_t connections_dropped = 0;  // Ended by abuse, stall, time-out, loss, or to make room.
  uint64_t calls_now = 0;
  uint64_t calls_total = 0;
};

// The calls of one method since the start. Those still open are `started` less the sum of
// `handled`.
struct GrpcMethodCounters {
  uint64_t started = 0;
  // By status; calls whose client went away count as CANCELLED.
  std::map<absl::StatusCode, uint64_t> handled;
  Histogram seconds;  // From the request's headers to the status, of all in `handled`.
};

// Owned by the thread of its loop, which must outlive it. The destructor closes all connections
// without ceremony; the OnCancel functions of open calls run before it returns. It must not run
// inside a handler (Defer it).
class GrpcServer {
 public:
  GrpcServer(EventLoop* loop, GrpcServerOptions options);
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // `method` is "/package.Service/Method", each at most once, all before Listen. Calls to other
  // methods are answered UNIMPLEMENTED.
  void RegisterUnary(std::string method, UnaryHandler handler);
  void RegisterStream(std::string method, StreamHandler handler);
  // "package.Service" of everything registered, sorted, without duplicates.
  std::vector<std::string> services() const;

  // Accepts connections at "host:port", "[ipv6]:port"; port 0 lets the system choose. Returns the
  // port. May be called for several addresses. One clear sentence on failure.
  absl::StatusOr<uint16_t> Listen(std::string_view address);

  // Stops accepting connections and asks the clients that have one to go elsewhere (GOAWAY). Calls
  // that they send all the same are handled.
  void GiveNotice();
  // Does that, then takes no more calls, lets the open ones end and closes. `drained` is called
  // when the last connection is gone; the owner bounds the wait by destroying the server.
  void Drain(std::function<void()> drained);

  const GrpcServerCounters& counters() const { return counters_; }
  // By path, such as "/kvrpc.KvCas/Get".
  std::map<std::string, GrpcMethodCounters> method_counters() const;
  // What the clients of all connections have not taken yet, in bytes.
  size_t waiting_output_bytes() const { return output_bytes_; }
  EventLoop* loop() const { return loop_; }

 private:
  friend class ServerCall;
  friend class ServerConnection;
  struct Method {
    UnaryHandler unary;  // Exactly one of the two is set.
    StreamHandler stream;
    CallJudge judge;  // Empty: all are let in.
    GrpcMethodCounters counters;
  };

  void Register(std::string path, Method method);
  Method* FindMethod(std::string_view path);
  void Accept(int fd, std::string peer);
  // Where there is none it is made: whoever asked for something is worth more than who never did,
  // and then who rests for a shorter time. Connections with calls stay.
  bool HasRoomFor(const std::string& host);
  // Ends connections, if too much is held.
  void Relieve();
  // The last act of a connection: destroys it.
  void Remove(ServerConnection* connection, const absl::Status& why);

  EventLoop* const loop_;
  const GrpcServerOptions options_;
  std::map<std::string, Method, std::less<>> methods_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  size_t request_bytes_ = 0;  // What the calls of all connections take.
  size_t output_bytes_ = 0;
  // Connections without a call: those that never had one, and the others; who is so for longest
  // comes first.
  std::list<ServerConnection*> newcomers_;
  std::list<ServerConnection*> rested_;
  std::map<ServerConnection*, std::unique_ptr<ServerConnection>> connections_;
  std::map<std::string, size_t> connections_by_host_;
  std::function<void()> drained_;
  bool draining_ = false;
  GrpcServerCounters counters_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_GRPC_SERVER_H_
