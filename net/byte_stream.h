// SPDX-License-Identifier: Apache-2.0
// A connected, non-blocking, ordered stream of bytes: the seam between HTTP/2 and TCP or TLS.
#ifndef FLAREDB_NET_BYTE_STREAM_H_
#define FLAREDB_NET_BYTE_STREAM_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace flaredb::net {

enum class IoState : unsigned char {
  kOk,         // `bytes` were moved; at least one.
  kWantRead,   // Try again when the descriptor is readable.
  kWantWrite,  // Try again when the descriptor is writable.
  kEnd,        // The peer has finished sending (reads only).
  kFailed,     // The stream is broken; error() says why.
};

struct IoResult {
  IoState state;
  size_t bytes = 0;
};

// Who is at the other end, as a certificate proved that an authority of ours signed.
struct PeerCertificate {
  std::string name;        // Its common name.
  bool of_server = false;  // It may serve (extended key usage serverAuth): it is a store's.
};

// A stream may want to write in order to read and the other way round (TLS does), hence both wants
// for both operations. Owns the descriptor and closes it.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  virtual int fd() const = 0;
  // Moves up to `size` bytes. Never blocks, never raises SIGPIPE.
  virtual IoResult Read(char* buffer, size_t size) = 0;
  virtual IoResult Write(std::string_view bytes) = 0;
  // Why the last operation was kFailed.
  virtual absl::Status error() const = 0;
  // nullopt: the peer showed none, or not yet.
  virtual std::optional<PeerCertificate> certificate() const { return std::nullopt; }
};

// Takes ownership of a connected, non-blocking TCP socket.
std::unique_ptr<ByteStream> NewTcpStream(int fd);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_BYTE_STREAM_H_
