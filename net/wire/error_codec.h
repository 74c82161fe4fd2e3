// SPDX-License-Identifier: Apache-2.0
// Errors as clients see them: a gRPC status with an errorpb.Error as its detail.
#ifndef FLAREDB_NET_WIRE_ERROR_CODEC_H_
#define FLAREDB_NET_WIRE_ERROR_CODEC_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/types.h"
#include "core/store/request.h"
#include "net/grpc_status.h"

namespace flaredb::net {

// Where a store is reached: "host:port"; empty when unknown.
using AddressOfStore = std::function<std::string(StoreId store)>;

// The status for a store's error. UNAVAILABLE, which any gRPC client may retry by itself, is used
// only when the operation certainly had no effect.
//   applied_index  of the store's reply
//   ns             what the caller named; errors about a namespace repeat it
GrpcStatus StatusOf(const store::Error& error, Index applied_index,
                    const AddressOfStore& address_of, std::string_view ns = "");

// What the gRPC server itself found wrong with a call; see GrpcServerOptions::explain.
GrpcStatus StatusOf(CallFault fault, bool reached, const GrpcStatus& status);

// Refusals that need no store. None of these operations took effect. `message` is one sentence.
GrpcStatus InvalidRequest(std::string message);
GrpcStatus ClusterMismatch(uint64_t asked, uint64_t actual);
GrpcStatus ServerIsBusy(std::string reason);
GrpcStatus StoreDraining(StoreId store);
// It is not known who calls.
GrpcStatus Unauthenticated(std::string message);
// It is known, and that he may not.
//   token  its name; empty: the call has none
//   ns     empty: the right is not about a namespace
//   right  what is missing: "read", "write", "admin" or "store"
GrpcStatus PermissionDenied(std::string message, const std::string& token, const std::string& ns,
                            const char* right);

// Ends of writes that are neither success nor mismatch; see kv::WriteResult.
GrpcStatus RequestForgotten();
GrpcStatus RequestOvertaken(Index applied_index);
// The operation was passed on and what came of it can't be told.
GrpcStatus UnknownOutcome(std::string message);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_WIRE_ERROR_CODEC_H_
