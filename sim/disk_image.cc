// SPDX-License-Identifier: Apache-2.0
#include "sim/disk_image.h"

#include "absl/status/status.h"

namespace flaredb::sim {

std::optional<std::string> DiskImage::Apply(const env::GroupCommit& commit) {
  for (const env::LogWrite& write : commit.log) {
    Replica& replica = replicas_[write.region];
    if (write.create) replica.incarnation = write.create;
    if (auto refused = replica.log.Apply(write.persist)) return refused;
  }
  for (const Mutation& mutation : commit.data.mutations) {
    if (mutation.value) {
      rows_.insert_or_assign(mutation.key, *mutation.value);
    } else {
      rows_.erase(mutation.key);
    }
  }
  return std::nullopt;
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
  const auto it = rows_.find(key);
  if (it == rows_.end()) return std::optional<std::string>();
  return std::optional<std::string>(it->second);
}

absl::Status DiskImage::Scan(
    std::string_view begin, std::string_view end,
    absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const {
  for (auto it = rows_.lower_bound(begin); it != rows_.end(); ++it) {
    if (!end.empty() && it->first >= end) break;
    if (!visit(it->first, it->second)) break;
  }
  return absl::OkStatus();
}

}  // namespace flaredb::sim
