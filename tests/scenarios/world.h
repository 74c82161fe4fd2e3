// SPDX-License-Identifier: Apache-2.0
// The world of the scenario scripts: real replicas, a network and disks that do nothing by
// themselves but what the script says, and an account in text of everything that happens.
//
// By default a disk is instant: a write is durable, and an old entry read, right after the call
// that asked for it. Messages always wait for their delivery. Each replica has a clock of its own.
//
// Checked at every step, beside checks.h: a granted read covers everything that was applied
// anywhere before it was asked, and nobody breaks an invariant of the core, unless the script says
// so.
#ifndef FLAREDB_TESTS_SCENARIOS_WORLD_H_
#define FLAREDB_TESTS_SCENARIOS_WORLD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/config.h"
#include "core/raft/effects.h"
#include "core/raft/membership.h"
#include "core/raft/raft.h"
#include "core/raft/types.h"
#include "tests/scenarios/checks.h"
#include "tests/scenarios/links.h"
#include "tests/scenarios/replica.h"

namespace flaredb::raft {

class World {
 public:
  explicit World(const Config& config) : config_(config) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // --- Replicas. Unless said otherwise a command for a replica that is not running is an error.

  // The replicas of `conf`. `met`: it names their lives, as if a leader had met them all.
  void Found(ConfState conf, bool met);
  // A new replica that waits to be added.
  void Join(PeerId id) { Create(id, ConfState()); }
  // Instead of its disk the (stopped or running) replica has one with entries of these terms, and
  // starts.
  void SetDisk(PeerId id, const std::vector<Term>& terms, HardState hard_state);
  void Crash(PeerId id);
  void Restart(PeerId id);
  // The replica lost its disk and starts as somebody else under its old id, in `conf`.
  void Wipe(PeerId id, const ConfState& conf);
  void AllowPoison(PeerId id) { poisonable_.insert(id); }
  bool exists(PeerId id) const { return replicas_.contains(id); }
  std::vector<PeerId> ids() const;
  // Null unless running.
  const Raft* raft(PeerId id) const;
  const ScenarioDisk& disk(PeerId id) const { return replicas_.at(id).disk; }
  // What its state machine has applied.
  Index applied_index(PeerId id) const { return replicas_.at(id).applied_index; }
  bool HoldsLease(PeerId id) const;
  // "granted", "lost" or "waiting"; empty when no read has this number.
  std::string FateOfRead(uint64_t number) const;

  // --- Time.

  // The clocks of `ids` go on; nobody looks at them.
  void Pass(Duration duration, const std::vector<PeerId>& ids);
  // Time passes for all until the next deadline of `id` comes; nobody else looks at the clock.
  void ReachDeadline(PeerId id);
  // Time passes, deadlines are met when they come, and all that follows happens at once.
  void Run(Duration duration);
  // Everything under way happens, in the order of links, until nothing is left.
  void Settle();

  // --- Network. What is sent over a cut link is lost; what is under way stays.

  void Deliver(const Selection& selection);
  void Drop(const Selection& selection);
  // Changes a byte of the data in the pieces of snapshots meant.
  void Corrupt(const Selection& selection);
  // Takes the messages off their links (or copies them), to be given to their receivers by Give:
  // late, out of order, more than once.
  void SetAside(const Selection& selection, const std::string& name, bool copy);
  void Give(const std::string& name);
  void Cut(PeerId from, PeerId to) { links_.Cut(from, to); }
  void Heal() { links_.Heal(); }
  size_t messages_waiting() const { return links_.size(); }

  // --- Disk.

  void HoldDisk(PeerId id);
  void FreeDisk(PeerId id);
  // The oldest write, or all, become durable and the replica learns of it.
  void PersistWrites(PeerId id, bool all);
  // Reads of old entries and of snapshots.
  void HoldAnswers(PeerId id);
  void FreeAnswers(PeerId id);
  void AnswerNext(PeerId id);
  // The oldest question about a snapshot is answered with an error.
  void FailAnswer(PeerId id);
  void FailDisk(PeerId id);

  // --- Clients and operators.

  void Propose(PeerId id, const std::vector<std::string>& payloads);
  void Read(PeerId id, ReadMode mode);
  void Campaign(PeerId id);
  void ChangeMembers(PeerId id, const std::vector<MemberChange>& changes);
  void Transfer(PeerId id, PeerId target);
  void Compact(PeerId id, Index upto);
  void Wake(PeerId id);
  void Recover(const std::vector<PeerId>& survivors);

  // --- The account.

  bool verbose = false;
  // False: nothing is written down but failures.
  bool telling = true;
  void Tell(std::string line);
  // What must not be: a broken check, or a command that makes no sense here.
  void Fail(std::string_view what);
  std::vector<std::string> TakeLines() { return std::exchange(lines_, {}); }
  bool failed() const { return failed_; }
  // Payloads of the committed commands, in order.
  std::vector<std::string> committed_commands() const;

 private:
  void Create(PeerId id, const ConfState& conf);
  // The running replica, or null after a Fail.
  Replica* Find(PeerId id);
  void Start(PeerId id);
  void Stop(Replica* replica);
  // Calls the core and carries out what follows of it on this replica alone.
  void Call(PeerId id, absl::FunctionRef<void(Raft&, Instant, Effects*)> body);
  void Absorb(PeerId id, Replica* replica);
  void CarryOutInstantly(PeerId id);
  void CompleteWrite(PeerId id);
  void Write(PeerId id, const Persist& persist);
  void Answer(PeerId id, const Question& question);
  void CarryOut(PeerId id, const SnapshotEffect& effect);
  void Send(Message message);
  void Receive(const Message& message);
  bool FireDue();

  // The replica declines what it was asked for.
  void Refuse(const std::string& why) { Tell("refused: " + why); }
  void TellChanges(PeerId id, Replica* replica, const Effects& effects);

  void OnRead(PeerId id, const ReadOutcome& outcome);

  const Config config_;
  std::map<PeerId, Replica> replicas_;
  Checks checks_{&replicas_, [this](std::string_view what) { Fail(what); }};
  Links links_;
  std::map<std::string, std::vector<Message>> aside_;
  std::set<PeerId> poisonable_;
  bool running_ = false;  // In Run, which leaves routine messages out of the account.
  uint64_t last_read_ = 0;
  std::map<uint64_t, bool> answered_reads_;  // By number: whether it was granted.
  Effects effects_;
  std::vector<std::string> lines_;
  bool failed_ = false;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_SCENARIOS_WORLD_H_
