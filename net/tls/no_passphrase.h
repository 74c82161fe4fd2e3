// SPDX-License-Identifier: Apache-2.0
// Encrypted keys are refused: OpenSSL would ask for their passphrase at the terminal.
#ifndef FLAREDB_NET_TLS_NO_PASSPHRASE_H_
#define FLAREDB_NET_TLS_NO_PASSPHRASE_H_

namespace flaredb::net {

// A pem_password_cb that gives none. `asked` is a bool*, set when the key is encrypted.
inline int NoPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// The end of the sentence about such a key.
inline constexpr char kHowToDecrypt[] = "decrypt it with \"openssl pkey\"";

}  // namespace flaredb::net

#endif  // FLAREDB_NET_TLS_NO_PASSPHRASE_H_
