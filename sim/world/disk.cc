// SPDX-License-Identifier: Apache-2.0
#include "sim/world/disk.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "core/base/check.h"

namespace flaredb::sim {

SimDisk::SimDisk(World* world, const DiskProfile& profile, uint32_t node, NewRealDisk new_real)
    : world_(world), profile_(profile), node_(node), new_real_(std::move(new_real)) {
  Wipe();
}

void SimDisk::Format(const env::GroupCommit& commit) {
  Write(commit);
  const auto refused = image_.Apply(commit);
  INVARIANT(!refused) << *refused;
}

void SimDisk::Wipe() {
  image_ = DiskImage();
  if (new_real_) real_ = new_real_(world_->choices.Seed(Choice::kRealDisk, node_));
  ForgetFailures();
}

std::vector<env::LogState> SimDisk::LogStates() const {
  if (!real_) return image_.LogStates();
  absl::StatusOr<std::vector<env::LogState>> logs = real_->LogStates();
  if (logs.ok()) return *std::move(logs);
  FailByRealDisk(logs.status());
  return {};
}

void SimDisk::Submit(env::GroupCommit commit, uint64_t life) {
  in_flight_.push_back(std::move(commit));
  last_completion_ = std::max({last_completion_, world_->now() + Latency(), stalled_until_});
  world_->queue.At(last_completion_, {EventKind::kDiskDone, node_, life});
}

bool SimDisk::PutOff(uint64_t life) {
  if (world_->now() >= stalled_until_) return false;
  world_->faults.Mattered(Fault::kStallDisk);
  // Every waiting completion is put off to the same instant and keeps its place in the order.
  last_completion_ = std::max(last_completion_, stalled_until_);
  world_->queue.At(stalled_until_, {EventKind::kDiskDone, node_, life});
  return true;
}

bool SimDisk::FailsNow() {
  if (!fail_write_) return false;
  fail_write_ = false;
  write_failed_ = true;
  world_->faults.Mattered(Fault::kFailWrite);
  return true;
}

IoToken SimDisk::CompleteNext() {
  INVARIANT(!in_flight_.empty());
  const IoToken token = in_flight_.front().token;
  Write(in_flight_.front());
  ApplyFront();
  return token;
}

void SimDisk::SubmitFetch(env::LogFetch fetch, uint64_t life) {
  const uint64_t id = next_fetch_++;
  fetches_.emplace(id, PendingFetch{std::move(fetch), life, std::nullopt});
  const Duration wait =
      world_->choices.Between(Choice::kFetchLatency, Duration(), profile_.latency.last, node_);
  world_->queue.At(std::max(world_->now() + wait, stalled_until_),
                   {EventKind::kFetchRead, node_, id});
}

void SimDisk::ReadFetch(uint64_t id) {
  const auto it = fetches_.find(id);
  if (it == fetches_.end()) return;
  const env::LogFetch& asked = it->second.fetch;
  raft::EntrySlices entries = ReadEntries(asked);
  env::LogFetched answer{asked.region, asked.fetch.id, absl::NotFoundError("no such entry")};
  if (!entries.empty()) answer.entries = std::move(entries);
  if (fail_read_) {
    fail_read_ = false;
    read_failed_ = true;
    world_->faults.Mattered(Fault::kFailRead);
    answer.entries = absl::DataLossError("the disk can't read this any more");
  }
  it->second.answer = std::move(answer);
  const Duration wait =
      world_->choices.Between(Choice::kFetchLatency, Duration(), profile_.latency.last, node_);
  world_->queue.After(wait, {EventKind::kFetchDone, node_, id});
}

raft::EntrySlices SimDisk::ReadEntries(const env::LogFetch& asked) const {
  const raft::Fetch& fetch = asked.fetch;
  if (!real_) return image_.log(asked.region).Read(fetch.first, fetch.last, fetch.bytes_max);
  absl::StatusOr<raft::EntrySlices> entries =
      real_->Read(asked.region, fetch.first, fetch.last, fetch.bytes_max);
  if (entries.ok()) return *std::move(entries);
  if (!absl::IsNotFound(entries.status())) FailByRealDisk(entries.status());
  return {};
}

std::optional<env::LogFetched> SimDisk::TakeFetch(uint64_t id, uint64_t life) {
  const auto it = fetches_.find(id);
  if (it == fetches_.end()) return std::nullopt;
  PendingFetch pending = std::move(it->second);
  fetches_.erase(it);
  if (pending.life != life) return std::nullopt;
  return std::move(pending.answer);
}

void SimDisk::CrashSurvives() {
  INVARIANT(!in_flight_.empty());
  Write(in_flight_.front());
  ApplyFront();
}

bool SimDisk::RealDiskHasNext() {
  if (!real_) return false;
  const absl::StatusOr<bool> there = real_->Crash(image_, next());
  if (!there.ok()) FailByRealDisk(there.status());
  return there.ok() && *there;
}

void SimDisk::CrashKeeps() {
  INVARIANT(!in_flight_.empty());
  ApplyFront();
}

void SimDisk::Crash() {
  in_flight_.clear();
  fetches_.clear();
  last_completion_ = world_->now();
  ForgetFailures();
}

void SimDisk::ForgetFailures() {
  fail_write_ = fail_read_ = write_failed_ = read_failed_ = false;
  rows_ = std::make_unique<FailingRows>(real_ ? &real_->data() : &image_);
}

void SimDisk::Heal() {
  stalled_until_ = world_->now();
  profile_.slow_ppm = 0;
  fail_write_ = fail_read_ = false;
  rows_->FailNext(RowDefect::kNone);
}

Duration SimDisk::Latency() {
  const bool slow = world_->choices.Chance(Choice::kDiskLatency, profile_.slow_ppm, node_) &&
                    world_->faults.Fires(Fault::kSlowCommit, node_);
  if (slow) world_->faults.Mattered(Fault::kSlowCommit);
  return world_->choices.Between(
      Choice::kDiskLatency, profile_.latency.first,
      slow ? std::max(profile_.slow_max, profile_.latency.last) : profile_.latency.last, node_);
}

void SimDisk::ApplyFront() {
  if (const auto refused = image_.Apply(in_flight_.front())) {
    world_->report.Fail(FailureKind::kSafety, "STORE",
                        "store " + std::to_string(node_ + 1) +
                            " wrote a group commit that no log can take: " + *refused + ".");
  }
  in_flight_.pop_front();
}

void SimDisk::Write(const env::GroupCommit& commit) {
  if (!real_) return;
  if (const absl::Status s = real_->Write(commit); !s.ok()) FailByRealDisk(s);
}

void SimDisk::FailByRealDisk(const absl::Status& status) const {
  world_->report.Fail(FailureKind::kSafety, "STORE",
                      "the storage layer of store " + std::to_string(node_ + 1) +
                          ", on a disk that is well: " + std::string(status.message()) + ".");
}

}  // namespace flaredb::sim
