// SPDX-License-Identifier: Apache-2.0
#include "net/tls/certificates.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "net/tls/no_passphrase.h"

namespace flaredb::net {
namespace {

template <auto Free>
struct Freeing {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using X509Ptr = std::unique_ptr<X509, Freeing<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Freeing<BIO_free_all>>;

// Clocks of other machines may be behind.
constexpr long kBackdateSeconds = 3600;

absl::Status Failed(const char* what) {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  const std::string text = absl::StrCat(what, ": ", reason == nullptr ? "no reason told" : reason);
  ERR_clear_error();
  return absl::InvalidArgumentError(text);
}

bool IsIpAddress(const std::string& host) {
  unsigned char binary[16];
  return inet_pton(AF_INET, host.c_str(), binary) == 1 ||
         inet_pton(AF_INET6, host.c_str(), binary) == 1;
}

bool IsHostName(const std::string& host) {
  return !host.empty() && host.size() <= 253 &&
         host.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.*") ==
             std::string::npos;
}

bool AddExtension(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(cert, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool SetName(X509* cert, const std::string& name) {
  X509_NAME* const subject = X509_get_subject_name(cert);
  return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1;
}

// A certificate without issuer, extensions and signature; nullptr when OpenSSL fails.
X509Ptr NewCertificate(EVP_PKEY* key, const std::string& name, int days) {
  X509Ptr cert(X509_new());
  unsigned char serial[16];
  if (RAND_bytes(serial, sizeof(serial)) != 1) return nullptr;
  serial[0] &= 0x7f;  // Positive.
  BIGNUM* const number = BN_bin2bn(serial, sizeof(serial), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert.get()));
  BN_free(number);
  X509_set_version(cert.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -kBackdateSeconds);
  X509_time_adj_ex(X509_getm_notAfter(cert.get()), days, 0, nullptr);
  X509_set_pubkey(cert.get(), key);
  return SetName(cert.get(), name) ? std::move(cert) : nullptr;
}

KeyPair ToPem(X509* cert, EVP_PKEY* key) {
  const auto text = [](BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<size_t>(size));
  };
  const BioPtr cert_bio(BIO_new(BIO_s_mem()));
  const BioPtr key_bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(cert_bio.get(), cert);
  PEM_write_bio_PrivateKey(key_bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return {text(cert_bio.get()), text(key_bio.get())};
}

absl::Status CheckRequest(const std::string& name, int days) {
  if (name.empty() || name.size() > 64) {
    return absl::InvalidArgumentError(
        absl::StrCat("a certificate's name has 1 to 64 bytes, not ", name.size()));
  }
  if (days < 1) return absl::InvalidArgumentError("a certificate holds for a day at least");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KeyPair> MakeAuthority(const std::string& name, int days) {
  if (absl::Status s = CheckRequest(name, days); !s.ok()) return s;
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr cert = NewCertificate(key.get(), name, days);
  if (cert == nullptr) return Failed("the authority cannot be made");
  X509* const c = cert.get();
  X509_set_issuer_name(c, X509_get_subject_name(c));
  const bool made = AddExtension(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    AddExtension(c, c, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    AddExtension(c, c, NID_subject_key_identifier, "hash") &&
                    X509_sign(c, key.get(), EVP_sha256()) > 0;
  if (!made) return Failed("the authority cannot be made");
  return ToPem(c, key.get());
}

absl::StatusOr<KeyPair> MakeCertificate(const KeyPair& authority,
                                        const CertificateRequest& request) {
  if (absl::Status s = CheckRequest(request.name, request.days); !s.ok()) return s;
  std::string names;
  for (const std::string& host : request.hosts) {
    const bool ip = IsIpAddress(host);
    if (!ip && !IsHostName(host)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", host, "\" is neither a host name nor an IP address: leave out port and brackets"));
    }
    absl::StrAppend(&names, names.empty() ? "" : ",", ip ? "IP:" : "DNS:", host);
  }
  const BioPtr cert_bio(
      BIO_new_mem_buf(authority.cert.data(), static_cast<int>(authority.cert.size())));
  const BioPtr key_bio(
      BIO_new_mem_buf(authority.key.data(), static_cast<int>(authority.key.size())));
  const X509Ptr issuer(PEM_read_bio_X509(cert_bio.get(), nullptr, nullptr, nullptr));
  bool encrypted = false;
  const KeyPtr issuer_key(
      PEM_read_bio_PrivateKey(key_bio.get(), nullptr, NoPassphrase, &encrypted));
  if (encrypted) {
    ERR_clear_error();
    return absl::InvalidArgumentError(
        absl::StrCat("the authority's key is encrypted: ", kHowToDecrypt));
  }
  if (issuer == nullptr || issuer_key == nullptr) return Failed("the authority cannot be read");
  if (X509_check_private_key(issuer.get(), issuer_key.get()) != 1) {
    return Failed("the authority's key and certificate are no pair");
  }
  // Nobody would trust what another certificate signs.
  if (X509_check_ca(issuer.get()) < 1) {
    return absl::InvalidArgumentError("ca.crt is no authority: \"flaredb cert ca\" makes one");
  }

  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr cert = NewCertificate(key.get(), request.name, request.days);
  if (cert == nullptr) return Failed("the certificate cannot be made");
  X509* const c = cert.get();
  X509* const i = issuer.get();
  X509_set_issuer_name(c, X509_get_subject_name(i));
  const char* const usage = request.hosts.empty() ? "clientAuth" : "serverAuth,clientAuth";
  const bool made = AddExtension(c, i, NID_basic_constraints, "critical,CA:FALSE") &&
                    AddExtension(c, i, NID_key_usage, "critical,digitalSignature") &&
                    AddExtension(c, i, NID_ext_key_usage, usage) &&
                    AddExtension(c, i, NID_subject_key_identifier, "hash") &&
                    AddExtension(c, i, NID_authority_key_identifier, "keyid") &&
                    (names.empty() || AddExtension(c, i, NID_subject_alt_name, names)) &&
                    X509_sign(c, issuer_key.get(), EVP_sha256()) > 0;
  if (!made) return Failed("the certificate cannot be made");
  return ToPem(c, key.get());
}

}  // namespace flaredb::net
