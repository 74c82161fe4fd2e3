// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/store_disk.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "storage/log_reader.h"
#include "storage/sim/content.h"

namespace flaredb::storage {
namespace {

constexpr uint64_t kJobPpm = 100000;
constexpr uint64_t kFlushPpm = 3000;
constexpr uint64_t kPowerLossPpm = 700000;
// A synced commit makes fewer changes than this; so the power fails before, within or after it.
constexpr uint64_t kChangesOfACommit = 4;
constexpr uint32_t kAllPpm = 1000000;

}  // namespace

StoreDisk::StoreDisk(uint64_t seed) : rng_(seed), store_(rng_.Next()) {
  const absl::StatusOr<Content> empty = store_.Start();
  INVARIANT(empty.ok()) << "a new folder: " << empty.status().message();
  data_.emplace(store_.folder());
}

absl::Status StoreDisk::Write(const env::GroupCommit& commit) {
  if (rng_.Chance(kJobPpm)) store_.RunJob();
  if (rng_.Chance(kFlushPpm)) {
    if (absl::Status s = store_.Flush(); !s.ok()) return s;
  }
  return store_.Write({commit});
}

absl::StatusOr<bool> StoreDisk::Crash(const sim::DiskImage& written,
                                      const env::GroupCommit* unfinished) {
  if (rng_.Chance(kPowerLossPpm)) {
    if (unfinished != nullptr) {
      machine().PowerOffAfter(machine().changes() + rng_.Below(kChangesOfACommit));
      const absl::Status s = store_.Write({*unfinished});
      if (!s.ok() && !machine().off()) return s;
    }
    store_.Kill();
    // Nothing, everything, or anything that was not synced.
    const uint64_t kind = rng_.Below(3);
    machine().Restart(kind == 0   ? 0
                      : kind == 1 ? kAllPpm
                                  : static_cast<uint32_t>(rng_.Below(kAllPpm)));
  } else {
    store_.Kill();
    machine().ProcessDied();
  }

  const absl::StatusOr<Content> found = store_.Start();
  if (!found.ok()) return found.status();
  data_.emplace(store_.folder());
  const std::optional<std::string> wrong = Difference(*found, written);
  if (!wrong) return false;
  if (unfinished != nullptr) {
    sim::DiskImage with_it = written;
    const std::optional<std::string> refused = with_it.Apply(*unfinished);
    if (!refused && !Difference(*found, with_it)) return true;
  }
  return absl::DataLossError(
      absl::StrCat("after a crash it holds something else than what was synced: ", *wrong));
}

absl::StatusOr<std::vector<env::LogState>> StoreDisk::LogStates() const {
  return ReadLogStates(store_.folder());
}

absl::StatusOr<raft::EntrySlices> StoreDisk::Read(RegionId region, Index first, Index last,
                                                  size_t bytes_max) const {
  return ReadEntries(store_.folder(), region, first, last, bytes_max);
}

}  // namespace flaredb::storage
