// SPDX-License-Identifier: Apache-2.0
// Whether a store's certificate is of use, asked before anybody connects: a mistake in it would
// otherwise be seen by all who call the store, and not by the store.
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/tls/tls_context.h"

namespace flaredb::net {
namespace {

std::string TextOf(const ASN1_TIME* time) {
  BIO* const bio = BIO_new(BIO_s_mem());
  ASN1_TIME_print(bio, time);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

// Said in so many words: whoever is called takes a certificate without such lists for a client's.
bool SaysThatItServes(X509* certificate) {
  return (X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) != 0 &&
         (X509_get_extended_key_usage(certificate) & XKU_SSL_SERVER) != 0;
}

absl::Status NotAStores(const TlsFiles& files) {
  return absl::InvalidArgumentError(
      absl::StrCat("the certificate ", files.cert,
                   " is not a store's, whose extended key usages are serverAuth and clientAuth: "
                   "\"flaredb cert server\" makes one"));
}

// What X509_verify_cert() has found, of the certificate of which it could not go on.
absl::Status WhyRefused(X509_STORE_CTX* verified, const TlsFiles& files) {
  const int error = X509_STORE_CTX_get_error(verified);
  X509* const culprit = X509_STORE_CTX_get_current_cert(verified);
  const std::string what = absl::StrCat(
      X509_STORE_CTX_get_error_depth(verified) == 0 ? "the certificate " : "the authority of ",
      files.cert);
  if (error == X509_V_ERR_CERT_HAS_EXPIRED) {
    return absl::InvalidArgumentError(absl::StrCat(what, " expired at ",
                                                   TextOf(X509_get0_notAfter(culprit)),
                                                   ": make a new one with \"flaredb cert\""));
  }
  if (error == X509_V_ERR_CERT_NOT_YET_VALID) {
    return absl::InvalidArgumentError(absl::StrCat(what, " holds from ",
                                                   TextOf(X509_get0_notBefore(culprit)),
                                                   " on, and not yet: check this machine's clock"));
  }
  if (error == X509_V_ERR_INVALID_PURPOSE) return NotAStores(files);
  return absl::InvalidArgumentError(absl::StrCat(
      "whoever trusts ", files.ca, " does not trust the certificate ", files.cert, ": ",
      X509_verify_cert_error_string(error), "; give the two that belong together"));
}

}  // namespace

absl::Status TlsContext::CheckStoreCertificate(const TlsFiles& files) const {
  X509* const certificate = SSL_CTX_get0_certificate(context_);
  if (!SaysThatItServes(certificate)) return NotAStores(files);
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context_, &chain);
  absl::Status status;
  // As handshakes do it, with a client on the other side and with a store that is called.
  for (const char* const side : {"ssl_server", "ssl_client"}) {
    X509_STORE_CTX* const verified = X509_STORE_CTX_new();
    INVARIANT(X509_STORE_CTX_init(verified, SSL_CTX_get_cert_store(context_), certificate, chain) ==
              1);
    X509_STORE_CTX_set_default(verified, side);
    if (X509_verify_cert(verified) != 1) status = WhyRefused(verified, files);
    X509_STORE_CTX_free(verified);
    ERR_clear_error();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace flaredb::net
