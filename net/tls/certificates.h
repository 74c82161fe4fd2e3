// SPDX-License-Identifier: Apache-2.0
// Makes what a cluster needs for mutual TLS: an authority of its own, and certificates that it
// signs.
#ifndef FLAREDB_NET_TLS_CERTIFICATES_H_
#define FLAREDB_NET_TLS_CERTIFICATES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace flaredb::net {

// PEM texts. Keys are on the curve P-256, unencrypted.
struct KeyPair {
  std::string cert;
  std::string key;
};

// Signs itself, and may sign certificates but no other authority.
absl::StatusOr<KeyPair> MakeAuthority(const std::string& name, int days);

struct CertificateRequest {
  std::string name;  // Whom it is for; 1 to 64 bytes.
  // Names and IP addresses under which a store is reached. A certificate with any is a store's: it
  // serves, and it calls other stores. Without, it is a client's.
  std::vector<std::string> hosts;
  int days = 0;
};

// INVALID_ARGUMENT, one sentence: the authority is none, or a name is of no use.
absl::StatusOr<KeyPair> MakeCertificate(const KeyPair& authority,
                                        const CertificateRequest& request);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_TLS_CERTIFICATES_H_
