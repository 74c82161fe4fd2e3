// SPDX-License-Identifier: Apache-2.0
// The way to the placement driver: a request like any other, which this store passes on to whoever
// leads the region that it lives in.
#ifndef FLAREDB_NET_SERVER_PD_CALLER_H_
#define FLAREDB_NET_SERVER_PD_CALLER_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/base/time.h"
#include "core/pd/command.h"
#include "core/pd/query.h"
#include "core/pd/reply.h"
#include "core/store/request.h"
#include "net/grpc_status.h"
#include "net/wire/error_codec.h"

namespace flaredb::net {

// The answer, or why there is none: what the store says, or the placement driver's refusal.
template <typename T>
using PdResult = std::variant<T, GrpcStatus>;
template <typename T>
using PdDone = std::function<void(PdResult<T>)>;

// For the loop's thread.
class PdCaller {
 public:
  // Passes a request to the store; the function is called once, in a turn (Runtime::Call).
  using CallStore = std::function<void(store::Request, std::function<void(store::Reply)>)>;
  PdCaller(CallStore call_store, AddressOfStore address_of)
      : call_store_(std::move(call_store)), address_of_(std::move(address_of)) {}

  // `T` is the alternative of pd::Reply that answers `command` or `query`. `done` is called once,
  // perhaps before the function returns.
  template <typename T>
  void Tell(const pd::Command& command, Duration budget, PdDone<T> done) {
    Command(command, budget, Expecting<T>(std::move(done)));
  }
  template <typename T>
  void Ask(const pd::Query& query, Duration budget, PdDone<T> done) {
    Query(query, budget, Expecting<T>(std::move(done)));
  }

  // Refuses everything from now on, in the name of the store; what is under way goes on.
  void Refuse(StoreId store) { refusing_ = store; }

 private:
  void Command(const pd::Command& command, Duration budget, PdDone<pd::Reply> done);
  void Query(const pd::Query& query, Duration budget, PdDone<pd::Reply> done);
  // `explain`: a refusal, for whoever asked.
  void Call(store::Operation operation, Duration budget,
            std::function<GrpcStatus(const pd::Refused&)> explain, PdDone<pd::Reply> done);
  static GrpcStatus NoSuchAnswer();

  template <typename T>
  static PdDone<pd::Reply> Expecting(PdDone<T> done) {
    return [done = std::move(done)](PdResult<pd::Reply> result) {
      if (auto* status = std::get_if<GrpcStatus>(&result)) return done(std::move(*status));
      auto* expected = std::get_if<T>(&std::get<pd::Reply>(result));
      if (expected == nullptr) return done(NoSuchAnswer());
      done(std::move(*expected));
    };
  }

  const CallStore call_store_;
  const AddressOfStore address_of_;
  StoreId refusing_;  // Zero: it does not.
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_PD_CALLER_H_
