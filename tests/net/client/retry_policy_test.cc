// SPDX-License-Identifier: Apache-2.0
#include "net/client/retry_policy.h"

#include <gtest/gtest.h>

#include "proto/errorpb.pb.h"

namespace flaredb::client {
namespace {

using net::Sent;
using net::UnaryResult;

UnaryResult Bare(absl::StatusCode code, Sent sent) { return {{code, "text"}, "", sent}; }

UnaryResult Typed(absl::StatusCode code, const errorpb::Error& error) {
  return {net::StatusWithDetail(code, "text", "errorpb.Error", error.SerializeAsString()), "",
          Sent::kYes};
}

errorpb::Error NotApplied() {
  errorpb::Error error;
  error.set_outcome(errorpb::NOT_APPLIED);
  return error;
}

TEST(RetryPolicy, AReplyIsTheEnd) { EXPECT_EQ(Judge({{}, "reply", Sent::kYes}).next, Next::kDone); }

TEST(RetryPolicy, ARequestThatNeverLeftWasNotApplied) {
  const Judgement judgement = Judge(Bare(absl::StatusCode::kUnavailable, Sent::kNo));
  EXPECT_EQ(judgement.next, Next::kRetry);
  EXPECT_FALSE(judgement.maybe_applied);
}

TEST(RetryPolicy, ABrokenConnectionLeavesTheOutcomeOpen) {
  const Judgement judgement = Judge(Bare(absl::StatusCode::kUnavailable, Sent::kMaybe));
  EXPECT_EQ(judgement.next, Next::kRetry);
  EXPECT_TRUE(judgement.maybe_applied);
}

TEST(RetryPolicy, ABareDeadlineLeavesTheOutcomeOpen) {
  EXPECT_TRUE(Judge(Bare(absl::StatusCode::kDeadlineExceeded, Sent::kYes)).maybe_applied);
}

TEST(RetryPolicy, WhatTheServerDoesNotKnowIsRefused) {
  const Judgement judgement = Judge(Bare(absl::StatusCode::kUnimplemented, Sent::kYes));
  EXPECT_EQ(judgement.next, Next::kRefused);
  EXPECT_FALSE(judgement.maybe_applied);
}

TEST(RetryPolicy, ALeaderElsewhereIsAskedNext) {
  errorpb::Error error = NotApplied();
  error.mutable_not_leader()->set_leader_address("b:2");
  const Judgement judgement = Judge(Typed(absl::StatusCode::kUnavailable, error));
  EXPECT_EQ(judgement.next, Next::kRetry);
  EXPECT_EQ(judgement.leader_address, "b:2");
  EXPECT_FALSE(judgement.maybe_applied);
}

TEST(RetryPolicy, ABusyStoreIsGivenTimeButNotTooMuch) {
  errorpb::Error error = NotApplied();
  error.mutable_server_is_busy()->set_backoff_ms(100);
  Judgement judgement = Judge(Typed(absl::StatusCode::kResourceExhausted, error));
  EXPECT_EQ(judgement.next, Next::kRetry);
  EXPECT_FALSE(judgement.maybe_applied);
  EXPECT_TRUE(judgement.busy);
  EXPECT_EQ(judgement.pause, Duration::Milliseconds(100));
  error.mutable_server_is_busy()->set_backoff_ms(UINT64_MAX);
  judgement = Judge(Typed(absl::StatusCode::kResourceExhausted, error));
  EXPECT_EQ(judgement.pause, Duration::Milliseconds(1000));
}

// A call that is too large is refused so, and stays too large.
TEST(RetryPolicy, AnExhaustedResourceWithoutAWordIsFinal) {
  EXPECT_EQ(Judge(Bare(absl::StatusCode::kResourceExhausted, Sent::kYes)).next, Next::kRefused);
}

TEST(RetryPolicy, AStaleCommandIsRetriedAndRemembered) {
  errorpb::Error error;
  error.set_outcome(errorpb::UNKNOWN);
  error.mutable_stale_command();
  const Judgement judgement = Judge(Typed(absl::StatusCode::kUnknown, error));
  EXPECT_EQ(judgement.next, Next::kRetry);
  EXPECT_TRUE(judgement.maybe_applied);
}

// An error without a stated outcome promises nothing.
TEST(RetryPolicy, AnUnspecifiedOutcomeIsUnknown) {
  errorpb::Error error;
  error.mutable_not_leader();
  EXPECT_TRUE(Judge(Typed(absl::StatusCode::kUnavailable, error)).maybe_applied);
}

TEST(RetryPolicy, AnOvertakenWriteBecomesANewRequest) {
  errorpb::Error error = NotApplied();
  error.mutable_request_overtaken()->set_applied_index(12);
  const Judgement judgement = Judge(Typed(absl::StatusCode::kAborted, error));
  EXPECT_EQ(judgement.next, Next::kNewRequest);
  EXPECT_EQ(judgement.seen_index, 12u);
}

TEST(RetryPolicy, AForgottenWriteIsNotRetried) {
  errorpb::Error error;
  error.set_outcome(errorpb::UNKNOWN);
  error.mutable_request_forgotten()->set_applied_index(12);
  Judgement judgement = Judge(Typed(absl::StatusCode::kUnknown, error));
  EXPECT_EQ(judgement.next, Next::kForgotten);
  EXPECT_TRUE(judgement.maybe_applied);
  error.set_outcome(errorpb::NOT_APPLIED);
  judgement = Judge(Typed(absl::StatusCode::kAborted, error));
  EXPECT_EQ(judgement.next, Next::kForgotten);
  EXPECT_FALSE(judgement.maybe_applied);
  EXPECT_EQ(judgement.seen_index, 12u);
}

// A store that is newer than this program may answer with a kind that we do not know.
TEST(RetryPolicy, AnErrorOfAnUnknownKindIsJudgedByItsCode) {
  Judgement judgement = Judge(Typed(absl::StatusCode::kFailedPrecondition, NotApplied()));
  EXPECT_EQ(judgement.next, Next::kRefused);
  EXPECT_FALSE(judgement.maybe_applied);
  judgement = Judge(Typed(absl::StatusCode::kAborted, NotApplied()));
  EXPECT_EQ(judgement.next, Next::kRetry);
  judgement = Judge(Typed(absl::StatusCode::kResourceExhausted, NotApplied()));
  EXPECT_EQ(judgement.next, Next::kRetry);
  EXPECT_TRUE(judgement.busy);
  errorpb::Error unknown;
  unknown.set_outcome(errorpb::UNKNOWN);
  EXPECT_TRUE(Judge(Typed(absl::StatusCode::kFailedPrecondition, unknown)).maybe_applied);
}

TEST(RetryPolicy, BrokenRulesAreFinal) {
  errorpb::Error error = NotApplied();
  error.mutable_invalid_request();
  EXPECT_EQ(Judge(Typed(absl::StatusCode::kInvalidArgument, error)).next, Next::kRefused);
  error.mutable_namespace_not_found();
  EXPECT_EQ(Judge(Typed(absl::StatusCode::kNotFound, error)).next, Next::kRefused);
  error.mutable_namespace_mode_mismatch();
  EXPECT_EQ(Judge(Typed(absl::StatusCode::kFailedPrecondition, error)).next, Next::kRefused);
}

TEST(RetryPolicy, ANamespaceThatIsSwitchedIsWaitedFor) {
  errorpb::Error error = NotApplied();
  error.mutable_namespace_mode_changing()->set_retry_after_ms(200);
  const Judgement judgement = Judge(Typed(absl::StatusCode::kAborted, error));
  EXPECT_EQ(judgement.next, Next::kRetry);
  EXPECT_EQ(judgement.pause, Duration::Milliseconds(200));
  EXPECT_FALSE(judgement.busy);
  EXPECT_FALSE(judgement.maybe_applied);
}

TEST(RetryPolicy, WhatThePlacementDriverRefusesIsFinalUnlessItPasses) {
  errorpb::Error error = NotApplied();
  error.mutable_placement_refused()->set_reason(errorpb::PlacementRefused::LAST_STORE);
  EXPECT_EQ(Judge(Typed(absl::StatusCode::kFailedPrecondition, error)).next, Next::kRefused);
  error.mutable_placement_refused()->set_reason(errorpb::PlacementRefused::NO_REGION);
  EXPECT_EQ(Judge(Typed(absl::StatusCode::kUnavailable, error)).next, Next::kRetry);
}

}  // namespace
}  // namespace flaredb::client
