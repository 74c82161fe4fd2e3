// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/sim_file_system.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "storage/slices.h"

namespace flaredb::storage {

using rocksdb::IOStatus;
using rocksdb::Slice;

namespace {

constexpr uint64_t kOperationMicros = 50;
constexpr uint64_t kStallMicrosMax = 60000000;
constexpr uint64_t kFullChangesMax = 12;
constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

// RocksDB joins paths without looking.
std::string Clean(const std::string& path) {
  std::string clean;
  for (const char c : path) {
    if (c != '/' || clean.empty() || clean.back() != '/') clean.push_back(c);
  }
  if (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  return clean;
}

// The texts are those of the machine's file system: storage/rocks_error.cc looks at them.
IOStatus Missing(const std::string& path) {
  return IOStatus::PathNotFound("While opening " + path, "No such file or directory");
}
IOStatus InputOutputError(std::string_view what, const std::string& path) {
  return IOStatus::IOError("While " + std::string(what) + " " + path, "Input/output error");
}

class SimLock final : public rocksdb::FileLock {
 public:
  explicit SimLock(std::string path) : path(std::move(path)) {}
  const std::string path;
};

class NullLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
  size_t GetLogFileSize() const override { return 0; }
};

}  // namespace

// An open file, for any kind of use. Also of one that lost its name.
class SimFile {
 public:
  SimFile(SimFileSystem* system, std::string path, Volume::FileRef file)
      : system_(system), path_(std::move(path)), file_(std::move(file)) {}

  IOStatus Read(uint64_t offset, size_t size, Slice* result, char* scratch) const {
    return system_->Read(path_, *file_, offset, size, result, scratch);
  }
  IOStatus Append(const Slice& data) { return system_->Append(path_, *file_, FromSlice(data)); }
  IOStatus Resize(uint64_t size) { return system_->Resize(path_, *file_, size); }
  IOStatus Sync() { return system_->Sync(path_, *file_); }
  uint64_t size() const { return file_->size(); }

 private:
  SimFileSystem* system_;
  std::string path_;
  Volume::FileRef file_;
};

class SimDirectory final : public rocksdb::FSDirectory {
 public:
  SimDirectory(SimFileSystem* system, std::string path) : system_(system), path_(std::move(path)) {}
  IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return system_->SyncDirectory(path_);
  }
  IOStatus Close(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return IOStatus::OK();
  }

 private:
  SimFileSystem* system_;
  std::string path_;
};

namespace {

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  explicit SequentialFile(SimFile file) : file_(std::move(file)) {}
  IOStatus Read(size_t size, const rocksdb::IOOptions&, Slice* result, char* scratch,
                rocksdb::IODebugContext*) override {
    const IOStatus s = file_.Read(at_, size, result, scratch);
    if (s.ok()) at_ += result->size();
    return s;
  }
  IOStatus Skip(uint64_t size) override {
    at_ += size;
    return IOStatus::OK();
  }

 private:
  SimFile file_;
  uint64_t at_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccessFile(SimFile file) : file_(std::move(file)) {}
  IOStatus Read(uint64_t offset, size_t size, const rocksdb::IOOptions&, Slice* result,
                char* scratch, rocksdb::IODebugContext*) const override {
    return file_.Read(offset, size, result, scratch);
  }

 private:
  SimFile file_;
};

class WritableFile final : public rocksdb::FSWritableFile {
 public:
  explicit WritableFile(SimFile file) : file_(std::move(file)) {}
  using rocksdb::FSWritableFile::Append;
  IOStatus Append(const Slice& data, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return file_.Append(data);
  }
  IOStatus Truncate(uint64_t size, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return size == file_.size() ? IOStatus::OK() : file_.Resize(size);
  }
  IOStatus Close(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return IOStatus::OK();
  }
  IOStatus Flush(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return IOStatus::OK();
  }
  IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return file_.Sync();
  }
  uint64_t GetFileSize(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return file_.size();
  }

 private:
  SimFile file_;
};

}  // namespace

SimFileSystem::SimFileSystem(uint64_t seed, std::shared_ptr<SimClock> clock)
    : rng_(seed), clock_(std::move(clock)) {}

// --- Faults
// ---------------------------------------------------------------------------------------

bool SimFileSystem::Strikes(Fault fault) {
  if (rates[fault] == 0 || !rng_.Chance(rates[fault])) return false;
  counts_.Fired(fault);
  unsettled_.Fired(fault);
  hash_.Add(static_cast<uint64_t>(fault));
  return true;
}

bool SimFileSystem::error_fired() const {
  for (const Fault fault : {Fault::kReadError, Fault::kWriteError, Fault::kShortWrite,
                            Fault::kNoSpace, Fault::kSyncError}) {
    if (unsettled_.fired[static_cast<size_t>(fault)] > 0) return true;
  }
  return false;
}

void SimFileSystem::Settle(bool errors_mattered, bool stalls_mattered) {
  for (size_t i = 0; i < kFaults; ++i) {
    const Fault fault = static_cast<Fault>(i);
    if (IsDamage(fault)) continue;
    const bool mattered = fault == Fault::kStall ? stalls_mattered : errors_mattered;
    if (mattered) counts_.mattered[i] += unsettled_.fired[i];
  }
  unsettled_ = {};
}

SimFileSystem::Place SimFileSystem::RandomPlace(const SectorFile* not_in) {
  std::vector<Place> files;
  uint64_t sectors = 0;
  for (const auto& [path, file] : volume_.Files()) {
    if (file.get() == not_in || file->size() == 0) continue;
    files.push_back({file, (file->size() + kSectorBytes - 1) / kSectorBytes});
    sectors += files.back().sector;
  }
  if (files.empty()) return {};
  // Half of the time any file, half of the time any sector: small files matter as much.
  if (rng_.Chance(500000)) {
    const Place& place = files[rng_.Below(files.size())];
    return {place.file, rng_.Below(place.sector)};
  }
  uint64_t at = rng_.Below(sectors);
  for (const Place& place : files) {
    if (at < place.sector) return {place.file, at};
    at -= place.sector;
  }
  return {};
}

void SimFileSystem::Age() {
  for (const Fault fault : {Fault::kBitRot, Fault::kLatentSector}) {
    if (rates[fault] == 0 || !rng_.Chance(rates[fault])) continue;
    const Place place = RandomPlace(nullptr);
    if (place.file == nullptr) continue;
    const uint64_t bits =
        std::min(kSectorBytes, place.file->size() - place.sector * kSectorBytes) * 8;
    const bool struck = fault == Fault::kBitRot
                            ? place.file->FlipBit(place.sector, rng_.Below(bits))
                            : place.file->MakeUnreadable(place.sector);
    if (struck) counts_.Fired(fault);
  }
  if (rates[Fault::kLostFile] != 0 && rng_.Chance(rates[Fault::kLostFile])) LoseSomeFile();
}

void SimFileSystem::LoseSomeFile() {
  const std::vector<std::string> files = volume_.DurableFiles();
  if (files.empty()) return;
  const std::string& lost = files[rng_.Below(files.size())];
  // Their names are numbers of one width.
  const auto newest = std::find_if(files.rbegin(), files.rend(),
                                   [](const std::string& path) { return path.ends_with(".log"); });
  if (newest != files.rend() && *newest == lost) ++newest_logs_lost_;
  volume_.LoseFile(lost);
  counts_.Fired(Fault::kLostFile);
}

void SimFileSystem::Restart(uint32_t kept_ppm) {
  volume_.LosePower(rng_, kept_ppm, &counts_);
  locks_.clear();
  off_ = false;
  off_after_ = kNever;
  full_until_ = 0;
}

void SimFileSystem::ProcessDied() {
  locks_.clear();
  off_ = false;
  off_after_ = kNever;
  full_until_ = 0;
  if (rng_.Chance(500000)) volume_.DropCaches();
}

// --- Operations
// -----------------------------------------------------------------------------------

IOStatus SimFileSystem::Begin(std::string_view what, const std::string& path) {
  if (off_) return InputOutputError(what, path);
  hash_.Add(what).Add(path);
  clock_->Advance(kOperationMicros);
  if (Strikes(Fault::kStall)) clock_->Advance(rng_.Below(kStallMicrosMax));
  return IOStatus::OK();
}

IOStatus SimFileSystem::BeginChange(std::string_view what, const std::string& path) {
  IOStatus s = Begin(what, path);
  if (s.ok()) ++changes_;
  return s;
}

IOStatus SimFileSystem::EndChange(const std::string& path) {
  if (changes_ < off_after_) return IOStatus::OK();
  off_ = true;
  return InputOutputError("the power failed at", path);
}

IOStatus SimFileSystem::NameFault(const std::string& path) {
  if (changes_ < full_until_) return IOStatus::NoSpace("While open a file " + path);
  if (Strikes(Fault::kWriteError)) return InputOutputError("change of a name", path);
  return IOStatus::OK();
}

IOStatus SimFileSystem::Read(const std::string& path, SectorFile& file, uint64_t offset,
                             size_t size, Slice* result, char* scratch) {
  *result = Slice(scratch, 0);
  IOStatus s = Begin("read", path);
  if (!s.ok()) return s;
  const uint64_t end = std::min<uint64_t>(file.size(), offset + size);
  const uint64_t length = offset < end ? end - offset : 0;
  for (const Fault fault : file.MeetMarks(offset, length)) counts_.Mattered(fault);
  if (file.Unreadable(offset, length) || Strikes(Fault::kReadError)) {
    return InputOutputError("pread", path);
  }
  std::memcpy(scratch, file.bytes().data() + std::min<uint64_t>(offset, file.size()), length);
  *result = Slice(scratch, length);
  hash_.Add(offset).Add(length);
  return s;
}

IOStatus SimFileSystem::Append(const std::string& path, SectorFile& file, std::string_view data) {
  IOStatus s = BeginChange("append", path);
  if (!s.ok()) return s;
  hash_.Add(file.size()).Add(data.size());
  if (changes_ < full_until_) return IOStatus::NoSpace("While appending to file: " + path);
  if (Strikes(Fault::kNoSpace)) {
    full_until_ = changes_ + rng_.Below(kFullChangesMax);
    return IOStatus::NoSpace("While appending to file: " + path);
  }
  if (Strikes(Fault::kWriteError)) return InputOutputError("appending to file", path);
  if (!data.empty() && Strikes(Fault::kShortWrite)) {
    file.Write(file.size(), data.substr(0, rng_.Below(data.size())));
    return InputOutputError("appending to file", path);
  }
  if (Strikes(Fault::kLostWrite)) {
    Lose(path, file, data, Fault::kLostWrite);
  } else if (Strikes(Fault::kMisdirectedWrite)) {
    // The other place gets the first sector of it; it may be in the same file.
    const Place place = RandomPlace(rng_.Chance(500000) ? &file : nullptr);
    if (place.file != nullptr) place.file->Clobber(place.sector, data.substr(0, kSectorBytes));
    Lose(path, file, data, Fault::kMisdirectedWrite);
  } else {
    file.Write(file.size(), data);
  }
  return EndChange(path);
}

void SimFileSystem::Lose(const std::string& path, SectorFile& file, std::string_view data,
                         Fault why) {
  file.WriteLost(file.size(), data, why);
  if (path.ends_with(".log")) ++log_writes_lost_;
  if (path.find("/MANIFEST-") != std::string::npos) ++manifest_writes_lost_;
}

IOStatus SimFileSystem::Resize(const std::string& path, SectorFile& file, uint64_t size) {
  IOStatus s = BeginChange("truncate", path);
  if (!s.ok()) return s;
  if (Strikes(Fault::kWriteError)) return InputOutputError("truncate", path);
  file.Resize(size);
  return EndChange(path);
}

IOStatus SimFileSystem::Sync(const std::string& path, SectorFile& file) {
  IOStatus s = BeginChange("fdatasync", path);
  if (!s.ok()) return s;
  if (Strikes(Fault::kSyncError)) {
    file.DropDirty();
    return InputOutputError("fdatasync", path);
  }
  if (!syncs_lie) file.Sync();
  return EndChange(path);
}

IOStatus SimFileSystem::SyncDirectory(const std::string& path) {
  IOStatus s = BeginChange("fsync", path);
  if (!s.ok()) return s;
  if (Strikes(Fault::kSyncError)) return InputOutputError("fsync", path);
  if (!directory_syncs_lie) volume_.SyncDirectory(path);
  return EndChange(path);
}

// --- rocksdb::FileSystem
// --------------------------------------------------------------------------

IOStatus SimFileSystem::NewSequentialFile(const std::string& path, const rocksdb::FileOptions&,
                                          std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                          Debug*) {
  const std::string clean = Clean(path);
  IOStatus s = Begin("open", clean);
  if (!s.ok()) return s;
  FileRef found = volume_.Find(clean);
  if (found == nullptr) return Missing(clean);
  *file = std::make_unique<SequentialFile>(SimFile(this, clean, std::move(found)));
  return s;
}

IOStatus SimFileSystem::NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions&,
                                            std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                            Debug*) {
  const std::string clean = Clean(path);
  IOStatus s = Begin("open", clean);
  if (!s.ok()) return s;
  FileRef found = volume_.Find(clean);
  if (found == nullptr) return Missing(clean);
  *file = std::make_unique<RandomAccessFile>(SimFile(this, clean, std::move(found)));
  return s;
}

IOStatus SimFileSystem::NewWritableFile(const std::string& path, const rocksdb::FileOptions&,
                                        std::unique_ptr<rocksdb::FSWritableFile>* file, Debug*) {
  const std::string clean = Clean(path);
  IOStatus s = BeginChange("create", clean);
  if (!s.ok()) return s;
  if (!volume_.IsDirectory(DirectoryOf(clean))) return Missing(clean);
  if (s = NameFault(clean); !s.ok()) return s;
  *file = std::make_unique<WritableFile>(SimFile(this, clean, volume_.Create(clean)));
  return EndChange(clean);
}

IOStatus SimFileSystem::ReopenWritableFile(const std::string& path, const rocksdb::FileOptions&,
                                           std::unique_ptr<rocksdb::FSWritableFile>* file, Debug*) {
  const std::string clean = Clean(path);
  IOStatus s = BeginChange("reopen", clean);
  if (!s.ok()) return s;
  if (s = NameFault(clean); !s.ok()) return s;
  FileRef found = volume_.Find(clean);
  if (found == nullptr) found = volume_.Create(clean);
  *file = std::make_unique<WritableFile>(SimFile(this, clean, std::move(found)));
  return EndChange(clean);
}

IOStatus SimFileSystem::NewDirectory(const std::string& path, const Options&,
                                     std::unique_ptr<rocksdb::FSDirectory>* directory, Debug*) {
  const std::string clean = Clean(path);
  IOStatus s = Begin("open", clean);
  if (!s.ok()) return s;
  if (!volume_.IsDirectory(clean)) return Missing(clean);
  *directory = std::make_unique<SimDirectory>(this, clean);
  return s;
}

IOStatus SimFileSystem::FileExists(const std::string& path, const Options&, Debug*) {
  const std::string clean = Clean(path);
  IOStatus s = Begin("access", clean);
  if (!s.ok()) return s;
  return volume_.Exists(clean) ? IOStatus::OK() : IOStatus::NotFound();
}

IOStatus SimFileSystem::GetChildren(const std::string& path, const Options&,
                                    std::vector<std::string>* names, Debug*) {
  const std::string clean = Clean(path);
  IOStatus s = Begin("list", clean);
  if (!s.ok()) return s;
  for (const Fault loss : volume_.MeetLosses(DirectoryOf(clean))) counts_.Mattered(loss);
  if (!volume_.IsDirectory(clean)) return IOStatus::NotFound("While opendir " + clean);
  for (const Fault loss : volume_.MeetLosses(clean)) counts_.Mattered(loss);
  if (Strikes(Fault::kReadError)) return InputOutputError("opendir", clean);
  *names = volume_.List(clean);
  return s;
}

IOStatus SimFileSystem::DeleteFile(const std::string& path, const Options&, Debug*) {
  const std::string clean = Clean(path);
  IOStatus s = BeginChange("unlink", clean);
  if (!s.ok()) return s;
  if (volume_.Find(clean) == nullptr) return Missing(clean);
  if (Strikes(Fault::kWriteError)) return InputOutputError("unlink", clean);
  volume_.Remove(clean);
  return EndChange(clean);
}

IOStatus SimFileSystem::Truncate(const std::string& path, size_t size, const Options&, Debug*) {
  const std::string clean = Clean(path);
  const FileRef file = volume_.Find(clean);
  return file == nullptr ? Missing(clean) : Resize(clean, *file, size);
}

IOStatus SimFileSystem::CreateDir(const std::string& path, const Options&, Debug*) {
  const std::string clean = Clean(path);
  IOStatus s = BeginChange("mkdir", clean);
  if (!s.ok()) return s;
  if (volume_.Exists(clean)) return IOStatus::IOError("While mkdir " + clean, "File exists");
  if (!volume_.IsDirectory(DirectoryOf(clean))) return Missing(clean);
  if (s = NameFault(clean); !s.ok()) return s;
  volume_.MakeDirectory(clean);
  return EndChange(clean);
}

IOStatus SimFileSystem::CreateDirIfMissing(const std::string& path, const Options& options,
                                           Debug* debug) {
  if (!off_ && volume_.IsDirectory(Clean(path))) return IOStatus::OK();
  return CreateDir(path, options, debug);
}

IOStatus SimFileSystem::DeleteDir(const std::string& path, const Options&, Debug*) {
  const std::string clean = Clean(path);
  IOStatus s = BeginChange("rmdir", clean);
  if (!s.ok()) return s;
  if (!volume_.IsDirectory(clean)) return Missing(clean);
  if (!volume_.List(clean).empty()) {
    return IOStatus::IOError("While rmdir " + clean, "Directory not empty");
  }
  volume_.Remove(clean);
  return EndChange(clean);
}

IOStatus SimFileSystem::GetFileSize(const std::string& path, const Options&, uint64_t* size,
                                    Debug*) {
  const std::string clean = Clean(path);
  IOStatus s = Begin("stat", clean);
  if (!s.ok()) return s;
  const FileRef file = volume_.Find(clean);
  if (file == nullptr) return Missing(clean);
  *size = file->size();
  return s;
}

IOStatus SimFileSystem::GetFileModificationTime(const std::string& path, const Options&,
                                                uint64_t* seconds, Debug*) {
  // Volumes keep no times; nothing depends on them but the age of RocksDB's diary.
  const std::string clean = Clean(path);
  IOStatus s = Begin("stat", clean);
  if (!s.ok()) return s;
  if (!volume_.Exists(clean)) return Missing(clean);
  *seconds = clock_->NowMicros() / 1000000;
  return s;
}

IOStatus SimFileSystem::RenameFile(const std::string& from, const std::string& to, const Options&,
                                   Debug*) {
  const std::string clean_from = Clean(from);
  const std::string clean_to = Clean(to);
  IOStatus s = BeginChange("rename", clean_to);
  if (!s.ok()) return s;
  if (volume_.Find(clean_from) == nullptr) return Missing(clean_from);
  if (s = NameFault(clean_to); !s.ok()) return s;
  volume_.Rename(clean_from, clean_to);
  return EndChange(clean_to);
}

IOStatus SimFileSystem::LinkFile(const std::string& from, const std::string& to, const Options&,
                                 Debug*) {
  const std::string clean_from = Clean(from);
  const std::string clean_to = Clean(to);
  IOStatus s = BeginChange("link", clean_to);
  if (!s.ok()) return s;
  if (volume_.Find(clean_from) == nullptr) return Missing(clean_from);
  if (s = NameFault(clean_to); !s.ok()) return s;
  volume_.Link(clean_from, clean_to);
  return EndChange(clean_to);
}

IOStatus SimFileSystem::LockFile(const std::string& path, const Options&, rocksdb::FileLock** lock,
                                 Debug*) {
  const std::string clean = Clean(path);
  IOStatus s = BeginChange("lock", clean);
  if (!s.ok()) return s;
  if (locks_.contains(clean)) {
    return IOStatus::IOError("lock hold by current process " + clean, "No locks available");
  }
  if (!volume_.IsDirectory(DirectoryOf(clean))) return Missing(clean);
  if (s = NameFault(clean); !s.ok()) return s;
  if (volume_.Find(clean) == nullptr) volume_.Create(clean);
  if (s = EndChange(clean); !s.ok()) return s;
  locks_.insert(clean);
  *lock = new SimLock(clean);
  return s;
}

IOStatus SimFileSystem::UnlockFile(rocksdb::FileLock* lock, const Options&, Debug*) {
  const std::unique_ptr<SimLock> owned(static_cast<SimLock*>(lock));
  locks_.erase(owned->path);
  return IOStatus::OK();
}

IOStatus SimFileSystem::GetTestDirectory(const Options&, std::string* path, Debug*) {
  *path = "/";
  return IOStatus::OK();
}

IOStatus SimFileSystem::NewLogger(const std::string&, const Options&,
                                  std::shared_ptr<rocksdb::Logger>* logger, Debug*) {
  *logger = std::make_shared<NullLogger>();
  return IOStatus::OK();
}

IOStatus SimFileSystem::GetAbsolutePath(const std::string& path, const Options&,
                                        std::string* absolute, Debug*) {
  *absolute = Clean(path);
  return IOStatus::OK();
}

IOStatus SimFileSystem::IsDirectory(const std::string& path, const Options&, bool* is_directory,
                                    Debug*) {
  const std::string clean = Clean(path);
  IOStatus s = Begin("stat", clean);
  if (!s.ok()) return s;
  if (!volume_.Exists(clean)) return Missing(clean);
  *is_directory = volume_.IsDirectory(clean);
  return s;
}

}  // namespace flaredb::storage
