// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/storage_run.h"

#include <string>
#include <utility>
#include <vector>

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

constexpr uint32_t kAlways = 1000000;

// What a seed decides before anything happens. Half of all runs have nothing but losses of power,
// which a store has to survive without a word; the others have few kinds of fault each.
struct Profile {
  explicit Profile(Rng& rng) {
    regions = rng.Between(uint64_t{1}, uint64_t{3});
    lives = rng.Between(uint64_t{2}, uint64_t{12});
    steps_max = rng.Between(uint64_t{5}, uint64_t{100});
    flush_ppm = static_cast<uint32_t>(rng.Below(250000));
    job_ppm = static_cast<uint32_t>(rng.Below(600000));
    if (rng.Chance(250000)) rates[Fault::kStall] = 5000;
    const uint64_t kind = rng.Below(4);
    if (kind == 2) {
      for (const Fault fault : {Fault::kReadError, Fault::kWriteError, Fault::kShortWrite,
                                Fault::kNoSpace, Fault::kSyncError}) {
        if (rng.Chance(350000)) {
          rates[fault] = static_cast<uint32_t>(rng.Between(uint64_t{500}, uint64_t{20000}));
        }
      }
    }
    if (kind == 3) {
      const std::vector<Fault> damage = {Fault::kLatentSector, Fault::kBitRot, Fault::kLostWrite,
                                         Fault::kMisdirectedWrite, Fault::kLostFile};
      for (uint64_t i = rng.Between(uint64_t{1}, uint64_t{2}); i > 0; --i) {
        const Fault fault = damage[rng.Below(damage.size())];
        // These strike as a store ages, the others as it writes.
        const bool ages = fault <= Fault::kBitRot || fault == Fault::kLostFile;
        rates[fault] = ages ? 30000 : 3000;
      }
    }
  }

  uint64_t regions;
  uint64_t lives;
  uint64_t steps_max;  // Of one life.
  uint32_t flush_ppm;  // Per step.
  uint32_t job_ppm;
  FaultRates rates;
};

class StorageRun {
 public:
  StorageRun(uint64_t seed, const Weakness& weakness)
      : rng_(seed), profile_(rng_), store_(rng_.Next()), workload_(rng_.Next(), profile_.regions) {
    store_.machine().syncs_lie = weakness.syncs_lie;
    store_.machine().directory_syncs_lie = weakness.directory_syncs_lie;
  }

  RunResult Run() {
    try {
      for (uint64_t life = 0; life < profile_.lives && !over_; ++life) Live();
      if (!over_) {
        // Whatever was reported, a machine that works has the store back.
        store_.machine().rates = {};
        Start();
      }
    } catch (const InvariantViolation& broken) {
      Fail(broken.what());
    }
    result_.commits = oracle_commits_;
    result_.faults = store_.machine().counts();
    result_.hash = hash_.Add(store_.machine().hash()).value();
    return std::move(result_);
  }

 private:
  SimFileSystem& machine() { return store_.machine(); }

  // A process from its start to its end.
  void Live() {
    life_errors_ = false;
    machine().rates = profile_.rates;
    if (rng_.Chance(200000)) machine().PowerOffAfter(machine().changes() + rng_.Below(60));
    if (Start()) {
      if (rng_.Chance(850000)) {
        machine().PowerOffAfter(machine().changes() + rng_.Below(4 * profile_.steps_max));
      }
      for (uint64_t i = rng_.Below(profile_.steps_max); i > 0 && !over_; --i) {
        if (!Step()) break;
      }
    }
    if (!over_) End();
  }

  void End() {
    if (store_.running()) {
      if (!machine().off() && rng_.Chance(250000)) {
        store_.Close();
      } else {
        store_.Kill();
      }
    }
    if (machine().off()) ++result_.crashes;
    if (rng_.Chance(200000)) {
      machine().ProcessDied();
    } else {
      // Nothing, everything, or anything that was not synced.
      const uint64_t kind = rng_.Below(4);
      machine().Restart(kind == 0   ? 0
                        : kind == 1 ? kAlways
                                    : static_cast<uint32_t>(rng_.Below(kAlways)));
    }
    machine().Age();
  }

  // False when the process is not there afterwards.
  bool Start() {
    const absl::StatusOr<Content> content = store_.Start();
    if (!Judge(content.status(), "starting")) return false;
    if (const auto wrong = oracle_.Recovered(*content)) {
      if (MayBeUnseen()) {
        ++result_.unseen;
        over_ = true;
      } else {
        Fail(*wrong);
      }
      return false;
    }
    ++result_.recoveries;
    hash_.Add(oracle_.commits());
    return true;
  }

  // False when the process cannot go on.
  bool Step() {
    machine().Age();
    if (rng_.Chance(profile_.flush_ppm) && !Judge(store_.Flush(), "asking for a flush")) {
      return false;
    }
    if (rng_.Chance(profile_.job_ppm)) store_.RunJob();
    if (rng_.Chance(60000) && !Check()) return false;
    return Commit();
  }

  bool Commit() {
    std::vector<env::GroupCommit> commits;
    for (uint64_t i = rng_.Chance(200000) ? rng_.Between(uint64_t{2}, uint64_t{3}) : 1; i > 0;
         --i) {
      commits.push_back(workload_.Next(oracle_.next_token(), oracle_.image()));
      oracle_.Issued(commits.back());
      ++oracle_commits_;
    }
    const uint64_t lost_before = machine().log_writes_lost();
    if (!Judge(store_.Write(commits), "writing")) return false;
    if (machine().log_writes_lost() == lost_before) faithful_commits_ = oracle_.commits();
    oracle_.Acknowledged();
    return true;
  }

  // While it runs, too, a store shows what it acknowledged.
  bool Check() {
    const absl::StatusOr<Content> content = store_.Read();
    if (!Judge(content.status(), "reading")) return false;
    if (const auto wrong = Difference(*content, oracle_.image())) {
      Fail(absl::StrCat("a running store shows something wrong: ", *wrong));
      return false;
    }
    return true;
  }

  // Whether `status` is OK. When it is not there must have been a reason.
  bool Judge(const absl::Status& status, const char* what) {
    life_errors_ = life_errors_ || machine().error_fired();
    machine().Settle(!status.ok(), what == std::string("writing"));
    hash_.Add(static_cast<uint64_t>(status.code()));
    if (status.ok()) return true;
    if (machine().off() || life_errors_) return false;
    if (Damaged()) {
      ++result_.refusals;
      over_ = true;
    } else {
      Fail(absl::StrCat(what, " failed though nothing was wrong: ", status.message()));
    }
    return false;
  }

  // Whether the disk dropped just the writes that were the end of a log, or its last file: it looks
  // as if they had never been made. Of the write-ahead log that is the end of the commits; of the
  // manifest, files with any of them.
  bool MayBeUnseen() {
    if (machine().manifest_writes_lost() > 0) return true;
    if (machine().newest_logs_lost() > 0 && oracle_.lost_from()) return true;
    return oracle_.lost_from() && *oracle_.lost_from() >= faithful_commits_;
  }

  bool Damaged() {
    for (size_t i = 0; i < kFaults; ++i) {
      if (IsDamage(static_cast<Fault>(i)) && machine().counts().fired[i] > 0) return true;
    }
    return false;
  }

  void Fail(std::string sentence) {
    if (!result_.failure) result_.failure = std::move(sentence);
    over_ = true;
  }

  Rng rng_;
  const Profile profile_;
  SimStore store_;
  Workload workload_;
  DurabilityOracle oracle_;
  RunResult result_;
  Hasher hash_;
  uint64_t oracle_commits_ = 0;
  size_t faithful_commits_ = 0;  // The last commit up to this number is in the write-ahead log.
  bool life_errors_ = false;     // An error was reported to this process.
  bool over_ = false;
};

}  // namespace

void RunResult::Add(const RunResult& other) {
  commits += other.commits;
  crashes += other.crashes;
  recoveries += other.recoveries;
  refusals += other.refusals;
  unseen += other.unseen;
  faults.Add(other.faults);
}

RunResult RunSeed(uint64_t seed, const Weakness& weakness) {
  return StorageRun(seed, weakness).Run();
}

}  // namespace flaredb::storage
