// SPDX-License-Identifier: Apache-2.0
// Who may call what: every call is judged here, before its handler sees it.
#ifndef FLAREDB_NET_ACCESS_DOOR_H_
#define FLAREDB_NET_ACCESS_DOOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "net/access/tokens.h"
#include "net/grpc_server.h"
#include "net/grpc_status.h"
#include "net/token_bucket.h"

namespace flaredb::net {

// Whom a method is for.
enum class Right : uint8_t {
  kOpen,   // Whoever reaches the port.
  kStore,  // Other stores.
  kAdmin,  // Operators.
  kSee,    // Whoever may read or write the namespace that the request names, and operators.
  kRead,   // Whoever may read that namespace,
  kWrite,  // or write it; also read it, when the answer is to have what stands there.
};

// What a request of kSee, kRead or kWrite is about.
struct Target {
  std::string ns;
  bool wants_value = false;  // A write that is answered with a value.
};

struct DoorEntry {
  std::string_view method;  // "/package.Service/Method"
  Right right;
  // Of a serialized request; nullopt: it is none. Null when the right does not need it.
  std::optional<Target> (*target_of)(std::string_view request) = nullptr;
};
// One for each method of the server.
absl::Span<const DoorEntry> DoorEntries();

// Without tokens every client may do everything that is not for stores alone. With tokens a client
// may do what its token may. A store needs none: it proves by its certificate who it is, and could
// do everything by Raft as well.
class Door {
 public:
  // `loop` outlives the door, and the door every server that it judges for.
  //   want_certificates  who shows no store's certificate is none. Without, whoever reaches the
  //                      port may speak as a store
  //   tokens             go with want_certificates: otherwise they would guard nothing
  Door(const EventLoop* loop, bool want_certificates, std::optional<TokenTable> tokens);
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  // For GrpcServerOptions. `method` has an entry.
  CallJudge JudgeOf(const std::string& method);

  // Of all later calls, whatever connection they come on.
  void SetTokens(TokenTable tokens) { tokens_ = std::move(tokens); }

 private:
  GrpcStatus Judge(const DoorEntry& entry, const CallHandle& call, std::string_view request) const;
  GrpcStatus JudgeToken(const DoorEntry& entry, std::string_view secret,
                        std::string_view request) const;
  void LogRefusal(const DoorEntry& entry, const CallHandle& call, const GrpcStatus& refusal);

  const EventLoop* const loop_;
  const bool want_certificates_;
  std::optional<TokenTable> tokens_;
  TokenBucket log_lines_;  // Strangers must not fill the disk.
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_ACCESS_DOOR_H_
