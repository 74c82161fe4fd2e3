// SPDX-License-Identifier: Apache-2.0
#include "sim/minimise.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/rng.h"

namespace flaredb::sim {
namespace {

// Runs without any progress after which shrinking is given up: what is left depends on itself.
constexpr uint64_t kPatience = 1000;

class Minimiser {
 public:
  Minimiser(const SavedRun& run, absl::FunctionRef<bool()> may_go_on, ReplayFunction replay)
      : best_(run), may_go_on_(may_go_on), replay_(replay) {}

  Minimised Do();

 private:
  bool Try(SavedRun candidate);
  void Shrink();
  void DropKinds();
  template <typename T>
  void DropOf(std::optional<std::set<T>> Reduction::*part);
  void LookForASmallOne();
  SavedRun Complete(const SavedRun& run) const;
  bool MayGoOn() { return !over_ && !(over_ = !may_go_on_()); }
  bool out_of_patience() const { return over_ || runs_ >= patience_; }
  bool small() const { return faults() <= kFaultsGoal && operations() <= kOperationsGoal; }
  uint64_t faults() const { return best_.reduction.faults->size(); }
  uint64_t operations() const { return best_.reduction.operations->size(); }

  SavedRun best_;
  absl::FunctionRef<bool()> may_go_on_;
  ReplayFunction replay_;
  bool over_ = false;
  uint64_t runs_ = 0;
  uint64_t patience_ = 0;  // The run at which shrinking is given up, if nothing comes of it.
  uint64_t faults_and_operations_ = std::numeric_limits<uint64_t>::max();
};

// Whether `candidate` fails in the same way; it is the best then, less what it did not come to.
bool Minimiser::Try(SavedRun candidate) {
  if (!MayGoOn()) return false;
  ++runs_;
  const RunResult result = replay_(candidate, {});
  if (result.failure.invariant != best_.invariant) return false;
  candidate.sentence = result.failure.sentence;
  candidate.reduction.faults.emplace(result.faults.begin(), result.faults.end());
  candidate.reduction.operations.emplace(result.operations.begin(), result.operations.end());
  if (result.faults.size() + result.operations.size() < faults_and_operations_) {
    faults_and_operations_ = result.faults.size() + result.operations.size();
    patience_ = runs_ + kPatience;
  }
  best_ = std::move(candidate);
  return true;
}

Minimised Minimiser::Do() {
  if (Try(best_)) {
    Shrink();
    LookForASmallOne();
  }
  Minimised result{best_, 0, 0, runs_};
  if (best_.reduction.faults) result.faults = faults();
  if (best_.reduction.operations) result.operations = operations();
  return result;
}

void Minimiser::Shrink() {
  patience_ = runs_ + kPatience;
  for (uint64_t before = faults() + operations() + 1;
       faults() + operations() < before && !out_of_patience();) {
    before = faults() + operations();
    DropKinds();
    DropOf(&Reduction::operations);
    DropOf(&Reduction::faults);
  }
}

// The most frequent kinds first.
void Minimiser::DropKinds() {
  std::vector<std::pair<uint64_t, Fault>> kinds;
  for (size_t kind = 0; kind < kFaults; ++kind) {
    const auto fault = static_cast<Fault>(kind);
    const auto count = static_cast<uint64_t>(
        std::count_if(best_.reduction.faults->begin(), best_.reduction.faults->end(),
                      [&](const FaultName& name) { return name.kind == fault; }));
    if (count > 0) kinds.emplace_back(count, fault);
  }
  std::sort(kinds.rbegin(), kinds.rend());
  for (const auto& [count, fault] : kinds) {
    SavedRun candidate = best_;
    candidate.reduction.without.set(static_cast<size_t>(fault));
    Try(std::move(candidate));
  }
}

template <typename T>
void Minimiser::DropOf(std::optional<std::set<T>> Reduction::*part) {
  for (size_t chunk = std::max<size_t>((best_.reduction.*part)->size() / 2, 1); chunk > 0;
       chunk /= 2) {
    // From the end: late ones are more often needless. A success changes the set beyond the chunk,
    // so every step looks at it anew.
    for (size_t skipped = 0; skipped < (best_.reduction.*part)->size() && !out_of_patience();) {
      const std::vector<T> all((best_.reduction.*part)->begin(), (best_.reduction.*part)->end());
      const size_t end = all.size() - skipped;
      const size_t begin = end - std::min(chunk, end);
      SavedRun candidate = best_;
      std::set<T>& kept = *(candidate.reduction.*part);
      for (size_t i = begin; i < end; ++i) kept.erase(all[i]);
      if (!Try(std::move(candidate))) skipped += end - begin;
    }
  }
}

// Many kinds of bug need a few faults in the right order, and the run that showed one had hundreds.
// The profile of that run is often what the bug likes, so every other try has it.
void Minimiser::LookForASmallOne() {
  const SavedRun found = best_;
  FaultSet kinds;
  for (const FaultName& name : *found.reduction.faults) kinds.set(static_cast<size_t>(name.kind));
  for (uint64_t i = 1; !small() && MayGoOn(); ++i) {
    Rng rng(Mix64(found.tape.seed) ^ i);
    SavedRun candidate;
    candidate.invariant = found.invariant;
    candidate.faults_max = found.faults_max;
    candidate.operations_max =
        static_cast<uint32_t>(rng.Between(kOperationsGoal / 4, kOperationsGoal));
    candidate.reduction.faults_max = static_cast<uint32_t>(rng.Between(2, kFaultsGoal));
    // Frequent kinds would use up the number before anything else happens.
    for (size_t kind = 0; kind < kFaults; ++kind) {
      const bool by_chance = kind >= static_cast<size_t>(kFirstByChance);
      const bool drop = !kinds[kind] || rng.Chance(by_chance ? 900000 : 300000);
      if (drop) candidate.reduction.without.set(kind);
    }
    candidate.tape.seed = rng.Next();
    if (i % 2 == 0) {
      for (const auto& [stream, values] : found.tape.streams) {
        const bool profile = stream.first == Choice::kProfile || stream.first == Choice::kFaultPlan;
        if (profile) candidate.tape.streams[stream] = values;
      }
    }
    ++runs_;
    if (replay_(candidate, {}).failure.invariant != found.invariant) continue;
    const SavedRun before = std::exchange(best_, Complete(candidate));
    if (!Try(best_)) {
      best_ = before;
      continue;
    }
    Shrink();
    if (before.reduction.faults->size() + before.reduction.operations->size() <
        faults() + operations()) {
      best_ = before;
    }
  }
}

// With all choices on the tape.
SavedRun Minimiser::Complete(const SavedRun& run) const {
  SavedRun complete = run;
  complete.tape.streams.clear();
  RunOptions options;
  options.record_on = &complete.tape;
  replay_(run, options);
  return complete;
}

}  // namespace

Minimised Minimise(const SavedRun& run, absl::FunctionRef<bool()> may_go_on,
                   ReplayFunction replay) {
  INVARIANT(!run.invariant.empty()) << "a run that passes can't be minimised";
  return Minimiser(run, may_go_on, replay).Do();
}

}  // namespace flaredb::sim
