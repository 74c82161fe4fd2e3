// SPDX-License-Identifier: Apache-2.0
// What a server asks of its disk.
#ifndef FLAREDB_NET_SERVER_DISK_H_
#define FLAREDB_NET_SERVER_DISK_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/data_reader.h"
#include "core/store/effects.h"
#include "core/store/event.h"
#include "core/store/recovery.h"

namespace flaredb::net {

// A store's open folder, locked against other processes. The destructor finishes the writes that
// are queued. RecoverLogs is called once, before the first Write.
class Disk {
 public:
  virtual ~Disk() = default;

  virtual absl::StatusOr<std::vector<env::LogState>> RecoverLogs() = 0;
  // What is durable; lives as long as the disk.
  virtual const DataSource& data() const = 0;
  // Queues; ends in a DiskDone or DiskFailed. Tokens increase.
  virtual void Write(env::GroupCommit commit) = 0;
  // Queues; ends in a LogFetched.
  virtual void ReadLog(env::LogFetch fetch) = 0;
};

// Receives DiskDone, DiskFailed and LogFetched on threads of the disk's own, until its destructor
// returns.
using DiskEvents = std::function<void(store::Event event)>;

// Opens the folder `path`, creating it when missing. Errors are one sentence:
//   FAILED_PRECONDITION  in use by another process, or not a folder of ours
//   DATA_LOSS            damaged
//   others               the system refused
using OpenDisk = std::function<absl::StatusOr<std::unique_ptr<Disk>>(const std::string& path,
                                                                     DiskEvents events)>;

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_DISK_H_
