// SPDX-License-Identifier: Apache-2.0
#include "storage/rocks_error.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/strings.h"

namespace flaredb::storage {

absl::Status ErrorFromRocks(const rocksdb::Status& status, std::string_view what) {
  const std::string detail = status.ToString();
  const absl::string_view doing = ToAbsl(what);
  if (status.IsCorruption()) {
    return absl::DataLossError(absl::StrCat(
        doing, ": the files are damaged (", detail,
        "); do not start on this folder again, restore the store from its other replicas"));
  }
  // A file that other files name is not there.
  if (status.IsPathNotFound() || absl::StrContains(detail, "No such file or directory")) {
    return absl::DataLossError(absl::StrCat(
        doing, ": a file is missing (", detail,
        "); put it back, or restore the store from its other replicas in another folder"));
  }
  if (status.IsNoSpace()) {
    return absl::ResourceExhaustedError(
        absl::StrCat(doing, ": the disk is full (", detail, "); free some space and start again"));
  }
  // RocksDB has no codes for the following; the texts are errno's.
  if (absl::StrContains(detail, "lock hold by current process") ||
      absl::StrContains(detail, "While lock file")) {
    return absl::FailedPreconditionError(
        absl::StrCat(doing,
                     ": the folder is in use by another process; stop that one first, or "
                     "choose another folder"));
  }
  if (absl::StrContains(detail, "Permission denied") ||
      absl::StrContains(detail, "Read-only file system")) {
    return absl::PermissionDeniedError(
        absl::StrCat(doing, ": permission denied (", detail,
                     "); give this user read and write access to the folder and its files"));
  }
  return absl::InternalError(absl::StrCat(doing, ": ", detail));
}

}  // namespace flaredb::storage
