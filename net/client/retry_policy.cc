// SPDX-License-Identifier: Apache-2.0
#include "net/client/retry_policy.h"

#include <algorithm>
#include <optional>

#include "proto/errorpb.pb.h"

namespace flaredb::net {
namespace {

Judgement JudgeBare(const UnaryResult& result) {
  Judgement judgement{.next = Next::kRetry,
                      .maybe_applied = result.sent != Sent::kNo,
                      .busy = false,
                      .pause = Duration(),
                      .leader_address = "",
                      .seen_index = 0};
  if (result.sent != Sent::kYes) return judgement;
  switch (result.status.code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kAborted:
      return judgement;
    default:
      judgement.next = Next::kRefused;
      judgement.maybe_applied = false;
      return judgement;
  }
}

}  // namespace

Judgement Judge(const UnaryResult& result) {
  Judgement judgement;
  if (result.status.ok()) return judgement;
  const std::optional<std::string> detail = FindDetail(result.status, "errorpb.Error");
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
      // Whatever the server says, it does not hold a client for more than a second.
      judgement.pause = Duration::Milliseconds(
          static_cast<int64_t>(std::min<uint64_t>(error.server_is_busy().backoff_ms(), 1000)));
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
    case errorpb::Error::kClusterMismatch:
      judgement.next = Next::kRefused;
      break;
    default:
      break;
  }
  return judgement;
}

}  // namespace flaredb::net
