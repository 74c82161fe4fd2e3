// SPDX-License-Identifier: Apache-2.0
// What the paper tests share. Each of them is headed by a section of the thesis (Ongaro,
// "Consensus: Bridging Theory and Practice", 2014) and what a sentence there demands, in our words.
#ifndef FLAREDB_TESTS_CORE_RAFT_PAPER_H_
#define FLAREDB_TESTS_CORE_RAFT_PAPER_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/raft/group.h"

namespace flaredb::raft {

inline constexpr Duration kTimeout = Config().election_timeout;
inline constexpr Duration kHeartbeat = Config().heartbeat_interval;
inline constexpr Duration kMoment = Duration::Milliseconds(1);

using Payloads = std::vector<std::string>;

inline size_t Leaders(const Group& group, uint64_t replicas) {
  size_t leaders = 0;
  for (uint64_t id = 1; id <= replicas; ++id) leaders += group.leads(id) ? 1 : 0;
  return leaders;
}

// Afterwards nobody is loyal to a leader and nothing is under way.
inline void Forget(Group* group) {
  group->Wait(kTimeout);
  group->DropAll();
}

// Makes `id` a candidate that has asked everybody for a vote and has no answer yet but its own.
// Requires Forget and that `helper` would vote for it.
inline void MakeCandidate(Group* group, uint64_t id, uint64_t helper) {
  group->Campaign(id);
  group->Deliver(id, helper);
  group->PersistAll(helper);
  group->Deliver(helper, id);
  group->PersistAll(id);
  ASSERT_EQ(group->view(id).role, Role::kCandidate);
}

// Wins an election with the votes of `voters`, and stops before any append arrives.
inline void ElectSilently(Group* group, uint64_t candidate, const std::vector<uint64_t>& voters) {
  Forget(group);
  group->Campaign(candidate);
  for (int round = 0; round < 2; ++round) {
    for (const uint64_t voter : voters) group->Deliver(candidate, voter);
    for (const uint64_t voter : voters) group->PersistAll(voter);
    for (const uint64_t voter : voters) group->Deliver(voter, candidate);
    if (round == 0) group->PersistAll(candidate);
  }
  ASSERT_TRUE(group->leads(candidate));
}

// The voter's answer to a request for its vote; nullopt when it gives none.
inline std::optional<bool> AskVote(Group* group, uint64_t candidate, uint64_t voter, uint64_t term,
                                   LogId last_log, bool transfer = false) {
  group->link(voter, candidate).clear();
  group->Give(group->From(candidate, voter, term, VoteRequest{last_log, transfer}));
  group->PersistAll(voter);
  const auto replies = group->Waiting<VoteReply>(voter, candidate);
  if (replies.empty()) return std::nullopt;
  return replies.back().granted;
}

// An append as the leader `from` of `term` would send it.
inline Message Append(const Group& group, uint64_t from, uint64_t to, uint64_t term, LogId prev,
                      EntrySlices entries, Index commit_index = Index()) {
  AppendRequest request;
  request.session = 1;
  request.prev = prev;
  request.commit_index = commit_index;
  request.entries = std::move(entries);
  return group.From(from, to, term, std::move(request));
}

// Whether the last append that `follower` answered to `leader` was accepted; fails without one.
inline bool Accepted(Group* group, uint64_t follower, uint64_t leader) {
  group->PersistAll(follower);
  const auto replies = group->Waiting<AppendReply>(follower, leader);
  EXPECT_FALSE(replies.empty()) << "no answer";
  return !replies.empty() && std::holds_alternative<AppendAccept>(replies.back().result);
}

inline ProgressView ProgressOf(const Group& group, uint64_t leader, uint64_t peer) {
  for (const ProgressView& progress : group.view(leader).progress) {
    if (progress.peer == PeerId(peer)) return progress;
  }
  ADD_FAILURE() << leader << " has no progress of " << peer;
  return ProgressView();
}

inline size_t Entries(const AppendRequest& request) {
  size_t entries = 0;
  for (const EntrySlice& slice : request.entries) entries += slice.size();
  return entries;
}

// What a leader lacks nothing of is with everybody else soon after.
inline void LetSpread(Group* group) { group->Pass(kHeartbeat * 3); }

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_CORE_RAFT_PAPER_H_
