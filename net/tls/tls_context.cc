// SPDX-License-Identifier: Apache-2.0
#include "net/tls/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/tls/no_passphrase.h"
#include "net/tls/tls_stream.h"

namespace flaredb::net {
namespace {

// As ALPN has it: each name after its length.
constexpr unsigned char kHttp2[] = {2, 'h', '2'};
// HTTP/2 forbids most of TLS 1.2's others (RFC 9113 9.2.2).
constexpr char kCiphers12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

// What OpenSSL says about its last failure, and forgets it. An error of the system says more than
// those that it led to.
std::string Reason() {
  unsigned long error = 0;
  while (const unsigned long next = ERR_get_error()) {
    error = next;
    if (ERR_SYSTEM_ERROR(error)) break;
  }
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(error)) return std::strerror(ERR_GET_REASON(error));
  const char* const text = ERR_reason_error_string(error);
  return text == nullptr ? "not a PEM file" : text;
}

absl::Status BadFile(const char* what, const std::string& path) {
  return absl::InvalidArgumentError(absl::StrCat("cannot use ", path, " as ", what, ": ", Reason(),
                                                 "; \"flaredb cert\" makes what is needed"));
}

int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp2, sizeof(kHttp2), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void SetDefaults(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, kCiphers12);
  // Connections live long: resuming sessions saves little and brings state and rules of its own.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   // HTTP/2's frames tell whether something is missing.
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                // 34 KiB less for each connection that rests.
                                SSL_MODE_RELEASE_BUFFERS);
}

bool IsIpAddress(const std::string& host) {
  unsigned char binary[16];
  return inet_pton(AF_INET, host.c_str(), binary) == 1 ||
         inet_pton(AF_INET6, host.c_str(), binary) == 1;
}

}  // namespace

absl::StatusOr<std::shared_ptr<TlsContext>> TlsContext::Create(const TlsFiles& files, bool server) {
  ERR_clear_error();
  SSL_CTX* const context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
  if (context == nullptr) return absl::InternalError("TLS cannot be set up: " + Reason());
  std::shared_ptr<TlsContext> result(new TlsContext(context));
  SetDefaults(context);
  if (SSL_CTX_load_verify_file(context, files.ca.c_str()) != 1) {
    return BadFile("the authorities to trust", files.ca);
  }
  if (!server && files.cert.empty() && files.key.empty()) return result;
  bool encrypted = false;
  SSL_CTX_set_default_passwd_cb(context, NoPassphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &encrypted);
  if (SSL_CTX_use_certificate_chain_file(context, files.cert.c_str()) != 1) {
    return BadFile("a certificate", files.cert);
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    if (encrypted) {
      ERR_clear_error();
      return absl::InvalidArgumentError(
          absl::StrCat("the key ", files.key, " is encrypted: ", kHowToDecrypt));
    }
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    if (reason != X509_R_KEY_VALUES_MISMATCH && reason != X509_R_KEY_TYPE_MISMATCH) {
      return BadFile("a key", files.key);
    }
    ERR_clear_error();
    return absl::InvalidArgumentError(absl::StrCat("the key ", files.key,
                                                   " does not belong to the certificate ",
                                                   files.cert, ": give the two of one pair"));
  }
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);  // All that may ask is read.
  return result;
}

absl::StatusOr<std::shared_ptr<TlsContext>> TlsContext::ForServer(const TlsFiles& files,
                                                                  ClientCertificates clients) {
  auto result = Create(files, /*server=*/true);
  if (!result.ok()) return result;
  SSL_CTX* const context = (*result)->context_;
  SSL_CTX_set_alpn_select_cb(context, SelectProtocol, nullptr);
  SSL_CTX_set_verify(context,
                     clients == ClientCertificates::kRequired
                         ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                         : SSL_VERIFY_PEER,
                     nullptr);
  // Clients with several certificates choose by these names.
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(files.ca.c_str()));
  return result;
}

absl::StatusOr<std::shared_ptr<TlsContext>> TlsContext::ForClient(const TlsFiles& files) {
  auto result = Create(files, /*server=*/false);
  if (!result.ok()) return result;
  SSL_CTX* const context = (*result)->context_;
  SSL_CTX_set_alpn_protos(context, kHttp2, sizeof(kHttp2));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return result;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

void TlsContext::Become(const TlsContext& newer) {
  SSL_CTX_up_ref(newer.context_);
  SSL_CTX_free(context_);
  context_ = newer.context_;
}

std::unique_ptr<ByteStream> TlsContext::NewServerStream(int fd) const {
  SSL* const ssl = SSL_new(context_);
  SSL_set_accept_state(ssl);
  return NewTlsStream(ssl, fd);
}

std::unique_ptr<ByteStream> TlsContext::NewClientStream(int fd, const std::string& host) const {
  SSL* const ssl = SSL_new(context_);
  SSL_set_connect_state(ssl);
  // Without a host to compare with, OpenSSL would trust every server of the authority.
  INVARIANT(!host.empty()) << "a server without a name";
  SSL_set_hostflags(ssl,
                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const bool ip = IsIpAddress(host);
  const int compared = ip ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str())
                          : SSL_set1_host(ssl, host.c_str());
  INVARIANT(compared == 1) << host;
  if (!ip) SSL_set_tlsext_host_name(ssl, host.c_str());
  return NewTlsStream(ssl, fd);
}

}  // namespace flaredb::net
