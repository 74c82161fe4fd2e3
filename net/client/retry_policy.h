// SPDX-License-Identifier: Apache-2.0
// What a client makes of one answer: done, again, or never.
#ifndef FLAREDB_NET_CLIENT_RETRY_POLICY_H_
#define FLAREDB_NET_CLIENT_RETRY_POLICY_H_

#include <cstdint>
#include <string>

#include "core/base/time.h"
#include "net/grpc_client.h"

namespace flaredb::client {

enum class Next : uint8_t {
  kDone,        // A reply.
  kRetry,       // Again, elsewhere if possible, with the same request id.
  kNewRequest,  // Certainly not applied at any attempt: again under a new id, with `seen_index`.
  kRefused,     // No retry can succeed.
  kForgotten,   // As kNewRequest unless an earlier attempt may have been applied: then the outcome
                // can't be learned any more.
};

struct Judgement {
  Next next = Next::kDone;
  // This attempt may have taken effect, or may yet. Concerns writes only.
  bool maybe_applied = false;
  bool busy = false;  // Refused for load; wait `pause` before the next attempt.
  Duration pause;
  std::string leader_address;  // Where to try next; empty when unknown.
  uint64_t seen_index = 0;     // For the new request; kNewRequest and kForgotten only.
};

// Pure. A status without a typed detail comes from something between us and the store, or from the
// transport; then `result.sent` decides. A detail of a kind that is newer than this program is
// judged by its outcome and the status code.
Judgement Judge(const net::UnaryResult& result);

}  // namespace flaredb::client

#endif  // FLAREDB_NET_CLIENT_RETRY_POLICY_H_
