// SPDX-License-Identifier: Apache-2.0
// The strong key-value state machine once more, written to be obvious: what every replica's rows
// must equal at every applied index.
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
    std::vector<kv::RequestId> remembered;  // The latest kv::Record::kRequestsMax, oldest first.
  };

  // The first entry comes after index `birth`.
  KvModel(RegionEpoch epoch, Index birth) : epoch_(epoch), changed_(birth.value()) {}

  // Applies the next committed entry. A sentence if it can't be understood, or makes a request take
  // effect for the second time.
  std::optional<std::string> Apply(const raft::EntryView& entry);

  Index applied() const { return Index(changed_.size()); }
  // The latest change of `key` at or before `index`; null when there is none. Borrowed until the
  // next Apply.
  const State* At(std::string_view key, Index index) const;
  // The key that the entry at `index` changed; null when it changed nothing. Borrowed.
  const std::string* ChangedAt(Index index) const { return changed_[index.value() - 1]; }
  // Keys that ever changed, in order.
  const std::map<std::string, std::vector<State>, std::less<>>& keys() const { return keys_; }

 private:
  RegionEpoch epoch_;
  std::map<std::string, std::vector<State>, std::less<>> keys_;
  std::vector<const std::string*> changed_;  // By index - 1; points to the key in keys_.
  std::map<kv::RequestId, Index> applied_requests_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_KV_MODEL_H_
