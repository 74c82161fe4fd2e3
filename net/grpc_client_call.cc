// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_client_call.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "core/base/strings.h"

namespace flaredb::net {
namespace {

const char* SentText(Sent sent) {
  switch (sent) {
    case Sent::kNo:
      return "; the request was not processed";
    case Sent::kMaybe:
      return "; the request had been sent";
    case Sent::kYes:
      break;
  }
  return "";
}

}  // namespace

ClientCall::ClientCall(EventLoop* loop, ClientCallHost* host, ClientCallId id, std::string method,
                       const CallOptions& options, size_t max_message_bytes, UnaryDone done,
                       ClientStreamReader* reader)
    : loop_(loop),
      host_(host),
      id_(id),
      method_(std::move(method)),
      options_(options),
      done_(std::move(done)),
      reader_(reader),
      messages_(max_message_bytes) {
  if (options_.deadline != Instant::Max()) {
    deadline_timer_ = loop_->StartTimer(options_.deadline, [this] { OnDeadline(); });
  }
}

ClientCall::~ClientCall() {
  if (deadline_timer_.has_value()) loop_->CancelTimer(*deadline_timer_);
}

void ClientCall::Start(Http2Connection* connection, const std::string& authority) {
  absl::InlinedVector<Header, 16> headers = {
      {":method", "POST"},           {":scheme", "http"}, {":path", method_},
      {":authority", authority},     {"te", "trailers"},  {"content-type", "application/grpc"},
      {"user-agent", "flaredb-grpc"}};
  std::string timeout;
  if (options_.deadline != Instant::Max()) {
    const Duration left = options_.deadline - loop_->now() - options_.head_start;
    timeout = FormatTimeout(std::max(left, Duration()));
    headers.push_back({"grpc-timeout", timeout});
  }
  std::vector<std::string> coded;
  coded.reserve(options_.metadata.size());  // The headers point into it.
  for (const auto& [name, value] : options_.metadata) {
    if (name.ends_with("-bin")) {
      coded.push_back(EncodeBinaryHeader(value));
      headers.push_back({name, coded.back()});
    } else {
      headers.push_back({name, value});
    }
  }
  http2_ = connection;
  connection->StartStream(shared_from_this(), headers);
  SendData([this](std::string* out) { out->append(early_); });
  early_.clear();
  early_.shrink_to_fit();
  if (send_closed_) SendEnd();
}

bool ClientCall::Send(std::string_view message) {
  if (!open_ || send_closed_) return false;
  if (attached()) {
    SendData([message](std::string* out) { AppendFrame(message, out); });
  } else {
    AppendFrame(message, &early_);
  }
  return open_;
}

void ClientCall::CloseSend() {
  send_closed_ = true;
  SendEnd();
}

void ClientCall::OnHeaders(const HeaderBlock& headers) {
  if (!open_) return;
  const std::string_view http_status = headers.Find(":status");
  if (http_status.substr(0, 1) == "1") return;  // Informational.
  GrpcStatus status;
  if (ReadStatus(headers, &status)) status_ = std::move(status);
  if (got_headers_) return;
  got_headers_ = true;
  if (http_status != "200") {
    int code = 0;
    std::from_chars(http_status.data(), http_status.data() + http_status.size(), code);
    http_error_ = GrpcStatus(CodeFromHttpStatus(code),
                             absl::StrCat("the server answered with HTTP status ", code));
  } else if (!IsGrpcContentType(headers.Find("content-type"))) {
    http_error_ = GrpcStatus(absl::StatusCode::kUnknown, "the server's answer is not gRPC");
  }
}

void ClientCall::OnData(std::string_view bytes) {
  if (!open_ || http_error_.has_value()) return;
  messages_.Append(bytes);
  std::string_view message;
  MessageReader::Result result;
  while ((result = messages_.Next(&message)) == MessageReader::kMessage) {
    HandleMessage(message);
    if (!open_) return;
  }
  if (result == MessageReader::kError) RefuseAnswer(messages_.error());
}

void ClientCall::HandleMessage(std::string_view message) {
  if (reader_ != nullptr) return reader_->OnMessage(message);
  if (reply_.has_value()) {
    return RefuseAnswer(GrpcStatus(absl::StatusCode::kInternal,
                                   "the server sent more than one reply to a unary call"));
  }
  reply_.emplace(message);
}

void ClientCall::RefuseAnswer(GrpcStatus status) {
  Reset(kHttp2Cancel);
  Finish(std::move(status), Sent::kMaybe);
}

void ClientCall::OnEndStream() {
  if (!open_) return;
  if (!send_closed_) Reset(kHttp2Cancel);  // Nobody will read what we might still send.
  if (!status_.has_value()) {
    Finish(http_error_.value_or(
               GrpcStatus(absl::StatusCode::kUnknown, "the server's answer has no grpc-status")),
           Sent::kMaybe);
  } else if (!status_->ok() || reader_ != nullptr) {
    Finish(*std::move(status_), Sent::kYes);
  } else if (!reply_.has_value()) {
    Finish(GrpcStatus(absl::StatusCode::kInternal, "the server answered OK without a message"),
           Sent::kYes);
  } else {
    Finish(*std::move(status_), Sent::kYes, *std::move(reply_));
  }
}

void ClientCall::OnClosed(uint32_t error) {
  if (!open_) return;
  const Sent sent = started() && error != kHttp2RefusedStream ? Sent::kMaybe : Sent::kNo;
  // Streams also close while the loop flushes; users are called before turns only.
  FinishLater(UnansweredStatus(error, sent), sent);
}

GrpcStatus ClientCall::UnansweredStatus(uint32_t error, Sent sent) const {
  const std::string loss = host_->ConnectionLoss(http2_);
  if (!loss.empty()) {
    return GrpcStatus(absl::StatusCode::kUnavailable, absl::StrCat(loss, SentText(sent)));
  }
  const absl::StatusCode code =
      sent == Sent::kNo ? absl::StatusCode::kUnavailable : CodeFromHttp2Error(error);
  return GrpcStatus(
      code, absl::StrCat("the server reset the call (HTTP/2 error ", error, ")", SentText(sent)));
}

void ClientCall::OnDeadline() {
  deadline_timer_.reset();
  const Sent sent = started() ? Sent::kMaybe : Sent::kNo;
  Reset(kHttp2Cancel);
  Finish(GrpcStatus(absl::StatusCode::kDeadlineExceeded,
                    absl::StrCat("no answer before the deadline", SentText(sent))),
         sent);
}

bool ClientCall::Conclude() {
  if (!open_) return false;
  open_ = false;
  early_.clear();
  early_.shrink_to_fit();
  if (deadline_timer_.has_value()) loop_->CancelTimer(*deadline_timer_);
  deadline_timer_.reset();
  std::exchange(host_, nullptr)->Forget(id_);
  return true;
}

void ClientCall::Finish(GrpcStatus status, Sent sent, std::string message) {
  const std::shared_ptr<ClientCall> self = shared_from_this();
  if (!Conclude()) return;
  UnaryDone done = std::exchange(done_, nullptr);
  ClientStreamReader* reader = std::exchange(reader_, nullptr);
  if (done) done({std::move(status), std::move(message), sent});
  if (reader != nullptr) reader->OnClosed(status, sent);
}

void ClientCall::FinishLater(GrpcStatus status, Sent sent) {
  // Stays open until then, so that it can still be cancelled.
  loop_->Defer([call = shared_from_this(), status = std::move(status), sent] {
    call->Finish(status, sent);
  });
}

void ClientCall::Cancel() {
  const std::shared_ptr<ClientCall> self = shared_from_this();
  Reset(kHttp2Cancel);
  done_ = nullptr;
  reader_ = nullptr;
  Conclude();
}

ClientStream& ClientStream::operator=(ClientStream&& other) {
  ClientStream old(std::exchange(call_, std::move(other.call_)));
  return *this;
}

ClientStream::~ClientStream() { Cancel(); }

bool ClientStream::Send(std::string_view message) {
  return call_ != nullptr && call_->Send(message);
}
void ClientStream::CloseSend() {
  if (open()) call_->CloseSend();
}
void ClientStream::Cancel() {
  if (open()) call_->Cancel();
}
bool ClientStream::open() const { return call_ != nullptr && call_->open(); }
size_t ClientStream::unsent_bytes() const { return call_ == nullptr ? 0 : call_->unsent(); }

}  // namespace flaredb::net
