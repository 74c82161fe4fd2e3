// SPDX-License-Identifier: Apache-2.0
// Simulation of a state machine of the user's own: what is wrong with it is found, and named.
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/campaign/campaign.h"
#include "sim/machine_spec.h"
#include "sim/simulation.h"
#include "tests/core/region/list_machine.h"

namespace flaredb::sim {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A list, as ListMachine has it.
struct ListModel {
  std::string Execute(std::string_view command) {
    if (command != "pop") {
      words.emplace_back(command);
    } else if (!words.empty()) {
      words.pop_back();
    }
    return Query("");
  }
  std::string Query(std::string_view) const {
    std::string list;
    for (const std::string& word : words) list += (list.empty() ? "" : " ") + word;
    return list;
  }
  std::string State() const { return Query(""); }

  std::vector<std::string> words;
};

class ListSpec : public MachineSpec {
 public:
  explicit ListSpec(const StateMachine* machine) : machine_(machine) {}
  const StateMachine& machine() const override { return *machine_; }
  ObjectModel NewModel() const override { return ListModel(); }
  MachineOp NextOperation(ClientChoices* choices) override {
    const std::string object = "o" + std::to_string(choices->Pick(2));
    if (choices->Chance(30)) return {object, "", true};
    if (choices->Chance(50)) return {object, "pop"};
    return {object, "w" + std::to_string(choices->operation())};
  }

 private:
  const StateMachine* machine_;
};

template <typename Spec>
Subject About(const StateMachine* machine) {
  return {[machine] { return std::make_unique<Spec>(machine); }, "run-lists"};
}

RunResult RunLists(const Subject& subject, uint64_t seed) {
  RunOptions options;
  options.subject = subject;
  return RunSeed(seed, options);
}

// The first failure of seeds 1 to 50, each run once.
Failure FailureOf(const Subject& subject) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const Failure failure = RunLists(subject, seed).failure;
    if (failure.kind != FailureKind::kNone) return failure;
  }
  return {};
}

TEST(MachineTest, ARightMachinePassesAndItsRunsRepeat) {
  const ListMachine lists;
  const Subject subject = About<ListSpec>(&lists);
  RunCounts counts;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    const RunResult run = RunLists(subject, seed);
    EXPECT_EQ(run.failure.sentence, "") << "seed " << seed;
    counts += run.counts;
  }
  EXPECT_EQ(RunLists(subject, 7).hash, RunLists(subject, 7).hash);
  EXPECT_GT(counts.operations, 1000u);
  EXPECT_GT(counts.crashes, 100u);
  EXPECT_GT(counts.features.snapshots, 10u);
  EXPECT_GT(counts.features.leases, 0u);
}

// --- Machines that are wrong.

struct ForgetsTheThird : ListMachine {
  std::string Apply(std::string_view command, MutableObjectRows* rows) const override {
    if (command != "pop" && rows->Get("\2")) return Query("", *rows);
    return ListMachine::Apply(command, rows);
  }
};
TEST(MachineTest, AnAnswerThatTheModelDoesNotGive) {
  const ForgetsTheThird lists;
  const Failure failure = FailureOf(About<ListSpec>(&lists));
  EXPECT_EQ(failure.invariant, "MODEL");
  EXPECT_THAT(failure.sentence, HasSubstr(" by the machine and "));
}

struct ShowsTheFirstOnly : ListMachine {
  std::string Query(std::string_view query, const ObjectRows& rows) const override {
    if (query == "all") return ListMachine::Query("", rows);
    return rows.Get(std::string(1, '\0')).value_or("");
  }
  std::string Apply(std::string_view command, MutableObjectRows* rows) const override {
    ListMachine::Apply(command, rows);
    return Query("all", *rows);
  }
};
TEST(MachineTest, AQueryThatTheModelDoesNotAnswerSo) {
  const ShowsTheFirstOnly lists;
  const Failure failure = FailureOf(About<ListSpec>(&lists));
  EXPECT_EQ(failure.invariant, "ANSWER");
  EXPECT_THAT(failure.sentence, HasSubstr("the query \"\" for \"o"));
  EXPECT_THAT(failure.sentence, HasSubstr("the model answers"));
}

// A row of its own says how many commands this process has carried out.
struct CountsCommands : ListMachine {
  std::string Apply(std::string_view command, MutableObjectRows* rows) const override {
    const std::string answer = ListMachine::Apply(command, rows);
    rows->Put("\xff", std::to_string(++commands));
    return answer;
  }
  std::string Query(std::string_view, const ObjectRows& rows) const override {
    std::string list;
    rows.Scan("", "\xff", [&](std::string_view, std::string_view word) {
      list.append(list.empty() ? "" : " ").append(word);
      return true;
    });
    return list;
  }
  mutable uint64_t commands = 0;
};
TEST(MachineTest, RowsThatDifferFromReplicaToReplica) {
  const CountsCommands lists;
  const Failure failure = FailureOf(About<ListSpec>(&lists));
  EXPECT_EQ(failure.invariant, "APPLY");
  EXPECT_THAT(failure.sentence, HasSubstr("the machine's row \"o"));
  EXPECT_THAT(failure.sentence, HasSubstr(" elsewhere."));
}

// The second replica that comes to a command does not write what it should.
struct WritesEveryOtherTime : ListMachine {
  std::string Apply(std::string_view command, MutableObjectRows* rows) const override {
    if (command != "pop" && ++calls % 2 == 0) {
      return ListMachine::Query("", *rows)
          .append(rows->Get(std::string(1, '\0')) ? " " : "")
          .append(command);
    }
    return ListMachine::Apply(command, rows);
  }
  mutable uint64_t calls = 0;
};
TEST(MachineTest, RowsThatAReplicaDoesNotWrite) {
  const WritesEveryOtherTime lists;
  EXPECT_EQ(FailureOf(About<ListSpec>(&lists)).invariant, "APPLY");
}

// --- What users say themselves.

struct ThreeAtMost : ListSpec {
  using ListSpec::ListSpec;
  std::optional<std::string> Check(const Executed& executed, const ObjectRows& rows) override {
    EXPECT_EQ(ListMachine().Query("", rows), executed.answer);
    if (!rows.Get("\3")) return std::nullopt;
    return "there are more than three words.";
  }
};
TEST(MachineTest, ARuleOfTheUser) {
  const ListMachine lists;
  const Failure failure = FailureOf(About<ThreeAtMost>(&lists));
  EXPECT_EQ(failure.invariant, "RULE");
  EXPECT_THAT(failure.sentence, HasSubstr("for \"o"));
  EXPECT_THAT(failure.sentence, HasSubstr(": there are more than three words."));
}

// Checker C shares no state with the model that follows the log.
struct SecondModelIsOther : ListSpec {
  using ListSpec::ListSpec;
  // One object, to which something has happened when the end comes.
  MachineOp NextOperation(ClientChoices* choices) override {
    MachineOp op = ListSpec::NextOperation(choices);
    op.object = "o";
    return op;
  }
  ObjectModel NewModel() const override {
    ListModel model;
    if (over_) model.words = {"other"};
    return model;
  }
  std::string LastQuery() const override {
    over_ = true;
    return "";
  }
  mutable bool over_ = false;
};
TEST(MachineTest, AnOrderThatCheckerCDoesNotFind) {
  const ListMachine lists;
  const Failure failure = FailureOf(About<SecondModelIsOther>(&lists));
  EXPECT_EQ(failure.invariant, "LIN");
  EXPECT_THAT(failure.sentence, HasSubstr("no order of the operations explains"));
}

TEST(MachineTest, AFailureIsToldWithTheLineThatReplaysIt) {
  const ListMachine lists;
  const std::string told = FirstFailure(About<ThreeAtMost>(&lists), 1, 50);
  EXPECT_THAT(told, StartsWith("RULE: the command "));
  EXPECT_THAT(told, HasSubstr("\nreplay: run-lists --seed="));
  EXPECT_EQ(FirstFailure(About<ListSpec>(&lists), 1, 5), "");
}

TEST(MachineTest, ATraceEndsWithTheFailure) {
  const ListMachine lists;
  const Subject subject = About<ThreeAtMost>(&lists);
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    std::ostringstream trace;
    RunOptions options;
    options.subject = subject;
    options.trace_out = &trace;
    const Failure failure = RunSeed(seed, options).failure;
    if (failure.kind == FailureKind::kNone) continue;
    EXPECT_THAT(trace.str(), EndsWith(" -- RULE: " + failure.sentence + "\n"));
    return;
  }
  FAIL() << "no seed fails";
}

}  // namespace
}  // namespace flaredb::sim
