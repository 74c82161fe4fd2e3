// SPDX-License-Identifier: Apache-2.0
// The outcome of a gRPC call: code, message, typed details.
#ifndef FLAREDB_NET_GRPC_STATUS_H_
#define FLAREDB_NET_GRPC_STATUS_H_

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace flaredb::net {

// Why the server itself ends a call, which its handler did not.
enum class CallFault : uint8_t {
  kRequest,   // It is none that can be read.
  kLoad,      // There is too much else.
  kDeadline,  // Its time is over.
  kServer,    // Its handler forgot it.
};

// The numbers of absl::StatusCode are gRPC's own, 0 (OK) to 16 (UNAUTHENTICATED).
struct GrpcStatus {
  GrpcStatus() = default;
  GrpcStatus(absl::StatusCode c, std::string m, std::string d = "")
      : code(c), message(std::move(m)), details(std::move(d)) {}

  bool ok() const { return code == absl::StatusCode::kOk; }

  absl::StatusCode code = absl::StatusCode::kOk;
  // For people. Any bytes; travels percent-encoded.
  std::string message;
  // A serialized google.rpc.Status (trailer grpc-status-details-bin), or empty.
  std::string details;
};

// "UNAVAILABLE: text"; "OK".
std::ostream& operator<<(std::ostream& out, const GrpcStatus& status);

// A status that carries one typed detail: google.rpc.Status{code, message, details = [Any{
// "type.googleapis.com/" + type_name, value}]}.
//   type_name  full name of the message, such as "errorpb.Error"
//   value      that message, serialized
GrpcStatus StatusWithDetail(absl::StatusCode code, std::string message, std::string_view type_name,
                            std::string_view value);

// The serialized message of the first detail of type `type_name`; nothing when there is none or
// when `status.details` is no google.rpc.Status. Accepts any bytes.
std::optional<std::string> FindDetail(const GrpcStatus& status, std::string_view type_name);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_GRPC_STATUS_H_
