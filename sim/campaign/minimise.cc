// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/minimise.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/rng.h"

namespace flaredb::sim {
namespace {

// Runs without much progress after which the other way is tried; twice as many each time. What is
// left then depends on itself.
constexpr uint64_t kFirstPatience = 200;

class Minimiser {
 public:
  Minimiser(const SavedRun& run, absl::FunctionRef<bool()> may_go_on, ReplayFunction replay)
      : best_(run), may_go_on_(may_go_on), replay_(replay) {}

  Minimised Do();

 private:
  bool Fails(SavedRun* candidate, Duration stop_after);
  bool Try(SavedRun candidate);
  void ForgetTape();
  bool Shrink();
  void DropKinds();
  template <typename T>
  void DropOf(std::optional<std::set<T>> Reduction::*part);
  void LookForASmallOne();
  SavedRun Another() const;
  SavedRun Complete(const SavedRun& run);
  bool MayGoOn() { return !over_ && !(over_ = !may_go_on_()); }
  bool out_of_patience() const { return over_ || runs_ >= give_up_at_; }
  bool small() const { return faults() <= kFaultsGoal && operations() <= kOperationsGoal; }
  uint64_t faults() const { return best_.reduction.faults->size(); }
  uint64_t operations() const { return best_.reduction.operations->size(); }
  uint64_t size() const { return faults() + operations(); }

  SavedRun best_;
  Tape profile_;          // That of the best one begins like this.
  Duration fails_after_;  // The best one.
  absl::FunctionRef<bool()> may_go_on_;
  ReplayFunction replay_;
  bool over_ = false;
  uint64_t runs_ = 0;
  uint64_t patience_ = kFirstPatience;
  uint64_t give_up_at_ = 0;  // The run at which shrinking is given up, if nothing comes of it.
  uint64_t size_then_ = 0;   // When patience was last renewed.
  uint64_t others_ = 0;      // Runs that were tried in place of the best one.
};

// Whether `candidate` fails in the same way; it says then what it came to, and nothing more.
bool Minimiser::Fails(SavedRun* candidate, Duration stop_after) {
  ++runs_;
  RunOptions options;
  options.stop_after = stop_after;
  const RunResult result = replay_(*candidate, options);
  if (result.failure.invariant != best_.invariant) return false;
  candidate->sentence = result.failure.sentence;
  candidate->reduction.faults.emplace(result.faults.begin(), result.faults.end());
  candidate->reduction.operations.emplace(result.operations.begin(), result.operations.end());
  fails_after_ = result.simulated;
  return true;
}

bool Minimiser::Try(SavedRun candidate) {
  if (!MayGoOn()) return false;
  // With less to do it may come to it later, but hardly much.
  if (!Fails(&candidate, fails_after_ * 2 + Duration::Seconds(1))) return false;
  best_ = std::move(candidate);
  if (size() * 10 < size_then_ * 9) {
    size_then_ = size();
    give_up_at_ = runs_ + patience_;
  }
  return true;
}

Minimised Minimiser::Do() {
  fails_after_ = Duration::Seconds(1000000);
  if (Try(best_)) {
    ForgetTape();
    while ((!Shrink() || !small()) && !over_) {
      if (!small()) LookForASmallOne();
      patience_ *= 2;
    }
    if (!profile_.streams.empty()) best_ = Complete(best_);
  }
  Minimised result{best_, 0, 0, runs_};
  if (best_.reduction.faults) result.faults = faults();
  if (best_.reduction.operations) result.operations = operations();
  return result;
}

// A tape that was recorded by this very code says what its seed says, and costs time.
void Minimiser::ForgetTape() {
  profile_ = best_.tape;
  if (profile_.streams.empty()) return;
  SavedRun candidate = best_;
  candidate.tape.streams.clear();
  Try(std::move(candidate));
}

// Whether nothing more can go; if not, patience ended.
bool Minimiser::Shrink() {
  size_then_ = size();
  give_up_at_ = runs_ + patience_;
  for (uint64_t before = size() + 1; size() < before && !out_of_patience();) {
    before = size();
    DropKinds();
    DropOf(&Reduction::operations);
    DropOf(&Reduction::faults);
  }
  return !out_of_patience();
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

// Many kinds of bug need a few faults in the right order, and the run that showed one had hundreds
// that hold each other up.
void Minimiser::LookForASmallOne() {
  for (uint64_t tries = 0; tries < patience_ * 2 && !small() && MayGoOn(); ++tries) {
    ++others_;
    SavedRun candidate = Another();
    const Duration before_fails_after = fails_after_;
    // What fails while there are faults does not need the rest.
    const bool early = fails_after_ < best_.faults_max;
    if (!Fails(&candidate, early ? candidate.faults_max : Duration::Max())) continue;
    const SavedRun before = std::exchange(best_, std::move(candidate));
    const uint64_t before_size =
        before.reduction.faults->size() + before.reduction.operations->size();
    Shrink();
    if (before_size <= size()) {
      best_ = before;
      fails_after_ = before_fails_after;
    } else {
      profile_ = Complete(best_).tape;
    }
  }
}

// A short run of few faults. The profile of the best one is often what the bug likes, and so is
// what it breaks.
SavedRun Minimiser::Another() const {
  Rng rng(Mix64(best_.tape.seed) ^ others_);
  SavedRun other;
  other.invariant = best_.invariant;
  other.tape.seed = rng.Next();
  other.operations_max = static_cast<uint32_t>(rng.Between(kOperationsGoal / 4, kOperationsGoal));
  // Half of the way is easier to go than all of it.
  const bool few = faults() <= 2 * kFaultsGoal || rng.Chance(700000);
  other.reduction.faults_max = static_cast<uint32_t>(few ? rng.Between(2, kFaultsGoal)
                                                         : rng.Between(kFaultsGoal, faults() / 2));
  constexpr int64_t kParts[] = {1, 2, 5, 10};
  other.faults_max =
      Duration::Milliseconds(best_.faults_max.milliseconds() / kParts[rng.Below(4)] + 100);
  const uint64_t profile = rng.Below(3);  // None of it, all of it, or without what it breaks.
  for (const auto& [stream, values] : profile_.streams) {
    if ((profile >= 1 && stream.first == Choice::kProfile) ||
        (profile == 1 && stream.first == Choice::kFaultPlan)) {
      other.tape.streams[stream] = values;
    }
  }
  FaultSet kinds;
  for (const FaultName& name : *best_.reduction.faults) kinds.set(static_cast<size_t>(name.kind));
  if (rng.Chance(300000)) kinds.set();
  for (size_t kind = 0; kind < kFaults; ++kind) {
    // Frequent kinds would use up the number before anything else happens.
    const bool by_chance = kind >= static_cast<size_t>(kFirstByChance);
    const bool drop = !kinds[kind] || rng.Chance(!by_chance ? 300000 : few ? 900000 : 500000);
    if (drop) other.reduction.without.set(kind);
  }
  return other;
}

// With all choices on the tape.
SavedRun Minimiser::Complete(const SavedRun& run) {
  ++runs_;
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
