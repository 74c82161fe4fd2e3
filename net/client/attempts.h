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
#include "net/client/leaders.h"
#include "net/client/result.h"
#include "net/client/retry_policy.h"
#include "net/grpc_client.h"
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

  // The serialized reply. `place`: the leader there is asked first, if one is known; nullptr: it
  // makes no difference who answers.
  Result<std::string> Read(std::string_view method, const std::string& request, Duration timeout,
                           const Place* place = nullptr);

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
                   const std::optional<WriteId>& repeat, const Place& place);

  // To be told the applied index of each reply: it makes the answers to later retries exact.
  void Saw(uint64_t applied_index);
  // To be told who leads at `place`, if a reply says so.
  void SawLeader(const Place& place, uint64_t region, const std::string& address);

 private:
  enum class Again : uint8_t { kUnlessMaybeApplied, kAlways };
  struct Asked {
    std::optional<std::string> reply;
    Error error;                 // Without a reply.
    bool maybe_applied = false;  // By one of the attempts; without a reply.
  };
  static WriteReply ReplyOf(Asked asked);
  // Makes attempts that are all the same.
  Asked Ask(std::string_view method, const std::string& request, Duration timeout, Again again,
            const std::string& leader = "");
  // What an attempt at route.address() came to counts for the calls that follow. `leader`: whom
  // this one began with, or empty.
  void Note(const Route& route, const std::string& leader, const net::UnaryResult& result,
            const Judgement& judgement);
  WriteId NewWriteId();
  // For the pauses of one call.
  Rng Draws();

  Endpoints endpoints_;
  Leaders leaders_;
  const std::unique_ptr<Connections> connections_;
  const uint64_t client_hi_;
  const uint64_t client_lo_;
  std::atomic<uint64_t> calls_ = 0;
  std::atomic<uint64_t> last_seq_ = 0;
  std::atomic<uint64_t> seen_index_ = 0;
};

}  // namespace flaredb::client

#endif  // FLAREDB_NET_CLIENT_ATTEMPTS_H_
