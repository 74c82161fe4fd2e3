// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/explore/flags.h"
#include "tests/explore/log_tree.h"
#include "tests/explore/message_table.h"
#include "tests/explore/model.h"
#include "tests/explore/scope.h"
#include "tests/explore/search.h"
#include "tests/explore/state_set.h"

namespace flaredb::explore {
namespace {

Found Explored(Model* model, uint64_t states_max) {
  return Search(model, states_max, [](uint64_t, uint32_t) {});
}

Scope Named(const std::string& name) {
  for (const Scope& scope : DefaultScopes()) {
    if (scope.name == name) return scope;
  }
  ADD_FAILURE() << "no scope " << name;
  return Scope();
}

class DefaultScope : public testing::TestWithParam<Scope> {};

TEST_P(DefaultScope, HoldsNearTheStart) {
  Model model(GetParam());
  const Found found = Explored(&model, 60'000);
  EXPECT_EQ(found.violation, "") << Describe(&model, found);
  EXPECT_EQ(found.states, 60'000u);
}

INSTANTIATE_TEST_SUITE_P(Explore, DefaultScope, testing::ValuesIn(DefaultScopes()),
                         [](const auto& test) { return test.param.name; });

// The explorer's own test: on disks that forget, Raft is not safe.
TEST(Explore, DisksThatForgetAreFoundOut) {
  Scope scope = Named("reigns");
  scope.forgetful_disks = true;
  Model model(scope);
  const Found found = Explored(&model, 200'000);
  ASSERT_NE(found.violation, "");
  // One replica is elected and acknowledged, the acknowledgement is forgotten.
  EXPECT_LE(found.path.size(), 4u) << Describe(&model, found);
  EXPECT_GE(found.path.size(), found.depth) << "nothing farther was met before";
  EXPECT_TRUE(std::any_of(found.path.begin(), found.path.end(), [](const Move& move) {
    return move.kind == Event::Kind::kCrash;
  })) << Describe(&model, found);
}

TEST(Explore, EqualRunsMeetEqualStates) {
  const auto path = [] {
    Scope scope = Named("reigns");
    scope.forgetful_disks = true;
    Model model(scope);
    const Found found = Explored(&model, 200'000);
    return std::to_string(found.states) + Describe(&model, found) + found.violation;
  };
  EXPECT_EQ(path(), path());
}

TEST(Explore, ASmallScopeIsExhausted) {
  Scope scope = Named("reigns");
  scope.terms = 1;
  Model model(scope);
  const Found found = Explored(&model, 1'000'000);
  EXPECT_EQ(found.violation, "") << Describe(&model, found);
  EXPECT_TRUE(found.exhausted);
  EXPECT_GT(found.states, 100u);
}

// What a scope is for happens in it.
class Reaches : public testing::Test {
 protected:
  // Whether a state within the first `states_max` satisfies `wanted`.
  static bool Find(const Scope& scope, uint32_t states_max,
                   const std::function<bool(const Model&, const Move&, const State&)>& wanted) {
    Model model(scope);
    StateSet states(scope.nodes);
    states.Add(model.Initial(), 0, Move());
    bool found = false;
    for (uint32_t i = 0; i < states.size() && !found && states.size() < states_max; ++i) {
      model.Expand(states.Get(i), [&](const Move& move, const State& next, const std::string&) {
        states.Add(next, i, move);
        found = found || wanted(model, move, next);
        return !found;
      });
    }
    return found;
  }
  static bool Any(const Model& model, const State& state,
                  const std::function<bool(const Replica&)>& wanted) {
    return std::any_of(state.replicas.begin(), state.replicas.end(),
                       [&](ReplicaName name) { return wanted(model.replicas().at(name)); });
  }
};

TEST_F(Reaches, ACommitInTheSecondTerm) {
  EXPECT_TRUE(
      Find(Named("replication"), 200'000, [](const Model& model, const Move&, const State& state) {
        return Any(model, state, [](const Replica& replica) {
          return replica.view.commit_index == Index(2) && replica.leads();
        });
      }));
}

TEST_F(Reaches, TheEndOfAJointPhase) {
  EXPECT_TRUE(
      Find(Named("membership"), 200'000, [](const Model& model, const Move&, const State& state) {
        return Any(model, state, [](const Replica& replica) {
          return replica.view.conf.voters.size() == 2 && !replica.view.conf.joint() &&
                 replica.view.commit_index >= replica.view.conf_index;
        });
      }));
}

TEST_F(Reaches, APromotedLearnerThatLeads) {
  EXPECT_TRUE(
      Find(Named("promotion"), 200'000, [](const Model& model, const Move&, const State& state) {
        return model.replicas().at(state.replicas[2]).leads();
      }));
}

TEST_F(Reaches, ALeaderWhoWasAskedToBeOne) {
  EXPECT_TRUE(Find(Named("transfer"), 200'000,
                   [](const Model& model, const Move& move, const State& state) {
                     return move.kind == Event::Kind::kDeliver &&
                            std::holds_alternative<raft::TimeoutNow>(
                                model.replicas().messages().at(move.argument).body) &&
                            model.replicas().at(state.replicas[move.node]).leads();
                   }));
}

TEST_F(Reaches, AnInstalledSnapshot) {
  EXPECT_TRUE(Find(
      Named("snapshots"), 200'000, [](const Model& model, const Move& move, const State& state) {
        const auto* answered =
            std::get_if<raft::SnapshotRequest>(&model.replicas().messages().at(move.argument).body);
        return move.kind == Event::Kind::kDeliver && answered != nullptr && answered->chunk->last &&
               model.replicas().at(state.replicas[move.node]).view.base ==
                   answered->chunk->base.last;
      }));
}

TEST(StateSet, GivesBackWhatItWasGiven) {
  State state;
  state.replicas = {7, 8, 9};
  state.history = 3;
  state.used = {1, 2, 3, 4, 5, 6, 7};
  state.touched = 5;
  state.network = {2, 11};
  const Move move{Event::Kind::kDeliver, 2, true, 6, 11};
  StateSet states(3);
  ASSERT_TRUE(states.Add(State{{1, 2, 3}, 0, {}, 0, {}}, 0, Move()));
  ASSERT_TRUE(states.Add(state, 0, move));
  EXPECT_FALSE(states.Add(state, 1, Move()));
  ASSERT_EQ(states.size(), 2u);
  const State back = states.Get(1);
  EXPECT_EQ(back.replicas, state.replicas);
  EXPECT_EQ(back.history, state.history);
  EXPECT_EQ(back.used, state.used);
  EXPECT_EQ(back.touched, state.touched);
  EXPECT_EQ(back.network, state.network);
  EXPECT_EQ(states.parent(1), 0u);
  EXPECT_EQ(states.move(1), move);
}

TEST(StateSet, TellsStatesApart) {
  const State base{{1, 2, 3}, 4, {}, 1, {5, 6}};
  std::vector<State> others(13, base);
  others[0].replicas[2] = 4;
  others[1].history = 5;
  others[2].used.entries = 1;
  others[3].used.crashes = 1;
  others[4].used.duplicates = 1;
  others[5].used.heartbeats = 1;
  others[6].used.changes = 1;
  others[7].used.transfers = 1;
  others[8].used.compactions = 1;
  others[9].touched = 3;
  others[10].network = {5};
  others[11].network = {5, 6, 7};
  others[12].network = {};
  StateSet states(3);
  ASSERT_TRUE(states.Add(base, 0, Move()));
  for (size_t i = 0; i < others.size(); ++i) EXPECT_TRUE(states.Add(others[i], 0, Move())) << i;
  EXPECT_FALSE(states.Add(base, 0, Move()));
}

TEST(StateSet, FindsAllOfMany) {
  StateSet states(1);
  State state;
  state.replicas = {0};
  for (uint32_t i = 0; i < 100'000; ++i) {
    state.replicas[0] = i;
    ASSERT_TRUE(states.Add(state, 0, Move()));
  }
  for (uint32_t i = 0; i < 100'000; ++i) {
    state.replicas[0] = i;
    ASSERT_FALSE(states.Add(state, 0, Move()));
  }
}

TEST(LogTree, EqualLogsHaveEqualNames) {
  LogTree logs;
  const auto entry = [](uint64_t index, uint64_t term, std::string_view payload) {
    return raft::EntryView{Index(index), Term(term), raft::EntryKind::kCommand, payload};
  };
  const LogName a = logs.Append(0, entry(1, 1, "x"));
  const LogName ab = logs.Append(a, entry(2, 2, "y"));
  EXPECT_EQ(logs.Append(logs.Append(0, entry(1, 1, "x")), entry(2, 2, "y")), ab);
  EXPECT_NE(logs.Append(a, entry(2, 2, "z")), ab);
  EXPECT_NE(logs.Append(a, entry(2, 3, "y")), ab);
  EXPECT_EQ(logs.Prefix(ab, Index(1)), a);
  EXPECT_EQ(logs.Prefix(ab, Index()), 0u);
  EXPECT_TRUE(logs.IsPrefix(a, ab));
  EXPECT_FALSE(logs.IsPrefix(ab, a));
  const raft::EntrySlices read = logs.Read(ab, Index(1), Index(2));
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[1].at(0).payload, "y");
  EXPECT_EQ(read[1].first_index(), Index(2));
}

// Two messages under one name would make the explorer blind for one of them.
TEST(MessageTable, EveryFieldMatters) {
  using namespace raft;
  const auto entries = [](std::string_view payload) {
    const NewEntry entry{EntryKind::kCommand, payload};
    return EntrySlices{EntrySlice(EntryBlock::Create(Term(1), Index(1), {&entry, 1}))};
  };
  const auto chunk = [](uint64_t number, uint64_t checksum, std::string data) {
    SnapshotChunk c;
    c.number = number;
    c.checksum = checksum;
    c.data = std::move(data);
    return std::make_shared<const SnapshotChunk>(c);
  };
  const LogId at{Term(1), Index(1)};
  const std::vector<Body> bodies = {
      PreVoteRequest{Term(1), {}},
      PreVoteRequest{Term(2), {}},
      PreVoteRequest{Term(1), at},
      PreVoteReply{Term(1), false},
      PreVoteReply{Term(1), true},
      VoteRequest{{}, false},
      VoteRequest{at, false},
      VoteRequest{{}, true},
      VoteReply{false},
      VoteReply{true},
      AppendRequest{1, 0, {}, Index(), false, {}},
      AppendRequest{2, 0, {}, Index(), false, {}},
      AppendRequest{1, 1, {}, Index(), false, {}},
      AppendRequest{1, 0, at, Index(), false, {}},
      AppendRequest{1, 0, {}, Index(1), false, {}},
      AppendRequest{1, 0, {}, Index(), true, {}},
      AppendRequest{1, 0, {}, Index(), false, entries("x")},
      AppendRequest{1, 0, {}, Index(), false, entries("y")},
      AppendReply{1, 0, AppendAccept{Index(1), Index()}},
      AppendReply{1, 0, AppendAccept{Index(1), Index(1)}},
      AppendReply{1, 0, AppendAccept{Index(2), Index()}},
      AppendReply{2, 0, AppendAccept{Index(1), Index()}},
      AppendReply{1, 1, AppendAccept{Index(1), Index()}},
      AppendReply{1, 0, AppendReject{Index(1), {}}},
      AppendReply{1, 0, AppendReject{Index(1), at}},
      AppendReply{1, 0, AppendReject{Index(2), {}}},
      HeartbeatRequest{1, 0, {}},
      HeartbeatRequest{2, 0, {}},
      HeartbeatRequest{1, 1, {}},
      HeartbeatRequest{1, 0, at},
      HeartbeatReply{1, 0, Index()},
      HeartbeatReply{2, 0, Index()},
      HeartbeatReply{1, 1, Index()},
      HeartbeatReply{1, 0, Index(1)},
      TimeoutNow{{}},
      TimeoutNow{at},
      ReadRequest{1},
      ReadRequest{2},
      ReadReply{1, Index()},
      ReadReply{1, Index(1)},
      SnapshotRequest{1, 0, chunk(0, 0, "")},
      SnapshotRequest{1, 1, chunk(0, 0, "")},
      SnapshotRequest{1, 0, chunk(1, 0, "")},
      SnapshotRequest{1, 0, chunk(0, 1, "")},
      SnapshotRequest{1, 0, chunk(0, 0, "x")},
      SnapshotReply{1, 0, SnapshotId(1), 0},
      SnapshotReply{1, 0, SnapshotId(2), 0},
      SnapshotReply{1, 0, SnapshotId(1), 1},
  };
  MessageTable table;
  std::set<MessageName> names;
  const auto add = [&](uint64_t from, uint64_t to, uint64_t term, uint64_t life, uint64_t to_life,
                       const Body& body) {
    const Message message{PeerId(from),      PeerId(to),           Term(term),
                          Incarnation(life), Incarnation(to_life), body};
    EXPECT_TRUE(names.insert(table.Add(message)).second) << Describe(message);
    EXPECT_EQ(names.count(table.Add(message)), 1u);
  };
  for (const Body& body : bodies) add(1, 2, 3, 4, 5, body);
  add(9, 2, 3, 4, 5, bodies[0]);
  add(1, 9, 3, 4, 5, bodies[0]);
  add(1, 2, 9, 4, 5, bodies[0]);
  add(1, 2, 3, 9, 5, bodies[0]);
  add(1, 2, 3, 4, 9, bodies[0]);
}

TEST(ExploreFlags, BoundsGoToTheNamedScope) {
  const auto flags =
      ParseFlags({"--states=7", "--scope=reigns", "--terms=3", "--elections=stepwise"});
  ASSERT_TRUE(flags.ok()) << flags.status().message();
  EXPECT_EQ(flags->states_max, 7u);
  ASSERT_EQ(flags->scopes.size(), 1u);
  EXPECT_EQ(flags->scopes[0].name, "reigns");
  EXPECT_EQ(flags->scopes[0].terms, 3u);
  EXPECT_EQ(flags->scopes[0].elections, Elections::kStepwise);
}

TEST(ExploreFlags, WhatMakesNoSenseIsRefusedInOneSentence) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--states=0"},
                                             {"--states=-1"},
                                             {"--states"},
                                             {"--states=5e6"},
                                             {"--scope=none"},
                                             {"--scope=reigns", "--scope=stepwise"},
                                             {"--terms=3"},
                                             {"--scope=reigns", "--terms=8"},
                                             {"--scope=reigns", "--nodes=6"},
                                             {"--scope=reigns", "--nodes=2"},
                                             {"--scope=reigns", "--elections=sometimes"},
                                             {"--scope=reigns", "--replies-at-once=maybe"},
                                             {"reigns"}}) {
    const auto flags = ParseFlags(wrong);
    ASSERT_FALSE(flags.ok()) << wrong.back();
    EXPECT_TRUE(absl::IsInvalidArgument(flags.status()));
    EXPECT_EQ(flags.status().message().find('\n'), absl::string_view::npos);
    EXPECT_TRUE(flags.status().message().back() == '.') << flags.status().message();
  }
}

}  // namespace
}  // namespace flaredb::explore
