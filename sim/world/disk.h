// SPDX-License-Identifier: Apache-2.0
// One store's disk: what is durable, what is on its way, and what a crash leaves.
#ifndef FLAREDB_SIM_WORLD_DISK_H_
#define FLAREDB_SIM_WORLD_DISK_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "core/store/effects.h"
#include "core/store/event.h"
#include "sim/world/disk_image.h"
#include "sim/world/failing_rows.h"
#include "sim/world/profile.h"
#include "sim/world/real_disk.h"
#include "sim/world/world.h"

namespace flaredb::sim {

// Commits become durable one by one, in order, each as a whole, after a time of their own; readers
// see what is durable. Both match storage/: one synced batch for each commit, by one thread.
class SimDisk {
 public:
  // `world` outlives this object. `node` is the owner in events and choices. `new_real` is called
  // for each disk that there is in this place, one after the other; null: there is only the image.
  SimDisk(World* world, const DiskProfile& profile, uint32_t node, NewRealDisk new_real = nullptr);

  // Puts `commit` on the disk at once: a store is set up before the run.
  void Format(const env::GroupCommit& commit);

  // Schedules kDiskDone.
  void Submit(env::GroupCommit commit, uint64_t life);

  // The oldest unfinished commit; null when there is none. Borrowed until CompleteNext or Crash.
  const env::GroupCommit* next() const {
    return in_flight_.empty() ? nullptr : &in_flight_.front();
  }
  // On kDiskDone, first: true while the disk stalls, and then the event comes again later.
  bool PutOff(uint64_t life);
  // On kDiskDone: makes the oldest commit durable and returns its token. A refusal of the image is
  // a failed run.
  IoToken CompleteNext();

  // Schedules kFetchRead, whose `arg` names the fetch.
  void SubmitFetch(env::LogFetch fetch, uint64_t life);
  // On kFetchRead: reads what is durable now and schedules kFetchDone.
  void ReadFetch(uint64_t id);
  // On kFetchDone: the answer; none when the process that asked is gone.
  std::optional<env::LogFetched> TakeFetch(uint64_t id, uint64_t life);

  // The process dies: unfinished commits never happened. Those of the oldest that had reached the
  // disk nevertheless are told before, one call each, which is in the order that a sequential log
  // keeps. Then a real disk may say of one more that it is there: the image has to follow, by
  // CrashKeeps.
  void CrashSurvives();
  bool RealDiskHasNext();
  void CrashKeeps();
  void Crash();
  // Nothing is left. Only while the process is down.
  void Wipe();
  size_t in_flight() const { return in_flight_.size(); }
  // What is in flight, oldest first.
  const std::deque<env::GroupCommit>& unfinished() const { return in_flight_; }

  // Nothing completes before `until`.
  void Stall(Instant until) { stalled_until_ = until; }
  // The next completion fails instead, and until the process dies nothing is written any more; or
  // the next read of old entries does; or that of a row.
  void FailNextWrite() { fail_write_ = true; }
  void FailNextRead() { fail_read_ = true; }
  void FailNextRow(RowDefect defect) { rows_->FailNext(defect); }
  // On kDiskDone, after PutOff: whether the oldest commit fails now.
  bool FailsNow();
  // Whether one has failed in this life of the process.
  bool write_failed() const { return write_failed_; }
  bool read_failed() const { return read_failed_ || rows_->failed() != RowDefect::kNone; }
  // What a row in this life of it had, as whoever asked for it has seen.
  RowDefect row_failed() const { return rows_->failed(); }
  // No stall, slow commit or failure from now on.
  void Heal();

  const DiskImage& image() const { return image_; }
  // What a store starts from and reads. A failure to read the logs is a failed run, too.
  const DataSource& data() const { return *rows_; }
  std::vector<env::LogState> LogStates() const;

 private:
  struct PendingFetch {
    env::LogFetch fetch;
    uint64_t life = 0;
    std::optional<env::LogFetched> answer;
  };

  Duration Latency();
  raft::EntrySlices ReadEntries(const env::LogFetch& asked) const;
  void ForgetFailures();
  void ApplyFront();
  void Write(const env::GroupCommit& commit);
  void FailByRealDisk(const absl::Status& status) const;

  World* world_;
  DiskProfile profile_;
  uint32_t node_;
  NewRealDisk new_real_;
  std::unique_ptr<RealDisk> real_;  // Null: there is only the image.
  DiskImage image_;
  std::unique_ptr<FailingRows> rows_;  // Of either, in this life of the process.
  std::deque<env::GroupCommit> in_flight_;
  Instant last_completion_;
  Instant stalled_until_;
  bool fail_write_ = false;
  bool fail_read_ = false;
  bool write_failed_ = false;
  bool read_failed_ = false;
  std::map<uint64_t, PendingFetch> fetches_;
  uint64_t next_fetch_ = 1;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_DISK_H_
