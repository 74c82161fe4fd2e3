// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/minimise.h"

#include <algorithm>
#include <array>
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
// One that has more events counts for several: messages may go round in a circle.
constexpr uint64_t kEventsOfARun = 20000;

// A run that fails as the first one did.
struct Failing {
  SavedRun run;
  std::vector<FaultName> faults;  // That happened, in order.
  std::vector<uint32_t> operations;
  Duration after;  // It failed then.

  size_t size() const { return faults.size() + operations.size(); }
  // Beyond what a small run has.
  size_t excess() const {
    return std::max<size_t>(faults.size(), kFaultsGoal) - kFaultsGoal +
           std::max<size_t>(operations.size(), kOperationsGoal) - kOperationsGoal;
  }
  // Or as small, and clearly earlier: less may happen by then.
  bool IsSmallerThan(const Failing& other) const {
    const std::pair here(excess(), size());
    const std::pair there(other.excess(), other.size());
    return here < there || (here == there && after * 10 < other.after * 9);
  }
};

class Minimiser {
 public:
  Minimiser(const SavedRun& run, absl::FunctionRef<bool()> may_go_on, ReplayFunction replay)
      : first_(run),
        best_{run, {}, {}, Duration()},
        rng_(Mix64(run.tape.seed)),
        may_go_on_(may_go_on),
        replay_(replay) {}

  Minimised Do();

 private:
  std::optional<Failing> Fails(SavedRun candidate, Duration stop_after);
  bool Try(SavedRun candidate);
  bool Shrink();
  void DropKinds();
  template <typename T>
  void DropOf(std::vector<T> Failing::*all, std::optional<std::set<T>> Reduction::*part);
  void LookForASmallOne();
  std::optional<Failing> Variant();
  template <typename T>
  void LeaveSomeOut(std::vector<T> all, std::set<T>* kept);
  std::optional<Failing> Another();
  std::optional<Failing> AnySeed();
  void Complete();
  bool MayGoOn() { return !over_ && !(over_ = !may_go_on_()); }
  bool out_of_patience() const { return over_ || spent_ >= give_up_at_; }
  bool small() const { return best_.excess() == 0; }
  // With less to do a run may come to its failure later, but hardly much.
  Duration long_enough() const { return best_.after * 2 + Duration::Seconds(1); }

  const SavedRun first_;
  Failing best_;
  Rng rng_;
  absl::FunctionRef<bool()> may_go_on_;
  ReplayFunction replay_;
  bool over_ = false;
  uint64_t runs_ = 0;
  uint64_t spent_ = 0;  // On them, in runs of usual length.
  uint64_t patience_ = kFirstPatience;
  uint64_t give_up_at_ = 0;         // Shrinking, when so much is spent and nothing came of it.
  size_t size_then_ = 0;            // When patience was last renewed.
  uint64_t led_on_[3] = {1, 1, 1};  // How often a variant, a small run, or any run, did.
};

// `candidate` if it fails in the same way, with what it came to, and nothing more, spelled out.
std::optional<Failing> Minimiser::Fails(SavedRun candidate, Duration stop_after) {
  if (!MayGoOn()) return std::nullopt;
  ++runs_;
  RunOptions options;
  options.stop_after = stop_after;
  RunResult result = replay_(candidate, options);
  spent_ += 1 + result.counts.events / kEventsOfARun;
  if (result.failure.invariant != best_.run.invariant) return std::nullopt;
  candidate.sentence = result.failure.sentence;
  candidate.reduction.faults.emplace(result.faults.begin(), result.faults.end());
  candidate.reduction.operations.emplace(result.operations.begin(), result.operations.end());
  return Failing{std::move(candidate), std::move(result.faults), std::move(result.operations),
                 result.simulated};
}

bool Minimiser::Try(SavedRun candidate) {
  std::optional<Failing> smaller = Fails(std::move(candidate), long_enough());
  if (!smaller) return false;
  best_ = *std::move(smaller);
  if (best_.size() * 10 < size_then_ * 9) {
    size_then_ = best_.size();
    give_up_at_ = spent_ + patience_;
  }
  return true;
}

Minimised Minimiser::Do() {
  std::optional<Failing> again = Fails(best_.run, Duration::Max());
  if (!again) return {best_.run, 0, 0, runs_};
  best_ = *std::move(again);
  if (!best_.run.tape.streams.empty()) {
    // A tape that was recorded by this very code says what its seed says, and costs time.
    SavedRun from_seed = best_.run;
    from_seed.tape.streams.clear();
    Try(std::move(from_seed));
  }
  while ((!Shrink() || !small()) && !over_) {
    if (!small()) LookForASmallOne();
    patience_ *= 2;
  }
  Complete();
  return {best_.run, best_.faults.size(), best_.operations.size(), runs_};
}

// Whether nothing more can go; if not, patience ended.
bool Minimiser::Shrink() {
  size_then_ = best_.size();
  give_up_at_ = spent_ + patience_;
  for (size_t before = best_.size() + 1; best_.size() < before && !out_of_patience();) {
    before = best_.size();
    DropKinds();
    DropOf(&Failing::operations, &Reduction::operations);
    DropOf(&Failing::faults, &Reduction::faults);
  }
  return !out_of_patience();
}

// The most frequent kinds first.
void Minimiser::DropKinds() {
  std::array<size_t, kFaults> counts{};
  for (const FaultName& name : best_.faults) ++counts[static_cast<size_t>(name.kind)];
  std::vector<std::pair<size_t, size_t>> kinds;
  for (size_t kind = 0; kind < kFaults; ++kind) {
    if (counts[kind] > 0) kinds.emplace_back(counts[kind], kind);
  }
  std::sort(kinds.rbegin(), kinds.rend());
  for (const auto& [count, kind] : kinds) {
    SavedRun candidate = best_.run;
    candidate.reduction.without.set(kind);
    Try(std::move(candidate));
  }
}

template <typename T>
void Minimiser::DropOf(std::vector<T> Failing::*all, std::optional<std::set<T>> Reduction::*part) {
  for (size_t chunk = std::max<size_t>((best_.*all).size() / 2, 1); chunk > 0; chunk /= 2) {
    // From the end: what comes before stays as it was. A success changes the run beyond the chunk,
    // so every step looks at it anew.
    for (size_t skipped = 0; skipped < (best_.*all).size() && !out_of_patience();) {
      const size_t end = (best_.*all).size() - skipped;
      const size_t begin = end - std::min(chunk, end);
      SavedRun candidate = best_.run;
      for (size_t i = begin; i < end; ++i) (candidate.reduction.*part)->erase((best_.*all)[i]);
      if (!Try(std::move(candidate))) skipped += end - begin;
    }
  }
}

// Where nothing can go by itself, the run came to its failure by a long way round, or what is left
// out moves the rest to another time.
void Minimiser::LookForASmallOne() {
  Complete();
  for (const uint64_t until = spent_ + patience_ * 2; spent_ < until && !small() && MayGoOn();) {
    // The way that led on more often is gone more often.
    const uint64_t draw = rng_.Below(led_on_[0] + led_on_[1] + led_on_[2]);
    const size_t way = draw < led_on_[0] ? 0 : draw < led_on_[0] + led_on_[1] ? 1 : 2;
    const bool variant = way == 0;
    std::optional<Failing> other = variant ? Variant() : way == 1 ? Another() : AnySeed();
    // Another run is large before it is shrunk; a variant is shrunk already.
    if (!other || (variant && !other->IsSmallerThan(best_))) continue;
    Failing before = std::exchange(best_, *std::move(other));
    Shrink();
    if (best_.IsSmallerThan(before)) {
      ++led_on_[way];
      Complete();
    } else {
      best_ = std::move(before);
    }
  }
}

// The best one with fewer faults, and with some kinds of choices made anew from some point on.
std::optional<Failing> Minimiser::Variant() {
  SavedRun variant = best_.run;
  variant.tape.seed = rng_.Next();
  constexpr uint64_t kAnew[] = {0, 30000, 100000, 300000};
  const uint64_t anew = kAnew[rng_.Below(4)];
  for (auto& [stream, values] : variant.tape.streams) {
    if (stream.first == Choice::kProfile || stream.first == Choice::kFaultPlan) continue;
    if (rng_.Chance(anew)) values.resize(rng_.Below(values.size() + 1));
  }
  if (best_.after >= variant.faults_max && rng_.Chance(300000)) {
    // It healed and failed then. Times to think are on the tape, and stay as they were.
    const uint64_t most = static_cast<uint64_t>(variant.faults_max.milliseconds()) >> rng_.Below(4);
    variant.faults_max = Duration::Milliseconds(static_cast<int64_t>(rng_.Between(1, most + 1)));
  } else {
    LeaveSomeOut(best_.faults, &*variant.reduction.faults);
  }
  std::set<uint32_t>& operations = *variant.reduction.operations;
  if (operations.size() > kOperationsGoal) {
    LeaveSomeOut(best_.operations, &operations);
  } else if (rng_.Chance(300000)) {
    // Clients that do more may stand in for faults.
    while (operations.size() < kOperationsGoal) {
      operations.insert(static_cast<uint32_t>(rng_.Between(1, kOperationsGoal * 2)));
    }
  }
  return Fails(std::move(variant), long_enough());
}

template <typename T>
void Minimiser::LeaveSomeOut(std::vector<T> all, std::set<T>* kept) {
  constexpr size_t kParts[] = {1, 3, 10};
  const size_t most = std::max<size_t>(all.size() / kParts[rng_.Below(3)], 1);
  for (size_t less = rng_.Below(most + 1); less > 0 && !all.empty(); --less) {
    const auto out = all.begin() + static_cast<ptrdiff_t>(rng_.Below(all.size()));
    kept->erase(*out);
    all.erase(out);
  }
}

// A short run of few faults. The profile of the best one is often what the bug likes, and so is
// what it breaks.
std::optional<Failing> Minimiser::Another() {
  SavedRun other;
  other.invariant = best_.run.invariant;
  other.tape.seed = rng_.Next();
  // Half of the way is easier to go than all of it.
  const auto at_most = [&](uint64_t goal, size_t now) {
    const bool half = now / 2 > goal && rng_.Chance(500000);
    return static_cast<uint32_t>(half ? rng_.Between(goal, now / 2) : rng_.Between(2, goal));
  };
  other.operations_max = at_most(kOperationsGoal, best_.operations.size());
  other.reduction.faults_max = at_most(kFaultsGoal * 4, best_.faults.size());
  constexpr int64_t kParts[] = {1, 2, 5, 10};
  other.faults_max =
      Duration::Milliseconds(best_.run.faults_max.milliseconds() / kParts[rng_.Below(4)] + 100);
  const uint64_t profile = rng_.Below(4);  // None of it, without what it breaks, or all of it.
  for (const auto& [stream, values] : best_.run.tape.streams) {
    if ((profile >= 1 && stream.first == Choice::kProfile) ||
        (profile >= 2 && stream.first == Choice::kFaultPlan)) {
      other.tape.streams[stream] = values;
    }
  }
  FaultSet kinds;
  for (const FaultName& name : best_.faults) kinds.set(static_cast<size_t>(name.kind));
  if (rng_.Chance(300000)) kinds.set();
  for (size_t kind = 0; kind < kFaults; ++kind) {
    // Frequent kinds would use up the number before anything else happens.
    const bool by_chance = kind >= static_cast<size_t>(kFirstByChance);
    if (!kinds[kind] || rng_.Chance(by_chance ? 500000 : 300000)) other.reduction.without.set(kind);
  }
  // What fails while there are faults does not need the rest.
  other.reduction.without |= first_.reduction.without;
  const bool early = best_.after < best_.run.faults_max;
  return Fails(std::move(other), early ? other.faults_max : Duration::Max());
}

// As the campaign would make it. Where the best one depends on itself, what is left of the next run
// may be far less.
std::optional<Failing> Minimiser::AnySeed() {
  SavedRun other;
  other.invariant = best_.run.invariant;
  other.tape.seed = rng_.Next();
  other.operations_max = first_.operations_max;
  other.faults_max = first_.faults_max;
  other.reduction.without = first_.reduction.without;
  return Fails(std::move(other), Duration::Max());
}

// Puts all choices of the best one on its tape.
void Minimiser::Complete() {
  ++runs_;
  Tape tape;
  tape.seed = best_.run.tape.seed;
  RunOptions options;
  options.stop_after = long_enough();
  options.record_on = &tape;
  replay_(best_.run, options);
  best_.run.tape = std::move(tape);
}

}  // namespace

Minimised Minimise(const SavedRun& run, absl::FunctionRef<bool()> may_go_on,
                   ReplayFunction replay) {
  INVARIANT(!run.invariant.empty()) << "a run that passes can't be minimised";
  return Minimiser(run, may_go_on, replay).Do();
}

}  // namespace flaredb::sim
