// SPDX-License-Identifier: Apache-2.0
#include "net/byte_stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

namespace flaredb::net {
namespace {

class TcpStream : public ByteStream {
 public:
  explicit TcpStream(int fd) : fd_(fd) {}
  ~TcpStream() override { close(fd_); }

  int fd() const override { return fd_; }

  IoResult Read(char* buffer, size_t size) override {
    ssize_t n;
    do {
      n = recv(fd_, buffer, size, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0) return {IoState::kOk, static_cast<size_t>(n)};
    if (n == 0) return {IoState::kEnd};
    return Stopped(IoState::kWantRead);
  }

  IoResult Write(std::string_view bytes) override {
    ssize_t n;
    do {
      n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n > 0) return {IoState::kOk, static_cast<size_t>(n)};
    return Stopped(IoState::kWantWrite);
  }

  absl::Status error() const override { return absl::UnavailableError(strerror(errno_)); }

 private:
  IoResult Stopped(IoState want) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {want};
    errno_ = errno;
    return {IoState::kFailed};
  }

  const int fd_;
  int errno_ = 0;
};

}  // namespace

std::unique_ptr<ByteStream> NewTcpStream(int fd) { return std::make_unique<TcpStream>(fd); }

}  // namespace flaredb::net
