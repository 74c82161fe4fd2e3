// SPDX-License-Identifier: Apache-2.0
// Everything on one store's disk.
#ifndef FLAREDB_SIM_WORLD_DISK_IMAGE_H_
#define FLAREDB_SIM_WORLD_DISK_IMAGE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/base/write_batch.h"
#include "core/env/disk.h"
#include "sim/world/log_image.h"

namespace flaredb::sim {

// Logs and rows, changed by whole group commits: what a synced batch to a sequential write-ahead
// log gives.
class DiskImage : public DataSource {
 public:
  struct Replica {
    Incarnation incarnation;
    LogImage log;
  };

  using Rows = std::map<std::string, std::string, std::less<>>;

  // Log first, then data. A sentence when the commit can't be carried out: it writes to or destroys
  // a replica that is not there, creates one that is, or see LogImage::Apply.
  std::optional<std::string> Apply(const env::GroupCommit& commit);

  // By region id.
  const std::map<RegionId, Replica>& replicas() const { return replicas_; }
  // The log of a region without a replica here is empty.
  const LogImage& log(RegionId region) const;
  const Rows& rows() const { return *rows_; }
  std::vector<env::LogState> LogStates() const;

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::Status Scan(
      std::string_view begin, std::string_view end,
      absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const override;
  // O(1); the next Apply copies the rows.
  std::unique_ptr<DataReader> Pin() const override;
  // How many of those readers are still there.
  size_t pinned() const { return static_cast<size_t>(pins_.use_count()) - 1; }

 private:
  std::optional<std::string> ApplyLog(const env::LogWrite& write);
  void ApplyData(const WriteBatch& data);

  std::map<RegionId, Replica> replicas_;
  std::shared_ptr<Rows> rows_ = std::make_shared<Rows>();  // Shared with readers that are pinned.
  // Shared with all of them, whatever rows they see.
  std::shared_ptr<const int> pins_ = std::make_shared<const int>();
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_DISK_IMAGE_H_
