// SPDX-License-Identifier: Apache-2.0
#include "sim/history/eventual_checker.h"

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <utility>

#include "core/base/check.h"

namespace flaredb::sim {
namespace {

using Rule = EventualRule;

bool IsWrite(const EventualOp& op) { return op.kind != EventualOp::Kind::kGet; }

std::string Describe(const EventualOp& op) {
  std::ostringstream out;
  out << "client " << op.client << "'s ";
  switch (op.kind) {
    case EventualOp::Kind::kPut:
      out << "Put(" << op.key << ", value " << op.value << ")";
      break;
    case EventualOp::Kind::kDelete:
      out << "Delete(" << op.key << ")";
      break;
    case EventualOp::Kind::kGet:
      out << "Get(" << op.key << ")";
      break;
  }
  out << " at store " << op.store;
  if (op.complete == kNever) {
    out << " -> unknown";
  } else if (!op.record) {
    out << " -> no value";
  } else {
    out << " -> ";
    if (!IsWrite(op)) out << "value " << op.record->value << ", ";
    out << "time " << DescribeStamp(*op.record);
  }
  out << " [events " << op.invoke << "..";
  if (op.complete != kNever) out << op.complete;
  out << "]";
  return out.str();
}

class Checker {
 public:
  explicit Checker(const EventualHistory& history)
      : history_(history), unknown_seen_(history.ops.size()) {}

  std::vector<EventualViolation> Check();

 private:
  // What a store has to show of a key.
  struct Floor {
    LwwRecord record;                               // This or a larger one.
    const EventualOp* op = nullptr;                 // Which showed or stored it; none: no floor.
    const TombstoneCollected* collected = nullptr;  // And nothing smaller than this deletion.
  };
  using Place = std::pair<uint32_t, std::string>;  // Store, key.
  struct Key {
    std::vector<const EventualOp*> deletions;     // Acknowledged or not.
    std::optional<LwwRecord> largest;             // Of the writes that took effect for certain.
    const EventualOp* writer = nullptr;           // Of that one.
    std::optional<TombstoneCollected> collected;  // The largest.
  };

  size_t Number(const EventualOp& op) const {
    return static_cast<size_t>(&op - history_.ops.data());
  }
  void CheckStamps();
  void FindWriters();
  // Whether `record` is one that `key` can hold by the time `by`; otherwise reports it, as seen in
  // `where`.
  bool Written(const std::string& key, const LwwRecord& record, EventNumber by,
               const std::string& where);
  void Count(const std::string& key, const LwwRecord& record, const EventualOp* writer);
  void CheckReads();
  void CheckGet(const EventualOp& get, const std::optional<Floor>& floor);
  // Raises a store's floor for a key.
  void Raise(const Place& place, const LwwRecord& record, const EventualOp& op);
  // The smallest deletion above `floor` that can have taken effect by `by`. If one of unknown time
  // can, there is no more to say than `floor`.
  std::optional<LwwRecord> DeletionAbove(const std::string& key, const LwwRecord& floor,
                                         EventNumber by) const;
  void CheckReplicas();
  void CheckFinal(const std::string& key, const LwwRecord* final, uint32_t store);
  void Report(Rule rule, std::string sentence) {
    violations_.push_back({rule, Name(rule) + ": " + std::move(sentence) + "."});
  }

  const EventualHistory& history_;
  std::map<std::pair<std::string, ValueId>, const EventualOp*> puts_;
  std::vector<std::optional<LwwRecord>> unknown_seen_;  // By operation: what it turned out to be.
  std::map<std::string, Key> keys_;
  std::map<Place, Floor> floors_;
  std::vector<EventualViolation> violations_;
};

std::vector<EventualViolation> Checker::Check() {
  for (const EventualOp& op : history_.ops) {
    INVARIANT(op.invoke >= 1 && op.invoke < op.complete) << Describe(op);
    INVARIANT(!IsWrite(op) || op.record.has_value() == (op.complete != kNever)) << Describe(op);
    if (op.kind == EventualOp::Kind::kPut) {
      INVARIANT(puts_.emplace(std::pair(op.key, op.value), &op).second)
          << "values are unique: " << Describe(op);
    } else if (op.kind == EventualOp::Kind::kDelete) {
      keys_[op.key].deletions.push_back(&op);
    }
    if (IsWrite(op) && op.record) Count(op.key, *op.record, &op);
  }
  CheckStamps();
  FindWriters();
  CheckReads();
  CheckReplicas();
  std::stable_sort(violations_.begin(), violations_.end(),
                   [](const auto& x, const auto& y) { return x.rule < y.rule; });
  return std::move(violations_);
}

void Checker::Count(const std::string& key, const LwwRecord& record, const EventualOp* writer) {
  Key& facts = keys_[key];
  if (facts.largest && *facts.largest >= record) return;
  facts.largest = record;
  facts.writer = writer;
}

void Checker::CheckStamps() {
  std::map<uint32_t, std::vector<const EventualOp*>> by_store;
  for (const EventualOp& op : history_.ops) {
    if (!IsWrite(op) || !op.record) continue;
    const LwwRecord& record = *op.record;
    if (record.store != op.store || record.deleted != (op.kind == EventualOp::Kind::kDelete) ||
        record.value != op.value) {
      Report(Rule::kStamps, Describe(op) + " was stored as another write than it was");
    }
    by_store[op.store].push_back(&op);
  }
  const auto clock = [](const EventualOp* op) {
    return std::pair(op->record->wall, op->record->logical);
  };
  for (auto& [store, writes] : by_store) {
    // From the latest time down, none may begin after one with a later time was complete.
    std::sort(writes.begin(), writes.end(), [&](const EventualOp* x, const EventualOp* y) {
      return std::pair(clock(x), x->invoke) < std::pair(clock(y), y->invoke);
    });
    const EventualOp* earliest = nullptr;  // To complete, of those with later times.
    for (size_t i = writes.size(); i-- > 0;) {
      const EventualOp* op = writes[i];
      if (i > 0 && clock(writes[i - 1]) == clock(op)) {
        Report(Rule::kStamps,
               Describe(*writes[i - 1]) + " and " + Describe(*op) + " were given one time");
      }
      if (earliest != nullptr && earliest->complete < op->invoke) {
        Report(Rule::kStamps, Describe(*op) + " was given an earlier time than " +
                                  Describe(*earliest) + ", which was complete before it began");
      }
      if (earliest == nullptr || op->complete < earliest->complete) earliest = op;
    }
  }
}

// Whoever wrote a value that was found has taken effect, at the time that was found with it.
void Checker::FindWriters() {
  for (const EventualOp& op : history_.ops) {
    if (!IsWrite(op) && op.record) Written(op.key, *op.record, op.complete, Describe(op));
  }
  for (const EventualReplica& replica : history_.replicas) {
    for (const auto& [key, record] : replica.rows) {
      Written(key, record, kNever, "store " + std::to_string(replica.store) + " at the end");
    }
  }
}

bool Checker::Written(const std::string& key, const LwwRecord& record, EventNumber by,
                      const std::string& where) {
  const auto found = [&] {
    return record.deleted ? "the deletion of " + key + " at time " + DescribeStamp(record)
                          : "value " + std::to_string(record.value) + " of " + key + " at time " +
                                DescribeStamp(record);
  };
  const auto not_written = [&](const std::string& why) {
    Report(Rule::kNotWritten, where + " shows " + found() + ", " + why);
    return false;
  };
  const EventualOp* writer = nullptr;
  if (record.deleted) {
    // Deletions have no value; one of unknown outcome may have been given any time.
    for (const EventualOp* deletion : keys_[key].deletions) {
      if (deletion->record ? *deletion->record == record : deletion->store == record.store) {
        writer = deletion;
        if (deletion->record) break;
      }
    }
    if (writer == nullptr) return not_written("but nobody deleted it so");
  } else {
    const auto put = puts_.find(std::pair(key, record.value));
    if (put == puts_.end()) return not_written("but nobody wrote that value to it");
    writer = put->second;
    std::optional<LwwRecord>& seen = unknown_seen_[Number(*writer)];
    const std::optional<LwwRecord>& stored = writer->record ? writer->record : seen;
    if (stored && *stored != record) {
      return not_written("but it was stored at time " + DescribeStamp(*stored));
    }
    if (!stored && writer->store != record.store) {
      return not_written("but it was sent to store " + std::to_string(writer->store));
    }
    if (!stored) seen = record;
  }
  if (by < writer->invoke) return not_written("before it was written by " + Describe(*writer));
  Count(key, record, writer);
  return true;
}

void Checker::Raise(const Place& place, const LwwRecord& record, const EventualOp& op) {
  Floor& floor = floors_[place];
  if (floor.op != nullptr && floor.record >= record) return;
  floor.record = record;
  floor.op = &op;
}

std::optional<LwwRecord> Checker::DeletionAbove(const std::string& key, const LwwRecord& floor,
                                                EventNumber by) const {
  std::optional<LwwRecord> least;
  const auto facts = keys_.find(key);
  if (facts == keys_.end()) return least;
  for (const EventualOp* deletion : facts->second.deletions) {
    if (deletion->invoke > by) continue;
    if (!deletion->record) return floor;
    if (*deletion->record < floor) continue;
    if (!least || *deletion->record < *least) least = *deletion->record;
  }
  return least;
}

// Goes through time: what a store has shown or acknowledged is the floor of the gets that begin
// later there.
void Checker::CheckReads() {
  struct Event {
    EventNumber at;
    const EventualOp* op;
    const TombstoneCollected* collected;
  };
  std::vector<Event> events;
  for (const EventualOp& op : history_.ops) {
    if (op.complete == kNever) continue;
    if (!IsWrite(op)) events.push_back({op.invoke, &op, nullptr});
    events.push_back({op.complete, &op, nullptr});
  }
  for (const TombstoneCollected& each : history_.collected) {
    events.push_back({each.at, nullptr, &each});
    std::optional<TombstoneCollected>& largest = keys_[each.key].collected;
    if (!largest || largest->tombstone < each.tombstone) largest = each;
  }
  std::sort(events.begin(), events.end(),
            [](const Event& x, const Event& y) { return x.at < y.at; });
  std::vector<std::optional<Floor>> at_start(history_.ops.size());  // Of the gets.
  for (const Event& event : events) {
    if (event.collected != nullptr) {
      const TombstoneCollected& each = *event.collected;
      const TombstoneCollected*& here = floors_[{each.store, each.key}].collected;
      if (here == nullptr || here->tombstone < each.tombstone) here = &each;
      continue;
    }
    const EventualOp& op = *event.op;
    const Place place(op.store, op.key);
    if (IsWrite(op)) {
      Raise(place, *op.record, op);
    } else if (event.at == op.invoke) {
      const auto floor = floors_.find(place);
      if (floor != floors_.end()) at_start[Number(op)] = floor->second;
    } else {
      CheckGet(op, at_start[Number(op)]);
    }
  }
}

void Checker::CheckGet(const EventualOp& get, const std::optional<Floor>& floor) {
  const Place place(get.store, get.key);
  if (get.record) {
    if (floor && floor->collected != nullptr && *get.record < floor->collected->tombstone) {
      Report(Rule::kResurrection, Describe(get) + " is older than the deletion at time " +
                                      DescribeStamp(floor->collected->tombstone) +
                                      ", which the store had collected");
    } else if (floor && floor->op != nullptr && *get.record < floor->record) {
      Report(IsWrite(*floor->op) ? Rule::kReadYourWrites : Rule::kMonotonicReads,
             Describe(get) + " shows an older state than " + Describe(*floor->op) +
                 " at the same store before");
    }
    Raise(place, *get.record, get);
    return;
  }
  if (!floor || floor->op == nullptr || floor->record.deleted) return;
  const std::optional<LwwRecord> deleted = DeletionAbove(get.key, floor->record, get.complete);
  if (!deleted) {
    Report(IsWrite(*floor->op) ? Rule::kReadYourWrites : Rule::kMonotonicReads,
           Describe(get) + " finds nothing after " + Describe(*floor->op) +
               " at the same store, though nobody deleted the key at a later time");
    return;
  }
  Raise(place, *deleted, get);
}

void Checker::CheckReplicas() {
  if (history_.replicas.empty()) return;
  const EventualReplica& first = history_.replicas.front();
  const auto row = [](const EventualReplica& replica, const std::string& key) {
    const auto it = replica.rows.find(key);
    return it == replica.rows.end() ? nullptr : &it->second;
  };
  for (const EventualReplica& replica : history_.replicas) {
    for (const auto& [key, record] : replica.rows) keys_.try_emplace(key);
  }
  for (const auto& [key, facts] : keys_) {
    const LwwRecord* final = row(first, key);
    const LwwRecord* shown = final != nullptr && final->deleted ? nullptr : final;
    bool equal = true;
    for (const EventualReplica& replica : history_.replicas) {
      const LwwRecord* theirs = row(replica, key);
      const bool both = final != nullptr && theirs != nullptr;
      const LwwRecord* theirs_shown = theirs != nullptr && theirs->deleted ? nullptr : theirs;
      if (both ? *final == *theirs : shown == theirs_shown) continue;
      const auto holds = [](const LwwRecord* record) {
        if (record == nullptr) return std::string("nothing");
        return (record->deleted ? "its deletion" : "value " + std::to_string(record->value)) +
               " at time " + DescribeStamp(*record);
      };
      Report(Rule::kDivergence, "at the end store " + std::to_string(first.store) + " holds " +
                                    holds(final) + " for " + key + ", but store " +
                                    std::to_string(replica.store) + " holds " + holds(theirs));
      equal = false;
      break;
    }
    if (equal) CheckFinal(key, final, first.store);
  }
}

void Checker::CheckFinal(const std::string& key, const LwwRecord* final, uint32_t store) {
  const Key& facts = keys_.find(key)->second;
  if (final != nullptr && facts.collected && *final < facts.collected->tombstone) {
    Report(Rule::kResurrection, "at the end store " + std::to_string(store) + " holds value " +
                                    std::to_string(final->value) + " of " + key + " at time " +
                                    DescribeStamp(*final) + ", though a deletion at time " +
                                    DescribeStamp(facts.collected->tombstone) +
                                    " had been collected");
    return;
  }
  if (!facts.largest) return;
  if (final != nullptr ? *final >= *facts.largest : facts.largest->deleted) return;
  if (final == nullptr && DeletionAbove(key, *facts.largest, kNever)) return;
  Report(Rule::kLostWrite, "at the end " + key + " has " +
                               (final == nullptr ? "no value"
                                : final->deleted ? "its deletion at time " + DescribeStamp(*final)
                                                 : "value " + std::to_string(final->value) +
                                                       " at time " + DescribeStamp(*final)) +
                               ", though the largest write was " + Describe(*facts.writer) +
                               ", which was stored at time " + DescribeStamp(*facts.largest));
}

}  // namespace

std::string DescribeStamp(const LwwRecord& record) {
  return std::to_string(record.wall) + "." + std::to_string(record.logical) + " of store " +
         std::to_string(record.store);
}

std::string Name(EventualRule rule) {
  switch (rule) {
    case Rule::kStamps:
      return "stamps";
    case Rule::kNotWritten:
      return "not written";
    case Rule::kDivergence:
      return "divergence";
    case Rule::kLostWrite:
      return "lost write";
    case Rule::kResurrection:
      return "resurrection";
    case Rule::kReadYourWrites:
      return "read-your-writes";
    case Rule::kMonotonicReads:
      return "monotonic reads";
  }
  return "";
}

std::vector<EventualViolation> CheckEventual(const EventualHistory& history) {
  return Checker(history).Check();
}

}  // namespace flaredb::sim
