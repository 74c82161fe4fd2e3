// SPDX-License-Identifier: Apache-2.0
// The key-value state machine once more, for both modes, written to be obvious: what every
// replica's rows must equal at every applied index, and what every write must be answered.
#ifndef FLAREDB_SIM_INVARIANTS_KV_MODEL_H_
#define FLAREDB_SIM_INVARIANTS_KV_MODEL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "core/base/types.h"
#include "core/kv/command.h"
#include "core/kv/hlc.h"
#include "core/kv/mode.h"
#include "core/kv/namespace_command.h"
#include "core/kv/namespace_state.h"
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
    bool collected = false;  // There is no record any more; the rest says what it was.
    std::string value;
    // The latest kv::Record::kRequestsMax identified writes, oldest first, and the change that
    // pushed the last one out; zero: none did.
    std::vector<kv::RememberedRequest> remembered;
    Index forgotten_index;
    kv::Hlc hlc;  // Of a write to an eventual namespace; zero: the change was strong.
    StoreId origin;
  };
  using Keys = std::map<std::string, std::vector<State>, std::less<>>;
  // A namespace.
  struct Space {
    Keys keys;
    std::vector<std::pair<Index, kv::NamespaceState>> states;  // After each change.
  };
  struct RowName {
    kv::NamespaceId ns = kv::NamespaceId::kNone;
    std::string_view key;  // Points to the key in its Space.

    friend auto operator<=>(const RowName&, const RowName&) = default;
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

  // Takes back every entry after `kept`: the log goes on there without them. Requires that none
  // brought rows of a store: those have left their outbox.
  void GoBackTo(Index kept);

  Index applied() const { return Index(entries_.size()); }
  // The record of `key` after everything up to `index`; null when there is none. Borrowed until the
  // next Apply.
  const State* At(kv::NamespaceId ns, std::string_view key, Index index) const;
  const State* At(std::string_view key, Index index) const {
    return At(kv::NamespaceId::kDefault, key, index);
  }
  // The keys that the entry at `index` changed. Borrowed.
  const absl::InlinedVector<RowName, 1>& ChangedAt(Index index) const {
    return entries_[index.value() - 1].changed;
  }
  // What the region knew of namespaces at `index`, and of one of them; and whether an entry after
  // `before`, up to `upto`, changed that.
  kv::NamespaceStates NamespacesAt(Index index) const;
  kv::NamespaceState StateAt(kv::NamespaceId ns, Index index) const;
  bool NamespacesChanged(Index before, Index upto) const;
  // The latest row of `key` that `origin` stamped and the log brought to the region; zero: none.
  kv::Hlc Carried(kv::NamespaceId ns, std::string_view key, StoreId origin) const;
  // The write at `index`; null when the entry is none. Borrowed until the next Apply.
  const Decided* DecidedAt(Index index) const {
    const Entry& entry = entries_[index.value() - 1];
    return entry.decided ? &*entry.decided : nullptr;
  }
  // Keys that ever changed, in order.
  const Keys& keys() const { return spaces_.begin()->second.keys; }
  // By namespace; the default one is always there.
  const std::map<kv::NamespaceId, Space>& spaces() const { return spaces_; }

 private:
  struct Entry {
    absl::InlinedVector<RowName, 1> changed;
    std::optional<Decided> decided;
  };
  using Carriage = std::tuple<kv::NamespaceId, std::string, StoreId>;
  // Where a request took effect, and where it was first answered that it never will; zero: nowhere.
  struct Fate {
    Index applied;
    Index denied;
  };

  std::optional<std::string> Apply(kv::Command command, Index index);
  void Apply(const kv::LwwBatch& batch, Index index);
  void Apply(const kv::ModeFence& fence, Index index);
  void Apply(const kv::CollectTombstones& collect, Index index);
  // What a write finds: the record, or what is left when there is none.
  State Before(kv::NamespaceId ns, std::string_view key) const;
  void Push(kv::NamespaceId ns, const std::string& key, State after);
  void Push(kv::NamespaceId ns, const kv::NamespaceState& after);
  std::optional<std::string> Settle(const kv::RequestId& id, kv::WriteResult result, bool changes);

  RegionEpoch epoch_;
  std::map<kv::NamespaceId, Space> spaces_{{kv::NamespaceId::kDefault, {}}};
  std::map<Carriage, kv::Hlc> carried_;
  std::vector<Entry> entries_;  // By index - 1.
  std::map<kv::RequestId, Fate> fates_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_KV_MODEL_H_
