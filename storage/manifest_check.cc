// SPDX-License-Identifier: Apache-2.0
#include "storage/manifest_check.h"

#include "absl/strings/str_cat.h"
#include "storage/rocks_error.h"
#include "storage/wal_check.h"

namespace flaredb::storage {

absl::StatusOr<uint64_t> CheckManifest(rocksdb::Env* env, const std::string& folder, bool may_cut) {
  std::string name;
  rocksdb::Status s = rocksdb::ReadFileToString(env, folder + "/CURRENT", &name);
  if (!s.ok()) return ErrorFromRocks(s, absl::StrCat("reading ", folder, "/CURRENT"));
  // A CURRENT that names nothing is RocksDB's to refuse.
  const std::string path = absl::StrCat(folder, "/", name.substr(0, name.find('\n')));
  if (name.empty() || name.front() == '\n' || !env->FileExists(path).ok()) return 0;

  std::string content;
  s = rocksdb::ReadFileToString(env, path, &content);
  if (!s.ok()) return ErrorFromRocks(s, absl::StrCat("reading ", path));
  const ManifestScan scan = ScanManifest(content);
  if (scan.end == LogEnd::kDamaged) {
    return absl::DataLossError(
        absl::StrCat("the manifest ", path, " is damaged at byte ", scan.good_bytes,
                     "; do not start on this folder again, restore the store from its other "
                     "replicas"));
  }
  if (scan.end != LogEnd::kTorn) return scan.last_sequence;
  if (!may_cut) {
    return absl::FailedPreconditionError(
        absl::StrCat("the manifest ", path,
                     " ends in a write that a loss of power interrupted; "
                     "start the store once, which removes that"));
  }
  s = env->Truncate(path, scan.good_bytes);
  if (!s.ok()) return ErrorFromRocks(s, absl::StrCat("cutting ", path));
  return scan.last_sequence;
}

}  // namespace flaredb::storage
