// SPDX-License-Identifier: Apache-2.0
// A byte stream through OpenSSL. Private to net/tls.
#ifndef FLAREDB_NET_TLS_TLS_STREAM_H_
#define FLAREDB_NET_TLS_TLS_STREAM_H_

#include <memory>

#include "net/byte_stream.h"

struct ssl_st;  // OpenSSL's SSL.

namespace flaredb::net {

// Takes ownership of both. `ssl` knows its side and has no transport yet.
std::unique_ptr<ByteStream> NewTlsStream(ssl_st* ssl, int fd);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_TLS_TLS_STREAM_H_
