// SPDX-License-Identifier: Apache-2.0
// kvrpc.KvCas and kvrpc.KvRaw: from a client's bytes to the store and back.
#ifndef FLAREDB_NET_SERVER_KV_SERVICE_H_
#define FLAREDB_NET_SERVER_KV_SERVICE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/time.h"
#include "core/store/recovery.h"
#include "core/store/request.h"
#include "net/grpc_server.h"
#include "net/server/budget.h"
#include "net/server/log.h"
#include "net/server/runtime.h"
#include "net/token_bucket.h"
#include "net/wire/error_codec.h"
#include "net/wire/kv_call.h"

namespace flaredb::net {

// Scans beyond so many at once are answered SERVER_IS_BUSY.
inline constexpr size_t kMaxOpenScans = 64;

// A call that took longer is logged, and why it did is to be looked for.
inline constexpr Duration kSlowCall = Duration::Seconds(1);

class KvService {
 public:
  // Registers its methods; `server` must not be listening yet. `runtime` outlives `server`.
  KvService(GrpcServer* server, Runtime* runtime, AddressOfStore address_of);

  // Refuses all calls from now on, in the name of the store; those under way go on.
  void Refuse(StoreId store) { refusing_ = store; }

 private:
  using Decode = DecodedKvCall(std::string_view message, const store::Identity& self);
  using Encode = EncodedKvReply(const ReplyShape& shape, store::Reply reply,
                                const AddressOfStore& address_of);

  void Register(GrpcServer* server, const char* method, Decode* decode, Encode* encode);
  void Handle(const char* method, UnaryCall unary, std::string_view message, Decode* decode,
              Encode* encode);
  void Answer(UnaryCall* call, const EncodedKvReply& reply);
  void LogIfSlow(const char* method, Instant started, const LoggedKey& key);

  GrpcServer* const server_;
  EventLoop* const loop_;
  Runtime* const runtime_;
  const AddressOfStore address_of_;
  TokenBucket slow_lines_;  // A store that is slow must not fill its disk by saying so.
  StoreId refusing_;        // Zero: it does not.
  // One reference is ours, and each open scan holds one.
  const std::shared_ptr<char> scan_slots_ = std::make_shared<char>();
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_KV_SERVICE_H_
