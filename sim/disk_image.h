// SPDX-License-Identifier: Apache-2.0
// Everything on one store's disk.
#ifndef FLAREDB_SIM_DISK_IMAGE_H_
#define FLAREDB_SIM_DISK_IMAGE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/data_reader.h"
#include "core/store/effects.h"
#include "core/store/recovery.h"
#include "sim/log_image.h"

namespace flaredb::sim {

// Logs and rows, changed by whole group commits: what a synced batch to a sequential write-ahead
// log gives.
class DiskImage : public DataReader {
 public:
  struct Replica {
    Incarnation incarnation;
    LogImage log;
  };

  // Log first, then data. A sentence when the commit can't be carried out; see LogImage::Apply.
  std::optional<std::string> Apply(const env::GroupCommit& commit);

  // By region id.
  const std::map<RegionId, Replica>& replicas() const { return replicas_; }
  // The log of a region without a replica here is empty.
  const LogImage& log(RegionId region) const;
  const std::map<std::string, std::string, std::less<>>& rows() const { return rows_; }
  std::vector<env::LogState> LogStates() const;

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::Status Scan(
      std::string_view begin, std::string_view end,
      absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const override;

 private:
  std::map<RegionId, Replica> replicas_;
  std::map<std::string, std::string, std::less<>> rows_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_DISK_IMAGE_H_
