// SPDX-License-Identifier: Apache-2.0
#include "net/tls/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"

namespace flaredb::net {
namespace {

// --- OpenSSL's way to the socket. Its own raises SIGPIPE.

int FdOf(BIO* bio) { return static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio))); }

bool MayRetry() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int BioWrite(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t n = send(FdOf(bio), bytes, static_cast<size_t>(size), MSG_NOSIGNAL);
  if (n < 0 && MayRetry()) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int BioRead(BIO* bio, char* buffer, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t n = recv(FdOf(bio), buffer, static_cast<size_t>(size), 0);
  if (n < 0 && MayRetry()) BIO_set_retry_read(bio);
  if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(n);
}

long BioControl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* NewSocketBio(int fd) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_write(m, BioWrite);
    BIO_meth_set_read(m, BioRead);
    BIO_meth_set_ctrl(m, BioControl);
    return m;
  }();
  BIO* const bio = BIO_new(method);
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(fd)));
  BIO_set_init(bio, 1);
  return bio;
}

// --- The stream.

class TlsStream : public ByteStream {
 public:
  TlsStream(SSL* ssl, int fd) : ssl_(ssl), fd_(fd) {
    BIO* const bio = NewSocketBio(fd);
    SSL_set_bio(ssl_, bio, bio);
  }
  ~TlsStream() override {
    if (!failed_ && SSL_is_init_finished(ssl_) != 0) {
      ERR_clear_error();
      SSL_shutdown(ssl_);  // A courtesy: the other side need not guess whether this is the end.
    }
    SSL_free(ssl_);
    ERR_clear_error();
    if (failed_) LetThePeerRead();
    close(fd_);
  }

  int fd() const override { return fd_; }

  // Takes record by record while a whole one fits: so none of a record's bytes stay behind in
  // OpenSSL, where no descriptor would tell of them.
  IoResult Read(char* buffer, size_t size) override {
    size_t total = 0;
    do {
      ERR_clear_error();
      errno = 0;
      size_t n = 0;
      const int result = SSL_read_ex(ssl_, buffer + total, size - total, &n);
      if (result != 1) {
        // What has come before the obstacle counts; the next call meets the obstacle again.
        return total > 0 ? IoResult{IoState::kOk, total} : Stopped(result);
      }
      total += n;
    } while (size - total >= SSL3_RT_MAX_PLAIN_LENGTH);
    return {IoState::kOk, total};
  }

  IoResult Write(std::string_view bytes) override {
    ERR_clear_error();
    errno = 0;
    size_t n = 0;
    const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &n);
    return result == 1 ? IoResult{IoState::kOk, n} : Stopped(result);
  }

  absl::Status error() const override { return absl::UnavailableError(reason_); }

  std::optional<PeerCertificate> certificate() const override {
    if (SSL_is_init_finished(ssl_) == 0) return std::nullopt;
    X509* const certificate = SSL_get0_peer_certificate(ssl_);
    if (certificate == nullptr) return std::nullopt;
    PeerCertificate peer;
    char name[256];
    const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                               name, sizeof(name));
    if (size > 0) peer.name.assign(name, static_cast<size_t>(size));
    // Said in so many words: a certificate without such a list would be good for everything.
    peer.of_server = (X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) != 0 &&
                     (X509_get_extended_key_usage(certificate) & XKU_SSL_SERVER) != 0;
    return peer;
  }

 private:
  // The alert that says why is on its way. Closed with bytes unread, the socket would overtake it
  // by a reset.
  void LetThePeerRead() const {
    shutdown(fd_, SHUT_WR);
    char buffer[4096];
    for (int i = 0; i < 16 && recv(fd_, buffer, sizeof(buffer), 0) > 0; ++i) {
    }
  }

  IoResult Stopped(int result) {
    const int system_error = errno;
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ:
        return {IoState::kWantRead};
      case SSL_ERROR_WANT_WRITE:
        return {IoState::kWantWrite};
      case SSL_ERROR_ZERO_RETURN:
        return {IoState::kEnd};
      case SSL_ERROR_SYSCALL:
        failed_ = true;
        reason_ = system_error == 0 ? "the peer closed the connection" : strerror(system_error);
        return {IoState::kFailed};
      default:
        failed_ = true;
        reason_ = Reason();
        return {IoState::kFailed};
    }
  }

  // Of the first entry in OpenSSL's queue; certificates have reasons of their own.
  std::string Reason() const {
    const unsigned long error = ERR_peek_error();
    const char* const text = ERR_reason_error_string(error);
    std::string reason = absl::StrCat("TLS: ", text == nullptr ? "the handshake failed" : text);
    const long verified = SSL_get_verify_result(ssl_);
    if (ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK) {
      absl::StrAppend(&reason, ", ", X509_verify_cert_error_string(verified));
    }
    if (ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST ||
        ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER) {
      reason += " (the other side does not speak TLS)";
    }
    return reason;
  }

  SSL* const ssl_;
  const int fd_;
  bool failed_ = false;
  std::string reason_;
};

}  // namespace

std::unique_ptr<ByteStream> NewTlsStream(SSL* ssl, int fd) {
  return std::make_unique<TlsStream>(ssl, fd);
}

}  // namespace flaredb::net
