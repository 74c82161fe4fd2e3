// SPDX-License-Identifier: Apache-2.0
// What the transcripts say: one short line for each message, write and state. Left out is what no
// reader of a scenario needs (sessions, rounds, tokens, lives), unless `verbose`.
#ifndef FLAREDB_TESTS_SCENARIOS_DESCRIBE_H_
#define FLAREDB_TESTS_SCENARIOS_DESCRIBE_H_

#include <sstream>
#include <string>
#include <string_view>

#include "core/raft/effects.h"
#include "core/raft/entry.h"
#include "core/raft/entry_slices.h"
#include "core/raft/message.h"
#include "core/raft/raft.h"
#include "core/raft/types.h"
#include "core/raft/unsafe_recovery.h"
#include "core/raft/view.h"

namespace flaredb::raft {

// A number, or whatever else is written by <<.
template <typename T>
std::string Text(const T& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

// "3:t2", index and term; "0" for the position before the first entry.
std::string Told(LogId id);
// "voters=1,2,4 outgoing=1,2,3 learners=5 unmet=5"; all but the first only when there are any.
// Unmet are members whose life (incarnation) is not written down yet.
std::string Told(const ConfState& conf);
std::string Told(Role role);
// "3:t2 "a"", "1:t1 noop", "4:t2 conf voters=1,2,3"; long payloads by their size.
std::string Told(const EntryView& entry);
// "[3:t2 "a", 4:t2 "b"]", long lists shortened in the middle; "" for none.
std::string Told(const EntrySlices& entries);
// "1->2 Append t2 prev=3:t1 commit=3 [4:t2 "a"]"
std::string Told(const Message& message, bool verbose);
// "t2 vote=1 truncate=4 append=[4:t2 "a"]"
std::string Told(const Persist& persist, bool verbose);
// "take 1", "stage 0"
std::string Told(const SnapshotEffect& effect);
// "leader t2 vote=1": role, term, vote, known leader, and what else is special.
std::string Told(const View& view);

// The name that Told gives to messages of this kind: "Append".
std::string_view KindName(const Message& message);
bool IsKindName(std::string_view name);
// Heartbeats that only say that somebody lives, and their answers.
bool IsRoutine(const Message& message);

// Why a call was refused.
std::string Told(NotLeader not_leader);
std::string Told(ChangeRefusal refusal);
std::string Told(TransferRefusal refusal);
std::string Told(NoPlan no_plan);

// "1,2,3"; "none" when empty.
std::string Join(const std::vector<PeerId>& ids);

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_SCENARIOS_DESCRIBE_H_
