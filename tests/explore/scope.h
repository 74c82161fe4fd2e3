// SPDX-License-Identifier: Apache-2.0
// How far one exploration goes, and in which steps.
#ifndef FLAREDB_TESTS_EXPLORE_SCOPE_H_
#define FLAREDB_TESTS_EXPLORE_SCOPE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace flaredb::explore {

constexpr uint32_t kNodesMax = 5;
constexpr uint32_t kTermsMax = 7;

// Which parts of an election happen in one move. An exchange that does takes place between the
// campaigner and a chosen set of others, in the order in which it was sent, and is lost to the
// rest.
enum class Elections : uint8_t {
  kStepwise,        // Nothing: every message and write is a move.
  kPreVotesAtOnce,  // Questions and answers of PreVote. Given up: what happens between them.
  // Votes, too, and the writes before them. Leaders that take part have lost contact before; who
  // learns of a newer term on the way campaigns once more. Given up: campaigns that overlap or
  // fail, and leaders that step down without a successor.
  kVotesAtOnce,
};

// A move that would pass a bound is not taken.
struct Scope {
  std::string name;
  std::string about;   // One line for people.
  uint32_t share = 1;  // Of the states of a run, against the other scopes.

  uint32_t nodes = 3;
  uint32_t voters = 3;  // The first ones; the others begin as learners.
  Elections elections = Elections::kVotesAtOnce;
  uint32_t terms = 2;
  uint32_t entries = 0;     // Proposed by clients; leaders add a no-op each.
  uint32_t crashes = 0;     // Each with a restart from the durable image.
  uint32_t duplicates = 0;  // Messages that arrive and stay on their way.
  uint32_t heartbeats = 0;
  uint32_t changes = 0;    // Of the voters, to any set of members, in one step.
  uint32_t transfers = 0;  // Of leadership, asked of a leader.
  uint32_t compactions = 0;
  // Answers to appends and heartbeats arrive in the move that sends them. Given up: that they are
  // late or lost.
  bool replies_at_once = false;
  // A replica that doesn't lead finishes its writes in the move that issues them. It says nothing
  // that rests on a write before the write is durable, so a crash in between leaves what a crash
  // before the write does. Given up: refusals (of votes, say) that rest on a lost write.
  bool writes_at_once = false;
  uint32_t link = 2;  // Messages on the way from one replica to another; the oldest is lost.
  // Requests of terms that are over for their receiver still arrive.
  bool stale_requests = false;
  // For tests of the explorer: a crash loses everything.
  bool forgetful_disks = false;
};

// What is explored when no scope is named, in this order. One scope with all bounds at once would
// end its states in shallow waters; each of these goes deep in one direction.
std::vector<Scope> DefaultScopes();

}  // namespace flaredb::explore

#endif  // FLAREDB_TESTS_EXPLORE_SCOPE_H_
