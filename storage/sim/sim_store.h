// SPDX-License-Identifier: Apache-2.0
// The production storage layer in a process of a simulated machine, without its threads.
#ifndef FLAREDB_STORAGE_SIM_SIM_STORE_H_
#define FLAREDB_STORAGE_SIM_SIM_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/rng.h"
#include "core/env/disk.h"
#include "storage/commit_writer.h"
#include "storage/open_folder.h"
#include "storage/sim/content.h"
#include "storage/sim/sim_env.h"
#include "storage/sim/sim_file_system.h"

namespace flaredb::storage {

// The machine lives as long as this object; processes come and go.
class SimStore {
 public:
  explicit SimStore(uint64_t seed);
  ~SimStore();

  SimFileSystem& machine() { return *file_system_; }
  bool running() const { return folder_ != nullptr; }
  // Borrowed until the process ends. Requires one.
  const OpenedFolder& folder() const { return *folder_; }

  // Starts a process: opens the folder and reads all of it. Without a process, requires that there
  // is none.
  absl::StatusOr<Content> Start();
  // All others require a process.
  //
  // Writes all of them. After an error only reads and an end are allowed.
  absl::Status Write(const std::vector<env::GroupCommit>& commits);
  absl::StatusOr<Content> Read() const;
  // Asks for a flush of a random column family, in the background.
  absl::Status Flush();
  // Runs one background job, if there is one.
  void RunJob();
  // Ends the process in good order.
  void Close();
  // The process does nothing any more and is gone.
  void Kill();

 private:
  // Runs jobs until the next write does not have to wait for one.
  void MakeRoom();

  Rng rng_;
  std::shared_ptr<SimClock> clock_;
  std::shared_ptr<SimFileSystem> file_system_;
  std::unique_ptr<SimEnv> env_;
  std::unique_ptr<OpenedFolder> folder_;
  std::optional<CommitWriter> writer_;
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_SIM_STORE_H_
