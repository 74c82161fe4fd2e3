// SPDX-License-Identifier: Apache-2.0
#include "net/wire/error_codec.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/strings.h"
#include "net/wire/region_codec.h"
#include "proto/errorpb.pb.h"

namespace flaredb::net {
namespace {

// When a client that was refused for load may ask again.
constexpr Duration kBusyBackoff = Duration::Milliseconds(100);

GrpcStatus Pack(absl::StatusCode code, const errorpb::Error& error) {
  return StatusWithDetail(code, error.message(), "errorpb.Error", error.SerializeAsString());
}

// A change of mode takes about as long.
constexpr uint64_t kRetryAfterMs = 200;

errorpb::Error NotApplied(std::string message) {
  errorpb::Error detail;
  detail.set_message(std::move(message));
  detail.set_outcome(errorpb::NOT_APPLIED);
  return detail;
}

store::Error MakeError(store::ErrorCode code, store::Outcome outcome, std::string message) {
  store::Error error;
  error.code = code;
  error.outcome = outcome;
  error.message = std::move(message);
  return error;
}

std::string Quoted(std::string_view ns) {
  return absl::StrCat("\"", absl::CHexEscape(ToAbsl(ns)), "\"");
}

// A call is for the other mode than the one that the namespace has. The store's sentence does
// without the name, as a store knows namespaces by number.
absl::StatusCode SetModeKind(const store::NamespaceMode& is, std::string_view ns,
                             errorpb::Error* detail) {
  const bool strong = is.mode == kv::Mode::kStrong;
  const char* const actual = strong ? "strong" : "eventual";
  const char* const other = strong ? "eventual" : "strong";
  if (is.changing) {
    errorpb::NamespaceModeChanging* kind = detail->mutable_namespace_mode_changing();
    kind->set_namespace_(std::string(ns));
    kind->set_from(actual);
    kind->set_to(other);
    kind->set_mode_epoch(is.mode_epoch.value());
    kind->set_retry_after_ms(kRetryAfterMs);
    if (!ns.empty()) {
      detail->set_message(absl::StrCat("namespace ", Quoted(ns), " is on its way from ", actual,
                                       " to ", other, " and takes nothing new: retry shortly"));
    }
    return absl::StatusCode::kAborted;
  }
  errorpb::NamespaceModeMismatch* kind = detail->mutable_namespace_mode_mismatch();
  kind->set_namespace_(std::string(ns));
  kind->set_required_mode(other);
  kind->set_actual_mode(actual);
  kind->set_mode_epoch(is.mode_epoch.value());
  if (!ns.empty()) {
    detail->set_message(absl::StrCat(
        "namespace ", Quoted(ns), " is ", actual, ", and the call is for ", other, " ones: use ",
        strong ? "kvrpc.KvCas (flaredb kv)" : "kvrpc.KvRaw (flaredb raw)"));
  }
  return absl::StatusCode::kFailedPrecondition;
}

// Sets the kind of `detail` and returns the code that goes with it.
absl::StatusCode SetKind(const store::Error& error, Index applied_index,
                         const AddressOfStore& address_of, std::string_view ns,
                         errorpb::Error* detail) {
  switch (error.code) {
    case store::ErrorCode::kNotLeader: {
      errorpb::NotLeader* kind = detail->mutable_not_leader();
      kind->set_region_id(error.region_id.value());
      if (error.leader) {
        kind->mutable_leader()->set_store_id(error.leader.value());
        kind->set_leader_address(address_of(error.leader));
      }
      return absl::StatusCode::kUnavailable;
    }
    case store::ErrorCode::kEpochNotMatch: {
      errorpb::EpochNotMatch* kind = detail->mutable_epoch_not_match();
      if (error.region.has_value()) EncodeRegion(*error.region, kind->add_current_regions());
      return absl::StatusCode::kFailedPrecondition;
    }
    case store::ErrorCode::kRegionNotFound:
      detail->mutable_region_not_found()->set_region_id(error.region_id.value());
      return absl::StatusCode::kFailedPrecondition;
    case store::ErrorCode::kKeyNotInRegion:
      detail->mutable_key_not_in_region()->set_region_id(error.region_id.value());
      return absl::StatusCode::kFailedPrecondition;
    case store::ErrorCode::kReadNotReady:
      detail->mutable_read_not_ready()->set_region_id(error.region_id.value());
      return absl::StatusCode::kUnavailable;
    case store::ErrorCode::kServerIsBusy:
      detail->mutable_server_is_busy()->set_reason(error.message);
      detail->mutable_server_is_busy()->set_backoff_ms(
          static_cast<uint64_t>(error.backoff.milliseconds()));
      return absl::StatusCode::kResourceExhausted;
    case store::ErrorCode::kStaleCommand:
      detail->mutable_stale_command();
      return absl::StatusCode::kUnknown;
    case store::ErrorCode::kDeadlineExceeded:
      detail->mutable_deadline_exceeded();
      return absl::StatusCode::kDeadlineExceeded;
    case store::ErrorCode::kForgotten:
      detail->mutable_request_forgotten()->set_applied_index(applied_index.value());
      return error.outcome == store::Outcome::kUnknown ? absl::StatusCode::kUnknown
                                                       : absl::StatusCode::kAborted;
    case store::ErrorCode::kInvalidArgument:
      detail->mutable_invalid_request();
      return absl::StatusCode::kInvalidArgument;
    case store::ErrorCode::kNamespaceMode:
      return SetModeKind(*error.namespace_mode, ns, detail);
    case store::ErrorCode::kStoreFailed:
      detail->mutable_store_failed();
      return absl::StatusCode::kUnavailable;
    case store::ErrorCode::kNamespaceNotFound:
      detail->mutable_namespace_not_found()->set_namespace_(std::string(ns));
      return absl::StatusCode::kNotFound;
    case store::ErrorCode::kNotAccepting:
      detail->mutable_not_accepting();
      return absl::StatusCode::kUnavailable;
  }
  return absl::StatusCode::kInternal;
}

}  // namespace

GrpcStatus StatusOf(const store::Error& error, Index applied_index,
                    const AddressOfStore& address_of, std::string_view ns) {
  errorpb::Error detail;
  detail.set_message(error.message);
  const bool unknown = error.outcome == store::Outcome::kUnknown;
  detail.set_outcome(unknown ? errorpb::UNKNOWN : errorpb::NOT_APPLIED);
  absl::StatusCode code = SetKind(error, applied_index, address_of, ns, &detail);
  if (unknown && code == absl::StatusCode::kUnavailable) code = absl::StatusCode::kUnknown;
  return Pack(code, detail);
}

GrpcStatus StatusOf(CallFault fault, bool reached, const GrpcStatus& status) {
  errorpb::Error detail;
  detail.set_message(status.message);
  detail.set_outcome(reached ? errorpb::UNKNOWN : errorpb::NOT_APPLIED);
  switch (fault) {
    case CallFault::kRequest:
      detail.mutable_invalid_request();
      break;
    case CallFault::kLoad:
      detail.mutable_server_is_busy()->set_reason(status.message);
      detail.mutable_server_is_busy()->set_backoff_ms(
          static_cast<uint64_t>(kBusyBackoff.milliseconds()));
      break;
    case CallFault::kDeadline:
      detail.mutable_deadline_exceeded();
      break;
    case CallFault::kServer:
      break;
  }
  return Pack(status.code, detail);
}

GrpcStatus InvalidRequest(std::string message) {
  errorpb::Error detail = NotApplied(std::move(message));
  detail.mutable_invalid_request();
  return Pack(absl::StatusCode::kInvalidArgument, detail);
}

GrpcStatus ClusterMismatch(uint64_t asked, uint64_t actual) {
  errorpb::Error detail = NotApplied("the request is for cluster " + std::to_string(asked) +
                                     " and this store belongs to cluster " +
                                     std::to_string(actual) + ": check the address");
  detail.mutable_cluster_mismatch()->set_request_cluster_id(asked);
  detail.mutable_cluster_mismatch()->set_actual_cluster_id(actual);
  return Pack(absl::StatusCode::kFailedPrecondition, detail);
}

GrpcStatus ServerIsBusy(std::string reason) {
  store::Error error =
      MakeError(store::ErrorCode::kServerIsBusy, store::Outcome::kNotApplied, std::move(reason));
  error.backoff = kBusyBackoff;
  return StatusOf(error, Index(), nullptr);
}

GrpcStatus StoreDraining(StoreId store) {
  errorpb::Error detail =
      NotApplied("store " + std::to_string(store.value()) +
                 " serves no longer, as it is stopping or left the cluster: ask "
                 "another store of the cluster");
  detail.mutable_store_draining()->set_store_id(store.value());
  return Pack(absl::StatusCode::kUnavailable, detail);
}

GrpcStatus Unauthenticated(std::string message) {
  errorpb::Error detail = NotApplied(std::move(message));
  detail.mutable_unauthenticated();
  return Pack(absl::StatusCode::kUnauthenticated, detail);
}

GrpcStatus PermissionDenied(std::string message, const std::string& token, const std::string& ns,
                            const char* right) {
  errorpb::Error detail = NotApplied(std::move(message));
  errorpb::PermissionDenied* kind = detail.mutable_permission_denied();
  kind->set_token(token);
  kind->set_namespace_(ns);
  kind->set_right(right);
  return Pack(absl::StatusCode::kPermissionDenied, detail);
}

GrpcStatus RequestForgotten() {
  return StatusOf(MakeError(store::ErrorCode::kForgotten, store::Outcome::kUnknown,
                            "this retry came too late to tell whether an earlier attempt took "
                            "effect: read the key and decide"),
                  Index(), nullptr);
}

GrpcStatus RequestOvertaken(Index applied_index) {
  errorpb::Error detail = NotApplied(
      "two attempts of this write crossed and neither took effect: send it as a new request");
  detail.mutable_request_overtaken()->set_applied_index(applied_index.value());
  return Pack(absl::StatusCode::kAborted, detail);
}

GrpcStatus UnknownOutcome(std::string message) {
  return StatusOf(
      MakeError(store::ErrorCode::kStaleCommand, store::Outcome::kUnknown, std::move(message)),
      Index(), nullptr);
}

}  // namespace flaredb::net
