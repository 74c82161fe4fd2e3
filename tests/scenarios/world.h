// SPDX-License-Identifier: Apache-2.0
// The world of the scenario scripts: real replicas, a network and disks that do nothing by
// themselves but what the script says, and an account in text of everything that happens.
//
// By default a disk is instant: a write is durable, and an old entry read, right after the call
// that asked for it. Messages always wait for their delivery. Each replica has a clock of its own.
//
// Checked at every step, whatever the script looks at:
//   - one leader a term (election safety);
//   - the same entry at the same index everywhere it is applied, without gap or repetition (state
//     machine safety);
//   - two disks with an entry of the same index and term have the same entry, and the same terms
//     before it (log matching);
//   - what a leader commits is on the disks of a quorum;
//   - a term, a vote, a candidacy and an accepted entry are shown only when they are on the disk;
//   - a granted read covers everything that was applied anywhere before it was asked;
//   - the configuration before a log is the one that the committed entries up to there make;
//   - nobody breaks an invariant of the core, unless the script says so.
#ifndef FLAREDB_TESTS_SCENARIOS_WORLD_H_
#define FLAREDB_TESTS_SCENARIOS_WORLD_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
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

namespace flaredb::raft {

struct StoredEntry {
  Term term;
  EntryKind kind = EntryKind::kCommand;
  std::string payload;

  friend bool operator==(const StoredEntry&, const StoredEntry&) = default;
};

// What a crash leaves of a replica.
struct ScenarioDisk {
  Incarnation incarnation;
  HardState hard_state;
  LogBase base;
  std::vector<StoredEntry> log;  // The entry of index base.last.index + 1 + i at i.
  Index applied_index;           // The state machine's.

  Index last_index() const { return base.last.index + log.size(); }
  // Null outside (base, last_index].
  const StoredEntry* At(Index index) const;
};

// Which waiting messages a command means, in the order of links and then of sending.
struct Selection {
  std::optional<PeerId> from;  // Absent: all.
  std::optional<PeerId> to;
  std::string kind;  // Empty: all. See KindName.
  enum { kAll, kFirst, kLast } which = kAll;
};

class World {
 public:
  explicit World(const Config& config) : config_(config) {}

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
  void Cut(PeerId from, PeerId to) { cut_.insert({from, to}); }
  void Heal() { cut_.clear(); }
  size_t messages_waiting() const;

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
  // A question of the core about old entries or a snapshot, unanswered.
  using Question = std::variant<Fetch, TakeSnapshot, ReadSnapshot>;

  struct Replica {
    ScenarioDisk disk;
    std::unique_ptr<Raft> raft;  // Null while stopped.
    Instant clock;
    View seen;  // What the account said last.
    std::deque<Persist> writes;
    std::deque<Question> questions;
    bool disk_held = false;
    bool answers_held = false;
    Index applied_index;
    std::map<SnapshotId, std::pair<Index, size_t>> views;  // What it covers; bytes read.
    std::string staged;
    struct AskedRead {
      uint64_t number;
      Index covers;  // Applied anywhere when it was asked.
    };
    std::map<ReadId, AskedRead> asked;
    uint64_t lives = 0;
  };

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
  void Answer(PeerId id, const Question& question);
  void CarryOut(PeerId id, const SnapshotEffect& effect);
  void CarryOut(PeerId id, const Persist& persist);
  void Send(Message message);
  void Receive(const Message& message);
  bool FireDue();
  // Visits the waiting messages meant; those for which `visit` is true leave their link.
  size_t Select(const Selection& selection, absl::FunctionRef<bool(Message&)> visit);

  void TellChanges(PeerId id, Replica* replica, const Effects& effects);

  void CheckPromise(PeerId id, const Message& message);
  void CheckLeader(PeerId id, const View& before, const View& after);
  void CheckApplied(PeerId id, const EntryView& entry);
  void CheckBase(PeerId id, const LogBase& base);
  void CheckLogMatching();
  void CheckRead(PeerId id, const ReadOutcome& outcome);

  const Config config_;
  std::map<PeerId, Replica> replicas_;
  std::map<std::pair<PeerId, PeerId>, std::deque<Message>> links_;
  std::set<std::pair<PeerId, PeerId>> cut_;
  std::map<std::string, std::vector<Message>> aside_;
  std::map<Term, PeerId> leaders_;
  ConfState founding_conf_;
  std::vector<StoredEntry> committed_;  // As applied first, anywhere.
  std::set<PeerId> poisonable_;
  bool logs_differ_ = false;
  bool running_ = false;  // In Run, which leaves routine messages out of the account.
  bool wiped_ = false;    // A disk was lost: what was on a quorum need not be any more.
  uint64_t last_read_ = 0;
  std::map<uint64_t, bool> answered_reads_;  // By number: whether it was granted.
  Effects effects_;
  std::vector<std::string> lines_;
  bool failed_ = false;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_SCENARIOS_WORLD_H_
