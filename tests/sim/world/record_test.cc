// SPDX-License-Identifier: Apache-2.0
#include "sim/world/record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sim/history/history.h"
#include "sim/simulation.h"
#include "sim/world/event_queue.h"
#include "sim/world/recorder.h"

namespace flaredb::sim {
namespace {

Record RecordOf(uint64_t seed) {
  Record record;
  RunOptions options;
  options.record = &record;
  RunSeed(seed, options);
  return record;
}

bool HasEvent(const Record& record, const std::string& kind) {
  return std::any_of(record.events.begin(), record.events.end(),
                     [&](const Record::Event& event) { return event.kind == kind; });
}

bool HasFate(const Record& record, Record::Fate fate) {
  return std::any_of(record.messages.begin(), record.messages.end(),
                     [&](const Record::Message& message) { return message.fate == fate; });
}

TEST(Record, RecordingChangesNothingOfARun) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    Record record;
    RunOptions options;
    options.record = &record;
    EXPECT_EQ(RunSeed(seed, options).hash, RunSeed(seed, RunOptions()).hash) << "seed " << seed;
  }
}

TEST(Record, RunsLeaveWhatThePageShows) {
  bool healed = false, copies = false, cut = false, lost = false, nobody = false, truncated = false;
  bool members = false, snapshots = false, paused = false, unknown = false;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Record record = RecordOf(seed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    EXPECT_FALSE(record.failure);
    EXPECT_EQ(record.verdict, "history linearizable");
    EXPECT_EQ(record.phases.front().name, "faults");
    EXPECT_EQ(record.phases.back().name, "over");
    // Some runs never heal.
    const bool heals = record.phases.size() > 2;
    healed |= heals;
    EXPECT_TRUE(HasEvent(record, "start"));
    EXPECT_TRUE(HasEvent(record, "elected"));
    EXPECT_FALSE(record.operations.empty());
    for (const Record::Operation& op : record.operations) {
      EXPECT_NE(op.outcome, Record::Outcome::kUnderWay) << op.what;
      EXPECT_TRUE(op.completed && *op.completed >= op.invoked) << op.what;
      EXPECT_GE(op.attempts, 1u) << op.what;
      unknown |= op.outcome == Record::Outcome::kUnknown;
    }
    for (const Record::Fault& fault : record.faults) {
      EXPECT_LE(fault.from, fault.until) << fault.kind;
      const bool ended = fault.until <= record.end;
      EXPECT_TRUE(heals ? ended : ended || fault.until == Instant::Max()) << fault.kind;
    }
    for (const Record::Message& message : record.messages) copies |= message.copy;
    for (const Record::State& state : record.states) {
      paused |= state.status == Record::Status::kPaused;
    }
    cut |= HasFate(record, Record::Fate::kCut);
    lost |= HasFate(record, Record::Fate::kLost);
    nobody |= HasFate(record, Record::Fate::kNobodyThere);
    truncated |= HasEvent(record, "truncated");
    members |= HasEvent(record, "members");
    snapshots |= HasEvent(record, "snapshot installed");
  }
  EXPECT_TRUE(healed && copies && cut && lost && nobody && truncated && members && snapshots &&
              paused && unknown)
      << copies << cut << lost << nobody << truncated << members << snapshots << paused << unknown;
}

TEST(Record, TheSentenceAccusesItsOperations) {
  EventQueue queue;
  Record record;
  record.nodes = 3;
  Recorder recorder(&queue, &record);
  VersionedHistory history;
  const auto at = [&](int64_t ms) {
    queue.At(Instant() + Duration::Milliseconds(ms), Event());
    queue.Pop();
  };
  store::Request get;
  get.operation = store::GetRequest{.key = "k0"};
  store::Reply missing;
  missing.result = store::GetReply();
  std::vector<VersionedHistory::OpRef> refs;
  for (uint32_t client = 1; client <= 3; ++client) {
    at(10 * client);
    refs.push_back(history.InvokeGet(client, "k0"));
    recorder.Attempted(client, client, client, get, {refs.back()});
  }
  for (uint32_t client = 1; client <= 3; ++client) {
    at(100 * client);
    history.OkNotFound(refs[client - 1]);
    recorder.Answered(client, missing);
  }
  at(1000);
  recorder.Finish({FailureKind::kSafety, "LIN",
                   "on store 2, " + Describe(history.ops(0)[0]) + " contradicts " +
                       Describe(history.ops(0)[1]) + "."},
                  history);
  ASSERT_EQ(record.operations.size(), 3u);
  EXPECT_TRUE(record.operations[0].accused);
  EXPECT_TRUE(record.operations[1].accused);
  EXPECT_FALSE(record.operations[2].accused);
  EXPECT_EQ(record.verdict, "history not linearizable");
  ASSERT_TRUE(record.failure);
  // When the second of them was answered, not when the run was judged.
  EXPECT_EQ(record.failure->at, Instant() + Duration::Milliseconds(200));
  EXPECT_EQ(record.failure->nodes, std::vector<uint32_t>{1});
  EXPECT_EQ(record.end, Instant() + Duration::Milliseconds(1000));
}

TEST(Record, AnAnswerThatIsWrongAccusesTheOperationThatAsked) {
  EventQueue queue;
  Record record;
  record.nodes = 3;
  Recorder recorder(&queue, &record);
  VersionedHistory history;
  store::Request get;
  get.operation = store::GetRequest{.key = "k0"};
  for (uint32_t client = 1; client <= 2; ++client) {
    const auto ref = history.InvokeGet(client, "k0");
    recorder.Attempted(client, client, 10 * client, get, {ref});
    recorder.Attempted(client, client, 10 * client + 1, get, {ref});
  }
  recorder.Accuse(20);
  recorder.Accuse(30);
  recorder.Finish({FailureKind::kSafety, "READ", "store 2 answers a call."}, history);
  ASSERT_EQ(record.operations.size(), 2u);
  EXPECT_FALSE(record.operations[0].accused);
  EXPECT_TRUE(record.operations[1].accused);
}

TEST(Record, EveryFaultOfAMomentIsThere) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    Record record;
    RunOptions options;
    options.record = &record;
    const RunResult result = RunSeed(seed, options);
    const auto by_chance =
        std::count_if(result.faults.begin(), result.faults.end(),
                      [](FaultName name) { return name.kind >= kFirstByChance; });
    EXPECT_EQ(record.chances.size(), static_cast<size_t>(by_chance)) << "seed " << seed;
  }
}

TEST(Record, MessagesBeyondTheLimitPushOutTheOldest) {
  Record record;
  for (size_t i = 0; i < Record::kMessagesMax + 2; ++i) {
    EXPECT_EQ(record.Add(Record::Message()), i);
  }
  EXPECT_EQ(record.messages.size(), Record::kMessagesMax);
  EXPECT_EQ(record.messages_left_out, 2u);
  EXPECT_EQ(record.Find(1), nullptr);
  EXPECT_EQ(record.Find(2), &record.messages.front());
  EXPECT_EQ(record.Find(Record::kMessagesMax + 1), &record.messages.back());
}

TEST(Record, AStateThatIsKnownIsNotRepeated) {
  Record record;
  Record::State state;
  state.node = 1;
  state.status = Record::Status::kLeader;
  state.term = Term(3);
  record.Add(state);
  state.at = Instant::FromNanoseconds(5);
  record.Add(state);
  EXPECT_EQ(record.states.size(), 1u);
  state.durable_index = Index(1);
  record.Add(state);
  EXPECT_EQ(record.states.size(), 2u);
  EXPECT_EQ(record.StateOf(1).durable_index, Index(1));
  EXPECT_EQ(record.StateOf(7).status, Record::Status::kDown);
}

TEST(Record, SentencesNameNodes) {
  EXPECT_EQ(NodesNamedIn("store 4 committed, but store 1 was elected; stores 2; restored 3", 5),
            (std::vector<uint32_t>{0, 1, 3}));
  EXPECT_EQ(NodesNamedIn("store 9, store 0, a store", 5), std::vector<uint32_t>());
}

}  // namespace
}  // namespace flaredb::sim
