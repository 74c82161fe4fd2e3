// SPDX-License-Identifier: Apache-2.0
// TLS 1.2 and 1.3 on the event loop: whom to trust, what to show, and streams that do both.
#ifndef FLAREDB_NET_TLS_TLS_CONTEXT_H_
#define FLAREDB_NET_TLS_TLS_CONTEXT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/byte_stream.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX.

namespace flaredb::net {

// Paths of PEM files.
struct TlsFiles {
  std::string ca;    // Whose certificates are trusted.
  std::string cert;  // What this side shows, with the intermediate ones if there are any.
  std::string key;   // Of `cert`; not encrypted.

  bool empty() const { return ca.empty() && cert.empty() && key.empty(); }
};

// Of the clients of a server. Whoever shows a certificate must show one that `ca` signed.
enum class ClientCertificates : uint8_t { kRequired, kOptional };

// What connections of one thread share.
class TlsContext {
 public:
  // INVALID_ARGUMENT, one sentence: a file is missing, cannot be read, is no PEM file of its kind,
  // or key and certificate are no pair.
  static absl::StatusOr<std::shared_ptr<TlsContext>> ForServer(const TlsFiles& files,
                                                               ClientCertificates clients);
  // `cert` and `key` may both be empty: then this side shows nothing.
  static absl::StatusOr<std::shared_ptr<TlsContext>> ForClient(const TlsFiles& files);

  // Of what was made from `files` for a server. INVALID_ARGUMENT, one sentence: whoever trusts `ca`
  // alone does not take `cert` for a store's, as a server and as a caller of others; or not at this
  // time.
  absl::Status CheckStoreCertificate(const TlsFiles& files) const;

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // From now on connections begin as those of `newer`, which is for the same side; others go on.
  void Become(const TlsContext& newer);

  // Take ownership of a connected, non-blocking TCP socket. The handshake is part of the first
  // reads and writes. HTTP/2 is agreed on by ALPN.
  std::unique_ptr<ByteStream> NewServerStream(int fd) const;
  // The server must prove to be `host`, a name or an IP address.
  std::unique_ptr<ByteStream> NewClientStream(int fd, const std::string& host) const;

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  static absl::StatusOr<std::shared_ptr<TlsContext>> Create(const TlsFiles& files, bool server);

  ssl_ctx_st* context_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_TLS_TLS_CONTEXT_H_
