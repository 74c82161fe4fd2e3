// SPDX-License-Identifier: Apache-2.0
// Who wrote which version of which key, and who saw it: what checker B builds its graph from.
#ifndef FLAREDB_SIM_HISTORY_VERSION_ORDER_H_
#define FLAREDB_SIM_HISTORY_VERSION_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "sim/history/history.h"

namespace flaredb::sim {

// An operation by its position among its key's.
using OpIndex = uint32_t;
inline constexpr OpIndex kNoOp = std::numeric_limits<OpIndex>::max();

// The operations that are certain to have a place in the order, by number, and what they did.
//
// What is not certain is told as a story: whether a version that nobody acknowledged or saw was a
// put or a deletion. Nearly every history has one story.
class VersionOrder {
 public:
  // One operation with all its parts.
  struct Operation {
    EventNumber invoke = 0;
    EventNumber complete = kNever;
    uint32_t key = 0;  // The first part.
    OpIndex op = 0;
  };
  struct Read {
    uint32_t operation;
    uint32_t key;
    uint64_t version;  // Live; 0: the key was found absent.
  };
  // A write of a version in the current story.
  struct Write {
    uint32_t operation = kUnnamed;
    // If unnamed: the unknown operation whose invocation it can't precede. It stands for itself or
    // for a later one of its kind; this choice restricts the order least.
    OpIndex candidate = kNoOp;
    bool live = false;  // Not a deletion.
  };
  static constexpr uint32_t kUnnamed = std::numeric_limits<uint32_t>::max();

  // Finds the writers. False if the answers contradict each other, or no story exists; why() then
  // says how. `history` outlives this object. O(n log n).
  bool Build(const VersionedHistory& history);
  const std::string& why() const { return why_; }

  const std::vector<Operation>& operations() const { return operations_; }
  const std::vector<Read>& reads() const { return reads_; }

  // The writes of versions 1, 2, ... of `key` as the current story tells them. If the key is live
  // at its end, and unknown operations can have ended this life, their deletion follows, at its
  // earliest. False if the story needs more unknown creations than there are. O(versions).
  bool Tell(uint32_t key, std::vector<Write>* writes) const;
  // Goes on to the next story; false after the last one.
  bool NextStory();

  // "client 3's Scan from k1 [events 12..20]", "client 3's CAS(...) -> ... on key \"k1\"".
  std::string Describe(const Operation& operation) const;

 private:
  // What is known of one version of a key.
  struct Version {
    uint32_t writer = kUnnamed;
    OpIndex write = kNoOp;  // The writer's part.
    OpIndex live = kNoOp;   // An answer that saw it live.
    OpIndex read = kNoOp;   // An answer that tells its value.
    OpIndex put = kNoOp;    // First-invoked unknown CAS that expects the version before, >= 1.
    OpIndex del = kNoOp;    // The same for CAS-deletes.
    uint8_t can = 0;        // Bit 0: can have been a deletion; bit 1: a put.
    bool is_live = false;   // In the current story.
  };
  struct Key {
    size_t first = 0;                // Where its versions start; version v is at first + v.
    size_t end = 0;                  // Where those of the next key start.
    uint64_t last = 0;               // The highest version that somebody saw or wrote for certain.
    std::vector<OpIndex> creations;  // Unknown ones that wrote no named version, by invocation.
  };

  bool Collect(uint32_t key);
  bool NameWriters(uint32_t key);
  bool NamePartsOfNamed();
  void CollectCandidates(uint32_t key);
  bool FindStories(uint32_t key);
  // Tells the versions of `key` from `v` on in the first way there is.
  void TellFrom(Key* key, uint64_t v);
  bool Allowed(const Key& key, uint32_t number, uint64_t v, bool before, bool live) const;
  bool Wrong(uint32_t key, std::string what);

  uint32_t OperationOf(uint32_t key, OpIndex op);
  const VersionedOp& op(uint32_t key, OpIndex i) const { return history_->ops(key)[i]; }
  std::string Tell(uint32_t key, OpIndex i) const { return sim::Describe(op(key, i)); }

  const VersionedHistory* history_ = nullptr;
  std::vector<Operation> operations_;
  std::vector<uint32_t> of_group_;  // The operation of each group; kUnnamed: none.
  std::vector<Read> reads_;
  std::vector<Key> keys_;
  std::vector<Version> versions_;
  std::vector<std::pair<uint32_t, OpIndex>> unknown_parts_;  // Writes, by key.
  std::vector<uint32_t> open_keys_;                          // Those with more than one story.
  std::string why_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_VERSION_ORDER_H_
