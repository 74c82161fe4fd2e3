// SPDX-License-Identifier: Apache-2.0
// The data folder of a store, at its start.
#ifndef FLAREDB_NET_SERVER_DATA_FOLDER_H_
#define FLAREDB_NET_SERVER_DATA_FOLDER_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/env/disk.h"
#include "core/pd/cluster.h"
#include "core/store/recovery.h"
#include "net/server/disk.h"

namespace flaredb::net {

// From a path to an open disk and what an earlier start left on it:
//
//   Open --> Recovered? --no--> Instance --> Bootstrap --+--> Settle --> Take...
//                      +--yes----------------------------+
//
// Errors are one sentence.
class DataFolder {
 public:
  // `events`: see DiskEvents. `open_disk` outlives this object.
  DataFolder(std::string path, const OpenDisk& open_disk, DiskEvents events)
      : path_(std::move(path)), open_disk_(open_disk), events_(std::move(events)) {}

  const std::string& path() const { return path_; }
  // Creates what is missing, opens the database and reads it.
  absl::Status Open();
  // nullptr: the folder is of no store yet.
  const store::RecoveredStore* recovered() const { return recovered_ ? &*recovered_ : nullptr; }

  // The instance that the store is to have: it comes back as the same one, if it joins a cluster
  // and then loses its power before it has written that down. `drawn` is taken the first time.
  absl::StatusOr<pd::InstanceId> Instance(pd::InstanceId drawn) const;
  // Makes it the folder of a store, with its first write.
  absl::Status Bootstrap(env::GroupCommit commit);
  // The database knows who it is of. What Instance had remembered would vouch, beside an empty
  // database, for what was lost.
  void Settle() const;

  std::unique_ptr<Disk> TakeDisk() { return std::move(disk_); }
  store::RecoveredStore TakeRecovered() { return *std::exchange(recovered_, std::nullopt); }

 private:
  absl::Status OpenDatabase();
  std::string InstancePath() const { return path_ + "/instance"; }

  const std::string path_;
  const OpenDisk& open_disk_;
  const DiskEvents events_;
  std::unique_ptr<Disk> disk_;
  std::optional<store::RecoveredStore> recovered_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_DATA_FOLDER_H_
