// SPDX-License-Identifier: Apache-2.0
// The promise of kv::Retry, tested as a whole: many clients send attempts of creates, swaps and
// deletes of one key; attempts are delayed without bound, overtake each other and are duplicated.
// An oracle that sees every change compares it with every answer.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/rng.h"
#include "core/kv/engine.h"

namespace flaredb::kv {
namespace {

struct Answers {
  int applied_first = 0;
  int applied_retry = 0;
  int mismatch = 0;
  int overtaken = 0;
  int forgotten_after_applied = 0;
  int forgotten_otherwise = 0;
};

class RetryModel {
 public:
  explicit RetryModel(uint64_t seed) : rng_(seed) {}

  void Run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      if (network_.empty() || rng_.Chance(300000)) {
        BeginRequest();
      } else {
        Deliver();
      }
    }
  }

  const Answers& answers() const { return answers_; }

 private:
  // What the oracle knows of a request. An answer other than kForgotten is final.
  struct Fate {
    std::optional<Version> applied;  // The version that it produced.
    bool refused = false;            // Some attempt was answered kMismatch or kOvertaken.
  };

  static const Retry& RetryOf(const Command& command) {
    return std::visit([](const auto& c) -> const Retry& { return c.retry; }, command);
  }

  // A client asks for something that makes sense to it, or guesses, and sends one to four attempts;
  // a client that does not retry, one.
  void BeginRequest() {
    const bool live = record_ && !record_->tombstone;
    Version expected = live ? record_->version : Version();
    if (rng_.Chance(100000)) expected = Version();
    if (rng_.Chance(100000)) expected = Version(rng_.Below(last_version_.value() + 4));

    Retry retry;
    const bool identified = !rng_.Chance(100000);
    if (identified) {
      retry.id = {rng_.Below(5), rng_.Below(5), ++last_seq_};
      // Clients know the log up to now, or up to some earlier answer, or not at all.
      retry.seen_index = rng_.Chance(800000) ? index_ : Index(rng_.Below(index_.value() + 1));
    }

    Command command = CompareAndSwap{NamespaceId::kDefault, "k", "v", expected, retry};
    if (expected && rng_.Chance(500000)) {
      command = CompareAndDelete{NamespaceId::kDefault, "k", expected, retry};
    }
    for (uint64_t attempts = identified ? rng_.Between(1, 4) : 1; attempts > 0; --attempts) {
      network_.push_back(command);
    }
  }

  // Most attempts arrive soon, some stay behind for very long.
  void Deliver() {
    const size_t near = network_.size() - std::min<size_t>(network_.size(), 4);
    const size_t at =
        rng_.Chance(950000) ? rng_.Between(near, network_.size() - 1) : rng_.Below(network_.size());
    const Command command = network_[at];
    network_.erase(network_.begin() + static_cast<ptrdiff_t>(at));
    index_ = index_ + rng_.Between(1, 3);  // Other keys use the log, too.

    std::optional<Record> changed;
    const WriteReply reply = Decide(command, record_, index_, &changed);
    const RequestId& id = RetryOf(command).id;
    Fate unidentified;
    Fate& fate = id ? fates_[id] : unidentified;
    const bool was_applied = fate.applied.has_value();
    if (changed) {
      EXPECT_FALSE(was_applied) << "applied twice";
      EXPECT_FALSE(fate.refused) << "applied after a final refusal";
      EXPECT_EQ(changed->version, last_version_.next()) << "versions are not dense";
      EXPECT_EQ(reply.result, WriteResult::kApplied);
      // A record that decoding would refuse must not come into being.
      const absl::StatusOr<Record> stored = DecodeRecord(EncodeRecord(*changed));
      EXPECT_TRUE(stored.ok() && *stored == *changed);
      last_version_ = changed->version;
      fate.applied = changed->version;
      record_ = changed;
    }
    CheckAnswer(command, reply, was_applied, &fate);
  }

  void CheckAnswer(const Command& command, const WriteReply& reply, bool was_applied, Fate* fate) {
    const bool live = record_ && !record_->tombstone;
    switch (reply.result) {
      case WriteResult::kApplied:
        ASSERT_TRUE(fate->applied) << "told applied, but never was";
        EXPECT_EQ(reply.version,
                  std::holds_alternative<CompareAndDelete>(command) ? Version() : *fate->applied);
        ++(was_applied ? answers_.applied_retry : answers_.applied_first);
        return;
      case WriteResult::kMismatch:
      case WriteResult::kOvertaken:
        EXPECT_FALSE(fate->applied) << "refused, but was applied";
        EXPECT_EQ(reply.version, live ? record_->version : Version());
        fate->refused = true;
        ++(reply.result == WriteResult::kMismatch ? answers_.mismatch : answers_.overtaken);
        return;
      case WriteResult::kForgotten:
        // Nothing is claimed about the past, and nothing may happen later.
        if (!fate->applied) fate->refused = true;
        ++(was_applied ? answers_.forgotten_after_applied : answers_.forgotten_otherwise);
        return;
    }
    FAIL() << "unknown result";
  }

  Rng rng_;
  Index index_;
  std::optional<Record> record_;
  Version last_version_;
  uint64_t last_seq_ = 0;
  std::vector<Command> network_;
  std::map<RequestId, Fate> fates_;
  Answers answers_;
};

TEST(RetryModel, EveryAnswerToEveryAttemptIsExact) {
  Answers sum;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RetryModel model(seed);
    model.Run(2000);
    if (HasFailure()) return;
    sum.applied_first += model.answers().applied_first;
    sum.applied_retry += model.answers().applied_retry;
    sum.mismatch += model.answers().mismatch;
    sum.overtaken += model.answers().overtaken;
    sum.forgotten_after_applied += model.answers().forgotten_after_applied;
    sum.forgotten_otherwise += model.answers().forgotten_otherwise;
  }
  // The test is worth nothing unless it met every case.
  EXPECT_GT(sum.applied_first, 1000);
  EXPECT_GT(sum.applied_retry, 1000);
  EXPECT_GT(sum.mismatch, 1000);
  EXPECT_GT(sum.overtaken, 100);
  EXPECT_GT(sum.forgotten_after_applied, 100);
  EXPECT_GT(sum.forgotten_otherwise, 100);
}

}  // namespace
}  // namespace flaredb::kv
