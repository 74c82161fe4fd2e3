// SPDX-License-Identifier: Apache-2.0
// A group of real replicas in which nothing happens unless the test says so: what is delivered,
// what becomes durable, when time passes. Replicas are named by the numbers of their peer ids.
#ifndef FLAREDB_TESTS_CORE_RAFT_GROUP_H_
#define FLAREDB_TESTS_CORE_RAFT_GROUP_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
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
#include "core/raft/raft.h"
#include "core/raft/types.h"

namespace flaredb::raft {

// The voters 1 to n.
ConfState Voters(uint64_t n);

struct StoredEntry {
  Term term;
  EntryKind kind = EntryKind::kCommand;
  std::string payload;

  friend bool operator==(const StoredEntry&, const StoredEntry&) = default;
  friend std::ostream& operator<<(std::ostream& out, const StoredEntry& entry);
};

// What a crash leaves of a replica.
struct Disk {
  Incarnation incarnation;
  HardState hard_state;
  std::vector<StoredEntry> log;  // The entry of index i at i - 1.
  Index applied_index;

  std::vector<uint64_t> terms() const;
};

// A disk whose log has entries of these terms, in the last of them or in `term`.
Disk DiskWithTerms(const std::vector<uint64_t>& terms, uint64_t term = 0);

// Entries from `first` on with these terms, and payloads as DiskWithTerms writes them.
EntrySlices EntriesOfTerms(uint64_t first, const std::vector<uint64_t>& terms);

// Checks at every step, whatever the test looks at: one leader a term (election safety), equal
// entries applied at equal indexes (state machine safety), promises leave only when the disk keeps
// them, no replica is poisoned, and a granted read covers all that was applied before it was asked.
class Group {
 public:
  explicit Group(ConfState conf, const Config& config = Config(), uint64_t seed = 1);
  ~Group();

  // --- Time.

  Instant now() const { return now_; }
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

  // The replica stops; writes that are not durable are lost.
  void Crash(uint64_t id);
  // It starts again from its disk, or from another one.
  void Restart(uint64_t id);
  void Restart(uint64_t id, Disk disk);
  bool running(uint64_t id) const;

  // --- Clients.

  ProposeResult Propose(uint64_t id, std::string_view payload);
  ReadResult Read(uint64_t id);
  void Campaign(uint64_t id);
  // Makes `id` the leader in an otherwise quiet group.
  void Elect(uint64_t id);

  // --- Observation.

  View view(uint64_t id) const;
  Raft& raft(uint64_t id);
  bool leads(uint64_t id) const;
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
  struct Node {
    Disk disk;
    std::unique_ptr<Raft> raft;  // Null while crashed.
    std::deque<Persist> writes;
    std::vector<Fetch> fetches;
    std::vector<ReadOutcome> reads;
    std::map<ReadId, Index> asked;  // What was applied anywhere when the read was asked.
    bool disk_held = false;
    bool fetches_held = false;
    uint64_t lives = 0;
  };

  Node& node(uint64_t id);
  const Node& node(uint64_t id) const;
  void Start(uint64_t id);
  void Absorb(uint64_t id);  // Distributes what is in effects_.
  void CheckPromise(uint64_t id, const Message& message) const;
  void CheckApplied(uint64_t id, const EntryView& entry);
  bool SettleOnce();
  bool FireDue();
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
  Effects effects_;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_CORE_RAFT_GROUP_H_
