// SPDX-License-Identifier: Apache-2.0
// One operation with all its attempts.
#ifndef FLAREDB_NET_CLIENT_ATTEMPTS_H_
#define FLAREDB_NET_CLIENT_ATTEMPTS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/rng.h"
#include "core/base/time.h"
#include "net/client/client.h"
#include "net/client/connections.h"
#include "net/client/endpoints.h"
#include "net/client/result.h"
#include "net/grpc_status.h"
#include "net/tls/tls_context.h"

namespace flaredb::client {

// Asks one store after the other until there is an answer, a final refusal, or no time left. What
// each failure is worth is in retry_policy.h. Thread-safe: each call waits on its own thread.
class Attempts {
 public:
  // `client_hi` and `client_lo` are the client's id: 128 random bits.
  Attempts(std::vector<std::string> endpoints, std::unique_ptr<Connections> connections,
           uint64_t client_hi, uint64_t client_lo);

  // Takes endpoints, TLS and token of the options. As Client::Create.
  static absl::StatusOr<std::unique_ptr<Attempts>> Create(ClientOptions options);

  // The serialized reply.
  Result<std::string> Read(std::string_view method, const std::string& request, Duration timeout);

  using WriteReply = std::variant<std::string, Unknown, Error>;
  // A write without an id, of which each attempt may be another write: none is made after one that
  // may have taken effect.
  WriteReply WriteOnce(std::string_view method, const std::string& request, Duration timeout);
  // A write that has the same effect however often it is made.
  WriteReply WriteAgain(std::string_view method, const std::string& request, Duration timeout);

  // Serializes an attempt of the write `id`.
  using MakeRequest = std::function<std::string(const WriteId& id)>;
  // As Read. All attempts have the same id, unless a store says that none of the earlier ones took
  // or will take effect. `repeat`: the first attempt is not the write's first.
  WriteReply Write(std::string_view method, const MakeRequest& make, Duration timeout,
                   const std::optional<WriteId>& repeat);

  // To be told the applied index of each reply: it makes the answers to later retries exact.
  void Saw(uint64_t applied_index);

 private:
  enum class Again : uint8_t { kUnlessMaybeApplied, kAlways };
  struct Asked {
    std::optional<std::string> reply;
    Error error;                 // Without a reply.
    bool maybe_applied = false;  // By one of the attempts; without a reply.
  };
  static WriteReply ReplyOf(Asked asked);
  // Makes attempts that are all the same.
  Asked Ask(std::string_view method, const std::string& request, Duration timeout, Again again);
  WriteId NewWriteId();
  // For the pauses of one call.
  Rng Draws();

  Endpoints endpoints_;
  const std::unique_ptr<Connections> connections_;
  const uint64_t client_hi_;
  const uint64_t client_lo_;
  std::atomic<uint64_t> calls_ = 0;
  std::atomic<uint64_t> last_seq_ = 0;
  std::atomic<uint64_t> seen_index_ = 0;
};

}  // namespace flaredb::client

#endif  // FLAREDB_NET_CLIENT_ATTEMPTS_H_
