// SPDX-License-Identifier: Apache-2.0
// The vocabulary of the whole project: numbers that cannot be mistaken for each other.
#ifndef FLAREDB_CORE_BASE_TYPES_H_
#define FLAREDB_CORE_BASE_TYPES_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <ostream>

namespace flaredb {

// A 64-bit unsigned integer with a meaning. Different tags neither mix nor compare; the raw value
// is reached by value() only, at the places where bytes are written. Arithmetic is what an ordinal
// needs: step, and the distance between two. Overflow is the caller's to exclude.
template <typename Tag>
class Ordinal {
 public:
  constexpr Ordinal() = default;
  explicit constexpr Ordinal(uint64_t value) : value_(value) {}

  static constexpr Ordinal Max() { return Ordinal(std::numeric_limits<uint64_t>::max()); }

  constexpr uint64_t value() const { return value_; }
  // True unless zero. Zero means "none" for every ordinal of the project.
  explicit constexpr operator bool() const { return value_ != 0; }

  constexpr Ordinal next() const { return Ordinal(value_ + 1); }
  constexpr Ordinal prev() const { return Ordinal(value_ - 1); }
  constexpr Ordinal& operator++() {
    ++value_;
    return *this;
  }
  friend constexpr Ordinal operator+(Ordinal a, uint64_t n) { return Ordinal(a.value_ + n); }
  friend constexpr Ordinal operator-(Ordinal a, uint64_t n) { return Ordinal(a.value_ - n); }
  friend constexpr uint64_t operator-(Ordinal a, Ordinal b) { return a.value_ - b.value_; }
  friend constexpr auto operator<=>(Ordinal, Ordinal) = default;

  friend std::ostream& operator<<(std::ostream& out, Ordinal x) { return out << x.value_; }
  template <typename H>
  friend H AbslHashValue(H h, Ordinal x) {
    return H::combine(std::move(h), x.value_);
  }

 private:
  uint64_t value_ = 0;
};

// Raft's election term. 0 before the first election.
using Term = Ordinal<struct TermTag>;
// Position in a replicated log. The first entry is 1.
using Index = Ordinal<struct IndexTag>;
// A process with its own disk. Never reused.
using StoreId = Ordinal<struct StoreTag>;
// A Raft group and the key range that it replicates. Never reused.
using RegionId = Ordinal<struct RegionTag>;
// One replica of one region on one store: Raft's "server id". Never reused, so a replica that was
// removed and one that was added later on the same store are different members.
using PeerId = Ordinal<struct PeerTag>;
// The life of a replica's disk state: drawn when the replica is created. A replica that lost its
// disk and came back under its old id has another one, so nothing promised to the old life counts
// for the new.
using Incarnation = Ordinal<struct IncarnationTag>;
// Names one persist of one Raft group. Strictly increasing within the life of a Raft object;
// completion is a watermark over it.
using IoToken = Ordinal<struct IoTokenTag>;
// Names a linearizable read within the life of a Raft object; minted by the core.
using ReadId = Ordinal<struct ReadTag>;

}  // namespace flaredb

template <typename Tag>
struct std::hash<flaredb::Ordinal<Tag>> {
  size_t operator()(flaredb::Ordinal<Tag> x) const { return std::hash<uint64_t>()(x.value()); }
};

#endif  // FLAREDB_CORE_BASE_TYPES_H_
