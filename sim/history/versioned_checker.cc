// SPDX-License-Identifier: Apache-2.0
//
// Why the method is exact.
//
// Let w(v) be the point at which version v was written, N the highest version that an answer names.
// Versions are dense, so w(1) < w(2) < ... < w(N) all exist. Write "v lives" if v was a put; a
// deletion's version is a tombstone, and version 0 (never written) counts as one.
//
// 1. Bounds. The writer of v gives invoke < w(v) < complete. An answer that names live version v
//    with interval (a, b) was given between w(v) and w(v+1): w(v) < b and a < w(v+1). So each w(v)
//    has a lower bound after(v) and an upper bound before(v), and these say all that such answers
//    say. With the suffix minima B(v) = min before(u) over u >= v, the bounds have a solution if
//    and only if the least one, w(v) = max(w(v-1), after(v)), has w(v) < B(v) everywhere.
//
// 2. Absence. An answer "not live" with interval (a, b) needs a point outside every life. A life
//    begins at its creation c and ends at the deletion d; the answer lies wholly within it exactly
//    if w(c) < a and b < w(d). So for each life and each absence: a < w(c) or w(d) < b. Take the
//    least w(d), which is best for all that follows, since later writes are bounded by it only from
//    below. Absences with b < w(d) then need a < w(c): raise w(c) to the highest such a. That is
//    possible if and only if it stays below B(c), and it disturbs nothing: a < b < w(d), so writes
//    between c and d that must move up still precede d, and B(c) is below all their upper bounds.
//    Hence: for each life, max{a : b < w(d)} < B(c), with w(d) the least solution (infinite for the
//    last life, if nobody deletes).
//
// 3. Unknown writers. Version v without an acknowledged writer was written by an operation of
//    unknown outcome. It only adds a lower bound (its invocation), so the least bound is best.
//    a. If v's value was read, the value names the writer.
//    b. An operation that expects e >= 1 can only produce version e + 1. Among several, the one
//    that
//       was invoked first is best, and no other version competes for it.
//    c. A creation (expected 0) can produce any version after a tombstone. If k versions need an
//       unnamed creation, the j-th of them comes after at least j invocations of creations, so it
//       is no earlier than the j-th invocation in order of time; handing the creations out in that
//       order reaches this bound for every j at once.
//
// 4. Open kinds. A version that nobody acknowledged or read may have been a put or a tombstone
//    (and its successor then needs a creation). All such stories are carried along. A story is what
//    the future depends on: the least w(v), how many unnamed creations it used (by 3c their
//    number says which), and B(c) of the current life. A story that is no better in any of the
//    three is dropped. After the next answered version the least w(v) usually agree again, so one
//    is left.
//
// 5. Beyond N. Versions that no answer names are needed only to end the last life, for absences
//    after it. The earliest possible end is best (2), and once the key is not live nothing more is
//    needed. So the stories are continued over puts (3b) up to the first deletion, while operations
//    of unknown outcome allow it.
#include "sim/history/versioned_checker.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/check.h"

namespace flaredb::sim {
namespace {

// An operation by its position in the key's list.
using OpIndex = uint32_t;
constexpr OpIndex kNone = std::numeric_limits<OpIndex>::max();

// A bound on a write point and the operation that sets it.
struct Bound {
  EventNumber at = 0;
  OpIndex op = kNone;
};

void Raise(Bound* bound, EventNumber at, OpIndex op) {
  if (at > bound->at) *bound = {at, op};
}
void Lower(Bound* bound, EventNumber at, OpIndex op) {
  if (at < bound->at) *bound = {at, op};
}

// What is known of one version.
struct Version {
  Bound after;             // w(v) is later.
  Bound before{kNever};    // w(v) is earlier. Suffix minima, once all answers are in.
  OpIndex writer = kNone;  // Acknowledged, or named by the value that was read.
  OpIndex live = kNone;    // An answer that saw v live.
  OpIndex read = kNone;    // An answer that tells v's value.
  OpIndex put = kNone;     // First-invoked unknown CAS that expects v-1 >= 1.
  OpIndex del = kNone;     // First-invoked unknown CAS-delete that expects v-1 >= 1.
};

// An answer "not live".
struct Absence {
  EventNumber complete;
  Bound invoked;  // Of this one; after sorting, the latest of all up to this one.
};

// One way to tell the versions so far; see 4 above.
struct Story {
  Bound point;                   // Least w(v).
  uint32_t creations = 0;        // Unnamed creations used.
  Bound created_before{kNever};  // B(c) of the current life; unused while not live.
};

// Why a key's history, or one of its stories, is impossible. Rendered only for the final verdict.
struct Contradiction {
  enum class Rule {
    kImpossibleAnswer,  // a: its answer contradicts its own request
    kTwoWriters,        // a, b: both acknowledged as v
    kTwoValues,         // a, b: read different values at v
    kWrongValue,        // a: read at v a value that is not what b, v's writer, wrote
    kNeverWritten,      // a: read at v a value that no operation wrote
    kNotApplied,        // a: read at v a value that b, without effect, would have written
    kValueElsewhere,    // a: read at v the value that b can't have written as v
    kValueTwice,        // a, b: read the same value at two versions
    kNoWriter,          // a: shows that v was written; nobody can have written it
    kNotAsExpected,     // a: wrote v; what it expected contradicts b or what can have been
    kLiveTombstone,     // a: deleted as v; b: saw v live
    kOrder,             // v was written after a was invoked, but before b completed
    kAbsentWithinLife,  // a: "not live", inside the life whose creation precedes b's completion
  };
  Rule rule = Rule::kNoWriter;
  OpIndex a = kNone;
  OpIndex b = kNone;
  uint64_t version = 0;
};

std::string Render(const Contradiction& c, std::span<const VersionedOp> ops) {
  using Rule = Contradiction::Rule;
  const auto op = [&](OpIndex i) {
    return i == kNone ? std::string("no operation") : Describe(ops[i]);
  };
  std::ostringstream out;
  switch (c.rule) {
    case Rule::kImpossibleAnswer:
      out << op(c.a) << " was given an answer that no state of the key allows";
      break;
    case Rule::kTwoWriters:
      out << "version " << c.version << " was acknowledged twice: to " << op(c.a) << " and to "
          << op(c.b);
      break;
    case Rule::kTwoValues:
      out << "version " << c.version << " has two values: " << op(c.a) << " and " << op(c.b);
      break;
    case Rule::kWrongValue:
      out << op(c.a) << " returned a value that is not what version " << c.version
          << "'s writer wrote: " << op(c.b);
      break;
    case Rule::kNeverWritten:
      out << op(c.a) << " returned a value that no operation on the key wrote";
      break;
    case Rule::kNotApplied:
      out << op(c.a) << " returned the value of a write that had no effect: " << op(c.b);
      break;
    case Rule::kValueElsewhere:
      out << op(c.a) << " returned the value of a write that can't have produced version "
          << c.version << ": " << op(c.b);
      break;
    case Rule::kValueTwice:
      out << "one write's value was returned at two versions: " << op(c.a) << " and " << op(c.b);
      break;
    case Rule::kNoWriter:
      out << op(c.a) << " shows that version " << c.version
          << " was written, but no operation can have written it";
      if (c.b != kNone) out << " after " << op(c.b);
      break;
    case Rule::kNotAsExpected:
      out << op(c.a) << " wrote version " << c.version << ", but version " << c.version - 1
          << " was not what it expected";
      if (c.b != kNone) out << ": " << op(c.b);
      break;
    case Rule::kLiveTombstone:
      out << "version " << c.version << " is the tombstone of " << op(c.a) << ", but " << op(c.b)
          << " saw it live";
      break;
    case Rule::kOrder:
      out << "version " << c.version << " must have been written after the invocation of "
          << op(c.a) << ", and before the completion of " << op(c.b);
      break;
    case Rule::kAbsentWithinLife:
      out << op(c.a) << " did not find the key live, but it was live throughout: it was created "
          << "before the completion of " << op(c.b);
      if (c.version != 0) out << " and not deleted before version " << c.version;
      break;
  }
  return out.str();
}

class KeyChecker {
 public:
  // Reusable: keeps its memory from key to key.
  std::optional<Contradiction> Check(std::span<const VersionedOp> ops);

 private:
  using Rule = Contradiction::Rule;

  // Each that returns bool returns false with `broken_` set if it finds a contradiction.
  bool FindLastVersion();
  bool Collect();
  bool CollectAnswer(OpIndex i);
  void CollectUnknown(OpIndex i);
  bool NameWriters();
  bool NameWriter(uint64_t v);
  bool BreakForeignValue(uint64_t v);
  bool Tell(uint64_t v);
  bool TellKnownWriter(uint64_t v);
  void TellUnknownWriter(uint64_t v);
  bool TellEnd();

  // Continue `story` by version v into the next stories, if w(v) has room. `unknown_writer` is
  // kNone if the writer is known.
  void Put(const Story& story, uint64_t v, OpIndex unknown_writer);
  void Create(const Story& story, uint64_t v, OpIndex unknown_writer);
  void Delete(const Story& story, uint64_t v, OpIndex unknown_writer);
  bool Place(Story* story, uint64_t v, OpIndex unknown_writer);
  // Whether the absences allow the current life of `story` to last until `end`. See 2 above.
  bool LifeMayLastUntil(const Story& story, EventNumber end, uint64_t deleted_as);
  // Drops the stories that are no better than another one.
  static void KeepBest(std::vector<Story>* stories);

  bool Break(Rule rule, OpIndex a, OpIndex b, uint64_t version) {
    broken_ = {rule, a, b, version};
    return false;
  }
  // An answer that shows that version v <= N was written.
  OpIndex Evidence(uint64_t v) const;

  std::span<const VersionedOp> ops_;
  uint64_t last_version_ = 0;       // N
  std::vector<Version> versions_;   // By number; some beyond N, for 5. [0] stands for "not yet".
  std::vector<Absence> absences_;   // By completion.
  std::vector<OpIndex> creations_;  // Unknown, not named by a value; by invocation.
  std::vector<std::pair<ValueId, OpIndex>> unknown_values_;  // Sorted when first needed.
  bool unknown_values_ready_ = false;
  std::vector<std::pair<OpIndex, uint64_t>>
      named_;  // Unknown creations whose value was read, where.
  // The stories that end in a live version, and those that end in a tombstone; and the next ones.
  std::vector<Story> live_, gone_, next_live_, next_gone_;
  Contradiction broken_;
};

std::optional<Contradiction> KeyChecker::Check(std::span<const VersionedOp> ops) {
  INVARIANT(ops.size() < kNone);
  ops_ = ops;
  if (!FindLastVersion() || !Collect() || !NameWriters()) return broken_;
  live_.clear();
  gone_.assign(1, Story{});
  for (uint64_t v = 1; v <= last_version_; ++v) {
    if (!Tell(v)) return broken_;
  }
  if (!TellEnd()) return broken_;
  return std::nullopt;
}

// Also rejects the answers that contradict their own request.
bool KeyChecker::FindLastVersion() {
  last_version_ = 0;
  OpIndex last_op = kNone;
  uint64_t writes = 0;
  uint64_t unknown_writes = 0;
  for (OpIndex i = 0; i < ops_.size(); ++i) {
    const VersionedOp& op = ops_[i];
    INVARIANT(op.invoke >= 1 && op.invoke < op.complete) << Describe(op);
    uint64_t named = 0;
    if (op.outcome == Outcome::kMismatch) {
      if (op.kind == OpKind::kGet || op.version == op.expected) {
        return Break(Rule::kImpossibleAnswer, i, kNone, op.version);
      }
      named = op.version;
    } else if (op.outcome == Outcome::kOk) {
      named = op.version;
      if (op.kind == OpKind::kCas) {
        ++writes;
        if (op.version == 0 || (op.expected != 0 && op.version != op.expected + 1)) {
          return Break(Rule::kImpossibleAnswer, i, kNone, op.version);
        }
      } else if (op.kind == OpKind::kCasDelete) {
        ++writes;
        if (op.expected == 0) return Break(Rule::kImpossibleAnswer, i, kNone, 0);
        named = op.expected + 1;
      }
    } else if (op.outcome == Outcome::kUnknown && op.kind != OpKind::kGet) {
      ++unknown_writes;
    }
    if (named > last_version_) {
      last_version_ = named;
      last_op = i;
    }
  }
  // Dense versions: N writes took effect. This also bounds the memory that an answer can ask for.
  if (last_version_ > writes + unknown_writes) {
    return Break(Rule::kNoWriter, last_op, kNone, last_version_);
  }
  versions_.assign(last_version_ + unknown_writes + 2, Version{});
  return true;
}

bool KeyChecker::Collect() {
  absences_.clear();
  creations_.clear();
  unknown_values_.clear();
  unknown_values_ready_ = false;
  for (OpIndex i = 0; i < ops_.size(); ++i) {
    const Outcome outcome = ops_[i].outcome;
    if (outcome == Outcome::kUnknown) {
      CollectUnknown(i);
    } else if (outcome != Outcome::kNotApplied) {
      if (!CollectAnswer(i)) return false;
    }
  }
  const auto by_completion = [](const Absence& x, const Absence& y) {
    return x.complete < y.complete;
  };
  if (!std::is_sorted(absences_.begin(), absences_.end(), by_completion)) {
    std::sort(absences_.begin(), absences_.end(), by_completion);
  }
  for (size_t i = 1; i < absences_.size(); ++i) {
    Raise(&absences_[i].invoked, absences_[i - 1].invoked.at, absences_[i - 1].invoked.op);
  }
  for (uint64_t v = last_version_; v >= 1; --v) {
    const Bound& later = versions_[v + 1].before;
    Lower(&versions_[v].before, later.at, later.op);
  }
  return true;
}

bool KeyChecker::CollectAnswer(OpIndex i) {
  const VersionedOp& op = ops_[i];
  if (op.outcome == Outcome::kOk && op.kind != OpKind::kGet) {
    const uint64_t v = op.kind == OpKind::kCas ? op.version : op.expected + 1;
    Version& version = versions_[v];
    if (version.writer != kNone) return Break(Rule::kTwoWriters, version.writer, i, v);
    version.writer = i;
    Raise(&version.after, op.invoke, i);
    Lower(&version.before, op.complete, i);
    return true;
  }
  if (op.version == 0) {
    absences_.push_back({op.complete, {op.invoke, i}});
    return true;
  }
  Version& version = versions_[op.version];
  Lower(&version.before, op.complete, i);
  Raise(&versions_[op.version + 1].after, op.invoke, i);
  version.live = i;
  if (op.kind == OpKind::kGet) {
    if (version.read == kNone) {
      version.read = i;
    } else if (ops_[version.read].value != op.value) {
      return Break(Rule::kTwoValues, version.read, i, op.version);
    }
  }
  return true;
}

void KeyChecker::CollectUnknown(OpIndex i) {
  const VersionedOp& op = ops_[i];
  if (op.kind == OpKind::kGet) return;
  const bool put = op.kind == OpKind::kCas;
  if (put) unknown_values_.emplace_back(op.value, i);
  if (op.expected == 0) {
    if (put) creations_.push_back(i);
    return;
  }
  // More versions than the history can have: the operation finds no such state.
  if (op.expected >= versions_.size() - 1) return;
  Version& version = versions_[op.expected + 1];
  OpIndex& first = put ? version.put : version.del;
  if (first == kNone || op.invoke < ops_[first].invoke) first = i;
}

bool KeyChecker::NameWriters() {
  named_.clear();
  for (uint64_t v = 1; v <= last_version_; ++v) {
    if (versions_[v].read != kNone && !NameWriter(v)) return false;
  }
  std::sort(named_.begin(), named_.end());
  for (size_t i = 1; i < named_.size(); ++i) {
    const auto& [op, version] = named_[i];
    if (op == named_[i - 1].first) {
      return Break(Rule::kValueTwice, versions_[named_[i - 1].second].read, versions_[version].read,
                   version);
    }
  }
  std::erase_if(creations_, [&](OpIndex i) {
    const auto it = std::lower_bound(named_.begin(), named_.end(), std::pair(i, uint64_t{0}));
    return it != named_.end() && it->first == i;
  });
  std::sort(creations_.begin(), creations_.end(),
            [&](OpIndex x, OpIndex y) { return ops_[x].invoke < ops_[y].invoke; });
  return true;
}

// Version v's value was read: checks it, or finds the unknown operation that wrote it.
bool KeyChecker::NameWriter(uint64_t v) {
  Version& version = versions_[v];
  const ValueId value = ops_[version.read].value;
  if (version.writer != kNone) {
    const VersionedOp& writer = ops_[version.writer];
    if (writer.kind == OpKind::kCasDelete) {
      return Break(Rule::kLiveTombstone, version.writer, version.read, v);
    }
    return writer.value == value || Break(Rule::kWrongValue, version.read, version.writer, v);
  }
  if (!unknown_values_ready_) {
    std::sort(unknown_values_.begin(), unknown_values_.end());
    unknown_values_ready_ = true;
  }
  const auto it = std::lower_bound(unknown_values_.begin(), unknown_values_.end(),
                                   std::pair(value, OpIndex{0}));
  if (it == unknown_values_.end() || it->first != value) return BreakForeignValue(v);
  const OpIndex i = it->second;
  INVARIANT(std::next(it) == unknown_values_.end() || std::next(it)->first != value)
      << "values are unique: " << Describe(ops_[i]) << " and "
      << Describe(ops_[std::next(it)->second]);
  const uint64_t expected = ops_[i].expected;
  if (expected != 0 && expected != v - 1) return Break(Rule::kValueElsewhere, version.read, i, v);
  version.writer = i;
  Raise(&version.after, ops_[i].invoke, i);
  if (expected == 0) named_.emplace_back(i, v);
  return true;
}

// The value read at version v has no possible writer; says where it comes from.
bool KeyChecker::BreakForeignValue(uint64_t v) {
  const OpIndex read = versions_[v].read;
  for (OpIndex i = 0; i < ops_.size(); ++i) {
    const VersionedOp& op = ops_[i];
    if (op.kind != OpKind::kCas || op.value != ops_[read].value) continue;
    return Break(op.outcome == Outcome::kOk ? Rule::kValueElsewhere : Rule::kNotApplied, read, i,
                 v);
  }
  return Break(Rule::kNeverWritten, read, kNone, v);
}

// Continues every story by version v <= N.
bool KeyChecker::Tell(uint64_t v) {
  next_live_.clear();
  next_gone_.clear();
  if (versions_[v].writer != kNone) {
    if (!TellKnownWriter(v)) return false;
  } else {
    TellUnknownWriter(v);
  }
  if (next_live_.empty() && next_gone_.empty()) {
    if (broken_.rule == Rule::kNoWriter) broken_.a = Evidence(v);
    return false;
  }
  KeepBest(&next_live_);
  KeepBest(&next_gone_);
  live_.swap(next_live_);
  gone_.swap(next_gone_);
  return true;
}

bool KeyChecker::TellKnownWriter(uint64_t v) {
  const Version& version = versions_[v];
  const VersionedOp& writer = ops_[version.writer];
  if (writer.kind == OpKind::kCasDelete && version.live != kNone) {
    return Break(Rule::kLiveTombstone, version.writer, version.live, v);
  }
  const std::vector<Story>& stories = writer.expected == 0 ? gone_ : live_;
  if (stories.empty()) {
    const Version& previous = versions_[v - 1];
    return Break(Rule::kNotAsExpected, version.writer,
                 previous.writer != kNone ? previous.writer : previous.live, v);
  }
  for (const Story& story : stories) {
    if (writer.kind == OpKind::kCasDelete) {
      Delete(story, v, kNone);
    } else if (writer.expected == 0) {
      Create(story, v, kNone);
    } else {
      Put(story, v, kNone);
    }
  }
  return true;
}

void KeyChecker::TellUnknownWriter(uint64_t v) {
  const Version& version = versions_[v];
  broken_ = {Rule::kNoWriter, kNone, kNone, v};
  for (const Story& story : live_) {
    if (version.put != kNone) Put(story, v, version.put);
    if (version.del != kNone && version.live == kNone) Delete(story, v, version.del);
  }
  for (const Story& story : gone_) {
    if (story.creations < creations_.size()) Create(story, v, creations_[story.creations]);
  }
}

// See 5 above.
bool KeyChecker::TellEnd() {
  if (!gone_.empty()) return true;
  for (const Story& story : live_) {
    if (LifeMayLastUntil(story, kNever, 0)) return true;
  }
  const Contradiction absent_at_end = broken_;
  next_gone_.clear();
  for (uint64_t v = last_version_ + 1; !live_.empty(); ++v) {
    const Version& version = versions_[v];
    next_live_.clear();
    for (const Story& story : live_) {
      if (version.del != kNone) Delete(story, v, version.del);
      if (version.put != kNone) Put(story, v, version.put);
    }
    if (!next_gone_.empty()) return true;
    KeepBest(&next_live_);
    live_.swap(next_live_);
  }
  broken_ = absent_at_end;
  return false;
}

void KeyChecker::Put(const Story& story, uint64_t v, OpIndex unknown_writer) {
  Story next = story;
  if (Place(&next, v, unknown_writer)) next_live_.push_back(next);
}

void KeyChecker::Create(const Story& story, uint64_t v, OpIndex unknown_writer) {
  Story next = story;
  next.created_before = versions_[v].before;
  if (unknown_writer != kNone) ++next.creations;
  if (Place(&next, v, unknown_writer)) next_live_.push_back(next);
}

void KeyChecker::Delete(const Story& story, uint64_t v, OpIndex unknown_writer) {
  Story next = story;
  if (Place(&next, v, unknown_writer) && LifeMayLastUntil(next, next.point.at, v)) {
    next.created_before = {kNever};
    next_gone_.push_back(next);
  }
}

bool KeyChecker::Place(Story* story, uint64_t v, OpIndex unknown_writer) {
  const Version& version = versions_[v];
  Raise(&story->point, version.after.at, version.after.op);
  if (unknown_writer != kNone) Raise(&story->point, ops_[unknown_writer].invoke, unknown_writer);
  return story->point.at < version.before.at ||
         Break(Rule::kOrder, story->point.op, version.before.op, v);
}

bool KeyChecker::LifeMayLastUntil(const Story& story, EventNumber end, uint64_t deleted_as) {
  const auto after = std::partition_point(absences_.begin(), absences_.end(),
                                          [&](const Absence& x) { return x.complete < end; });
  if (after == absences_.begin()) return true;
  const Bound& latest = std::prev(after)->invoked;
  return latest.at < story.created_before.at ||
         Break(Rule::kAbsentWithinLife, latest.op, story.created_before.op, deleted_as);
}

void KeyChecker::KeepBest(std::vector<Story>* stories) {
  if (stories->size() < 2) return;
  std::sort(stories->begin(), stories->end(), [](const Story& x, const Story& y) {
    return std::tuple(x.creations, x.point.at, y.created_before.at) <
           std::tuple(y.creations, y.point.at, x.created_before.at);
  });
  size_t kept = 0;
  for (const Story& story : *stories) {
    const bool no_better = std::any_of(
        stories->begin(), stories->begin() + static_cast<ptrdiff_t>(kept), [&](const Story& x) {
          return x.point.at <= story.point.at && x.created_before.at >= story.created_before.at;
        });
    if (!no_better) (*stories)[kept++] = story;
  }
  stories->resize(kept);
}

OpIndex KeyChecker::Evidence(uint64_t v) const {
  for (uint64_t u = v; u <= last_version_; ++u) {
    if (versions_[u].live != kNone) return versions_[u].live;
    if (versions_[u].writer != kNone) return versions_[u].writer;
  }
  return kNone;
}

}  // namespace

Verdict CheckVersionedKey(std::span<const VersionedOp> ops) {
  const std::optional<Contradiction> broken = KeyChecker().Check(ops);
  return broken ? Verdict{false, Render(*broken, ops)} : Verdict{};
}

Verdict CheckVersioned(const VersionedHistory& history) {
  KeyChecker checker;
  for (size_t key = 0; key < history.keys(); ++key) {
    const std::optional<Contradiction> broken = checker.Check(history.ops(key));
    if (broken) {
      return {false, "key \"" + history.key(key) + "\": " + Render(*broken, history.ops(key))};
    }
  }
  return {};
}

}  // namespace flaredb::sim
