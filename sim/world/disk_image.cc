// SPDX-License-Identifier: Apache-2.0
#include "sim/world/disk_image.h"

#include <utility>

#include "absl/status/status.h"

namespace flaredb::sim {
namespace {

using Rows = DiskImage::Rows;
using Visit = absl::FunctionRef<bool(std::string_view key, std::string_view value)>;

std::optional<std::string> GetRow(const Rows& rows, std::string_view key) {
  const auto it = rows.find(key);
  return it == rows.end() ? std::nullopt : std::optional<std::string>(it->second);
}

void ScanRows(const Rows& rows, std::string_view begin, std::string_view end, Visit visit) {
  for (auto it = rows.lower_bound(begin); it != rows.end(); ++it) {
    if (!end.empty() && it->first >= end) break;
    if (!visit(it->first, it->second)) break;
  }
}

class PinnedRows final : public DataReader {
 public:
  PinnedRows(std::shared_ptr<const Rows> rows, std::shared_ptr<const int> pin)
      : rows_(std::move(rows)), pin_(std::move(pin)) {}

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    return GetRow(*rows_, key);
  }
  absl::Status Scan(std::string_view begin, std::string_view end, Visit visit) const override {
    ScanRows(*rows_, begin, end, visit);
    return absl::OkStatus();
  }

 private:
  const std::shared_ptr<const Rows> rows_;
  const std::shared_ptr<const int> pin_;
};

bool IsEmpty(const raft::Persist& persist) {
  return !persist.hard_state && !persist.base && !persist.install && !persist.truncate_from &&
         persist.append.empty();
}

}  // namespace

std::optional<std::string> DiskImage::Apply(const env::GroupCommit& commit) {
  for (const env::LogWrite& write : commit.log) {
    if (auto refused = ApplyLog(write)) return refused;
  }
  ApplyData(commit.data);
  return std::nullopt;
}

std::optional<std::string> DiskImage::ApplyLog(const env::LogWrite& write) {
  const std::string replica = "replica of region " + std::to_string(write.region.value());
  const auto it = replicas_.find(write.region);
  if (write.destroy) {
    if (it == replicas_.end()) return "a commit destroys a " + replica + ", which does not exist";
    if (write.create || !IsEmpty(write.persist)) {
      return "a commit destroys a " + replica + " and writes to it at once";
    }
    replicas_.erase(it);
    return std::nullopt;
  }
  if (write.create) {
    if (it != replicas_.end()) return "a commit creates a second " + replica;
    Replica& created = replicas_[write.region];
    created.incarnation = write.create;
    return created.log.Apply(write.persist);
  }
  if (it == replicas_.end()) return "a commit writes to a " + replica + ", which does not exist";
  return it->second.log.Apply(write.persist);
}

void DiskImage::ApplyData(const WriteBatch& data) {
  if (data.empty()) return;
  if (rows_.use_count() > 1) rows_ = std::make_shared<Rows>(*rows_);
  for (const Mutation& mutation : data.mutations) {
    if (mutation.value) {
      rows_->insert_or_assign(mutation.key, *mutation.value);
    } else {
      rows_->erase(mutation.key);
    }
  }
}

const LogImage& DiskImage::log(RegionId region) const {
  static const LogImage* const kEmpty = new LogImage;
  const auto it = replicas_.find(region);
  return it == replicas_.end() ? *kEmpty : it->second.log;
}

std::vector<env::LogState> DiskImage::LogStates() const {
  std::vector<env::LogState> states;
  for (const auto& [region, replica] : replicas_) {
    states.push_back(replica.log.State(region, replica.incarnation));
  }
  return states;
}

absl::StatusOr<std::optional<std::string>> DiskImage::Get(std::string_view key) const {
  return GetRow(*rows_, key);
}

absl::Status DiskImage::Scan(std::string_view begin, std::string_view end, Visit visit) const {
  ScanRows(*rows_, begin, end, visit);
  return absl::OkStatus();
}

std::unique_ptr<DataReader> DiskImage::Pin() const {
  return std::make_unique<PinnedRows>(rows_, pins_);
}

}  // namespace flaredb::sim
