// SPDX-License-Identifier: Apache-2.0
// What clients did to eventual namespaces, and whether they were told the truth.
#ifndef FLAREDB_SIM_EVENTUAL_LEDGER_H_
#define FLAREDB_SIM_EVENTUAL_LEDGER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/types.h"
#include "core/kv/engine.h"
#include "core/kv/hlc.h"
#include "core/store/outbox.h"
#include "sim/history/eventual_checker.h"
#include "sim/history/history.h"
#include "sim/invariants/kv_model.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

// How a store ended.
struct EventualEnd {
  bool wiped = false;    // Once, at least.
  bool stopped = false;  // For good.
  bool member = false;   // It has a replica that counts; then its rows are those of the region.
  std::map<std::string, store::OutboxRow> outbox;        // On its disk.
  std::map<std::string, std::string, std::less<>> rows;  // All on its disk.
};

// Stores are named by node, from 0.
class EventualLedger {
 public:
  // `model` outlives this object. `passes_reads_on`: a store without a replica may have another one
  // answer, which shows what it has accepted itself as well.
  explicit EventualLedger(const KvModel* model, bool passes_reads_on = false)
      : model_(model), passes_reads_on_(passes_reads_on) {}

  // A client begins to write; `value` 0: it deletes. Its number.
  size_t Invoke(uint32_t client, kv::NamespaceId ns, std::string key, ValueId value);
  // An attempt leaves for `store`; no earlier one had any effect.
  void Asked(size_t write, uint32_t store) { writes_[write].store = store; }
  void Accepted(size_t write, kv::Hlc hlc);
  // Certainly no attempt had an effect.
  void Refused(size_t write) { writes_[write].fate = Fate::kRefused; }
  void Unknown(size_t write) { writes_[write].fate = Fate::kUnknown; }
  // A client begins to read: what was acknowledged before has to be seen.
  EventNumber BeginRead() { return ++last_event_; }

  // A read of `key` at `store`, which began at `asked`, was answered by the state at `applied`.
  //   keys_only  nobody told the value
  // A sentence unless the answer is the record there, or what the store has accepted itself if that
  // is later; and everything that it had acknowledged is in it.
  std::optional<std::string> WrongRead(uint32_t client, uint32_t store, EventNumber asked,
                                       kv::NamespaceId ns, const std::string& key,
                                       const std::optional<kv::VersionedValue>& found,
                                       Index applied, bool keys_only);

  // The disk of a store is lost, with what it alone has.
  void OnDiskLost(uint32_t store);
  // So is what the store accepts from now on: it was given up for good, though it may run on.
  void OnGivenUp(uint32_t store) {
    given_up_.insert(store);
    OnDiskLost(store);
  }
  // LOST: a namespace is strong again, and a write that a store had acknowledged did not get to the
  // region. To be called often.
  void CheckFences(FailureReport* report);
  // LOST of all that was acknowledged, unless it is in the outbox still. `settled`: everything has
  // healed and come to rest; then checker E judges `always_eventual`, too.
  void Judge(const std::vector<EventualEnd>& ends, kv::NamespaceId always_eventual, bool settled,
             FailureReport* report) const;

 private:
  enum class Fate : uint8_t { kAsked, kAccepted, kRefused, kUnknown };
  struct Write {
    uint32_t client = 0;
    kv::NamespaceId ns = kv::NamespaceId::kNone;
    std::string key;
    ValueId value = 0;
    uint32_t store = 0;
    Fate fate = Fate::kAsked;
    bool lost = false;  // With its only disk.
    kv::Hlc hlc;        // When it is accepted.
    EventNumber invoke = 0;
    EventNumber complete = kNever;
  };
  using Rank = std::tuple<kv::Hlc, bool, StoreId>;

  std::string Tell(const Write& write) const;
  EventualHistory HistoryOf(const std::vector<EventualEnd>& ends, kv::NamespaceId ns) const;

  const KvModel* model_;
  const bool passes_reads_on_;
  std::vector<Write> writes_;
  std::vector<EventualOp> reads_;         // Of single keys,
  std::vector<kv::NamespaceId> read_in_;  // each in this namespace.
  EventNumber last_event_ = 0;
  std::map<uint32_t, EventNumber> disks_lost_;  // When last.
  std::set<uint32_t> given_up_;
  // With a placement driver: when each was last seen to be strong again.
  std::map<kv::NamespaceId, EventNumber> strong_at_;
  std::map<kv::NamespaceId, kv::ModeEpoch> fences_;  // Checked so far.
};

// A value as this workload writes it, and back.
std::optional<ValueId> ValueOf(const std::string& value);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_EVENTUAL_LEDGER_H_
