// SPDX-License-Identifier: Apache-2.0
#include "net/admin/http_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/byte_stream.h"

namespace flaredb::net {
namespace {

constexpr std::string_view kEndOfHeaders = "\r\n\r\n";

const char* ReasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Service Unavailable";
  }
}

std::string Serialize(const HttpAnswer& answer, bool with_body) {
  return absl::StrCat("HTTP/1.1 ", answer.status, " ", ReasonOf(answer.status),
                      "\r\nContent-Type: ", answer.content_type,
                      "\r\nContent-Length: ", answer.body.size(),
                      answer.status == 405 ? "\r\nAllow: GET, HEAD" : "",
                      "\r\nConnection: close\r\n\r\n", with_body ? answer.body : "");
}

std::string Refusal(int status) {
  return Serialize({status, "text/plain; charset=utf-8", absl::StrCat(ReasonOf(status), "\n")},
                   /*with_body=*/true);
}

// Up to the next `separator`, which goes, too.
std::string_view CutWord(std::string_view* text, char separator) {
  const size_t end = std::min(text->find(separator), text->size());
  const std::string_view word = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return word;
}

}  // namespace

// Reads until it knows what to answer, writes that, and then reads what the client still sends: to
// close with bytes unread would be a reset, which may overtake the answer.
class HttpServer::Connection : private FdHandler {
 public:
  Connection(HttpServer* server, uint64_t id, int fd)
      : server_(server), id_(id), stream_(NewTcpStream(fd)) {
    timer_ = loop()->StartTimer(loop()->now() + server->limits_.patience, [this] { End(); });
    // What cannot be watched is ended by the timer.
    watch_ = loop()->Watch(fd, /*read=*/true, /*write=*/false, this).value_or(0);
  }
  ~Connection() {
    loop()->Unwatch(watch_);
    loop()->CancelTimer(timer_);
  }

 private:
  EventLoop* loop() const { return server_->loop_; }

  void OnReady(Readiness ready) override {
    if (ready.readable && reads_) ReadSome();
    if (!failed_ && written_ < answer_.size()) WriteSome();
    const bool answered = !answer_.empty() && written_ == answer_.size();
    if (failed_ || (!reads_ && (answered || answer_.empty()))) {
      End();
      return;
    }
    if (answered) shutdown(stream_->fd(), SHUT_WR);
    loop()->SetInterest(watch_, reads_, /*write=*/!answered && !answer_.empty());
  }

  void ReadSome() {
    std::array<char, 4096> buffer;
    const IoResult result = stream_->Read(buffer.data(), buffer.size());
    failed_ = result.state == IoState::kFailed;
    reads_ = result.state != IoState::kEnd;
    if (!answer_.empty()) return;
    request_.append(buffer.data(), result.bytes);
    if (const size_t end = request_.find(kEndOfHeaders); end != std::string::npos) {
      answer_ = server_->Answer(std::string_view(request_).substr(0, end));
    } else if (request_.size() > server_->limits_.request_bytes) {
      answer_ = Refusal(431);
    }
  }

  void WriteSome() {
    const IoResult result = stream_->Write(std::string_view(answer_).substr(written_));
    failed_ = result.state == IoState::kFailed;
    written_ += result.bytes;
  }

  // Destroys the connection.
  void End() { server_->connections_.erase(id_); }

  HttpServer* const server_;
  const uint64_t id_;
  const std::unique_ptr<ByteStream> stream_;
  EventLoop::WatchId watch_ = 0;
  EventLoop::TimerId timer_;
  std::string request_;
  std::string answer_;
  size_t written_ = 0;
  bool reads_ = true;  // The client may still send something.
  bool failed_ = false;
};

HttpServer::HttpServer(EventLoop* loop, HttpHandler handler, HttpLimits limits)
    : loop_(loop), handler_(std::move(handler)), limits_(limits) {}

HttpServer::~HttpServer() = default;

absl::StatusOr<uint16_t> HttpServer::Listen(std::string_view address) {
  auto listener =
      Listener::Create(loop_, address, {}, [this](int fd, const std::string&) { Accept(fd); });
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);
  return listener_->port();
}

void HttpServer::Accept(int fd) {
  if (connections_.size() >= limits_.connections) connections_.erase(connections_.begin());
  const uint64_t id = ++last_connection_;
  connections_.emplace(id, std::make_unique<Connection>(this, id, fd));
}

std::string HttpServer::Answer(std::string_view request) const {
  std::string_view line = request.substr(0, request.find("\r\n"));
  const std::string_view method = CutWord(&line, ' ');
  std::string_view target = CutWord(&line, ' ');
  if (!target.starts_with('/') || !line.starts_with("HTTP/1.")) return Refusal(400);
  if (method != "GET" && method != "HEAD") return Refusal(405);
  const std::string_view path = CutWord(&target, '?');
  return Serialize(handler_(path, target), /*with_body=*/method == "GET");
}

}  // namespace flaredb::net
