// SPDX-License-Identifier: Apache-2.0
// What a store must hold after a start: everything acknowledged, and of the rest a prefix.
#ifndef FLAREDB_STORAGE_SIM_DURABILITY_ORACLE_H_
#define FLAREDB_STORAGE_SIM_DURABILITY_ORACLE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/env/disk.h"
#include "sim/world/disk_image.h"
#include "storage/sim/content.h"

namespace flaredb::storage {

class DurabilityOracle {
 public:
  // A commit goes to the disk, behind those before.
  void Issued(const env::GroupCommit& commit);
  // The disk reported all of them as durable.
  void Acknowledged();

  // After everything issued.
  const sim::DiskImage& image() const { return issued_; }
  IoToken next_token() const { return IoToken(history_.size() + 1); }
  size_t commits() const { return history_.size(); }
  size_t acknowledged() const { return acknowledged_; }

  // After a start. When the store holds the commits up to some number, and all that were
  // acknowledged, it was read: the rest never happened, and none of these may be lost any more.
  // Otherwise a sentence that says what is wrong, and `Lost` tells more.
  std::optional<std::string> Recovered(const Content& content);
  // The first commit that was acknowledged and is not there, by its number from 0, if the last
  // Recovered found a shorter prefix.
  std::optional<size_t> lost_from() const { return lost_from_; }

 private:
  std::vector<env::GroupCommit> history_;
  size_t acknowledged_ = 0;  // So many of them are durable.
  sim::DiskImage durable_;   // After these.
  sim::DiskImage issued_;    // After all.
  std::optional<size_t> lost_from_;
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_DURABILITY_ORACLE_H_
