// SPDX-License-Identifier: Apache-2.0
// What the services beside the key-value one do with every call.
#ifndef FLAREDB_NET_SERVER_UNARY_H_
#define FLAREDB_NET_SERVER_UNARY_H_

#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"
#include "core/pd/namespaces.h"
#include "net/grpc_server.h"
#include "net/server/budget.h"
#include "net/wire/error_codec.h"

namespace flaredb::net {

// False: `message` was none, and the call has failed.
template <typename Message>
bool ParseOrFail(std::string_view message, Message* in, UnaryCall* call) {
  if (message.size() <= static_cast<size_t>(std::numeric_limits<int>::max()) &&
      in->ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    return true;
  }
  call->Fail(InvalidRequest("the request is not a valid " + in->GetTypeName() +
                            " message: send one as the files in proto/ describe it"));
  return false;
}

// What the store gets to answer a request of the call.
inline Duration TimeFor(const CallHandle& call, Instant now) {
  if (call.deadline() == Instant::Max()) return kDefaultBudget;
  return BudgetOf(call.deadline() - now, std::nullopt);
}

// What "" stands for.
inline std::string NamespaceName(const std::string& name) {
  return name.empty() ? std::string(pd::kDefaultNamespace) : name;
}

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_UNARY_H_
