// SPDX-License-Identifier: Apache-2.0
// Messages between stores, for tests of their encoding.
#ifndef FLAREDB_TESTS_NET_WIRE_RAFT_MESSAGES_H_
#define FLAREDB_TESTS_NET_WIRE_RAFT_MESSAGES_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/rng.h"
#include "core/raft/message.h"
#include "core/store/message.h"

namespace flaredb::net {

// Random messages of every kind. Numbers are small or huge, texts are any bytes.
class Generator {
 public:
  explicit Generator(uint64_t seed) : rng_(seed) {}

  // Bodies of envelopes, forwarded requests, forwarded replies, and the four others.
  static constexpr uint64_t kBodies = std::variant_size_v<raft::Body::variant>;
  static constexpr uint64_t kRequests = 9;
  static constexpr uint64_t kReplies = 6;
  static constexpr uint64_t kKinds = kBodies + kRequests + kReplies + 4;

  // Message number `kind`, below kKinds.
  store::StoreMessage Message(uint64_t kind);

  Rng& rng() { return rng_; }

 private:
  Rng rng_;
};

// The encoding is deterministic and lists every field, so equal encodings mean equal messages.
std::string Encode(const store::StoreMessage& message);
// None, and the test fails, if they can't be decoded.
std::vector<store::StoreMessage> DecodeOrDie(const std::string& bytes);

store::RaftEnvelope EnvelopeOf(raft::Body body);

}  // namespace flaredb::net

#endif  // FLAREDB_TESTS_NET_WIRE_RAFT_MESSAGES_H_
