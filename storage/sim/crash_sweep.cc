// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/crash_sweep.h"

#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/rng.h"
#include "storage/sim/durability_oracle.h"
#include "storage/sim/sim_store.h"
#include "storage/sim/workload.h"

namespace flaredb::storage {
namespace {

constexpr uint64_t kRegions = 2;
constexpr uint64_t kCommits = 60;
constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

class Life {
 public:
  Life(uint64_t seed, const Weakness& weakness)
      : rng_(seed), store_(rng_.Next()), workload_(rng_.Next(), kRegions) {
    store_.machine().syncs_lie = weakness.syncs_lie;
    store_.machine().directory_syncs_lie = weakness.directory_syncs_lie;
  }

  // Lives until the power fails, after change number `off_after`. What is wrong, if anything is.
  std::optional<std::string> Live(uint64_t off_after) {
    store_.machine().PowerOffAfter(off_after);
    for (const bool last : {false, true}) {
      if (auto wrong = Start()) return wrong;
      for (uint64_t i = 0; i < kCommits && store_.running(); ++i) {
        if (auto wrong = Commit(i)) return wrong;
      }
      if (!last && !store_.machine().off()) {
        store_.Kill();
        store_.machine().ProcessDied();
        store_.machine().PowerOffAfter(off_after);
      }
    }
    return std::nullopt;
  }

  // The power fails now, if it did not, and comes back.
  std::optional<std::string> Return(uint32_t kept_ppm) {
    if (store_.running()) store_.Kill();
    store_.machine().Restart(kept_ppm);
    return Start();
  }

  SimFileSystem& machine() { return store_.machine(); }
  uint64_t commits() const { return oracle_.commits(); }

 private:
  std::optional<std::string> Start() {
    const absl::StatusOr<Content> content = store_.Start();
    if (!content.ok()) return Unexpected(content.status());
    return oracle_.Recovered(*content);
  }

  std::optional<std::string> Commit(uint64_t number) {
    if (number % 7 == 6) {
      const absl::Status s = store_.Flush();
      if (!s.ok()) return Unexpected(s);
    }
    if (number % 3 == 2) store_.RunJob();
    const env::GroupCommit commit = workload_.Next(oracle_.next_token(), oracle_.image());
    oracle_.Issued(commit);
    const absl::Status s = store_.Write({commit});
    if (!s.ok()) return Unexpected(s);
    oracle_.Acknowledged();
    return std::nullopt;
  }

  std::optional<std::string> Unexpected(const absl::Status& status) {
    if (store_.machine().off()) {
      if (store_.running()) store_.Kill();
      return std::nullopt;
    }
    return absl::StrCat("the store failed though nothing was wrong: ", status.message());
  }

  Rng rng_;
  SimStore store_;
  Workload workload_;
  DurabilityOracle oracle_;
};

}  // namespace

RunResult SweepCrashes(uint64_t seed, uint64_t stride, const Weakness& weakness) {
  INVARIANT(stride > 0);
  RunResult result;
  Hasher hash;
  Life whole(seed, weakness);
  result.failure = whole.Live(kNever);
  const uint64_t places = whole.machine().changes();
  for (uint64_t place = 1; place <= places && !result.failure; place += stride) {
    for (const uint32_t kept_ppm : {0u, 500000u, 1000000u}) {
      Life life(seed, weakness);
      std::optional<std::string> wrong = life.Live(place);
      if (!wrong) wrong = life.Return(kept_ppm);
      ++result.crashes;
      ++result.recoveries;
      result.commits += life.commits();
      result.faults.Add(life.machine().counts());
      hash.Add(life.machine().hash());
      if (wrong) {
        result.failure = absl::StrCat("with the power lost after write ", place, " of ", places,
                                      " and ", kept_ppm / 10000, " % kept, ", *wrong);
        break;
      }
    }
  }
  result.hash = hash.value();
  return result;
}

}  // namespace flaredb::storage
