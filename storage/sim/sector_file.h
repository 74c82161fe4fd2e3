// SPDX-License-Identifier: Apache-2.0
// One file of a simulated volume: what its readers see, and what of it is on the disk.
#ifndef FLAREDB_STORAGE_SIM_SECTOR_FILE_H_
#define FLAREDB_STORAGE_SIM_SECTOR_FILE_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/rng.h"
#include "storage/sim/faults.h"

namespace flaredb::storage {

// A disk writes a sector as a unit.
inline constexpr uint64_t kSectorBytes = 512;

// Two images of the content, in sectors. Readers see the cache. A write changes the cache and makes
// its sectors dirty; a sync brings them to the disk. Without one the disk may take each dirty
// sector at any time, in the state that any of the writes to it left, or not; and each change of
// the size, on its own. Sectors that lie within the size and never reached the disk read as zeros.
class SectorFile {
 public:
  uint64_t size() const { return cached_.size(); }
  std::string_view bytes() const { return cached_; }

  // Behind the end: the gap reads as zeros.
  void Write(uint64_t offset, std::string_view data);
  // As Write, but the sectors are clean, and not on the disk: it lied.
  void WriteLost(uint64_t offset, std::string_view data, Fault why);
  void Resize(uint64_t size);
  // What is dirty is on the disk.
  void Sync();
  // A failed sync: what is dirty is clean, and not on the disk.
  void DropDirty();

  // The content is that of the disk, which took each dirty sector and each new size with a chance
  // of `kept_ppm` in a million. Counts kLostSector and kTornWrite.
  void LosePower(Rng& rng, uint32_t kept_ppm, FaultCounts* counts);
  // What is clean is read from the disk again.
  void DropCache();

  // Damage to the disk, seen by readers at once. Each requires a sector that begins within size().
  // False, and nothing happens, if it is dirty: the disk will get it anew.
  bool FlipBit(uint64_t sector, uint64_t bit);
  bool MakeUnreadable(uint64_t sector);
  // What a misdirected write does to its victim. `data` is one sector, or less: the rest stays.
  bool Clobber(uint64_t sector, std::string_view data);

  // Whether a sector of [offset, offset + length) cannot be read.
  bool Unreadable(uint64_t offset, uint64_t length) const;
  // The faults that lie in that range and were not met before.
  std::vector<Fault> MeetMarks(uint64_t offset, uint64_t length);

  // Whether the disk holds something else than what was written to it and synced.
  bool damaged() const { return !damage_.empty() || !lost_.empty(); }

 private:
  // The state of one sector after a write that was not synced.
  struct Version {
    uint64_t write;  // Number of the write.
    std::string content;
  };

  void WriteCache(uint64_t offset, std::string_view data);
  // The sector as readers see it, filled up with zeros.
  std::string CachedSector(uint64_t sector) const;
  void StoreOnDisk(uint64_t sector, std::string_view content);
  // After StoreOnDisk of what was written to a file.
  void Rewritten(uint64_t sector);

  std::string cached_;
  std::string disk_;  // Whole sectors.
  uint64_t disk_size_ = 0;
  uint64_t writes_ = 0;
  std::map<uint64_t, std::vector<Version>> dirty_;  // By sector; oldest first.
  std::vector<uint64_t> dirty_sizes_;               // Oldest first.
  std::map<uint64_t, Fault> lost_;                  // Clean, but the disk holds something older.
  std::map<uint64_t, Fault> damage_;                // What lies on the disk and should not.
  std::map<uint64_t, Fault> unmet_;                 // Faults that no reader met yet.
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_SECTOR_FILE_H_
