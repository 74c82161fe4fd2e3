// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/sector_file.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace flaredb::storage {
namespace {

uint64_t SectorOf(uint64_t offset) { return offset / kSectorBytes; }

// One past the last sector of a content of `size` bytes.
uint64_t SectorsIn(uint64_t size) { return (size + kSectorBytes - 1) / kSectorBytes; }

}  // namespace

void SectorFile::WriteCache(uint64_t offset, std::string_view data) {
  if (cached_.size() < offset + data.size()) {
    cached_.resize(offset + data.size(), '\0');
    dirty_sizes_.push_back(cached_.size());
  }
  cached_.replace(offset, data.size(), data);
}

std::string SectorFile::CachedSector(uint64_t sector) const {
  std::string content = cached_.substr(sector * kSectorBytes, kSectorBytes);
  content.resize(kSectorBytes, '\0');
  return content;
}

void SectorFile::StoreOnDisk(uint64_t sector, std::string_view content) {
  const uint64_t end = (sector + 1) * kSectorBytes;
  if (disk_.size() < end) disk_.resize(end, '\0');
  disk_.replace(sector * kSectorBytes, content.size(), content);
}

void SectorFile::Rewritten(uint64_t sector) {
  // A disk puts another sector in the place of an unreadable one. Wrong content stays: it was read
  // into the cache before a part of the sector was changed there.
  const auto it = damage_.find(sector);
  if (it == damage_.end() || it->second != Fault::kLatentSector) return;
  damage_.erase(it);
  unmet_.erase(sector);
}

void SectorFile::Write(uint64_t offset, std::string_view data) {
  if (data.empty()) return;
  WriteCache(offset, data);
  ++writes_;
  const uint64_t end = SectorsIn(offset + data.size());
  for (uint64_t sector = SectorOf(offset); sector < end; ++sector) {
    dirty_[sector].push_back({writes_, CachedSector(sector)});
    lost_.erase(sector);
  }
}

void SectorFile::WriteLost(uint64_t offset, std::string_view data, Fault why) {
  if (data.empty()) return;
  WriteCache(offset, data);
  const uint64_t end = SectorsIn(offset + data.size());
  for (uint64_t sector = SectorOf(offset); sector < end; ++sector) {
    // Earlier states that are dirty may still come to the disk.
    lost_[sector] = why;
  }
}

void SectorFile::Resize(uint64_t size) {
  if (size == cached_.size()) return;
  cached_.resize(size, '\0');
  dirty_sizes_.push_back(size);
  // Readers of a file that grows again find zeros, not what was there before.
  dirty_.erase(dirty_.lower_bound(SectorsIn(size)), dirty_.end());
}

void SectorFile::Sync() {
  for (const auto& [sector, versions] : dirty_) {
    StoreOnDisk(sector, versions.back().content);
    Rewritten(sector);
  }
  dirty_.clear();
  if (!dirty_sizes_.empty()) disk_size_ = dirty_sizes_.back();
  dirty_sizes_.clear();
  disk_.resize(SectorsIn(disk_size_) * kSectorBytes, '\0');
  std::fill(disk_.begin() + static_cast<ptrdiff_t>(disk_size_), disk_.end(), '\0');
}

void SectorFile::DropDirty() {
  for (const auto& [sector, versions] : dirty_) lost_[sector] = Fault::kSyncError;
  dirty_.clear();
}

void SectorFile::LosePower(Rng& rng, uint32_t kept_ppm, FaultCounts* counts) {
  struct Fate {
    uint64_t kept = 0;
    uint64_t lost = 0;
  };
  std::map<uint64_t, Fate> fates;  // By write.
  std::map<uint64_t, Fault> marks;
  for (const auto& [sector, versions] : dirty_) {
    const bool kept = rng.Chance(kept_ppm);
    const size_t chosen = kept ? rng.Below(versions.size()) : 0;
    if (kept) {
      StoreOnDisk(sector, versions[chosen].content);
      Rewritten(sector);
    }
    if (!kept || chosen + 1 < versions.size()) {
      counts->Fired(Fault::kLostSector);
      marks[sector] = Fault::kLostSector;
    }
    for (size_t i = 0; i < versions.size(); ++i) {
      Fate& fate = fates[versions[i].write];
      ++(kept && i <= chosen ? fate.kept : fate.lost);
    }
  }
  for (const auto& [write, fate] : fates) {
    if (fate.kept == 0 || fate.lost == 0) continue;
    counts->Fired(Fault::kTornWrite);
    for (const auto& [sector, versions] : dirty_) {
      if (versions.front().write <= write && write <= versions.back().write) {
        marks[sector] = Fault::kTornWrite;
        break;
      }
    }
  }
  for (const uint64_t size : dirty_sizes_) {
    if (rng.Chance(kept_ppm)) disk_size_ = size;
  }
  for (const auto& [sector, why] : lost_) damage_[sector] = marks[sector] = why;
  dirty_.clear();
  dirty_sizes_.clear();
  lost_.clear();

  disk_.resize(SectorsIn(disk_size_) * kSectorBytes, '\0');
  std::fill(disk_.begin() + static_cast<ptrdiff_t>(disk_size_), disk_.end(), '\0');
  cached_ = disk_.substr(0, disk_size_);
  for (const auto& [sector, why] : marks) unmet_[sector] = why;
  for (auto* at : {&damage_, &unmet_}) at->erase(at->lower_bound(SectorsIn(disk_size_)), at->end());
}

void SectorFile::DropCache() {
  for (auto it = lost_.begin(); it != lost_.end();) {
    const auto [sector, why] = *it;
    const uint64_t begin = sector * kSectorBytes;
    if (dirty_.contains(sector) || begin >= cached_.size()) {
      ++it;
      continue;
    }
    std::string content = begin < disk_.size() ? disk_.substr(begin, kSectorBytes) : std::string();
    content.resize(std::min(kSectorBytes, cached_.size() - begin), '\0');
    cached_.replace(begin, content.size(), content);
    damage_[sector] = unmet_[sector] = why;
    it = lost_.erase(it);
  }
}

bool SectorFile::FlipBit(uint64_t sector, uint64_t bit) {
  const uint64_t at = sector * kSectorBytes + bit / 8;
  INVARIANT(sector * kSectorBytes < cached_.size());
  if (dirty_.contains(sector) || lost_.contains(sector) || at >= cached_.size()) return false;
  cached_[at] = static_cast<char>(cached_[at] ^ (1 << bit % 8));
  StoreOnDisk(sector, CachedSector(sector));
  damage_[sector] = unmet_[sector] = Fault::kBitRot;
  return true;
}

bool SectorFile::MakeUnreadable(uint64_t sector) {
  INVARIANT(sector * kSectorBytes < cached_.size());
  if (dirty_.contains(sector) || lost_.contains(sector)) return false;
  damage_[sector] = unmet_[sector] = Fault::kLatentSector;
  return true;
}

bool SectorFile::Clobber(uint64_t sector, std::string_view data) {
  const uint64_t begin = sector * kSectorBytes;
  INVARIANT(begin < cached_.size() && data.size() <= kSectorBytes);
  if (dirty_.contains(sector) || lost_.contains(sector)) return false;
  const std::string before = CachedSector(sector);
  cached_.replace(begin, std::min(data.size(), cached_.size() - begin),
                  data.substr(0, cached_.size() - begin));
  const std::string after = CachedSector(sector);
  if (after == before) return false;
  StoreOnDisk(sector, after);
  damage_[sector] = unmet_[sector] = Fault::kMisdirectedWrite;
  return true;
}

bool SectorFile::Unreadable(uint64_t offset, uint64_t length) const {
  for (auto it = damage_.lower_bound(SectorOf(offset)); it != damage_.end(); ++it) {
    if (it->first >= SectorsIn(offset + length)) return false;
    if (it->second == Fault::kLatentSector && !dirty_.contains(it->first)) return true;
  }
  return false;
}

std::vector<Fault> SectorFile::MeetMarks(uint64_t offset, uint64_t length) {
  const auto begin = unmet_.lower_bound(SectorOf(offset));
  const auto end = unmet_.lower_bound(SectorsIn(offset + length));
  std::vector<Fault> met;
  for (auto it = begin; it != end; ++it) met.push_back(it->second);
  unmet_.erase(begin, end);
  return met;
}

}  // namespace flaredb::storage
