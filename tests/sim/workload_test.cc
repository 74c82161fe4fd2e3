// SPDX-License-Identifier: Apache-2.0
// What clients of FlareDB's own machine may be told: READ and ANSWER.
#include "sim/workload.h"

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

using ::testing::HasSubstr;

// One client of one kind of operation and one key, whose network, stores and log are the test.
class WorkloadTest : public testing::Test {
 protected:
  void Begin(uint32_t gets, uint32_t scans, uint32_t swaps, uint32_t keys = 1) {
    WorkloadProfile& work = profile_.workload;
    work.clients = 1;
    work.keys = keys;
    work.gets = gets;
    work.scans = scans;
    work.swaps = swaps;
    work.operations_max = 100000;
    work.attempt_timeout = work.attempt_timeout_max = Duration::Seconds(1);
    network_ = std::make_unique<SimNetwork>(&world_, profile_.network, 2 * kNodes);
    workload_ = std::make_unique<Workload>(&world_, profile_, Region(), network_.get(), &model_);
    workload_->Start();
  }

  // The command comes into the log; where.
  Index Commit(kv::Command command) {
    const Index index = model_.applied().next();
    EXPECT_EQ(
        log_.Apply(Append(index.value(), {{1, EncodeRegionCommand({kEpoch, std::move(command)})}})),
        std::nullopt);
    EXPECT_EQ(model_.Apply(log_.At(index)), std::nullopt);
    return index;
  }
  // Somebody else writes.
  Index Put(const std::string& key, uint64_t expected, const std::string& value) {
    return Commit(kv::CompareAndSwap{
        .key = key, .value = value, .expected = kv::Version(expected), .retry = {}});
  }
  Index Delete(const std::string& key, uint64_t expected) {
    return Commit(kv::CompareAndDelete{.key = key, .expected = kv::Version(expected), .retry = {}});
  }
  // A client sends its next attempt, however long it waits for an answer to the last one.
  Packet Attempt() {
    while (true) {
      const Event event = world_.queue.Pop();
      if (event.kind == EventKind::kClient) {
        workload_->OnTimer(event.target, event.arg);
        continue;
      }
      std::optional<Packet> packet = network_->Take(event.arg);
      if (packet && std::holds_alternative<ClientRequest>(packet->body)) return *std::move(packet);
    }
  }
  template <typename Operation>
  static const Operation& Of(const Packet& attempt) {
    return std::get<Operation>(std::get<ClientRequest>(attempt.body).request.operation);
  }
  // The attempt of a write that expects no version, and the key has one since.
  Packet MismatchingAttempt() {
    Packet attempt = Attempt();
    EXPECT_EQ(Of<kv::CompareAndSwap>(attempt).expected, kv::Version());
    Put("k0", 0, "77:x");
    return attempt;
  }
  // Which invariant the answer breaks; empty: none.
  std::string Answer(const Packet& attempt, store::Result result, Index applied) {
    workload_->Deliver({attempt.to, attempt.from,
                        ClientReply{std::get<ClientRequest>(attempt.body).attempt,
                                    store::Reply{std::move(result), applied}}});
    return world_.report.failure().invariant;
  }
  std::string Refuse(const Packet& attempt, store::ErrorCode code, Index applied) {
    store::Error error;
    error.code = code;
    return Answer(attempt, std::move(error), applied);
  }
  const std::string& sentence() const { return world_.report.failure().sentence; }

  Profile profile_ = [] {
    Profile profile;
    profile.stores = kNodes;
    profile.workload.operation_timeout = Duration::Seconds(60);
    return profile;
  }();
  Reduction reduction_;
  World world_{Choices(1), &reduction_, nullptr};
  LogImage log_;
  KvModel model_{kEpoch, Index()};
  std::unique_ptr<SimNetwork> network_;
  std::unique_ptr<Workload> workload_;
};

// --- Writes

class WriteTest : public WorkloadTest {
 protected:
  WriteTest() { Begin(0, 0, 1); }
};

constexpr kv::WriteResult kApplied = kv::WriteResult::kApplied;
constexpr kv::WriteResult kMismatch = kv::WriteResult::kMismatch;

TEST_F(WriteTest, WhatTheLogMadeOfIt) {
  const Packet applied = Attempt();
  const Index at = Commit(Of<kv::CompareAndSwap>(applied));
  EXPECT_EQ(Answer(applied, kv::WriteReply{kApplied, kv::Version(1), ""}, at), "");
}

TEST_F(WriteTest, AMismatchComesWithWhatIsThere) {
  const Packet attempt = MismatchingAttempt();
  const Index at = Commit(Of<kv::CompareAndSwap>(attempt));
  EXPECT_EQ(Answer(attempt, kv::WriteReply{kMismatch, kv::Version(1), "77:x"}, at), "");
}

TEST_F(WriteTest, AMismatchWithoutTheValue) {
  const Packet attempt = MismatchingAttempt();
  const Index at = Commit(Of<kv::CompareAndSwap>(attempt));
  EXPECT_EQ(Answer(attempt, kv::WriteReply{kMismatch, kv::Version(1), ""}, at), "ANSWER");
  EXPECT_THAT(sentence(), HasSubstr("was answered mismatch, version 1 at 2, but the command at "
                                    "index 2 is answered mismatch, version 1 value 77 at 2"));
}

TEST_F(WriteTest, AMismatchWithAnotherVersion) {
  const Packet attempt = MismatchingAttempt();
  const Index at = Commit(Of<kv::CompareAndSwap>(attempt));
  EXPECT_EQ(Answer(attempt, kv::WriteReply{kMismatch, kv::Version(2), "77:x"}, at), "ANSWER");
}

TEST_F(WriteTest, AMismatchThatIsCalledForgotten) {
  const Packet attempt = MismatchingAttempt();
  const Index at = Commit(Of<kv::CompareAndSwap>(attempt));
  EXPECT_EQ(Refuse(attempt, store::ErrorCode::kForgotten, at), "ANSWER");
}

TEST_F(WriteTest, WhatIsForgottenMayBeCalledSo) {
  const Packet attempt = Attempt();
  ASSERT_TRUE(Of<kv::CompareAndSwap>(attempt).retry.id);
  Put("k0", 0, "1:");
  // As many identified writes as a record remembers, and one more.
  for (uint64_t i = 1; i <= kv::Record::kRequestsMax + 1; ++i) {
    const kv::Retry retry{{9, 9, i}, model_.applied()};
    Commit(
        kv::CompareAndSwap{.key = "k0", .value = "2:", .expected = kv::Version(i), .retry = retry});
  }
  const Index at = Commit(Of<kv::CompareAndSwap>(attempt));
  EXPECT_EQ(Refuse(attempt, store::ErrorCode::kForgotten, at), "");
}

TEST_F(WriteTest, AnAnswerToWhatIsNotInTheLog) {
  const Packet attempt = MismatchingAttempt();
  EXPECT_EQ(Answer(attempt, kv::WriteReply{kMismatch, kv::Version(1), "77:x"}, Index(1)), "ANSWER");
  EXPECT_THAT(sentence(), HasSubstr("holds no such command between index 0"));
}

TEST_F(WriteTest, AnAnswerToAnEarlierAttempt) {
  const Packet first = MismatchingAttempt();
  const Index at = Commit(Of<kv::CompareAndSwap>(first));
  // It was committed before this one began.
  const Packet second = Attempt();
  ASSERT_EQ(Of<kv::CompareAndSwap>(second), Of<kv::CompareAndSwap>(first));
  EXPECT_EQ(Answer(second, kv::WriteReply{kMismatch, kv::Version(1), "77:x"}, at), "ANSWER");
}

TEST_F(WriteTest, AnAnswerOfTheFuture) {
  const Packet attempt = MismatchingAttempt();
  const Index at = Commit(Of<kv::CompareAndSwap>(attempt));
  EXPECT_EQ(Answer(attempt, kv::WriteReply{kMismatch, kv::Version(1), "77:x"}, at.next()),
            "ANSWER");
}

TEST_F(WriteTest, ARefusalOfTheFuture) {
  EXPECT_EQ(Refuse(Attempt(), store::ErrorCode::kServerIsBusy, Index()), "");
  EXPECT_EQ(Refuse(Attempt(), store::ErrorCode::kServerIsBusy, Index(1)), "ANSWER");
}

TEST_F(WriteTest, AWriteWithoutANameIsAskedOnce) {
  profile_.workload.operation_timeout = Duration::Seconds(3);
  profile_.workload.second_ppm = 500000;
  std::map<std::string, int> attempts;  // By value, of writes with a name and without.
  std::map<std::string, int> nameless;
  for (int i = 0; i < 300; ++i) {
    const Packet attempt = Attempt();  // Nobody answers.
    const auto& swap = Of<kv::CompareAndSwap>(attempt);
    ++(swap.retry.id ? attempts : nameless)[swap.value];
  }
  EXPECT_GT(nameless.size(), 3u);
  for (const auto& [value, count] : nameless) EXPECT_EQ(count, 1);
  EXPECT_GT(attempts.begin()->second, 1);
}

TEST_F(WriteTest, AnAuditReadsEveryKeyAndThenWrites) {
  workload_->Leave();
  workload_->Audit({2});
  const Packet read = Attempt();
  EXPECT_EQ(Of<store::GetRequest>(read).key, "k0");
  EXPECT_EQ(Answer(read, store::GetReply{}, Index()), "");
  EXPECT_FALSE(workload_->done());
  const Packet write = Attempt();
  EXPECT_EQ(write.to, 2u);
  EXPECT_TRUE(Of<kv::CompareAndSwap>(write).retry.id);
  EXPECT_FALSE(workload_->done());
  // It does not give up.
  EXPECT_EQ(Refuse(write, store::ErrorCode::kServerIsBusy, Index()), "");
  const Packet again = Attempt();
  EXPECT_EQ(Of<kv::CompareAndSwap>(again), Of<kv::CompareAndSwap>(write));
  const Index at = Commit(Of<kv::CompareAndSwap>(again));
  const kv::WriteReply decided = model_.DecidedAt(at)->reply;
  EXPECT_EQ(Answer(again, decided, at), "");
  EXPECT_TRUE(workload_->done());
}

TEST_F(WriteTest, AnAuditEndsWithAWriteWhoseOutcomeIsKnown) {
  reduction_.without.set(static_cast<size_t>(Fault::kRetry));
  workload_->Leave();
  workload_->Audit({2});
  Answer(Attempt(), store::GetReply{}, Index());
  const Packet write = Attempt();
  const Packet another = Attempt();  // The first one timed out and may not be repeated.
  EXPECT_EQ(another.to, 2u);
  EXPECT_NE(Of<kv::CompareAndSwap>(another).retry, Of<kv::CompareAndSwap>(write).retry);
  EXPECT_NE(Of<kv::CompareAndSwap>(another).value, Of<kv::CompareAndSwap>(write).value);
  EXPECT_FALSE(workload_->done());
  const Index at = Commit(Of<kv::CompareAndSwap>(another));
  EXPECT_EQ(Answer(another, model_.DecidedAt(at)->reply, at), "");
  EXPECT_TRUE(workload_->done());
}

// --- A majority is lost

// A client was told of versions 1 and 2 before all but the first of them is lost.
class LossTest : public WriteTest {
 protected:
  LossTest() {
    for (uint64_t version = 1; version <= 2; ++version) {
      do {
        lost_ = Attempt();
      } while (Of<kv::CompareAndSwap>(lost_).expected != kv::Version(version - 1));
      const Index at = Commit(Of<kv::CompareAndSwap>(lost_));
      EXPECT_EQ(Answer(lost_, kv::WriteReply{kApplied, kv::Version(version), ""}, at), "");
    }
    workload_->Leave();
    log_ = LogImage();
    log_.Apply(
        Append(1, {{1, EncodeRegionCommand({kEpoch, model_.DecidedAt(Index(1))->command})}}));
    model_.GoBackTo(Index(1));
  }
  // Of the auditor, which reads and then writes.
  std::string Judge() {
    const Packet read = Attempt();
    const KvModel::State& state = *model_.At("k0", model_.applied());
    Answer(read, store::GetReply{kv::VersionedValue{state.value, state.version}}, model_.applied());
    const Packet write = Attempt();
    const Index at = Commit(Of<kv::CompareAndSwap>(write));
    Answer(write, model_.DecidedAt(at)->reply, at);
    workload_->JudgeHistory(true);
    return world_.report.failure().invariant;
  }

  Packet lost_;
};

TEST_F(LossTest, WhatIsLostIsForgotten) {
  workload_->BeginAnew(true);
  workload_->Audit({2});
  EXPECT_EQ(Judge(), "");
}

TEST_F(LossTest, WhatIsLostMayComeAgain) {
  workload_->BeginAnew(true);
  EXPECT_EQ(Commit(Of<kv::CompareAndSwap>(lost_)), Index(2));
  workload_->Audit({2});
  EXPECT_EQ(Judge(), "");
}

TEST_F(LossTest, OnlyALossExplainsIt) {
  workload_->Audit({2});
  EXPECT_EQ(Judge(), "LIN");
}

TEST_F(LossTest, WhatIsLeftIsNotForgotten) {
  workload_->BeginAnew(true);
  model_.GoBackTo(Index(0));
  log_ = LogImage();
  Put("k0", 0, "77:x");
  workload_->Audit({2});
  EXPECT_EQ(Judge(), "LIN");
}

// --- Reads

class GetTest : public WorkloadTest {
 protected:
  GetTest() {
    Begin(1, 0, 0);
    Put("k0", 0, "1:a");
    Put("k0", 1, "2:b");
    Delete("k0", 2);
  }
  std::string Read(uint64_t applied, std::optional<kv::VersionedValue> found) {
    return Answer(Attempt(), store::GetReply{std::move(found)}, Index(applied));
  }
};

TEST_F(GetTest, TheStateAtItsIndex) {
  EXPECT_EQ(Read(2, kv::VersionedValue{"2:b", kv::Version(2)}), "");
  EXPECT_EQ(Read(3, std::nullopt), "");
}

TEST_F(GetTest, AnOlderState) {
  EXPECT_EQ(Read(2, kv::VersionedValue{"1:a", kv::Version(1)}), "READ");
  EXPECT_THAT(sentence(), HasSubstr("was told version 1, but by the log up to there it has "
                                    "version 2"));
}

TEST_F(GetTest, AnotherValue) {
  EXPECT_EQ(Read(2, kv::VersionedValue{"1:a", kv::Version(2)}), "READ");
}

TEST_F(GetTest, AnotherVersion) {
  EXPECT_EQ(Read(2, kv::VersionedValue{"2:b", kv::Version(1)}), "READ");
}

TEST_F(GetTest, ADeletedKey) {
  EXPECT_EQ(Read(3, kv::VersionedValue{"2:b", kv::Version(2)}), "READ");
}

TEST_F(GetTest, NothingWhereThereIsSomething) { EXPECT_EQ(Read(2, std::nullopt), "READ"); }

TEST_F(GetTest, AnIndexThatIsNotCommitted) { EXPECT_EQ(Read(4, std::nullopt), "READ"); }

// --- Scans

// The live keys are k0, k2 and k3; k1 was deleted.
class ScanTest : public WorkloadTest {
 protected:
  ScanTest() {
    profile_.workload.operation_timeout = Duration::Milliseconds(1);
    Begin(0, 1, 0, /*keys=*/5);
    Put("k0", 0, "1:a");
    Put("k1", 0, "2:b");
    Put("k2", 0, "3:c");
    Put("k3", 0, "4:d");
    Delete("k1", 1);
  }
  // The next scan like that; operations before are given up.
  template <typename IsWanted>
  Packet Find(IsWanted&& is_wanted) {
    while (true) {
      Packet attempt = Attempt();
      if (is_wanted(Of<store::ScanRequest>(attempt))) return attempt;
    }
  }
  static bool IsUnlimited(const store::ScanRequest& scan) {
    return scan.begin == "k0" && scan.rows_max == 0 && scan.bytes_max == 0 && !scan.keys_only;
  }
  Packet Scan() {
    return Find([](const auto& scan) { return IsUnlimited(scan) && scan.end.empty(); });
  }
  Packet ScanToK3() {
    return Find([](const auto& scan) { return IsUnlimited(scan) && scan.end == "k3"; });
  }
  std::string Show(const Packet& attempt, std::vector<kv::ScanRow> rows, std::string next_key) {
    return Answer(attempt, store::ScanReply{{std::move(rows), std::move(next_key)}}, Index(5));
  }

  const kv::ScanRow k0_{"k0", "1:a", kv::Version(1)};
  const kv::ScanRow k2_{"k2", "3:c", kv::Version(1)};
  const kv::ScanRow k3_{"k3", "4:d", kv::Version(1)};
};

TEST_F(ScanTest, Everything) { EXPECT_EQ(Show(Scan(), {k0_, k2_, k3_}, ""), ""); }

TEST_F(ScanTest, APageAndTheNext) {
  EXPECT_EQ(Show(Scan(), {k0_}, "k1"), "");
  Packet next = Attempt();
  EXPECT_EQ(Of<store::ScanRequest>(next).begin, "k1");
  EXPECT_EQ(Of<store::ScanRequest>(next).end, "");
}

TEST_F(ScanTest, APageKeepsItsEnd) {
  EXPECT_EQ(Show(ScanToK3(), {k0_}, "k2"), "");
  EXPECT_EQ(Of<store::ScanRequest>(Attempt()).end, "k3");
}

TEST_F(ScanTest, ARowIsLeftOut) {
  EXPECT_EQ(Show(Scan(), {k0_, k3_}, ""), "READ");
  EXPECT_THAT(sentence(), HasSubstr("shows 2 rows"));
}

TEST_F(ScanTest, ARowIsLeftOutBeforeTheNextPage) { EXPECT_EQ(Show(Scan(), {k0_}, "k3"), "READ"); }

TEST_F(ScanTest, ARowTwice) { EXPECT_EQ(Show(Scan(), {k0_, k0_, k2_, k3_}, ""), "READ"); }

TEST_F(ScanTest, AnotherOrder) { EXPECT_EQ(Show(Scan(), {k2_, k0_, k3_}, ""), "READ"); }

TEST_F(ScanTest, ARowBehindTheEnd) { EXPECT_EQ(Show(ScanToK3(), {k0_, k2_, k3_}, ""), "READ"); }

TEST_F(ScanTest, APageThatEndsBehindTheEnd) {
  EXPECT_EQ(Show(ScanToK3(), {k0_, k2_}, "k3"), "READ");
}

TEST_F(ScanTest, APageThatGoesOnWhereItBegan) { EXPECT_EQ(Show(Scan(), {}, "k0"), "READ"); }

TEST_F(ScanTest, APageThatGoesOnAtAKeyThatNeverWas) {
  EXPECT_EQ(Show(Scan(), {k0_, k2_, k3_}, "k4"), "READ");
}

TEST_F(ScanTest, ValuesThatNobodyAskedFor) {
  const Packet attempt =
      Find([](const auto& scan) { return scan.keys_only && scan.begin == "k3"; });
  EXPECT_EQ(Show(attempt, {k3_}, ""), "READ");
}

TEST_F(ScanTest, KeysOnly) {
  const Packet attempt =
      Find([](const auto& scan) { return scan.keys_only && scan.begin == "k3"; });
  EXPECT_EQ(Show(attempt, {{"k3", "", kv::Version(1)}}, ""), "");
}

TEST_F(ScanTest, MoreRowsThanItsLimit) {
  const Packet attempt = Find([](const auto& scan) {
    return scan.begin == "k2" && scan.end.empty() && scan.rows_max == 1 && scan.bytes_max == 0 &&
           !scan.keys_only;
  });
  EXPECT_EQ(Show(attempt, {k2_, k3_}, ""), "READ");
  EXPECT_THAT(sentence(), HasSubstr("shows 2 rows of 10 bytes, but it was limited to 1 rows"));
}

TEST_F(ScanTest, MoreBytesThanItsLimit) {
  const Packet attempt = Find([](const auto& scan) {
    return scan.begin == "k2" && scan.end.empty() && scan.rows_max == 0 && scan.bytes_max == 1 &&
           !scan.keys_only;
  });
  EXPECT_EQ(Show(attempt, {k2_, k3_}, ""), "READ");
  EXPECT_THAT(sentence(), HasSubstr("shows 2 rows of 10 bytes, but it was limited to"));
}

}  // namespace
}  // namespace flaredb::sim
