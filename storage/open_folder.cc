// SPDX-License-Identifier: Apache-2.0
#include "storage/open_folder.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/strings.h"
#include "storage/manifest_check.h"
#include "storage/ordered_names.h"
#include "storage/record_codec.h"
#include "storage/rocks_error.h"
#include "storage/rocks_options.h"
#include "storage/slices.h"
#include "storage/wal_check.h"

namespace flaredb::storage {
namespace {

// The body of the kMeta row: tells our database from any other that has the same families.
constexpr std::string_view kFormat = "flaredb store, format 2";

absl::Status NotOurs(const std::string& path, std::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat("the folder ", path,
                                                    " is not a FlareDB folder: ", ToAbsl(why),
                                                    "; choose an empty or a new folder"));
}

absl::Status Incomplete(const std::string& path, std::string_view missing) {
  return absl::DataLossError(absl::StrCat(
      "the FlareDB folder ", path, " is damaged: ", ToAbsl(missing),
      "; put the files back, or restore the store from its other replicas in another folder"));
}

enum class Content { kNothing, kDatabase };

// What the file names tell, before RocksDB touches anything: left alone it would make a new
// database in a foreign folder, and over the remains of one whose CURRENT file was deleted.
absl::StatusOr<Content> LookInto(rocksdb::Env* env, const std::string& path) {
  std::vector<std::string> names;
  const rocksdb::Status listed = env->GetChildren(path, &names);
  if (listed.IsNotFound()) return Content::kNothing;
  if (!listed.ok()) return ErrorFromRocks(listed, absl::StrCat("opening the folder ", path));
  std::sort(names.begin(), names.end());

  bool current = false;
  bool wal = false;
  bool data = false;
  std::optional<std::string> foreign;
  for (const std::string& name : names) {
    const bool is_wal = absl::EndsWith(name, ".log");
    const bool is_data = absl::EndsWith(name, ".sst") || absl::EndsWith(name, ".blob");
    current = current || name == "CURRENT";
    wal = wal || is_wal;
    data = data || is_data;
    const bool known = is_wal || is_data || name == "." || name == ".." || name == "CURRENT" ||
                       name == "LOCK" || name == "IDENTITY" || absl::StartsWith(name, "LOG") ||
                       absl::StartsWith(name, "MANIFEST-") || absl::StartsWith(name, "OPTIONS-") ||
                       absl::EndsWith(name, ".dbtmp") ||
                       name == "lost+found";  // A freshly formatted disk.
    if (!known && !foreign) foreign = name;
  }
  if (current) {
    // The first manifest of a database is replaced before its first log is opened.
    std::string manifest;
    const rocksdb::Status s = rocksdb::ReadFileToString(env, path + "/CURRENT", &manifest);
    if (!s.ok()) return ErrorFromRocks(s, absl::StrCat("reading ", path, "/CURRENT"));
    if (!wal && manifest != "MANIFEST-000001\n") {
      return Incomplete(path, "its write-ahead log (*.log) is missing");
    }
    return Content::kDatabase;
  }
  if (foreign) {
    return NotOurs(path, absl::StrCat("it holds \"", *foreign, "\", which is not FlareDB's"));
  }
  if (wal || data) return Incomplete(path, "its file CURRENT is missing");
  return Content::kNothing;  // Or what is left of a creation that was interrupted.
}

// Makes the folder `path`, if it is missing, and its name durable: RocksDB syncs what lies in its
// folder, and nobody the folder itself. After a loss of power all of it would be gone.
absl::Status MakeFolder(rocksdb::Env* env, const std::string& path) {
  const std::string what = absl::StrCat("making the folder ", path);
  rocksdb::Status s = env->CreateDirIfMissing(path);
  if (!s.ok()) return ErrorFromRocks(s, what);
  const size_t slash = path.find_last_of('/', path.find_last_not_of('/'));
  const std::string parent =
      slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
  std::unique_ptr<rocksdb::Directory> directory;
  s = env->NewDirectory(parent, &directory);
  if (s.ok()) s = directory->Fsync();
  return s.ok() ? absl::OkStatus() : ErrorFromRocks(s, what);
}

// Fails when another process has the folder open.
absl::Status CheckUnlocked(rocksdb::Env* env, const std::string& path) {
  rocksdb::FileLock* lock = nullptr;
  rocksdb::Status s = env->LockFile(path + "/LOCK", &lock);
  if (s.ok()) s = env->UnlockFile(lock);
  return s.ok() ? absl::OkStatus() : ErrorFromRocks(s, absl::StrCat("opening the folder ", path));
}

absl::Status CheckFamilies(rocksdb::Env* env, const std::string& path) {
  std::vector<std::string> names;
  rocksdb::DBOptions options;
  options.env = env;
  const rocksdb::Status s = rocksdb::DB::ListColumnFamilies(options, path, &names);
  if (!s.ok()) return ErrorFromRocks(s, absl::StrCat("opening the folder ", path));
  for (const std::string& name : names) {
    bool ours = false;
    for (size_t i = 0; i < kFamilies; ++i) ours |= name == FamilyName(static_cast<Family>(i));
    if (!ours) {
      return NotOurs(path, absl::StrCat("its database has a column family \"", name, "\""));
    }
  }
  return absl::OkStatus();
}

bool IsEmpty(const OpenedFolder& folder) {
  for (size_t i = 0; i < kFamilies; ++i) {
    const std::unique_ptr<rocksdb::Iterator> it(
        folder.db().NewIterator({}, folder.family(static_cast<Family>(i))));
    it->SeekToFirst();
    if (it->Valid() || !it->status().ok()) return false;
  }
  return true;
}

// Checks the row of kMeta; writes it into an empty database when `may_write`.
absl::Status CheckFormat(const OpenedFolder& folder, const std::string& path, bool may_write) {
  rocksdb::ColumnFamilyHandle* meta = folder.family(Family::kMeta);
  std::string value;
  rocksdb::Status s = folder.db().Get({}, meta, ToSlice(kFormatKey), &value);
  if (s.IsNotFound()) {
    if (!IsEmpty(folder)) return NotOurs(path, "its database was not made by FlareDB");
    if (!may_write) return absl::NotFoundError(absl::StrCat("there is no store in ", path));
    const SealBytes seal = MakeSeal(Family::kMeta, kFormatKey, {kFormat});
    value.assign(seal.data(), seal.size());
    value.append(kFormat);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    s = folder.db().Put(synced, meta, ToSlice(kFormatKey), value);
    if (!s.ok()) return ErrorFromRocks(s, absl::StrCat("writing to the folder ", path));
    return absl::OkStatus();
  }
  if (!s.ok()) return ErrorFromRocks(s, absl::StrCat("reading the folder ", path));
  const absl::StatusOr<std::string_view> format = Unseal(Family::kMeta, kFormatKey, value);
  if (!format.ok()) {
    return absl::Status(format.status().code(),
                        absl::StrCat("opening the folder ", path, ": ", format.status().message()));
  }
  if (*format != kFormat) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the folder ", path, " holds a \"", ToAbsl(*format), "\", but this program knows only \"",
        ToAbsl(kFormat), "\": use the version of FlareDB that wrote it"));
  }
  return absl::OkStatus();
}

}  // namespace

OpenedFolder::OpenedFolder(std::unique_ptr<rocksdb::Env> env, std::unique_ptr<rocksdb::DB> db,
                           const std::vector<rocksdb::ColumnFamilyHandle*>& families)
    : env_(std::move(env)), db_(std::move(db)) {
  INVARIANT(families.size() == kFamilies);
  std::copy(families.begin(), families.end(), families_.begin());
}

OpenedFolder::~OpenedFolder() {
  for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
  // A failure to close was met by a write before, or concerns nothing acknowledged.
  db_->Close().PermitUncheckedError();
}

absl::StatusOr<std::unique_ptr<OpenedFolder>> OpenFolder(rocksdb::Env* env, const std::string& path,
                                                         OpenMode mode) {
  const absl::StatusOr<Content> content = LookInto(env, path);
  if (!content.ok()) return content.status();
  const bool read_only = mode == OpenMode::kReadOnly;
  WalTail tail = WalTail::kWhole;
  if (*content == Content::kDatabase) {
    // First: the files of a running store change while they are looked at.
    if (!read_only) {
      if (absl::Status s = CheckUnlocked(env, path); !s.ok()) return s;
    }
    const absl::StatusOr<uint64_t> flushed = CheckManifest(env, path, !read_only);
    if (!flushed.ok()) return flushed.status();
    if (absl::Status s = CheckFamilies(env, path); !s.ok()) return s;
    // Before anything is opened: RocksDB would replay, flush and delete the log.
    const absl::StatusOr<WalTail> checked = CheckWal(env, path, *flushed);
    if (!checked.ok()) return checked.status();
    tail = *checked;
  } else if (read_only) {
    return absl::NotFoundError(absl::StrCat("there is no store in ", path));
  } else if (absl::Status s = MakeFolder(env, path); !s.ok()) {
    return s;
  }

  std::unique_ptr<rocksdb::Env> ordered = WithOrderedNames(env);
  const rocksdb::DBOptions options = MakeDbOptions(ordered.get(), tail);
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = MakeColumnFamilies();
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      read_only ? rocksdb::DB::OpenForReadOnly(options, path, families, &handles, &db)
                : rocksdb::DB::Open(options, path, families, &handles, &db);
  if (!opened.ok()) return ErrorFromRocks(opened, absl::StrCat("opening the folder ", path));
  auto folder =
      std::make_unique<OpenedFolder>(std::move(ordered), std::unique_ptr<rocksdb::DB>(db), handles);
  if (absl::Status s = CheckFormat(*folder, path, !read_only); !s.ok()) return s;
  return folder;
}

}  // namespace flaredb::storage
