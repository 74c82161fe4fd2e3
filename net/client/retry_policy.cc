// SPDX-License-Identifier: Apache-2.0
#include "net/client/retry_policy.h"

#include <algorithm>
#include <optional>

#include "proto/errorpb.pb.h"

namespace flaredb::client {
namespace {

// Whether the cause may pass by itself.
Next NextOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kAborted:
      return Next::kRetry;
    default:
      return Next::kRefused;
  }
}

// Whatever the server says, it does not hold a client for more than a second.
Duration PauseOf(uint64_t wish_ms) {
  return Duration::Milliseconds(static_cast<int64_t>(std::min<uint64_t>(wish_ms, 1000)));
}

Judgement JudgeBare(const net::UnaryResult& result) {
  Judgement judgement;
  judgement.next = result.sent == net::Sent::kYes ? NextOf(result.status.code) : Next::kRetry;
  judgement.maybe_applied = result.sent != net::Sent::kNo && judgement.next == Next::kRetry;
  return judgement;
}

}  // namespace

Judgement Judge(const net::UnaryResult& result) {
  Judgement judgement;
  if (result.status.ok()) return judgement;
  const std::optional<std::string> detail = net::FindDetail(result.status, "errorpb.Error");
  errorpb::Error error;
  if (!detail.has_value() || !error.ParseFromString(*detail)) return JudgeBare(result);

  judgement.maybe_applied = error.outcome() != errorpb::NOT_APPLIED;
  judgement.next = Next::kRetry;
  switch (error.kind_case()) {
    case errorpb::Error::kNotLeader:
      judgement.leader_address = error.not_leader().leader_address();
      break;
    case errorpb::Error::kServerIsBusy:
      judgement.busy = true;
      judgement.pause = PauseOf(error.server_is_busy().backoff_ms());
      break;
    case errorpb::Error::kNamespaceModeChanging:
      judgement.pause = PauseOf(error.namespace_mode_changing().retry_after_ms());
      break;
    case errorpb::Error::kRequestOvertaken:
      judgement.next = Next::kNewRequest;
      judgement.seen_index = error.request_overtaken().applied_index();
      break;
    case errorpb::Error::kRequestForgotten:
      judgement.next = Next::kForgotten;
      judgement.seen_index = error.request_forgotten().applied_index();
      break;
    case errorpb::Error::kInvalidRequest:
    case errorpb::Error::kNamespaceNotFound:
    case errorpb::Error::kNamespaceModeMismatch:
    case errorpb::Error::kClusterMismatch:
    case errorpb::Error::kUnauthenticated:
    case errorpb::Error::kPermissionDenied:
      judgement.next = Next::kRefused;
      break;
    case errorpb::Error::kPlacementRefused:
    case errorpb::Error::KIND_NOT_SET:
      judgement.next = NextOf(result.status.code);
      judgement.busy = result.status.code == absl::StatusCode::kResourceExhausted;
      if (judgement.busy) judgement.next = Next::kRetry;
      break;
    default:
      break;
  }
  return judgement;
}

}  // namespace flaredb::client
