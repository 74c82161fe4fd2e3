// SPDX-License-Identifier: Apache-2.0
#include "net/http2_connection.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace flaredb::net {
namespace {

// One read moves at most this much.
constexpr size_t kChunkBytes = 64 << 10;
// All connections that are ready share this much of an iteration, so that none waits long for its
// turn, whatever the others send; and one has at least so much and at most so much. A record of TLS
// is read as a whole: what is left of it would make nothing readable again.
constexpr size_t kReadBytesPerIteration = 4 << 20;
constexpr size_t kReadBytesMin = 16 << 10;
constexpr size_t kReadBytesMax = 256 << 10;
// One write moves at most this much; several make an iteration's share.
constexpr size_t kWriteBytes = 256 << 10;
constexpr int kWritesPerIteration = 4;
// Frames that wait to be serialized, beyond what streams have queued: answers to abuse.
constexpr size_t kControlFramesMax = 20000;
// A block that is too large has to be read to its end for the sake of the blocks behind it; but one
// byte of it can stand for thousands, so not one that is so many times too large.
constexpr size_t kRefusedListsMax = 4;
// Sent bytes are cut off a stream's queue once they are this many, to move the rest rarely.
constexpr size_t kCompactBytes = 256 << 10;
// Time between the warning of a drain and its final GOAWAY: requests on their way still count.
constexpr Duration kDrainNotice = Duration::Milliseconds(100);

using NvList = absl::InlinedVector<nghttp2_nv, 16>;

nghttp2_nv ToNv(Header header) {
  nghttp2_nv nv;
  nv.name = reinterpret_cast<uint8_t*>(const_cast<char*>(header.name.data()));
  nv.namelen = header.name.size();
  nv.value = reinterpret_cast<uint8_t*>(const_cast<char*>(header.value.data()));
  nv.valuelen = header.value.size();
  nv.flags = NGHTTP2_NV_FLAG_NONE;  // nghttp2 copies.
  return nv;
}

NvList ToNvList(absl::Span<const Header> headers) {
  NvList list;
  for (const Header& header : headers) list.push_back(ToNv(header));
  return list;
}

std::string_view View(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

bool EndsStream(const nghttp2_frame* frame) {
  return (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

bool IsAck(const nghttp2_frame* frame) { return (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0; }

}  // namespace

// What nghttp2 calls while it reads and serializes.
class Http2Callbacks {
 public:
  static nghttp2_session* NewSession(Http2Connection* connection) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_option* option = nullptr;
    nghttp2_session* session = nullptr;
    INVARIANT(nghttp2_session_callbacks_new(&callbacks) == 0) << "out of memory";
    INVARIANT(nghttp2_option_new(&option) == 0) << "out of memory";
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, OnBeginFrame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnDataChunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrameReceived);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, OnInvalidFrame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, OnFrameSent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnStreamClose);
    const Http2Options& options = connection->options_;
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_outbound_ack(option, options.control_burst);
    const bool server = connection->side_ == Http2Connection::Side::kServer;
    if (server) {
      nghttp2_option_set_stream_reset_rate_limit(option, options.reset_burst,
                                                 options.resets_per_second);
    } else {
      // Until the peer's SETTINGS tell its own limit; no stream starts before.
      nghttp2_option_set_peer_max_concurrent_streams(option, options.max_concurrent_streams);
    }
    const auto create = server ? nghttp2_session_server_new2 : nghttp2_session_client_new2;
    INVARIANT(create(&session, callbacks, connection, option) == 0) << "out of memory";
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return session;
  }

  static void RespondWithBody(Http2Stream* stream, const NvList& headers) {
    nghttp2_data_provider body = Body(stream);
    nghttp2_submit_response(stream->connection_->session_, stream->id_, headers.data(),
                            headers.size(), &body);
  }

  static int32_t Request(nghttp2_session* session, Http2Stream* stream, const NvList& headers) {
    nghttp2_data_provider body = Body(stream);
    return nghttp2_submit_request(session, nullptr, headers.data(), headers.size(), &body, stream);
  }

 private:
  static Http2Connection* Connection(void* user_data) {
    return static_cast<Http2Connection*>(user_data);
  }
  static Http2Stream* Stream(nghttp2_session* session, int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }
  static nghttp2_data_provider Body(Http2Stream* stream) {
    nghttp2_data_provider body;
    body.source.ptr = stream;
    body.read_callback = ReadBody;
    return body;
  }

  static int OnBeginFrame(nghttp2_session*, const nghttp2_frame_hd* frame, void* user_data) {
    Http2Connection* c = Connection(user_data);
    if (frame->type == NGHTTP2_PRIORITY) {  // Skipped by nghttp2 without a further word.
      c->Spend(&c->controls_, "PRIORITY frames");
    } else if (frame->type == NGHTTP2_HEADERS || frame->type == NGHTTP2_CONTINUATION) {
      c->header_block_bytes_ += frame->length;
      c->owner_->OnHeld();
    }
    return 0;
  }

  static int OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    Http2Connection* c = Connection(user_data);
    c->headers_.Clear();
    c->header_list_bytes_ = 0;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    std::shared_ptr<Http2Stream> stream = c->owner_->OnNewStream();
    stream->connection_ = c;
    stream->id_ = frame->hd.stream_id;
    stream->started_ = true;
    nghttp2_session_set_stream_user_data(session, stream->id_, stream.get());
    c->streams_.emplace(stream->id_, std::move(stream));
    c->ArmTimer();
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame*, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void* user_data) {
    Http2Connection* c = Connection(user_data);
    c->header_list_bytes_ += name_size + value_size + 32;
    if (c->header_list_bytes_ > kRefusedListsMax * c->options_.max_header_list_bytes) {
      c->Abort(kHttp2EnhanceYourCalm,
               absl::ResourceExhaustedError("a header block that unfolds without end"));
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (c->header_list_bytes_ <= c->options_.max_header_list_bytes) {
      c->headers_.Add(View(name, name_size), View(value, value_size));
    }
    return 0;
  }

  static int OnDataChunk(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* bytes,
                         size_t size, void*) {
    if (Http2Stream* stream = Stream(session, id)) stream->OnData(View(bytes, size));
    return 0;
  }

  static int OnFrameReceived(nghttp2_session* session, const nghttp2_frame* frame,
                             void* user_data) {
    Http2Connection* c = Connection(user_data);
    Http2Stream* stream = Stream(session, frame->hd.stream_id);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        c->header_block_bytes_ = 0;
        if (stream == nullptr) break;
        if (c->header_list_bytes_ > c->options_.max_header_list_bytes) {
          stream->Reset(kHttp2EnhanceYourCalm);  // RESOURCE_EXHAUSTED to a gRPC client.
          break;
        }
        stream->OnHeaders(c->headers_);
        if (EndsStream(frame)) stream->OnEndStream();
        break;
      case NGHTTP2_DATA:
        if (EndsStream(frame)) {
          if (stream != nullptr) stream->OnEndStream();
        } else if (frame->hd.length == 0) {
          c->Spend(&c->controls_, "empty DATA frames");
        }
        break;
      case NGHTTP2_RST_STREAM:
        c->Spend(&c->resets_, "stream resets");
        break;
      case NGHTTP2_PING:
        if (!IsAck(frame)) c->Spend(&c->controls_, "PING frames");
        break;
      case NGHTTP2_SETTINGS:
        if (IsAck(frame)) break;
        c->Spend(&c->controls_, "SETTINGS frames");
        if (!c->handshake_done_) {
          c->handshake_done_ = true;
          c->owner_->OnHandshake();
        }
        c->owner_->OnStreamSlots();
        break;
      case NGHTTP2_GOAWAY:
        c->going_away_ = true;
        c->owner_->OnGoingAway();
        break;
      default:
        break;
    }
    return 0;
  }

  static int OnInvalidFrame(nghttp2_session*, const nghttp2_frame*, int, void* user_data) {
    Http2Connection* c = Connection(user_data);
    c->Spend(&c->resets_, "invalid frames");
    return 0;
  }

  static int OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    Http2Connection* c = Connection(user_data);
    const uint8_t type = frame->hd.type;
    if (type != NGHTTP2_HEADERS && type != NGHTTP2_DATA) return 0;
    const int32_t id = frame->hd.stream_id;
    if (Http2Stream* stream = Stream(session, id)) stream->started_ = true;
    // The answer is complete: what the client may still send is of no use to anybody.
    if (c->side_ == Http2Connection::Side::kServer && EndsStream(frame) &&
        nghttp2_session_get_stream_remote_close(session, id) == 0) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, int32_t id, uint32_t error, void* user_data) {
    Http2Connection* c = Connection(user_data);
    c->EndStream(id, error);
    c->owner_->OnStreamSlots();
    return 0;
  }

  static ssize_t ReadBody(nghttp2_session* session, int32_t id, uint8_t* out, size_t size,
                          uint32_t* flags, nghttp2_data_source* source, void* user_data) {
    Http2Connection* c = Connection(user_data);
    auto* stream = static_cast<Http2Stream*>(source->ptr);
    const size_t n = std::min(size, stream->unsent_bytes());
    memcpy(out, stream->unsent_.data() + stream->unsent_begin_, n);
    stream->unsent_begin_ += n;
    c->queued_bytes_ -= n;
    if (n > 0) c->last_progress_ = c->loop_->now();
    if (stream->unsent_bytes() > 0) {
      if (stream->unsent_begin_ >= kCompactBytes) {
        stream->unsent_.erase(0, stream->unsent_begin_);
        stream->unsent_begin_ = 0;
      }
      return static_cast<ssize_t>(n);
    }
    stream->unsent_.clear();
    stream->unsent_begin_ = 0;
    if (stream->end_queued_) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!stream->trailers_.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        NvList trailers;
        for (size_t i = 0; i < stream->trailers_.size(); ++i) {
          trailers.push_back(ToNv(stream->trailers_[i]));
        }
        nghttp2_submit_trailer(session, id, trailers.data(), trailers.size());
      }
      return static_cast<ssize_t>(n);
    }
    if (n == 0) {
      stream->deferred_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    stream->OnDrained();
    return static_cast<ssize_t>(n);
  }
};

void Http2Stream::SendHeaders(absl::Span<const Header> headers, bool end) {
  if (!attached() || responded_) return;
  responded_ = true;
  const NvList list = ToNvList(headers);
  if (end) {
    end_queued_ = true;
    nghttp2_submit_response(connection_->session_, id_, list.data(), list.size(), nullptr);
  } else {
    Http2Callbacks::RespondWithBody(this, list);
  }
  connection_->ScheduleFlush();
}

void Http2Stream::DataQueued(size_t bytes) {
  INVARIANT(!end_queued_) << "data after the end of the stream";
  Http2Connection* c = connection_;
  if (deferred_) {
    deferred_ = false;
    nghttp2_session_resume_data(c->session_, id_);
  }
  c->OutputQueued(bytes);
}

void Http2Stream::SendTrailers(absl::Span<const Header> trailers) {
  if (!attached() || end_queued_) return;
  for (const Header& trailer : trailers) trailers_.Add(trailer.name, trailer.value);
  SendEnd();
}

void Http2Stream::SendEnd() {
  if (!attached() || end_queued_) return;
  DataQueued(0);
  end_queued_ = true;
}

size_t Http2Stream::connection_output_bytes() const {
  return attached() ? connection_->waiting_output_bytes() : 0;
}

void Http2Stream::Reset(uint32_t error) {
  if (!attached()) return;
  nghttp2_submit_rst_stream(connection_->session_, NGHTTP2_FLAG_NONE, id_, error);
  connection_->ScheduleFlush();
}

Http2Connection::Http2Connection(EventLoop* loop, std::unique_ptr<ByteStream> socket, Side side,
                                 const Http2Options& options, Owner* owner)
    : loop_(loop),
      socket_(std::move(socket)),
      side_(side),
      options_(options),
      owner_(owner),
      resets_(options.reset_burst, options.resets_per_second, loop->now()),
      controls_(options.control_burst, options.control_per_second, loop->now()),
      created_(loop->now()),
      last_received_(loop->now()),
      last_progress_(loop->now()),
      idle_since_(loop->now()),
      ping_sent_(Instant::Max()),
      self_(std::make_shared<Http2Connection*>(this)) {
  StartSession();
  auto watch = loop_->Watch(socket_->fd(), /*read=*/true, /*write=*/false, this);
  if (!watch.ok()) {
    Close(watch.status());
    return;
  }
  watch_ = *watch;
  ArmTimer();
  ScheduleFlush();
}

Http2Connection::~Http2Connection() {
  EndAllStreams(kHttp2Cancel);
  loop_->Unwatch(watch_);
  loop_->CancelTimer(timer_);
  loop_->CancelFlush(this);
  nghttp2_session_del(session_);
}

void Http2Connection::StartSession() {
  session_ = Http2Callbacks::NewSession(this);
  absl::InlinedVector<nghttp2_settings_entry, 4> settings = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<uint32_t>(options_.stream_window_bytes)},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       static_cast<uint32_t>(options_.max_header_list_bytes)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  if (side_ == Side::kServer) {
    settings.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options_.max_concurrent_streams});
  } else {
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  const int submitted =
      nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  INVARIANT(submitted == 0) << nghttp2_strerror(submitted);
  const int resized = nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                                            options_.connection_window_bytes);
  INVARIANT(resized == 0) << nghttp2_strerror(resized);
}

void Http2Connection::StartStream(std::shared_ptr<Http2Stream> stream,
                                  absl::Span<const Header> headers) {
  INVARIANT(CanStartStream());
  Http2Stream* s = stream.get();
  const int32_t id = Http2Callbacks::Request(session_, s, ToNvList(headers));
  INVARIANT(id > 0) << nghttp2_strerror(id);
  s->connection_ = this;
  s->id_ = id;
  streams_.emplace(id, std::move(stream));
  if (nghttp2_session_get_next_stream_id(session_) > (1u << 31) - 3) {
    going_away_ = true;  // Ids are used up; the owner continues on another connection.
    owner_->OnGoingAway();
  }
  ArmTimer();
  ScheduleFlush();
}

bool Http2Connection::CanStartStream() const {
  return handshake_done_ && !going_away_ && !draining_ && !closing_ &&
         streams_.size() <
             nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

void Http2Connection::GiveNotice() {
  if (noticed_ != Instant::Max() || closing_) return;
  noticed_ = loop_->now();
  nghttp2_submit_shutdown_notice(session_);
  ScheduleFlush();
}

void Http2Connection::Drain() {
  if (draining_ || closing_) return;
  draining_ = true;
  GiveNotice();
  loop_->StartTimer(noticed_ + kDrainNotice, [weak = std::weak_ptr<Http2Connection*>(self_)] {
    const auto self = weak.lock();
    if (self == nullptr || (*self)->closing_) return;
    Http2Connection* c = *self;
    nghttp2_submit_goaway(c->session_, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(c->session_), NGHTTP2_NO_ERROR,
                          nullptr, 0);
    c->goaway_sent_ = true;
    c->ScheduleFlush();
  });
  ScheduleFlush();
}

void Http2Connection::Close(absl::Status why) {
  if (closing_) return;
  closing_ = true;
  close_reason_ = std::move(why);
  if (watch_ != 0) loop_->SetInterest(watch_, /*read=*/false, /*write=*/false);
  DeferFinishClose();
}

void Http2Connection::DeferFinishClose() {
  loop_->Defer([weak = std::weak_ptr<Http2Connection*>(self_)] {
    if (const auto self = weak.lock()) (*self)->FinishClose();
  });
}

void Http2Connection::FinishClose() {
  // The peer may still want to know why; what does not fit into the socket now is lost.
  if (FillOutput()) WriteOutput();
  loop_->Unwatch(watch_);
  watch_ = 0;
  EndAllStreams(kHttp2Cancel);
  const absl::Status why = close_reason_;  // Outlives the connection, which may go now.
  owner_->OnClosed(why);
}

void Http2Connection::Abort(uint32_t error, absl::Status why) {
  if (closing_) return;
  nghttp2_session_terminate_session(session_, error);
  Close(std::move(why));
}

void Http2Connection::Spend(TokenBucket* bucket, const char* what) {
  if (bucket->Take(loop_->now())) return;
  Abort(kHttp2EnhanceYourCalm,
        absl::ResourceExhaustedError(absl::StrCat("too many ", what, " on one connection")));
}

void Http2Connection::EndStream(int32_t id, uint32_t error) {
  auto node = streams_.extract(id);
  if (node.empty()) return;
  Http2Stream* stream = node.mapped().get();
  queued_bytes_ -= stream->unsent_bytes();
  stream->connection_ = nullptr;
  owner_->OnHeld();
  if (streams_.empty()) {
    idle_since_ = loop_->now();
    ArmTimer();
    if (goaway_sent_) ScheduleFlush();
  }
  stream->OnClosed(error);
}

void Http2Connection::EndAllStreams(uint32_t error) {
  while (!streams_.empty()) EndStream(streams_.begin()->first, error);
}

void Http2Connection::OnReady(Readiness ready) {
  if (closing_) return;
  if (ready.writable && write_interest_) {
    SetWriteInterest(false);
    ScheduleFlush();
    ready.readable |= std::exchange(read_wants_write_, false);
  }
  if (!ready.readable) return;
  ReadSome();
  if (std::exchange(write_wants_read_, false)) ScheduleFlush();
}

void Http2Connection::ReadSome() {
  std::array<char, kChunkBytes> buffer;
  size_t share = std::clamp(kReadBytesPerIteration / std::max<size_t>(loop_->ready_count(), 1),
                            kReadBytesMin, kReadBytesMax);
  while (share >= kReadBytesMin && !closing_) {
    const size_t size = std::min(share, buffer.size());
    const IoResult result = socket_->Read(buffer.data(), size);
    switch (result.state) {
      case IoState::kOk:
        Receive({buffer.data(), result.bytes});
        if (result.bytes < size) return;  // The rest, if any, makes it readable again.
        share -= result.bytes;
        break;
      case IoState::kWantRead:
        return;
      case IoState::kWantWrite:
        read_wants_write_ = true;
        SetWriteInterest(true);
        return;
      case IoState::kEnd:
        Close(handshake_done_ && streams_.empty()
                  ? absl::OkStatus()
                  : absl::UnavailableError("the peer closed the connection"));
        return;
      case IoState::kFailed:
        Close(socket_->error());
        return;
    }
  }
}

void Http2Connection::Receive(std::string_view bytes) {
  last_received_ = loop_->now();
  const ssize_t n = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (closing_) return;
  if (n < 0) {
    Close(absl::InvalidArgumentError(
        absl::StrCat("HTTP/2 protocol error: ", nghttp2_strerror(static_cast<int>(n)))));
    return;
  }
  if (nghttp2_session_get_outbound_queue_size(session_) > kControlFramesMax) {
    Abort(kHttp2EnhanceYourCalm,
          absl::ResourceExhaustedError("the peer causes answers faster than it reads them"));
    return;
  }
  if (nghttp2_session_want_write(session_) != 0) {
    ScheduleFlush();
  } else if (nghttp2_session_want_read(session_) == 0) {
    Close(absl::UnavailableError("the HTTP/2 session ended"));
  }
}

void Http2Connection::ScheduleFlush() {
  if (flush_scheduled_ || closing_) return;
  flush_scheduled_ = true;
  loop_->RequestFlush(this);
}

void Http2Connection::OutputQueued(size_t bytes) {
  if (!output_waits()) last_progress_ = loop_->now();
  queued_bytes_ += bytes;
  owner_->OnHeld();
  if (queued_bytes_ > options_.max_output_bytes) {
    Abort(kHttp2EnhanceYourCalm,
          absl::ResourceExhaustedError(absl::StrCat("the peer leaves more than ",
                                                    options_.max_output_bytes, " bytes unread")));
    return;
  }
  ScheduleFlush();
}

void Http2Connection::Flush() {
  flush_scheduled_ = false;
  if (closing_) return;
  FlushSome();
  owner_->OnHeld();
}

void Http2Connection::FlushSome() {
  for (int i = 0; FillOutput(); ++i) {
    if (i == kWritesPerIteration) {
      ScheduleFlush();
      return;
    }
    if (!WriteOutput()) {
      ArmTimer();
      return;
    }
  }
  if (closing_) return;
  if (queued_bytes_ > 0) {
    ArmTimer();  // The peer's flow control holds it back.
  } else if (goaway_sent_ && streams_.empty()) {
    Close(absl::OkStatus());
  } else if (nghttp2_session_want_read(session_) == 0) {
    Close(absl::UnavailableError("the HTTP/2 session ended"));
  }
}

bool Http2Connection::FillOutput() {
  while (output_.size() - output_begin_ < kWriteBytes) {
    const uint8_t* bytes = nullptr;
    const ssize_t n = nghttp2_session_mem_send(session_, &bytes);
    if (n < 0) {
      Close(absl::InternalError(
          absl::StrCat("HTTP/2 failure: ", nghttp2_strerror(static_cast<int>(n)))));
      break;
    }
    if (n == 0) break;
    output_.append(View(bytes, static_cast<size_t>(n)));
  }
  return output_begin_ < output_.size();
}

bool Http2Connection::WriteOutput() {
  while (output_begin_ < output_.size()) {
    const IoResult result = socket_->Write(std::string_view(output_).substr(output_begin_));
    switch (result.state) {
      case IoState::kOk:
        output_begin_ += result.bytes;
        if (queued_bytes_ == 0) last_progress_ = loop_->now();
        break;
      case IoState::kWantWrite:
        SetWriteInterest(true);
        return false;
      case IoState::kWantRead:
        write_wants_read_ = true;  // Which is always watched for.
        return false;
      case IoState::kEnd:
      case IoState::kFailed:
        Close(socket_->error());
        return false;
    }
  }
  output_.clear();
  output_begin_ = 0;
  // Thousands of connections may have had one large reply each.
  if (output_.capacity() > kChunkBytes) output_.shrink_to_fit();
  return true;
}

void Http2Connection::SetWriteInterest(bool write) {
  if (write == write_interest_ || closing_) return;
  write_interest_ = write;
  loop_->SetInterest(watch_, /*read=*/true, write);
}

Instant Http2Connection::NextTimeout() const {
  if (!handshake_done_) return created_ + options_.handshake_timeout;
  const bool never_idle = options_.idle_timeout == Duration();
  Instant next = Instant::Max();
  if (draining_ && streams_.empty()) return next;
  if (ping_sent_ != Instant::Max()) {
    next = std::min(next, ping_sent_ + options_.keepalive_timeout);
  } else if (!streams_.empty() || never_idle) {
    next = std::min(next, last_received_ + options_.keepalive_interval);
  }
  if (output_waits()) next = std::min(next, last_progress_ + options_.stall_timeout);
  if (streams_.empty() && !never_idle) next = std::min(next, idle_since_ + options_.idle_timeout);
  return next;
}

// Times that move on with every frame move the timer only when it fires: it may be early, never
// late.
void Http2Connection::ArmTimer() {
  const Instant next = NextTimeout();
  if (next >= timer_.first) return;
  loop_->CancelTimer(timer_);
  timer_ = loop_->StartTimer(next, [this] { CheckTimeouts(); });
}

void Http2Connection::CheckTimeouts() {
  timer_ = {Instant::Max(), 0};
  if (closing_) return;
  const Instant now = loop_->now();
  if (ping_sent_ != Instant::Max() && last_received_ >= ping_sent_) ping_sent_ = Instant::Max();
  if (NextTimeout() > now) {
    ArmTimer();
    return;
  }
  if (!handshake_done_) {
    Close(absl::DeadlineExceededError("the peer did not complete the HTTP/2 handshake"));
  } else if (ping_sent_ != Instant::Max() && now - ping_sent_ >= options_.keepalive_timeout) {
    Close(absl::DeadlineExceededError("the peer does not answer"));
  } else if (output_waits() && now - last_progress_ >= options_.stall_timeout) {
    Abort(kHttp2EnhanceYourCalm, absl::DeadlineExceededError("the peer does not read"));
  } else if (streams_.empty() && options_.idle_timeout != Duration() &&
             now - idle_since_ >= options_.idle_timeout) {
    Drain();
  } else {
    nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
    ping_sent_ = now;
    ScheduleFlush();
    ArmTimer();
  }
}

}  // namespace flaredb::net
