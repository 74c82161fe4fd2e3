// SPDX-License-Identifier: Apache-2.0
#include "net/tls/secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "absl/strings/escaping.h"

namespace flaredb::net {

Sha256 Sha256Of(std::string_view bytes) {
  Sha256 digest;
  SHA256(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

bool SameDigest(const Sha256& a, const Sha256& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

absl::StatusOr<std::string> DrawSecret() {
  std::array<uint8_t, 32> bits;
  if (RAND_bytes(bits.data(), static_cast<int>(bits.size())) != 1) {
    return absl::UnavailableError("the system has no random bits for a secret: try again");
  }
  return absl::BytesToHexString({reinterpret_cast<const char*>(bits.data()), bits.size()});
}

}  // namespace flaredb::net
