// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_server_call.h"

#include <array>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/strings.h"

namespace flaredb::net {
namespace {

constexpr Header kStatus200 = {":status", "200"};
constexpr Header kContentType = {"content-type", "application/grpc"};
constexpr Header kAcceptIdentity = {"grpc-accept-encoding", "identity"};
constexpr Header kStatusOk = {"grpc-status", "0"};

// Headers of the transport, not of the caller.
bool IsReserved(std::string_view name) {
  return name.substr(0, 1) == ":" || name.substr(0, 5) == "grpc-" || name == "te" ||
         name == "content-type" || name == "user-agent";
}

// What an open call takes beside its headers and message: streams and timers, here and in nghttp2.
constexpr size_t kCallBytes = 2 << 10;

using HeaderList = absl::InlinedVector<Header, 8>;

GrpcStatus Judge(const CallJudge& judge, const CallHandle& call, std::string_view request) {
  return judge ? judge(call, request) : GrpcStatus();
}

void AppendAll(const HeaderBlock& block, HeaderList* list) {
  for (size_t i = 0; i < block.size(); ++i) list->push_back(block[i]);
}

}  // namespace

ServerCall::ServerCall(ServerCallHost* host)
    : host_(host),
      loop_(host->server->loop_),
      peer_(host->peer),
      messages_(host->server->options_.max_message_bytes) {
  ++host->calls;
  ++host->server->counters_.calls_now;
  ++host->server->counters_.calls_total;
}

ServerCall::~ServerCall() = default;

void ServerCall::OnHeaders(const HeaderBlock& headers) {
  if (headers_sent_ || open_ || got_message_) return;  // Request trailers say nothing in gRPC.
  const RequestHead head = ReadRequestHead(headers);
  if (head.http_error != 0) {
    const std::string code = std::to_string(head.http_error);
    SendHeaders({{":status", code}}, /*end=*/true);
    headers_sent_ = true;
    return;
  }
  open_ = true;
  if (!head.refusal.ok()) {
    return End(CallFault::kRequest, head.refusal.code, head.refusal.message);
  }
  GrpcServer::Method* method = host_->server->FindMethod(head.path);
  if (method == nullptr) {
    return End(CallFault::kRequest, absl::StatusCode::kUnimplemented,
               absl::StrCat("unknown method ", absl::CEscape(ToAbsl(head.path.substr(0, 200)))));
  }
  counters_ = &method->counters;
  ++counters_->started;
  started_ = loop_->now();
  KeepMetadata(headers);
  Count();
  if (head.timeout.has_value()) {
    deadline_ = loop_->now() + *head.timeout;
    deadline_timer_ = loop_->StartTimer(deadline_, [this] {
      // The method's answer may be due in this very turn of a loop that is late.
      const Instant after_this_turn = loop_->now() + Duration::Nanoseconds(1);
      deadline_timer_ = loop_->StartTimer(after_this_turn, [this] {
        deadline_timer_.reset();
        End(CallFault::kDeadline, absl::StatusCode::kDeadlineExceeded,
            "the deadline passed before the server had an answer");
      });
    });
  }
  if (method->unary) {
    unary_ = &method->unary;
    judge_ = &method->judge;
  } else {
    ServerStream stream(shared_from_this());
    if (GrpcStatus refusal = Judge(method->judge, stream, ""); !refusal.ok()) {
      return Finish(refusal);
    }
    reader_ = method->stream(std::move(stream));
  }
}

void ServerCall::KeepMetadata(const HeaderBlock& headers) {
  constexpr std::string_view kBinary = "-bin";
  for (size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers[i];
    if (IsReserved(name)) continue;
    if (name.size() > kBinary.size() && name.substr(name.size() - kBinary.size()) == kBinary) {
      if (const auto bytes = DecodeBinaryHeader(value)) metadata_.Add(name, *bytes);
    } else {
      metadata_.Add(name, value);
    }
  }
}

void ServerCall::OnData(std::string_view bytes) {
  if (!open_) return;
  messages_.Append(bytes);
  std::string_view message;
  MessageReader::Result result;
  while ((result = messages_.Next(&message)) == MessageReader::kMessage) {
    HandleMessage(message);
    if (!open_) return;
  }
  if (result == MessageReader::kError) {
    return End(CallFault::kRequest, messages_.error().code, messages_.error().message);
  }
  if (!Count()) {
    End(CallFault::kLoad, absl::StatusCode::kResourceExhausted,
        "too many incomplete messages on one connection");
  }
}

void ServerCall::HandleMessage(std::string_view message) {
  if (unary_ == nullptr) {
    if (reader_ != nullptr) reader_->OnMessage(message);
    return;
  }
  if (got_message_) {
    return End(CallFault::kRequest, absl::StatusCode::kInternal,
               "more than one message in the request of a unary method");
  }
  got_message_ = true;
  UnaryCall call(shared_from_this());
  if (GrpcStatus refusal = Judge(*judge_, call, message); !refusal.ok()) return Finish(refusal);
  (*unary_)(std::move(call), message);
}

bool ServerCall::Count() {
  host_->partial_bytes -= partial_bytes_;
  host_->request_bytes -= request_bytes_;
  partial_bytes_ = messages_.partial_bytes();
  request_bytes_ = exempt_ ? 0 : kCallBytes + metadata_.bytes() + messages_.held_bytes();
  host_->partial_bytes += partial_bytes_;
  host_->request_bytes += request_bytes_;
  host_->recount();
  return host_->partial_bytes <= host_->server->options_.max_partial_bytes_per_connection;
}

void ServerCall::OnEndStream() {
  if (!open_) return;
  if (messages_.partial_bytes() > 0) {
    return End(CallFault::kRequest, absl::StatusCode::kInternal,
               "the request ends within a message");
  }
  if (unary_ == nullptr) {
    if (reader_ != nullptr) reader_->OnHalfClose();
  } else if (!got_message_) {
    End(CallFault::kRequest, absl::StatusCode::kInternal, "the request has no message");
  }
}

void ServerCall::Exempt() {
  exempt_ = true;
  if (host_ != nullptr) Count();
}

void ServerCall::OnDrained() {
  if (auto fn = std::exchange(on_drained_, nullptr)) fn();
}

void ServerCall::OnClosed(uint32_t) {
  const std::shared_ptr<ServerCall> self = shared_from_this();  // Handles may go in what follows.
  --host_->calls;
  --host_->server->counters_.calls_now;
  host_->partial_bytes -= partial_bytes_;
  host_->request_bytes -= request_bytes_;
  host_->recount();
  host_ = nullptr;
  auto cancelled = open_ ? std::exchange(on_cancel_, nullptr) : nullptr;
  Conclude(absl::StatusCode::kCancelled);
  if (cancelled) cancelled();
  reader_.reset();
}

void ServerCall::Conclude(absl::StatusCode code) {
  open_ = false;
  if (GrpcMethodCounters* const counters = std::exchange(counters_, nullptr)) {
    ++counters->handled[code];
    counters->seconds.Add(loop_->now() - started_);
  }
  on_cancel_ = nullptr;
  on_drained_ = nullptr;
  if (deadline_timer_.has_value()) loop_->CancelTimer(*deadline_timer_);
  deadline_timer_.reset();
}

void ServerCall::End(CallFault fault, absl::StatusCode code, std::string sentence) {
  if (!open_) return;
  auto cancelled = std::exchange(on_cancel_, nullptr);
  const auto& explain = host_->server->options_.explain;
  const bool reached = unary_ == nullptr ? reader_ != nullptr : got_message_;
  GrpcStatus status(code, std::move(sentence));
  Finish(explain ? explain(fault, reached, std::move(status)) : status);
  if (cancelled) cancelled();
}

void ServerCall::SendResponseHeaders() {
  if (headers_sent_) return;
  headers_sent_ = true;
  SendHeaders({kStatus200, kContentType}, /*end=*/false);
}

bool ServerCall::Send(std::string_view message) {
  if (!open_) return false;
  const size_t limit = host_->server->options_.max_message_bytes;
  if (message.size() > limit) {
    End(CallFault::kServer, absl::StatusCode::kResourceExhausted,
        absl::StrCat("the reply of ", message.size(), " bytes is larger than the limit of ", limit,
                     " bytes; ask for less at once"));
    return false;
  }
  SendResponseHeaders();
  SendData([message](std::string* out) { AppendFrame(message, out); });
  return true;
}

void ServerCall::Finish(const GrpcStatus& status) {
  if (!open_) return;
  Conclude(status.code);
  if (status.ok() && headers_sent_) return SendTrailers({kStatusOk});
  HeaderBlock trailers;
  AppendStatus(status, &trailers);
  HeaderList list;
  if (headers_sent_) {
    AppendAll(trailers, &list);
    return SendTrailers(list);
  }
  headers_sent_ = true;
  list = {kStatus200, kContentType};
  // The protocol asks for it beside a refusal of a compressed message.
  if (status.code == absl::StatusCode::kUnimplemented) list.push_back(kAcceptIdentity);
  AppendAll(trailers, &list);
  SendHeaders(list, /*end=*/true);
}

CallHandle::~CallHandle() {
  if (call_ != nullptr && call_->open()) {
    call_->End(CallFault::kServer, absl::StatusCode::kInternal, "the server dropped the call");
  }
}

CallHandle& CallHandle::operator=(CallHandle&& other) {
  // The old call goes with `old`, after ours is in place.
  CallHandle old(std::exchange(call_, std::move(other.call_)));
  return *this;
}

Instant CallHandle::deadline() const { return call_->deadline(); }
std::string_view CallHandle::header(std::string_view name) const { return call_->header(name); }
const std::string& CallHandle::peer() const { return call_->peer(); }
std::optional<PeerCertificate> CallHandle::certificate() const { return call_->certificate(); }
size_t CallHandle::connection_output_bytes() const {
  return call_ == nullptr ? 0 : call_->connection_output_bytes();
}
bool CallHandle::open() const { return call_ != nullptr && call_->open(); }
void CallHandle::OnCancel(std::function<void()> fn) {
  if (open()) call_->OnCancel(std::move(fn));
}

void UnaryCall::Reply(std::string_view message) {
  if (call_->Send(message)) call_->Finish(GrpcStatus());
}
void UnaryCall::Fail(const GrpcStatus& status) { call_->Finish(status); }

bool ServerStream::Send(std::string_view message) { return call_->Send(message); }
void ServerStream::Finish(const GrpcStatus& status) { call_->Finish(status); }
void ServerStream::Exempt() { call_->Exempt(); }
size_t ServerStream::unsent_bytes() const { return call_->unsent(); }
void ServerStream::OnDrained(std::function<void()> fn) {
  if (open()) call_->NotifyDrained(std::move(fn));
}

}  // namespace flaredb::net
