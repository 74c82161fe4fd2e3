// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/expectations.h"

#include <optional>
#include <string>
#include <vector>

#include "tests/scenarios/describe.h"

namespace flaredb::raft {
namespace {

void ExpectLeader(World* world, Words* words, bool any) {
  if (!words->TakeIf("leader")) words->Error("needs \"leader\" after no and one");
  if (!words->Done()) return;
  size_t leaders = 0;
  for (const PeerId id : world->ids()) {
    const Raft* raft = world->raft(id);
    leaders += raft != nullptr && raft->is_leader() ? 1 : 0;
  }
  if (leaders != (any ? 1U : 0U)) world->Fail(Text(leaders) + " replicas lead");
}

void ExpectCommitted(World* world, Words* words) {
  std::string expected;
  while (words->more()) expected += "\"" + words->Take("a payload") + "\" ";
  if (!words->Done()) return;
  std::string actual;
  for (const std::string& payload : world->committed_commands()) actual += "\"" + payload + "\" ";
  if (actual != expected) world->Fail("committed is " + (actual.empty() ? "nothing" : actual));
}

void ExpectRead(World* world, Words* words) {
  const uint64_t number = words->TakeNumber("the number of a read");
  const std::string fate = words->Take("granted, lost or waiting");
  if (!words->Done()) return;
  const std::string actual = world->FateOfRead(number);
  if (actual.empty()) return world->Fail("there is no read " + Text(number));
  if (actual != fate) world->Fail("read " + Text(number) + " is " + actual + ", not " + fate);
}

// What the replica says to one fact; nullopt when there is no such fact. "yes" for what holds and
// has no value.
std::optional<std::string> Fact(const World& world, PeerId id, const std::string& key) {
  const auto yes = [](bool holds) -> std::string { return holds ? "yes" : "no"; };
  const auto or_none = [](PeerId peer) { return peer ? Text(peer) : "none"; };
  const ScenarioDisk& disk = world.disk(id);
  if (key == "base") return Told(disk.base.last);
  if (key == "applied") return Text(world.applied_index(id));
  if (key == "log") {
    std::string terms;
    for (const StoredEntry& entry : disk.log)
      terms += (terms.empty() ? "" : ",") + Text(entry.term);
    return terms.empty() ? "none" : terms;
  }
  const Raft* raft = world.raft(id);
  if (key == "stopped") return yes(raft == nullptr);
  if (raft == nullptr) return "unknown, for it does not run";
  const View view = raft->view();
  for (const Role role : {Role::kFollower, Role::kPreCandidate, Role::kCandidate}) {
    if (key == Told(role)) return yes(view.role == role);
  }
  if (key == "leads") return yes(view.role == Role::kLeader);
  if (key == "leader") return or_none(view.leader);
  if (key == "term") return Text(view.term);
  if (key == "vote") return or_none(view.vote);
  if (key == "commit") return Text(view.commit_index);
  if (key == "durable") return Text(view.durable_index);
  if (key == "last") return Told(view.last_log);
  if (key == "voters") return Join(view.conf.voters);
  if (key == "outgoing") return Join(view.conf.voters_outgoing);
  if (key == "learners") return Join(view.conf.learners);
  if (key == "transferee") return or_none(view.transferee);
  if (key == "resting") return yes(view.resting);
  if (key == "awake") return yes(!view.resting);
  if (key == "lease") return yes(world.HoldsLease(id));
  if (key == "no-lease") return yes(!world.HoldsLease(id));
  if (key == "poisoned") return yes(!raft->poison().empty());
  if (key == "asleep") return yes(raft->next_deadline() == Instant::Max());
  return std::nullopt;
}

void ExpectOf(World* world, PeerId id, const std::vector<std::string>& facts) {
  for (const std::string& fact : facts) {
    const auto [word, value] = Words::KeyValue(fact);
    const std::string expected = value.empty() ? "yes" : value;
    // "leader" is a role, "leader=2" whom the replica takes for the leader.
    const std::string key = fact == "leader" ? "leads" : word;
    const auto actual = Fact(*world, id, key);
    if (!actual) {
      world->Fail("there is no fact \"" + key + "\"");
    } else if (*actual != expected) {
      world->Fail("replica " + Text(id) + ": " + key + " is " + *actual + ", not " + expected);
    }
  }
}

}  // namespace

void Expect(World* world, Words* words) {
  if (words->TakeIf("no")) return ExpectLeader(world, words, false);
  if (words->TakeIf("one")) return ExpectLeader(world, words, true);
  if (words->TakeIf("committed")) return ExpectCommitted(world, words);
  if (words->TakeIf("read")) return ExpectRead(world, words);
  if (words->TakeIf("quiet")) {
    if (words->Done() && world->messages_waiting() != 0) world->Fail("messages are under way");
    return;
  }
  const bool all = words->TakeIf("all");
  const std::vector<PeerId> ids = all ? world->ids() : words->TakeIds();
  std::vector<std::string> facts;
  while (words->more()) facts.push_back(words->Take("a fact"));
  if (facts.empty()) words->Error("needs a fact");
  if (!words->Done()) return;
  for (const PeerId id : ids) {
    if (!world->exists(id)) return world->Fail("there is no replica " + Text(id));
    ExpectOf(world, id, facts);
  }
}

}  // namespace flaredb::raft
