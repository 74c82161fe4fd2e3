// SPDX-License-Identifier: Apache-2.0
#include "net/server/data_folder.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "net/server/join.h"

namespace flaredb::net {

absl::Status DataFolder::Open() {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("cannot use ", path_, " as data folder: ",
                                               error.message(), "; give another one to --data-dir"));
  }
  return OpenDatabase();
}

absl::Status DataFolder::OpenDatabase() {
  auto disk = open_disk_(path_ + "/db", events_);
  if (!disk.ok()) return disk.status();
  disk_ = *std::move(disk);
  auto logs = disk_->RecoverLogs();
  if (!logs.ok()) return logs.status();
  auto recovered = store::Recover(disk_->data(), *logs);
  if (recovered.ok()) {
    recovered_ = *std::move(recovered);
  } else if (!absl::IsNotFound(recovered.status())) {
    return recovered.status();
  }
  return absl::OkStatus();
}

absl::StatusOr<pd::InstanceId> DataFolder::Instance(pd::InstanceId drawn) const {
  return RememberInstance(InstancePath(), drawn);
}

absl::Status DataFolder::Bootstrap(env::GroupCommit commit) {
  disk_->Write(std::move(commit));
  // Opened again like any other, so that there is one way in.
  disk_.reset();
  if (absl::Status s = OpenDatabase(); !s.ok()) return s;
  if (!recovered_.has_value()) {
    return absl::InternalError(
        absl::StrCat("the first write to ", path_, " failed: check the disk"));
  }
  return absl::OkStatus();
}

void DataFolder::Settle() const {
  std::error_code error;
  std::filesystem::remove(InstancePath(), error);
}

}  // namespace flaredb::net
