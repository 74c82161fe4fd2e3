// SPDX-License-Identifier: Apache-2.0
// The files and names of a simulated file system, in memory: those that processes see, and those
// that survive a loss of power.
#ifndef FLAREDB_STORAGE_SIM_VOLUME_H_
#define FLAREDB_STORAGE_SIM_VOLUME_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "storage/sim/faults.h"
#include "storage/sim/sector_file.h"

namespace flaredb::storage {

// The least that POSIX promises, and so more than any one file system does: the sync of a file
// brings its content and its size to the disk, and not its name; names come there by a sync of
// their directory. Without one each change of names may be there or not, whatever became of
// earlier and later ones. A renaming is one change: it never loses both names.
//
// Paths are absolute, without a trailing slash. The root exists.
class Volume {
 public:
  using FileRef = std::shared_ptr<SectorFile>;

  Volume();

  // Null when there is no such file, or when it is a directory.
  FileRef Find(const std::string& path) const;
  bool IsDirectory(const std::string& path) const;
  bool Exists(const std::string& path) const { return names_.contains(path); }
  // The names in a directory, ascending, without its path.
  std::vector<std::string> List(const std::string& directory) const;
  // Every file, by path.
  std::map<std::string, FileRef> Files() const;

  // Each requires that the directory of the path exists.
  FileRef Create(const std::string& path);  // Empties a file that is there.
  void MakeDirectory(const std::string& path);
  // Both require `from` to exist; what `to` named loses that name.
  void Rename(const std::string& from, const std::string& to);
  void Link(const std::string& from, const std::string& to);
  void Remove(const std::string& path);  // Requires that it exists.

  // What happened to names in `directory` is on the disk.
  void SyncDirectory(const std::string& directory);

  // All that is left is what the disk has: of what was not synced each sector, size and change of a
  // name with a chance of `kept_ppm` in a million.
  void LosePower(Rng& rng, uint32_t kept_ppm, FaultCounts* counts);
  // What is clean is read from the disk again.
  void DropCaches();
  // The file and its name are gone from the disk. Requires a file whose name is durable.
  void LoseFile(const std::string& path);
  // Every file whose name is durable, ascending.
  std::vector<std::string> DurableFiles() const;
  // What was lost in `directory`, and was not asked for before: kLostName, kLostFile.
  std::vector<Fault> MeetLosses(const std::string& directory);

 private:
  struct Node {
    FileRef file;  // Null: a directory.
  };
  using Names = std::map<std::string, Node>;
  // Absent: the name goes.
  using Changes = std::vector<std::pair<std::string, std::optional<Node>>>;
  struct NameChange {
    std::string directory;
    Changes changes;
  };

  void Change(const std::string& directory, Changes changes);
  static void Apply(const Changes& changes, Names* names);

  Names names_;
  Names names_on_disk_;
  std::vector<NameChange> unsynced_;                  // Oldest first.
  std::map<std::string, std::vector<Fault>> losses_;  // Not met yet, by directory.
};

// "/a" of "/a/b", "/" of "/a".
std::string DirectoryOf(const std::string& path);

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_VOLUME_H_
