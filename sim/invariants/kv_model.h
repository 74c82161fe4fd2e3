// SPDX-License-Identifier: Apache-2.0
// The strong key-value state machine once more, written to be obvious: what every replica's rows
// must equal at every applied index, and what every write must be answered.
#ifndef FLAREDB_SIM_INVARIANTS_KV_MODEL_H_
#define FLAREDB_SIM_INVARIANTS_KV_MODEL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/types.h"
#include "core/kv/command.h"
#include "core/kv/record.h"
#include "core/raft/entry.h"
#include "core/region/region.h"

namespace flaredb::sim {

// Keeps the whole history of every key, because replicas apply the same entries at different times.
class KvModel {
 public:
  // A key after the change at `index`.
  struct State {
    Index index;
    kv::Version version;
    bool live = false;
    std::string value;
    // The latest kv::Record::kRequestsMax identified writes, oldest first, and the change that
    // pushed the last one out; zero: none did.
    std::vector<kv::RememberedRequest> remembered;
    Index forgotten_index;
  };
  // A write that is committed, and its answer.
  struct Decided {
    kv::Command command;
    kv::WriteReply reply;
  };

  // The first entry comes after index `birth`.
  KvModel(RegionEpoch epoch, Index birth) : epoch_(epoch), entries_(birth.value()) {}

  // Applies the next committed entry. A sentence if it can't be understood, or takes back what a
  // request was answered before: that it took effect, or that it never will.
  std::optional<std::string> Apply(const raft::EntryView& entry);

  // Takes back every entry after `kept`: the log goes on there without them.
  void GoBackTo(Index kept);

  Index applied() const { return Index(entries_.size()); }
  // The latest change of `key` at or before `index`; null when there is none. Borrowed until the
  // next Apply.
  const State* At(std::string_view key, Index index) const;
  // The key that the entry at `index` changed; null when it changed nothing. Borrowed.
  const std::string* ChangedAt(Index index) const { return entries_[index.value() - 1].changed; }
  // The write at `index`; null when the entry is none. Borrowed until the next Apply.
  const Decided* DecidedAt(Index index) const {
    const Entry& entry = entries_[index.value() - 1];
    return entry.decided ? &*entry.decided : nullptr;
  }
  // Keys that ever changed, in order.
  const std::map<std::string, std::vector<State>, std::less<>>& keys() const { return keys_; }

 private:
  struct Entry {
    const std::string* changed = nullptr;  // Points to the key in keys_.
    std::optional<Decided> decided;
  };
  // Where a request took effect, and where it was first answered that it never will; zero: nowhere.
  struct Fate {
    Index applied;
    Index denied;
  };

  std::optional<std::string> Settle(const kv::RequestId& id, kv::WriteResult result, bool changes);

  RegionEpoch epoch_;
  std::map<std::string, std::vector<State>, std::less<>> keys_;
  std::vector<Entry> entries_;  // By index - 1.
  std::map<kv::RequestId, Fate> fates_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_KV_MODEL_H_
