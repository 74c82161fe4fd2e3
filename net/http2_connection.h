// SPDX-License-Identifier: Apache-2.0
// One HTTP/2 connection, either side, over nghttp2 and an event loop.
#ifndef FLAREDB_NET_HTTP2_CONNECTION_H_
#define FLAREDB_NET_HTTP2_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "core/base/time.h"
#include "net/byte_stream.h"
#include "net/event_loop.h"
#include "net/header_block.h"
#include "net/http2_options.h"
#include "net/token_bucket.h"

struct nghttp2_session;

namespace flaredb::net {

class Http2Connection;
class Http2Callbacks;  // nghttp2's side; private to http2_connection.cc.

// Error codes of RFC 9113 section 7 that callers need.
inline constexpr uint32_t kHttp2NoError = 0x0;
inline constexpr uint32_t kHttp2InternalError = 0x2;
inline constexpr uint32_t kHttp2RefusedStream = 0x7;
inline constexpr uint32_t kHttp2Cancel = 0x8;
inline constexpr uint32_t kHttp2EnhanceYourCalm = 0xb;

// One stream: the base of a call's state. The connection and whoever else needs it share it. The
// On... functions run while the connection reads or flushes; they may call every Send... member,
// but the connection itself does not go away under them.
class Http2Stream {
 public:
  virtual ~Http2Stream() = default;
  Http2Stream() = default;
  Http2Stream(const Http2Stream&) = delete;
  Http2Stream& operator=(const Http2Stream&) = delete;

  // A request's or response's headers, informational (1xx) headers, or trailers have arrived.
  virtual void OnHeaders(const HeaderBlock& headers) = 0;
  virtual void OnData(std::string_view bytes) = 0;
  // The peer has finished sending; nothing more of the above follows.
  virtual void OnEndStream() = 0;
  // Everything queued by SendData has been handed to the output buffer.
  virtual void OnDrained() {}
  // The stream is over; the last call. `error` is an RFC 9113 code; kHttp2NoError after a regular
  // end on both sides.
  virtual void OnClosed(uint32_t error) = 0;

 protected:
  // The members below do nothing once attached() is false.
  bool attached() const { return connection_ != nullptr; }

  // Server: begins the response; with `end`, it is the whole of it (gRPC's "trailers-only").
  void SendHeaders(absl::Span<const Header> headers, bool end);
  // Queues body bytes. Server: only between SendHeaders and SendTrailers.
  // `fill` appends to the stream's own buffer and saves a copy.
  template <typename Fill>
  void SendData(Fill fill) {
    if (!attached()) return;
    const size_t before = unsent_.size();
    fill(&unsent_);
    DataQueued(unsent_.size() - before);
  }
  // Server: ends the response with trailers after everything queued.
  void SendTrailers(absl::Span<const Header> trailers);
  // Client: ends the request after everything queued.
  void SendEnd();
  // Ends the stream at once in both directions; OnClosed follows later.
  void Reset(uint32_t error);

  // Body bytes queued and not yet handed to the output buffer.
  size_t unsent_bytes() const { return unsent_.size() - unsent_begin_; }
  // What the peer has not taken yet on the whole connection, in bytes.
  size_t connection_output_bytes() const;
  // True once the request's headers were serialized for the wire (client side).
  bool started() const { return started_; }

 private:
  friend class Http2Connection;
  friend class Http2Callbacks;

  void DataQueued(size_t bytes);

  Http2Connection* connection_ = nullptr;  // nullptr before the start and after the end.
  int32_t id_ = 0;
  std::string unsent_;
  size_t unsent_begin_ = 0;
  HeaderBlock trailers_;     // Kept until the body is out.
  bool responded_ = false;   // Server: SendHeaders was called.
  bool end_queued_ = false;  // No more SendData.
  bool deferred_ = false;    // nghttp2 found nothing to send and waits to be resumed.
  bool started_ = false;
};

// Reads when the socket is readable and hands streams their events; collects what they send and
// writes it once per loop iteration, in step 4. Enforces Http2Options. Server and client side
// differ in who starts streams.
class Http2Connection : private FdHandler, private Flusher {
 public:
  enum class Side : unsigned char { kServer, kClient };

  class Owner {
   public:
    // Server: a client begins a stream. Must not be nullptr.
    virtual std::shared_ptr<Http2Stream> OnNewStream() = 0;
    // The peer's first SETTINGS arrived: it speaks HTTP/2.
    virtual void OnHandshake() {}
    // A stream's end made room, or the peer changed its limit.
    virtual void OnStreamSlots() {}
    // waiting_output_bytes() or header_block_bytes() may have changed.
    virtual void OnHeld() {}
    // The peer sent GOAWAY or stream ids ran out: StartStream will fail from now on.
    virtual void OnGoingAway() {}
    // The connection is over and all its streams were told. The last call, made by the loop and
    // not from inside a member; the owner may destroy the connection. OK after a regular end.
    virtual void OnClosed(const absl::Status& why) = 0;

   protected:
    ~Owner() = default;
  };

  // `owner` outlives the connection. Failures, also early ones, are reported by OnClosed.
  Http2Connection(EventLoop* loop, std::unique_ptr<ByteStream> socket, Side side,
                  const Http2Options& options, Owner* owner);
  // Streams still open get OnClosed(kHttp2Cancel); the owner gets nothing.
  ~Http2Connection();
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;

  // Client: sends a request's headers on a new stream and shares `stream` until its OnClosed.
  // Requires CanStartStream().
  void StartStream(std::shared_ptr<Http2Stream> stream, absl::Span<const Header> headers);
  // Client: the handshake is done, the peer takes new streams and has a free one.
  bool CanStartStream() const;

  // Server: asks the peer to go elsewhere; what it sends all the same is handled as ever.
  void GiveNotice();
  // Takes no more streams, lets the open ones end, then closes. Until the peer had time to hear of
  // it, from the notice on, its new streams are taken.
  void Drain();
  // Ends the connection; OnClosed follows in a later step of the loop. `why` as in OnClosed.
  void Close(absl::Status why);
  // As Close, and the peer is told by an RFC 9113 code.
  void Abort(uint32_t error, absl::Status why);

  size_t open_streams() const { return streams_.size(); }
  // What the peer has not taken yet, in bytes.
  size_t waiting_output_bytes() const { return queued_bytes_ + output_.size() - output_begin_; }
  // Of the header block that is being received.
  size_t header_block_bytes() const { return header_block_bytes_; }
  // Close was called or the connection broke; close_reason() tells why.
  bool closing() const { return closing_; }
  const absl::Status& close_reason() const { return close_reason_; }
  EventLoop* loop() const { return loop_; }

 private:
  friend class Http2Stream;
  friend class Http2Callbacks;

  void OnReady(Readiness ready) override;
  void Flush() override;

  void StartSession();
  void FlushSome();
  void ReadSome();
  void Receive(std::string_view bytes);
  bool FillOutput();   // False when there is nothing to write.
  bool WriteOutput();  // False when the socket takes no more for now or is broken.
  void ScheduleFlush();
  void SetWriteInterest(bool write);
  void OutputQueued(size_t bytes);

  // Reasons to act by time alone.
  Instant NextTimeout() const;
  void ArmTimer();
  void CheckTimeouts();

  // Ends a connection that costs more than it may.
  void Spend(TokenBucket* bucket, const char* what);
  void DeferFinishClose();
  void FinishClose();
  void EndStream(int32_t id, uint32_t error);
  void EndAllStreams(uint32_t error);

  bool output_waits() const { return queued_bytes_ > 0 || output_begin_ < output_.size(); }

  EventLoop* const loop_;
  const std::unique_ptr<ByteStream> socket_;
  const Side side_;
  const Http2Options options_;
  Owner* const owner_;
  nghttp2_session* session_ = nullptr;
  EventLoop::WatchId watch_ = 0;
  EventLoop::TimerId timer_{Instant::Max(), 0};
  std::map<int32_t, std::shared_ptr<Http2Stream>> streams_;

  HeaderBlock headers_;            // Of the header block that is being received.
  size_t header_block_bytes_ = 0;  // As it comes.
  size_t header_list_bytes_ = 0;   // Its size as RFC 9113 6.5.2 counts.

  std::string output_;  // Serialized frames; [output_begin_, end) is not written yet.
  size_t output_begin_ = 0;
  size_t queued_bytes_ = 0;  // Sum of unsent_bytes() over streams_.
  bool write_interest_ = false;
  // What the stream asked for in order to go on, of the other kind than what it was to do. TLS
  // does.
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
  bool flush_scheduled_ = false;

  bool handshake_done_ = false;
  bool going_away_ = false;           // The peer takes no new streams.
  Instant noticed_ = Instant::Max();  // When the peer was asked to go.
  bool draining_ = false;             // We end when the last stream does...
  bool goaway_sent_ = false;          // ...but not before the peer was told what we did not take.
  bool closing_ = false;
  absl::Status close_reason_;

  TokenBucket resets_;
  TokenBucket controls_;
  const Instant created_;
  Instant last_received_;
  Instant last_progress_;  // When output last was empty or some of it was delivered.
  Instant idle_since_;     // When the last stream ended.
  Instant ping_sent_;      // Max() while none is outstanding.
  // Deferred functions hold it weakly and so know whether the connection still exists.
  const std::shared_ptr<Http2Connection*> self_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_HTTP2_CONNECTION_H_
