// SPDX-License-Identifier: Apache-2.0
// The writes to eventual namespaces that this store accepted, from their stamp until they are
// applied here.
#ifndef FLAREDB_CORE_STORE_OUTBOX_H_
#define FLAREDB_CORE_STORE_OUTBOX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/env/disk.h"
#include "core/kv/command.h"
#include "core/kv/hlc.h"
#include "core/kv/lww_view.h"
#include "core/kv/mode.h"
#include "core/kv/namespace_command.h"

namespace flaredb::store {

// Names a batch on its way to its region, within the life of the store.
using ParcelId = Ordinal<struct ParcelTag>;

struct Parcel {
  ParcelId id;
  kv::LwwBatch batch;
};

// A write as it lies in the outbox.
struct OutboxRow {
  kv::NamespaceId ns = kv::NamespaceId::kNone;
  kv::ModeEpoch mode_epoch;  // Of the namespace when the write was accepted.
  kv::LwwRow row;

  friend bool operator==(const OutboxRow&, const OutboxRow&) = default;
};

// What the disk holds of an outbox.
struct RecoveredOutbox {
  std::map<std::string, OutboxRow> rows;  // By encoded key.
  kv::Hlc last;                           // The greatest time that was issued; zero: none was.
  std::map<RegionId, Index> unseen;       // See Outbox::unseen.
};

// One row for each key: a later write of this store to the same key has a later time and takes its
// place, at no loss, since the earlier one could never win again.
//
//   Accept --> under way to the disk --> held --Take--> shipped --OnApplied--> applied by its
//   region
//                                         ^               |                         |
//                                         +--- OnFailed --+       Release, once applied here, or
//                                                                 where there is nothing to wait
//                                                                 for
//
// A row that is held or later is seen by reads of this store (held()), as if it were applied.
class Outbox {
 public:
  // About what a row takes in memory beside its key and value, which are short in most.
  static constexpr size_t kRowBytes = 400;

  struct Limits {
    // Of memory: of keys, values, and kRowBytes for each row. What does not fit is refused; nothing
    // is ever dropped.
    size_t bytes_max = 64 << 20;
    // Of one parcel, keys and values; at least one row goes.
    size_t parcel_bytes_max = 256 << 10;
  };

  // `self` stamps the rows.
  Outbox(StoreId self, const Limits& limits, RecoveredOutbox recovered);

  // Stamps a write and adds it to `commit`; no value: the key is deleted. The caller tells its
  // client only when the commit is durable. nullopt: the outbox is full, and nothing changed.
  //   unix_ms  the store's wall clock
  std::optional<kv::Hlc> Accept(kv::NamespaceId ns, kv::ModeEpoch mode_epoch, std::string_view key,
                                std::optional<std::string> value, uint64_t unix_ms,
                                env::GroupCommit* commit);
  // All commits up to and including `token` are durable.
  void OnDurable(IoToken token);

  // The rows that reads see, by encoded key.
  const kv::LwwRows& held() const { return held_; }

  // Rows of encoded keys [begin, end) that wait to be sent, of one namespace and mode epoch;
  // nullopt when there are none. An empty `end` means no upper bound.
  std::optional<Parcel> Take(std::string_view begin, std::string_view end);
  // The parcel was applied by the entry of `region` at `index`, or shut out there for good; or it
  // is to be sent again.
  void OnApplied(ParcelId parcel, RegionId region, Index index);
  void OnFailed(ParcelId parcel);
  // This store shows `region` as of the entry at `applied`: what the region applied up to there is
  // needed no more. Adds the deletion of its rows to `commit`. O(log rows) for each that goes;
  // those that stay cost nothing.
  void Release(RegionId region, Index applied, env::GroupCommit* commit);
  // The same of all that the region applied, at its leader's word: this store does not show the
  // region itself. A replica that comes here may begin with a snapshot from before; unseen()
  // remembers.
  void ReleaseUnseen(RegionId region, env::GroupCommit* commit);
  // What a replica has to apply before it shows all that this store accepted and has released;
  // zero: nothing. Remembered until one here has.
  Index unseen(RegionId region) const;
  bool has_unseen() const { return !unseen_.empty(); }
  // The replica here has applied so much.
  void OnSeen(RegionId region, Index applied, env::GroupCommit* commit);
  // The regions with something for Release, by id.
  std::vector<RegionId> RegionsToRelease() const;

  // Every write of `ns` that was stamped here with a time before this has been applied by its
  // region. Nothing is stamped with an earlier time from now on; nor in the store's next life, once
  // the commits so far are durable. O(log namespaces).
  kv::Hlc Watermark(kv::NamespaceId ns) const;
  // The greatest time that was issued or observed.
  kv::Hlc clock() const { return clock_.last(); }
  // Lets Watermark go on while nothing is written: what is stamped from now on is later than
  // `unix_ms`. Adds to `commit` what remembers it.
  void Advance(uint64_t unix_ms, env::GroupCommit* commit);
  // What is stamped from now on is later than `time`, however far that is ahead: the cluster's
  // clock, which is no single store's. Adds to `commit` what remembers it.
  void Follow(kv::Hlc time, env::GroupCommit* commit);

  // The first key at or after `from` that Take may find; null when there is none. Borrowed until
  // the next change.
  const std::string* FirstUnsent(std::string_view from) const;
  // Whether there are any.
  bool has_unsent() const { return !unsent_.empty(); }
  // Rows that are not released yet, those under way to the disk included: as many as a crash may
  // bring back, once the commits so far are durable. Of one namespace, O(log namespaces), or all.
  size_t rows() const { return held_.size() + pending_.size(); }
  size_t rows_of(kv::NamespaceId ns) const;
  // As Limits::bytes_max counts them.
  size_t bytes() const { return bytes_; }

 private:
  // What is known of a key beside the row that is held for it.
  struct Progress {
    kv::NamespaceId ns = kv::NamespaceId::kNone;
    kv::ModeEpoch mode_epoch;
    ParcelId parcel;     // That carries the row; zero: none.
    RegionId region;     // That applied the row,
    Index applied;       // by this entry. Zero: not that anybody knew.
    size_t pending = 0;  // Later writes, or the first one, that are under way to the disk.
  };
  // Of a namespace with rows.
  struct Tally {
    size_t rows = 0;              // See rows_of.
    std::set<kv::Hlc> unapplied;  // Times of those that may not be applied. Each is of one row.
  };
  struct Pending {
    IoToken token;
    std::string key;  // Encoded.
    OutboxRow row;
  };

  void Count(const OutboxRow& row);
  void Uncount(kv::NamespaceId ns, const kv::LwwRow& row);
  void Hold(std::string key, OutboxRow row);
  // `applied`: zero when it failed.
  void End(ParcelId parcel, RegionId region, Index applied);

  const StoreId self_;
  const Limits limits_;
  kv::HlcClock clock_;
  // All by encoded key. A key that is held has progress; one that is only pending has, too.
  kv::LwwRows held_;
  std::map<std::string, Progress, std::less<>> progress_;
  std::set<std::string, std::less<>> unsent_;  // Held, in no parcel, not applied.
  // Held, and to be released: keys, by region and the entry that applied them. No set is empty.
  std::map<RegionId, std::set<std::pair<Index, std::string>>> applied_;
  std::map<ParcelId, std::vector<std::string>> parcels_;
  std::deque<Pending> pending_;  // Oldest first.
  std::map<kv::NamespaceId, Tally> tallies_;
  std::map<RegionId, Index> unseen_;
  size_t bytes_ = 0;  // Of keys and values, held and pending.
  ParcelId last_parcel_;
};

// Whether the row under `key` of a store's data belongs to its outbox.
bool IsOutboxRow(std::string_view key);

// Reads what an earlier life of the store left. DATA_LOSS: it cannot be decoded.
absl::StatusOr<RecoveredOutbox> RecoverOutbox(StoreId self, const DataReader& data);

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_OUTBOX_H_
