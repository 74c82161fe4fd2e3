// SPDX-License-Identifier: Apache-2.0
// What replies may cost in memory, however many clients ask and however slowly they read.
#ifndef FLAREDB_NET_SERVER_REPLY_ROOM_H_
#define FLAREDB_NET_SERVER_REPLY_ROOM_H_

#include <cstddef>
#include <string>

#include "net/grpc_server.h"
#include "net/wire/error_codec.h"

namespace flaredb::net {

// A large reply that would leave more waiting for its readers than this, on its connection or on
// all, is replaced by SERVER_IS_BUSY.
inline constexpr size_t kLargeReplyBytes = 4 << 10;
inline constexpr size_t kMaxConnectionOutputBytes = 32 << 20;
inline constexpr size_t kMaxOutputBytes = 128 << 20;

inline GrpcStatus TooMuchUnread() {
  return ServerIsBusy("clients leave too many replies unread; read again later");
}

// Answers the call, if there is room for that.
inline void ReplyIfRoom(const GrpcServer& server, UnaryCall* call, const std::string& message) {
  // What a write did is told in few bytes; all others may be asked again.
  const bool room =
      message.size() < kLargeReplyBytes ||
      (call->connection_output_bytes() + message.size() <= kMaxConnectionOutputBytes &&
       server.waiting_output_bytes() + message.size() <= kMaxOutputBytes);
  if (room) {
    call->Reply(message);
  } else {
    call->Fail(TooMuchUnread());
  }
}

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_REPLY_ROOM_H_
