// SPDX-License-Identifier: Apache-2.0
// A volume as RocksDB's file system, on a machine that can fail in every way of
// storage/sim/faults.h.
#ifndef FLAREDB_STORAGE_SIM_SIM_FILE_SYSTEM_H_
#define FLAREDB_STORAGE_SIM_SIM_FILE_SYSTEM_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/hash.h"
#include "core/base/rng.h"
#include "rocksdb/file_system.h"
#include "storage/sim/faults.h"
#include "storage/sim/sim_clock.h"
#include "storage/sim/volume.h"

namespace flaredb::storage {

// One thread. Each operation takes simulated time.
class SimFileSystem final : public rocksdb::FileSystem {
 public:
  // `clock` is shared with the Env.
  SimFileSystem(uint64_t seed, std::shared_ptr<SimClock> clock);

  const char* Name() const override { return "SimFileSystem"; }
  Volume& volume() { return volume_; }

  // --- Faults ---------------------------------------------------------------------------------

  FaultRates rates;                  // In force from now on.
  bool syncs_lie = false;            // Every sync of a file reports success and does nothing.
  bool directory_syncs_lie = false;  // Likewise of a directory.
  const FaultCounts& counts() const { return counts_; }
  // Says what became of the reported errors and stalls since the last call.
  void Settle(bool errors_mattered, bool stalls_mattered);
  // Whether a reported error fired since the last Settle.
  bool error_fired() const;
  // Appends to write-ahead logs and to manifests that were reported as done and are not on the
  // disk.
  uint64_t log_writes_lost() const { return log_writes_lost_; }
  uint64_t manifest_writes_lost() const { return manifest_writes_lost_; }
  // Files that were lost while they were the newest of the write-ahead logs.
  uint64_t newest_logs_lost() const { return newest_logs_lost_; }
  // Damages up to one sector of a random file, by the rates of latent sectors and bit rot, and
  // loses up to one file.
  void Age();

  // Operations so far that change the volume or sync it.
  uint64_t changes() const { return changes_; }
  // The power fails after change number `n`: from then on every operation fails. Handles that are
  // open then must be gone before Restart.
  void PowerOffAfter(uint64_t n) { off_after_ = n; }
  // From now on every operation fails.
  void Halt() { off_ = true; }
  bool off() const { return off_; }
  // After a failure of power, or instead of one: the machine runs again, with what
  // Volume::LosePower leaves for `kept_ppm`.
  void Restart(uint32_t kept_ppm);
  // A process died, the machine did not. Its locks go; the cache may, too.
  void ProcessDied();

  // Of every operation with its place, size and result.
  uint64_t hash() const { return hash_.value(); }

  // --- rocksdb::FileSystem --------------------------------------------------------------------

  using Options = rocksdb::IOOptions;
  using Debug = rocksdb::IODebugContext;
  using Result = rocksdb::IOStatus;
  Result NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSSequentialFile>* file, Debug*) override;
  Result NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSRandomAccessFile>* file, Debug*) override;
  Result NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                         std::unique_ptr<rocksdb::FSWritableFile>* file, Debug*) override;
  Result ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                            std::unique_ptr<rocksdb::FSWritableFile>* file, Debug*) override;
  Result NewDirectory(const std::string& path, const Options&,
                      std::unique_ptr<rocksdb::FSDirectory>* directory, Debug*) override;
  Result FileExists(const std::string& path, const Options&, Debug*) override;
  Result GetChildren(const std::string& path, const Options&, std::vector<std::string>* names,
                     Debug*) override;
  Result DeleteFile(const std::string& path, const Options&, Debug*) override;
  Result Truncate(const std::string& path, size_t size, const Options&, Debug*) override;
  Result CreateDir(const std::string& path, const Options&, Debug*) override;
  Result CreateDirIfMissing(const std::string& path, const Options&, Debug*) override;
  Result DeleteDir(const std::string& path, const Options&, Debug*) override;
  Result GetFileSize(const std::string& path, const Options&, uint64_t* size, Debug*) override;
  Result GetFileModificationTime(const std::string& path, const Options&, uint64_t* seconds,
                                 Debug*) override;
  Result RenameFile(const std::string& from, const std::string& to, const Options&,
                    Debug*) override;
  Result LinkFile(const std::string& from, const std::string& to, const Options&, Debug*) override;
  Result LockFile(const std::string& path, const Options&, rocksdb::FileLock** lock,
                  Debug*) override;
  Result UnlockFile(rocksdb::FileLock* lock, const Options&, Debug*) override;
  Result GetTestDirectory(const Options&, std::string* path, Debug*) override;
  // Takes what it is told and writes nothing: RocksDB's diary is not part of the store.
  Result NewLogger(const std::string& path, const Options&,
                   std::shared_ptr<rocksdb::Logger>* logger, Debug*) override;
  Result GetAbsolutePath(const std::string& path, const Options&, std::string* absolute,
                         Debug*) override;
  Result IsDirectory(const std::string& path, const Options&, bool* is_directory, Debug*) override;

 private:
  friend class SimFile;
  friend class SimDirectory;
  using FileRef = Volume::FileRef;

  // What files and directories do.
  Result Read(const std::string& path, SectorFile& file, uint64_t offset, size_t size,
              rocksdb::Slice* result, char* scratch);
  Result Append(const std::string& path, SectorFile& file, std::string_view data);
  // A write that is reported as done and goes nowhere, or to another place.
  void Lose(const std::string& path, SectorFile& file, std::string_view data, Fault why);
  Result Resize(const std::string& path, SectorFile& file, uint64_t size);
  Result Sync(const std::string& path, SectorFile& file);
  Result SyncDirectory(const std::string& path);

  // Every operation begins with one of these: takes time, and fails when the power is off.
  Result Begin(std::string_view what, const std::string& path);
  // Also numbers the operation. When this returns OK the operation takes place, and EndChange
  // follows, which is where the power may fail.
  Result BeginChange(std::string_view what, const std::string& path);
  Result EndChange(const std::string& path);
  bool Strikes(Fault fault);
  // A name that cannot be changed.
  Result NameFault(const std::string& path);
  // Another sector of some file than those of `not_in`, as the target of damage; null without one.
  struct Place {
    FileRef file;
    uint64_t sector = 0;
  };
  Place RandomPlace(const SectorFile* not_in);
  void LoseSomeFile();

  Rng rng_;
  std::shared_ptr<SimClock> clock_;
  Volume volume_;
  std::set<std::string> locks_;
  FaultCounts counts_;
  FaultCounts unsettled_;
  uint64_t log_writes_lost_ = 0;
  uint64_t manifest_writes_lost_ = 0;
  uint64_t newest_logs_lost_ = 0;
  uint64_t full_until_ = 0;  // The number of the change until which the disk is full.
  uint64_t changes_ = 0;
  uint64_t off_after_ = std::numeric_limits<uint64_t>::max();
  bool off_ = false;
  Hasher hash_;
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_SIM_FILE_SYSTEM_H_
