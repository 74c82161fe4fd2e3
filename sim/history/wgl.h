// SPDX-License-Identifier: Apache-2.0
// Checker C: linearizability against any sequential model.
//
// The search of Wing and Gong (1993) with Lowe's memo (2017): operations are linearized one by one,
// each before any that began after its end; a set of linearized operations with the state that it
// led to is visited once. Exponential in the number of concurrent operations at worst, so every
// rule below that cuts the search without losing an answer counts:
//   - A read-only operation that the state allows is linearized at once. It changes nothing, so in
//     any order that continues from here it can as well stand first.
//   - An operation of unknown outcome (complete == kNever) need not be linearized at all, and never
//     is where it would leave the state as it is.
//   - Equal operations of unknown outcome are taken in the order of their invocations.
//   - Of a model made of independent objects, only operations on one object are tried at a time:
//   that
//     of the operation that completes first. In any order that continues from here, the first
//     operation on this object can as well stand first, since it commutes with the others.
//   - Where the model never returns to a state that it left, no state is left on which a read still
//     depends, and no operation of unknown outcome taken on which none will.
//   - Linearizability is local: a history that the model lets be split by object is given as parts,
//     and a wrong part is found early by advancing all parts in turns, with growing budgets.
// There is always a verdict.
#ifndef FLAREDB_SIM_HISTORY_WGL_H_
#define FLAREDB_SIM_HISTORY_WGL_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/check.h"
#include "sim/history/history.h"
#include "sim/history/wgl_memo.h"

namespace flaredb::sim {

// A sequential object. Models may keep tables that make states small, hence no const.
template <typename M>
concept SequentialModel = std::regular<typename M::State> &&
    std::equality_comparable<typename M::Op> &&
    requires(M model, typename M::State state, const typename M::Op& op) {
  { model.Initial() } -> std::same_as<typename M::State>;
  // Applies `op`, with its answer if it has one, to `state`; false if the state does not allow
  // that answer (`state` is then unspecified). An operation of unknown outcome is applied as if
  // it took effect.
  { model.Step(op, &state) } -> std::same_as<bool>;
  // Whether `op` leaves every state as it is.
  { model.ReadOnly(op) } -> std::same_as<bool>;
  { model.Hash(state) } -> std::same_as<uint64_t>;
};

// A model of several objects that never affect each other, with the object of each operation.
template <typename M>
concept ModelOfObjects = SequentialModel<M> && requires(M model, const typename M::Op& op) {
  { model.Object(op) } -> std::same_as<uint32_t>;
};

// A model that may know that no state comes twice, and which states lead to the one that an
// answered read needs. States are small numbers.
template <typename M>
concept ModelOfOneWayStates = SequentialModel<M> &&
    std::convertible_to<typename M::State, size_t> && requires(M model, const typename M::Op& op) {
  // Whether that is known for the part to which `op` belongs.
  { model.KnowsWays(op) } -> std::same_as<bool>;
  // Then: the states that have to be passed for the read-only `op`, its own included.
  { model.Way(op) } -> std::same_as<std::span<const typename M::State>>;
  // And whether a way through the state before the write `op` may lead through the one after it.
  { model.GoesOn(op) } -> std::same_as<bool>;
};

// An operation of a history. Event numbers are unique within a part, apart from kNever.
template <typename Op>
struct TimedOp {
  Op op;
  EventNumber invoke = 0;
  EventNumber complete = kNever;  // kNever: unknown outcome, may take effect at any later time.
};

struct WglResult {
  bool linearizable = true;
  // Otherwise: the part that has no order, and the operation that stopped the furthest attempt,
  // by its position in the part.
  size_t part = 0;
  size_t blocked = 0;
};

// The search for an order of one part's operations. The model must outlive it.
template <SequentialModel M>
class WglSearch {
 public:
  using Op = TimedOp<typename M::Op>;

  WglSearch(M* model, std::span<const Op> ops);

  // Goes on for about `steps` steps; returns the verdict once it is known.
  std::optional<bool> Run(uint64_t steps);
  // The operation that stopped the furthest attempt so far, by its position in `ops`.
  size_t blocked() const { return blocked_; }

 private:
  using State = typename M::State;
  // Position in the list of events: 0 is the head, then the events in order.
  using Place = uint32_t;
  static constexpr Place kEnd = 0;

  // An invocation or a completion, in a circular list of those that are not linearized yet.
  struct Event {
    Place previous = kEnd;
    Place next = kEnd;
    uint32_t op = 0;
    bool completion = false;
  };
  // Per operation.
  struct Entry {
    Place invocation = 0;
    Place completion = kEnd;                 // kEnd if unknown.
    uint32_t equal_before = kNoEqualBefore;  // Previous equal one of unknown outcome.
    bool read_only = false;
    uint32_t object = 0;
    uint32_t bit = 0;  // In done_.
  };
  static constexpr uint32_t kNoEqualBefore = std::numeric_limits<uint32_t>::max();
  // A choice: `op` was linearized in `state`, then the read-only ones that its result allowed.
  struct Choice {
    uint32_t op;
    uint32_t read_only_after;
    State state;
  };

  void Lift(uint32_t op);
  void Unlift(uint32_t op);
  void LiftReadOnly();
  // Goes on at `place`.
  void LookAt(Place place);
  bool TryChoice(uint32_t op);
  // Takes the last choice back; returns its operation's invocation, now in the list again.
  Place Backtrack();
  // Notes that one answered read more, or less, is to be linearized.
  void Await(uint32_t op, uint32_t difference) {
    if constexpr (ModelOfOneWayStates<M>) {
      if (!entries_[op].read_only) return;
      for (const size_t state : model_->Way(ops_[op].op)) {
        if (state >= awaited_.size()) awaited_.resize(state + 1);
        awaited_[state] += difference;
      }
    }
  }
  // The answered reads to come whose way leads through `state`.
  uint32_t Awaited(size_t state) const { return state < awaited_.size() ? awaited_[state] : 0; }
  bool Linearized(uint32_t op) const {
    const uint32_t bit = entries_[op].bit;
    return (done_[bit / 64] >> (bit % 64)) & 1;
  }

  M* model_;
  std::span<const Op> ops_;
  std::vector<Event> events_;
  std::vector<Entry> entries_;
  State state_;
  // Bit set of the linearized operations: the answered ones by invocation, which are done up to
  // some point and not from some point on; then, in words of their own, those of unknown outcome.
  std::vector<uint64_t> done_;
  size_t completions_left_ = 0;
  size_t fewest_left_ = std::numeric_limits<size_t>::max();
  size_t blocked_ = 0;
  Place at_ = kEnd;           // The event to look at next.
  uint32_t wall_object_ = 0;  // The object of the operation that completes first.
  std::vector<Choice> choices_;
  std::vector<uint32_t> read_only_done_;  // In the order in which they were linearized.
  WglMemo<State> memo_;
  std::vector<uint32_t> awaited_;  // By state. Only of ModelOfOneWayStates.
};

// Decides whether every part has an order that `model` allows.
template <SequentialModel M>
WglResult CheckWgl(M* model, const std::vector<std::vector<TimedOp<typename M::Op>>>& parts) {
  constexpr uint64_t kFirstBudget = 256;
  std::vector<std::unique_ptr<WglSearch<M>>> open(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    open[i] = std::make_unique<WglSearch<M>>(model, parts[i]);
  }
  size_t left = parts.size();
  for (uint64_t budget = kFirstBudget; left > 0; budget *= 2) {
    for (size_t i = 0; i < parts.size(); ++i) {
      if (!open[i]) continue;
      const std::optional<bool> verdict = open[i]->Run(budget);
      if (!verdict) continue;
      if (!*verdict) return {false, i, open[i]->blocked()};
      open[i].reset();
      --left;
    }
  }
  return {};
}

template <SequentialModel M>
WglSearch<M>::WglSearch(M* model, std::span<const Op> ops)
    : model_(model), ops_(ops), entries_(ops.size()), state_(model->Initial()), memo_(0) {
  struct Mark {
    EventNumber at;
    uint32_t op;
    bool completion;
  };
  std::vector<Mark> marks;
  marks.reserve(2 * ops.size());
  std::vector<uint32_t> unknown;
  for (uint32_t i = 0; i < ops.size(); ++i) {
    INVARIANT(ops[i].invoke < ops[i].complete);
    entries_[i].read_only = model->ReadOnly(ops[i].op);
    if constexpr (ModelOfObjects<M>) entries_[i].object = model->Object(ops[i].op);
    if (ops[i].complete == kNever) {
      if (entries_[i].read_only) continue;  // Says nothing and changes nothing.
      unknown.push_back(i);
    } else {
      marks.push_back({ops[i].complete, i, true});
      ++completions_left_;
      Await(i, 1);
    }
    marks.push_back({ops[i].invoke, i, false});
  }
  std::sort(marks.begin(), marks.end(), [](const Mark& x, const Mark& y) { return x.at < y.at; });

  events_.resize(marks.size() + 1);
  for (Place p = 1; p <= marks.size(); ++p) {
    const Mark& mark = marks[p - 1];
    events_[p] = {p - 1, p == marks.size() ? kEnd : p + 1, mark.op, mark.completion};
    (mark.completion ? entries_[mark.op].completion : entries_[mark.op].invocation) = p;
  }
  if (!marks.empty()) {
    events_[kEnd].next = 1;
    events_[kEnd].previous = static_cast<Place>(marks.size());
  }

  std::sort(unknown.begin(), unknown.end(),
            [&](uint32_t x, uint32_t y) { return ops[x].invoke < ops[y].invoke; });
  uint32_t bit = 0;
  for (const Mark& mark : marks) {
    if (!mark.completion && ops[mark.op].complete != kNever) entries_[mark.op].bit = bit++;
  }
  const size_t answered_words = (bit + 63) / 64;
  bit = static_cast<uint32_t>(answered_words * 64);
  for (const uint32_t op : unknown) entries_[op].bit = bit++;
  done_.resize((bit + 63) / 64);
  memo_ = WglMemo<State>(answered_words);
  for (size_t i = 0; i < unknown.size(); ++i) {
    for (size_t j = i; j-- > 0;) {
      if (ops[unknown[j]].op == ops[unknown[i]].op) {
        entries_[unknown[i]].equal_before = unknown[j];
        break;
      }
    }
  }
  LiftReadOnly();
  LookAt(events_[kEnd].next);
}

template <SequentialModel M>
std::optional<bool> WglSearch<M>::Run(uint64_t steps) {
  for (; completions_left_ > 0; --steps) {
    if (steps == 0) return std::nullopt;
    const Event event = events_[at_];
    // The first completion is the wall: its operation comes before all that are invoked later.
    // There is one ahead, since completions are left.
    if (event.completion) {
      if (completions_left_ < fewest_left_) {
        fewest_left_ = completions_left_;
        blocked_ = event.op;
      }
      if (choices_.empty()) return false;
      LookAt(events_[Backtrack()].next);
    } else if (TryChoice(event.op)) {
      LookAt(events_[kEnd].next);
    } else {
      at_ = event.next;
    }
  }
  return true;
}

template <SequentialModel M>
void WglSearch<M>::LookAt(Place place) {
  at_ = place;
  if constexpr (ModelOfObjects<M>) {
    Place wall = events_[kEnd].next;
    while (wall != kEnd && !events_[wall].completion) wall = events_[wall].next;
    wall_object_ = entries_[events_[wall].op].object;
  }
}

template <SequentialModel M>
bool WglSearch<M>::TryChoice(uint32_t op) {
  const Entry& entry = entries_[op];
  if (entry.read_only) return false;  // Not allowed by this state, or it would be linearized.
  if (entry.object != wall_object_) return false;
  const bool unknown = entry.completion == kEnd;
  if (unknown && entry.equal_before != kNoEqualBefore && !Linearized(entry.equal_before)) {
    return false;
  }
  State next = state_;
  if (!model_->Step(ops_[op].op, &next)) return false;
  if (unknown && next == state_) return false;
  if constexpr (ModelOfOneWayStates<M>) {
    if (model_->KnowsWays(ops_[op].op) && next != state_) {
      const uint32_t ahead = Awaited(next);
      if (unknown && ahead == 0) return false;  // Without it nothing that is read changes.
      if (Awaited(state_) > (model_->GoesOn(ops_[op].op) ? ahead : 0)) return false;
    }
  }
  std::swap(state_, next);
  const uint32_t read_only_before = static_cast<uint32_t>(read_only_done_.size());
  Lift(op);
  LiftReadOnly();
  choices_.push_back({op, static_cast<uint32_t>(read_only_done_.size()) - read_only_before, next});
  if (memo_.Insert(done_, state_, model_->Hash(state_))) return true;
  Backtrack();
  return false;
}

template <SequentialModel M>
typename WglSearch<M>::Place WglSearch<M>::Backtrack() {
  const Choice& choice = choices_.back();
  for (uint32_t i = 0; i < choice.read_only_after; ++i) {
    Unlift(read_only_done_.back());
    read_only_done_.pop_back();
  }
  Unlift(choice.op);
  state_ = choice.state;
  const Place place = entries_[choice.op].invocation;
  choices_.pop_back();
  return place;
}

// One pass is enough: the state stays the same, and the ones that go only move the wall on.
template <SequentialModel M>
void WglSearch<M>::LiftReadOnly() {
  for (Place p = events_[kEnd].next; p != kEnd && !events_[p].completion;) {
    const uint32_t op = events_[p].op;
    p = events_[p].next;
    if (!entries_[op].read_only) continue;
    State same = state_;
    if (!model_->Step(ops_[op].op, &same)) continue;
    // Only its own completion can have been the wall, and then the scan goes on beyond it.
    if (p == entries_[op].completion) p = events_[p].next;
    Lift(op);
    read_only_done_.push_back(op);
  }
}

template <SequentialModel M>
void WglSearch<M>::Lift(uint32_t op) {
  const auto unlink = [&](Place p) {
    events_[events_[p].previous].next = events_[p].next;
    events_[events_[p].next].previous = events_[p].previous;
  };
  unlink(entries_[op].invocation);
  if (entries_[op].completion != kEnd) {
    unlink(entries_[op].completion);
    --completions_left_;
    Await(op, -1u);
  }
  done_[entries_[op].bit / 64] |= uint64_t{1} << (entries_[op].bit % 64);
}

// Reverses the latest Lift, so that the neighbours are those of that time.
template <SequentialModel M>
void WglSearch<M>::Unlift(uint32_t op) {
  const auto relink = [&](Place p) {
    events_[events_[p].previous].next = p;
    events_[events_[p].next].previous = p;
  };
  if (entries_[op].completion != kEnd) {
    relink(entries_[op].completion);
    ++completions_left_;
    Await(op, 1);
  }
  relink(entries_[op].invocation);
  done_[entries_[op].bit / 64] &= ~(uint64_t{1} << (entries_[op].bit % 64));
}

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_WGL_H_
