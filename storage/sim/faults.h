// SPDX-License-Identifier: Apache-2.0
// What can go wrong below a file system, and how often it did.
#ifndef FLAREDB_STORAGE_SIM_FAULTS_H_
#define FLAREDB_STORAGE_SIM_FAULTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flaredb::storage {

enum class Fault : uint8_t {
  // A loss of power; these are not errors, but what the absence of a sync allows.
  kLostSector,  // A sector that was written and not synced is not there.
  kTornWrite,   // Of one write some sectors are there and some are not.
  kLostName,    // A creation, renaming or removal that was not synced did not happen.
  // Errors that are reported.
  kReadError,
  kWriteError,  // Of data or of a name. Nothing of it happens.
  kShortWrite,  // Only a part of the data is written before the error.
  kNoSpace,     // Lasts for a while.
  kSyncError,   // The dirty sectors stay readable, are taken for clean, and never reach the disk.
  // Time.
  kStall,  // The operation takes up to a minute.
  // Damage that is not reported when it happens.
  kLatentSector,      // A sector cannot be read any more.
  kBitRot,            // A bit of a durable sector flips.
  kLostWrite,         // Reported as done, synced, and never on the disk.
  kMisdirectedWrite,  // As kLostWrite, and another place gets the data.
  kLostFile,  // A durable file is gone: deleted by hand, or put away by a check of the file system.
};
inline constexpr size_t kFaults = 14;

// As in reports: "torn write".
std::string_view FaultName(Fault fault);

// Whether the fault may lie on the disk without anybody having been told.
constexpr bool IsDamage(Fault fault) { return fault >= Fault::kLatentSector; }

// How often each fault strikes an operation that it can strike, in parts per million. Faults of a
// loss of power have no rate here: see Volume::LosePower.
struct FaultRates {
  std::array<uint32_t, kFaults> ppm{};

  uint32_t& operator[](Fault fault) { return ppm[static_cast<size_t>(fault)]; }
  uint32_t operator[](Fault fault) const { return ppm[static_cast<size_t>(fault)]; }
};

// `fired` counts faults, `mattered` those that the store had to cope with:
//   loss of power    the file or name that lost something was opened or looked for afterwards
//   reported errors  the store reported a failure, or the operation was repeated by it
//   kStall           it was in the way of a commit
//   damage           a damaged sector was read, the folder of a lost file was listed
struct FaultCounts {
  std::array<uint64_t, kFaults> fired{};
  std::array<uint64_t, kFaults> mattered{};

  void Fired(Fault fault) { ++fired[static_cast<size_t>(fault)]; }
  void Mattered(Fault fault) { ++mattered[static_cast<size_t>(fault)]; }
  void Add(const FaultCounts& other) {
    for (size_t i = 0; i < kFaults; ++i) {
      fired[i] += other.fired[i];
      mattered[i] += other.mattered[i];
    }
  }
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_FAULTS_H_
