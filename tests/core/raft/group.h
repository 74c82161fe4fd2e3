// SPDX-License-Identifier: Apache-2.0
// A group of real replicas in which nothing happens unless the test says so: what is delivered,
// what becomes durable, when time passes. Replicas are named by the numbers of their peer ids.
#ifndef FLAREDB_TESTS_CORE_RAFT_GROUP_H_
#define FLAREDB_TESTS_CORE_RAFT_GROUP_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/config.h"
#include "core/raft/effects.h"
#include "core/raft/membership.h"
#include "core/raft/raft.h"
#include "core/raft/types.h"
#include "core/raft/unsafe_recovery.h"
#include "tests/core/raft/group_disk.h"

namespace flaredb::raft {

// The voters 1 to n.
ConfState Voters(uint64_t n);
// The life in which a Group creates the members of its first configuration.
Incarnation FirstLife(uint64_t id);
// `conf` with all of its members pinned to their first life.
ConfState Pinned(ConfState conf);

MemberChange AddLearner(uint64_t id);
MemberChange Promote(uint64_t id);
MemberChange Demote(uint64_t id);
MemberChange Remove(uint64_t id);

// Checks at every step, whatever the test looks at:
//   one leader a term (election safety), which has everything that was ever applied (leader
//   completeness); equal entries applied at equal indexes (state machine safety);
//   a snapshot that is installed equals the replay of the entries that it stands for;
//   promises leave only when the disk keeps them;
//   every replica's configuration is the one that its log implies;
//   a granted read covers all that was applied anywhere before it was asked, and at most one
//   replica holds a lease, which has all of that, too;
//   no replica is poisoned.
class Group {
 public:
  enum class Pinning : uint8_t {
    kPinned,    // The first configuration knows the lives of its members.
    kUnpinned,  // Leaders find out, and propose to pin what they found.
  };

  explicit Group(ConfState conf, const Config& config = Config(), uint64_t seed = 1,
                 Pinning pinning = Pinning::kPinned);
  ~Group();

  // --- Time.

  Instant now() const { return now_; }
  // From now on the clock of `id` gains so much on the others; negative: loses.
  void SetClockDrift(uint64_t id, int64_t parts_per_million);
  // What the clock of `id` shows.
  Instant now(uint64_t id) const;
  // Time passes. Deadlines fire when they come; what follows of them waits.
  void Wait(Duration duration);
  // Time passes, and all that follows happens at once (Settle).
  void Pass(Duration duration);
  // Everything under way happens, in the order of links and replicas, until nothing is left.
  void Settle();

  // --- Network. A message sent over a cut link is lost; one that is under way stays.

  std::deque<Message>& link(uint64_t from, uint64_t to);
  // Delivers what waits on the link now; what follows of it waits.
  void Deliver(uint64_t from, uint64_t to);
  void DeliverTo(uint64_t to);  // From all.
  // Puts a message of the test's own making into a replica.
  void Give(const Message& message);
  void DropAll();
  void Cut(uint64_t a, uint64_t b);
  void Isolate(uint64_t id);
  void Heal();
  // The bodies of that type that wait on the link, oldest first.
  template <typename T>
  std::vector<T> Waiting(uint64_t from, uint64_t to) {
    std::vector<T> found;
    for (const Message& message : link(from, to)) {
      if (const auto* body = std::get_if<T>(&message.body)) found.push_back(*body);
    }
    return found;
  }

  // --- Disk.

  // From now on writes of `id` wait for PersistNext, PersistAll or FreeDisk.
  void HoldDisk(uint64_t id);
  void FreeDisk(uint64_t id);
  // The oldest write becomes durable, and the replica learns of it. False: there is none.
  bool PersistNext(uint64_t id);
  void PersistAll(uint64_t id);
  size_t writes_waiting(uint64_t id) const;
  const Disk& disk(uint64_t id) const;
  // From now on reads of old entries wait for AnswerFetches.
  void HoldFetches(uint64_t id);
  void FreeFetches(uint64_t id);
  void AnswerFetches(uint64_t id);
  const std::vector<Fetch>& fetches(uint64_t id) const;
  // Entries per answer to a fetch; a disk may return less than was asked for.
  size_t fetch_entries_max = 3;

  // --- Snapshots. The state machine's pieces of them have few bytes, so that there are several.

  // From now on what the core wants of the state machine waits for AnswerSnapshots.
  void HoldSnapshots(uint64_t id);
  void FreeSnapshots(uint64_t id);
  void AnswerSnapshots(uint64_t id);
  // Every request that waits fails.
  void FailSnapshots(uint64_t id);
  size_t snapshot_requests(uint64_t id) const;
  // Views of the state machine that the core has not dropped.
  size_t snapshot_views(uint64_t id) const;
  // Installed by any life of the replica, and durable.
  size_t installs(uint64_t id) const;
  size_t snapshot_piece_bytes = 7;
  // Lets the log go as far as the state machine is durable.
  void Compact(uint64_t id);

  // --- Failures.

  // The replica stops; writes that are not durable are lost.
  void Crash(uint64_t id);
  // It starts again from its disk, or from another one.
  void Restart(uint64_t id);
  void Restart(uint64_t id, Disk disk);
  bool running(uint64_t id) const;
  // A new replica that knows nothing, not even of itself; it waits to be made a member.
  void AddEmpty(uint64_t id);
  // Another life under the same id, on an empty disk; `conf` is what it believes to be a member of.
  void Wipe(uint64_t id, ConfState conf = ConfState());
  // Nothing becomes durable any more, and the replica is told.
  void FailDisk(uint64_t id);
  void Wake(uint64_t id);
  // Carries out the plan of an operator who accepts the loss of what lies after plan.chosen_log.
  bool Recover(uint64_t id, const RecoveryPlan& plan);

  // --- Clients.

  ProposeResult Propose(uint64_t id, std::string_view payload);
  ReadResult Read(uint64_t id, ReadMode mode = ReadMode::kReadIndex);
  ChangeResult ChangeMembers(uint64_t id, const std::vector<MemberChange>& changes);
  std::optional<TransferRefusal> TransferLeadership(uint64_t id, uint64_t target);
  void Campaign(uint64_t id);
  // Makes `id` the leader in an otherwise quiet group.
  void Elect(uint64_t id);

  // --- Observation.

  View view(uint64_t id) const;
  Raft& raft(uint64_t id);
  bool leads(uint64_t id) const;
  bool holds_lease(uint64_t id) const;
  Index commit(uint64_t id) const { return view(id).commit_index; }
  // Payloads of the commands applied by this life of the replica and those before, in order.
  std::vector<std::string> applied(uint64_t id) const;
  // Reads answered, in order.
  const std::vector<ReadOutcome>& reads(uint64_t id) const;
  // Everything applied anywhere, by index.
  const std::vector<StoredEntry>& committed() const { return committed_; }
  // A message between replicas as the real ones write it.
  Message From(uint64_t from, uint64_t to, uint64_t term, Body body) const;
  // This replica may break an invariant; any other that does fails the test.
  void MayBePoisoned(uint64_t id) { poisonable_.insert(id); }

 private:
  // The state machine before a snapshot took its place, until that is durable.
  struct Replaced {
    IoToken token;
    ListMachine machine;
  };
  struct Node {
    Disk disk;
    ConfState first_conf;        // On a disk with which the test starts this replica.
    Disk issued;                 // The disk once all writes under way are durable.
    std::unique_ptr<Raft> raft;  // Null while crashed.
    ListMachine machine;
    std::deque<Replaced> replaced;
    std::deque<Persist> writes;
    std::vector<Fetch> fetches;
    std::deque<SnapshotEffect> snapshot_requests;  // TakeSnapshot and ReadSnapshot.
    std::map<SnapshotId, std::string> snapshot_views;
    std::string staged;
    uint64_t staged_pieces = 0;
    size_t installs = 0;
    std::vector<ReadOutcome> reads;
    std::map<ReadId, Index> asked;  // What was applied anywhere when the read was asked.
    bool disk_held = false;
    bool disk_failed = false;
    bool fetches_held = false;
    bool snapshots_held = false;
    uint64_t lives = 0;
    // The replica's clock shows clock_from when the group's shows drift_from.
    Instant clock_from;
    Instant drift_from;
    int64_t drift_ppm = 0;
  };

  Node& node(uint64_t id);
  const Node& node(uint64_t id) const;
  void Start(uint64_t id);
  void Absorb(uint64_t id);  // Distributes what is in effects_.
  void AbsorbSnapshot(uint64_t id, const SnapshotEffect& effect);
  void AbsorbPersist(uint64_t id, const Persist& persist);
  void AnswerSnapshot(uint64_t id, const SnapshotEffect& request);
  void CheckPromise(uint64_t id, const Message& message) const;
  void CheckApplied(uint64_t id, const EntryView& entry);
  void CheckInstall(const ListMachine& machine, const LogBase& base) const;
  void CheckLeader(uint64_t id);
  void CheckLeases() const;
  void CheckConf(uint64_t id) const;
  Index DurablyApplied(uint64_t id) const;
  ListMachine Replay(Index upto) const;
  bool SettleOnce();
  bool FireDue();
  static Instant Local(const Node& n, Instant group_time);
  // When the group's time for the replica's next deadline comes.
  static Instant Due(const Node& n);
  Instant next_deadline() const;

  const ConfState conf_;
  const Config config_;
  const uint64_t seed_;
  Instant now_ = Instant::FromNanoseconds(1);
  std::map<uint64_t, Node> nodes_;
  std::map<std::pair<uint64_t, uint64_t>, std::deque<Message>> links_;
  std::set<std::pair<uint64_t, uint64_t>> cut_;
  std::map<Term, PeerId> leaders_;
  std::vector<StoredEntry> committed_;
  std::set<uint64_t> poisonable_;
  uint64_t wiped_ = 0;
  Effects effects_;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_CORE_RAFT_GROUP_H_
