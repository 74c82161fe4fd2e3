// SPDX-License-Identifier: Apache-2.0
// APPLY for a state machine of the user's own: how often a command may be in the log.
#include "sim/machine_workload.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

using ::testing::HasSubstr;

struct Silent : StateMachine {
  std::string Apply(std::string_view, MutableObjectRows*) const override { return ""; }
  std::string Query(std::string_view, const ObjectRows&) const override { return ""; }
};

struct SilentModel {
  static std::string Execute(std::string_view) { return ""; }
  static std::string Query(std::string_view) { return ""; }
  static std::string State() { return ""; }
};

// Every client asks for the same.
struct AlwaysTick : MachineSpec {
  const StateMachine& machine() const override { return silent; }
  MachineOp NextOperation(ClientChoices*) override { return {"clock", "tick"}; }
  ObjectModel NewModel() const override { return SilentModel(); }

  Silent silent;
};

// One client, whose network and stores are the test.
class MachineWorkloadTest : public InvariantsTest {
 protected:
  static Profile OneClient() {
    Profile profile;
    profile.workload.clients = 1;
    profile.workload.operations_max = 10;
    profile.workload.attempt_timeout = Duration::Seconds(1);
    profile.workload.attempt_timeout_max = Duration::Seconds(1);
    profile.workload.operation_timeout = Duration::Seconds(60);
    return profile;
  }

  MachineWorkloadTest() { workload_.Start(); }

  // The client sends its next attempt, however long it waits for an answer to the last one.
  Packet Attempt() {
    while (true) {
      const Event event = world_.queue.Pop();
      if (event.kind == EventKind::kClient) {
        workload_.OnTimer(event.target, event.arg);
        continue;
      }
      std::optional<Packet> packet = network_.Take(event.arg);
      if (packet && std::holds_alternative<ClientRequest>(packet->body)) return *std::move(packet);
    }
  }
  void Answer(const Packet& attempt, store::Result result) {
    workload_.Deliver({attempt.to, attempt.from,
                       ClientReply{std::get<ClientRequest>(attempt.body).attempt,
                                   store::Reply{std::move(result), Index()}}});
  }
  void Refuse(const Packet& attempt, store::Outcome outcome) {
    store::Error error;
    error.code = store::ErrorCode::kNotLeader;
    error.outcome = outcome;
    Answer(attempt, std::move(error));
  }
  // The command comes into the log of everybody; where.
  Index CommitTick() {
    const Index index = history_.last().next();
    WriteAll(Append(index.value(),
                    {{1, EncodeRegionCommand({kEpoch, MachineCommand{"clock", "tick"}})}}));
    history_.OnCommit(0, Index(), index, conf_, replicas_);
    return index;
  }
  // What is said at the end.
  Failure Verdict() {
    workload_.JudgeHistory(/*double_check=*/false);
    return world_.report.failure();
  }

  AlwaysTick spec_;
  Commits history_{kRegion, kEpoch, {{}, conf_}, &names_, &report_, &spec_};
  const Profile profile_ = OneClient();
  SimNetwork network_{&world_, profile_.network, 4};
  MachineWorkload workload_{&world_, profile_, region_, &network_, &spec_, &history_};
};

TEST_F(MachineWorkloadTest, ACommandOfAnUnknownOutcomeIsInTheLogOrNot) {
  Attempt();
  EXPECT_EQ(Verdict().sentence, "");
  CommitTick();
  EXPECT_EQ(Verdict().sentence, "");
}

TEST_F(MachineWorkloadTest, ACommandIsInTheLogOnceForEachAttempt) {
  Attempt();
  Refuse(Attempt(), store::Outcome::kUnknown);
  CommitTick();
  CommitTick();
  EXPECT_EQ(Verdict().sentence, "");
  CommitTick();
  const Failure failure = Verdict();
  EXPECT_EQ(failure.invariant, "APPLY");
  EXPECT_THAT(failure.sentence, HasSubstr("the command \"tick\" for \"clock\" was carried out at "
                                          "index 3, once more than attempts"));
}

TEST_F(MachineWorkloadTest, AnAnsweredCommandIsInTheLogOnce) {
  const Packet attempt = Attempt();
  Answer(attempt, MachineReply{"", CommitTick()});
  EXPECT_EQ(Verdict().sentence, "");
  CommitTick();
  EXPECT_EQ(Verdict().invariant, "APPLY");
}

TEST_F(MachineWorkloadTest, ARefusedCommandIsNotInTheLog) {
  Refuse(Attempt(), store::Outcome::kNotApplied);
  EXPECT_EQ(Verdict().sentence, "");
  CommitTick();
  EXPECT_EQ(Verdict().invariant, "APPLY");
}

}  // namespace
}  // namespace flaredb::sim
