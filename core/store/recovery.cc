// SPDX-License-Identifier: Apache-2.0
#include "core/store/recovery.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/strings.h"
#include "core/kv/key.h"
#include "core/region/state_rows.h"

namespace flaredb::store {

namespace {

constexpr uint8_t kIdentityFormat = 2;
constexpr std::string_view kIdentityRowKey = "\x01i";

std::string EncodeIdentity(const Identity& identity) {
  INVARIANT(identity.cluster_id != 0);
  INVARIANT(identity.store) << "a store has an id";
  ByteWriter out;
  out.U8(kIdentityFormat);
  out.U64(identity.cluster_id);
  out.Varint(identity.store.value());
  out.U64(identity.instance.hi);
  out.U64(identity.instance.lo);
  return out.Take();
}

absl::StatusOr<Identity> DecodeIdentity(std::string_view bytes) {
  ByteReader in(bytes);
  Identity identity;
  in.FormatVersion(kIdentityFormat);
  identity.cluster_id = in.U64();
  identity.store = StoreId(in.Varint());
  identity.instance = {in.U64(), in.U64()};
  in.Require(identity.cluster_id != 0 && identity.store, "cluster id and store id are not 0");
  if (absl::Status status = in.Finish("the store's identity row"); !status.ok()) return status;
  return identity;
}

// What was found of one region, before it is known to be complete.
struct Parts {
  std::optional<ReplicaRow> replica;
  std::optional<Region> region;
  std::optional<raft::LogId> applied;
  kv::NamespaceStates namespaces;
  const env::LogState* log = nullptr;  // Borrowed from the caller of Recover.
};
using PartsByRegion = std::map<RegionId, Parts>;

absl::Status RegionLoss(RegionId region, std::string_view what) {
  return absl::DataLossError(absl::StrCat("region ", region.value(), ": ", ToAbsl(what)));
}

absl::StatusOr<Identity> ReadIdentity(const DataReader& data,
                                      const std::vector<env::LogState>& logs) {
  const absl::StatusOr<std::optional<std::string>> row = data.Get(kIdentityRowKey);
  if (!row.ok()) return row.status();
  if (row->has_value()) return DecodeIdentity(**row);

  bool empty = logs.empty();
  const absl::Status status = data.Scan("", "", [&empty](std::string_view, std::string_view) {
    empty = false;
    return false;
  });
  if (!status.ok()) return status;
  if (!empty) return absl::DataLossError("the identity row is missing, but other data exists");
  return absl::NotFoundError("the store was never bootstrapped");
}

absl::StatusOr<cluster::Directory> ReadDirectory(const DataReader& data) {
  const absl::StatusOr<std::optional<std::string>> row = data.Get(cluster::kDirectoryRowKey);
  if (!row.ok()) return row.status();
  return row->has_value() ? cluster::DecodeDirectory(**row) : cluster::Directory();
}

absl::Status ReadRow(std::string_view key, std::string_view value, PartsByRegion* parts) {
  const std::optional<RegionRow> row = DecodeRegionRowKey(key);
  if (!row) return absl::DataLossError("a key among the region rows is none of a region row");
  Parts& found = (*parts)[row->region];
  switch (row->kind) {
    case RegionRowKind::kRegion: {
      absl::StatusOr<Region> region = DecodeRegion(value);
      if (!region.ok()) {
        return RegionLoss(row->region, absl::StrCat("region row: ", region.status().message()));
      }
      if (region->id != row->region) {
        return RegionLoss(row->region,
                          absl::StrCat("region row: it describes region ", region->id.value()));
      }
      found.region = *std::move(region);
      return absl::OkStatus();
    }
    case RegionRowKind::kApplied: {
      const absl::StatusOr<raft::LogId> applied = DecodeApplied(value);
      if (!applied.ok()) {
        return RegionLoss(row->region, absl::StrCat("applied row: ", applied.status().message()));
      }
      found.applied = *applied;
      return absl::OkStatus();
    }
    case RegionRowKind::kNamespaces: {
      absl::StatusOr<kv::NamespaceStates> states = kv::DecodeNamespaceStates(value);
      if (!states.ok()) {
        return RegionLoss(row->region, absl::StrCat("namespaces row: ", states.status().message()));
      }
      found.namespaces = *std::move(states);
      return absl::OkStatus();
    }
    case RegionRowKind::kReplica: {
      const absl::StatusOr<ReplicaRow> replica = DecodeReplicaRow(value);
      if (!replica.ok()) {
        return RegionLoss(row->region, absl::StrCat("replica row: ", replica.status().message()));
      }
      found.replica = *replica;
      return absl::OkStatus();
    }
  }
  INVARIANT(false) << "DecodeRegionRowKey let an unknown kind pass";
}

absl::StatusOr<PartsByRegion> Collect(const DataReader& data,
                                      const std::vector<env::LogState>& logs) {
  PartsByRegion parts;
  absl::Status row_status;
  const absl::Status status = data.Scan(RegionRowsBegin(), RegionRowsEnd(),
                                        [&](std::string_view key, std::string_view value) {
                                          row_status = ReadRow(key, value, &parts);
                                          return row_status.ok();
                                        });
  if (!status.ok()) return status;
  if (!row_status.ok()) return row_status;
  for (const env::LogState& log : logs) {
    const env::LogState*& found = parts[log.region].log;
    if (found != nullptr) return RegionLoss(log.region, "log: it exists twice");
    found = &log;
  }
  return parts;
}

// Why `log` cannot be the log of any replica; empty when it can.
std::string_view DefectOf(const env::LogState& log) {
  if (!log.incarnation) return "log: the replica has no incarnation";
  const raft::LogId base = log.base.last;
  if (static_cast<bool>(base.term) != static_cast<bool>(base.index)) {
    return "log: its base has a term without an index, or the reverse";
  }
  if (log.last_index < base.index) return "log: it ends before its base";
  if (log.terms.empty() != (log.last_index == base.index)) {
    return "log: entries and terms do not exist together";
  }
  Term last_term = base.term;
  if (!log.terms.empty()) {
    const raft::TermRun& first = log.terms.front();
    if (first.first != base.index.next()) return "log: its terms do not start after its base";
    if (!first.term || first.term < base.term) return "log: its first term is below its base's";
    // Terms never fall along a log, and a new run is a new term (thesis 3.5).
    const auto falls = [](const raft::TermRun& a, const raft::TermRun& b) {
      return b.first <= a.first || b.term <= a.term;
    };
    if (std::adjacent_find(log.terms.begin(), log.terms.end(), falls) != log.terms.end()) {
      return "log: its terms do not ascend";
    }
    if (log.terms.back().first > log.last_index) return "log: its last term starts after its end";
    last_term = log.terms.back().term;
  }
  Index last_conf = base.index;
  for (const raft::ConfAt& at : log.confs) {
    if (at.index <= last_conf || at.index > log.last_index) {
      return "log: its configurations do not ascend within it";
    }
    last_conf = at.index;
  }
  if (log.hard_state.vote && !log.hard_state.term) return "hard state: a vote without a term";
  if (log.hard_state.term < last_term) return "hard state: its term is behind the log's";
  return {};
}

// The term of the entry at `index`, which lies in [base.index, last_index].
Term TermAt(const env::LogState& log, Index index) {
  Term term = log.base.last.term;
  for (const raft::TermRun& run : log.terms) {
    if (run.first <= index) term = run.term;
  }
  return term;
}

// An uninitialized replica has a log and knows who it is; the region's rows come with a snapshot.
absl::StatusOr<RecoveredRegion> Join(RegionId id, const Parts& parts) {
  if (parts.log == nullptr) return RegionLoss(id, "the log is missing, but the rows exist");
  const env::LogState& log = *parts.log;
  if (const std::string_view defect = DefectOf(log); !defect.empty()) return RegionLoss(id, defect);
  const bool uninitialized =
      !parts.region && !parts.applied && parts.namespaces.empty() && !log.base.last.index;
  if (!uninitialized) {
    if (!parts.region) return RegionLoss(id, "the region row is missing, but other parts exist");
    if (!parts.applied) return RegionLoss(id, "the applied row is missing, but other parts exist");
  } else if (log.last_index) {
    return RegionLoss(id, "the region row is missing, but the log has entries");
  }
  const raft::LogId applied = parts.applied.value_or(raft::LogId());
  if (applied.index < log.base.last.index) {
    return RegionLoss(id, "applied row: before the log's base");
  }
  if (applied.index > log.last_index) return RegionLoss(id, "applied row: beyond the log's end");
  if (applied.term != TermAt(log, applied.index)) {
    return RegionLoss(id, "applied row: the log has another term at its index");
  }
  Region region;
  region.id = id;
  return RecoveredRegion{
      parts.replica->peer, parts.region.value_or(region), applied,
      raft::Recovered{log.incarnation, log.hard_state, log.base.conf, log.base.last, log.terms,
                      log.last_index, applied.index, log.confs},
      parts.namespaces};
}

absl::Status CheckDisjoint(const std::vector<RecoveredRegion>& regions) {
  std::vector<const Region*> by_start;
  for (const RecoveredRegion& recovered : regions) {
    if (recovered.region.initialized()) by_start.push_back(&recovered.region);
  }
  std::sort(by_start.begin(), by_start.end(),
            [](const Region* a, const Region* b) { return a->start_key < b->start_key; });
  for (size_t i = 1; i < by_start.size(); ++i) {
    const Region& before = *by_start[i - 1];
    if (before.end_key.empty() || before.end_key > by_start[i]->start_key) {
      return RegionLoss(before.id, absl::StrCat("region row: its range overlaps that of region ",
                                                by_start[i]->id.value()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

env::GroupCommit Bootstrap(const Identity& identity) {
  env::GroupCommit commit;
  commit.token = IoToken(1);
  commit.data.Put(std::string(kIdentityRowKey), EncodeIdentity(identity));
  return commit;
}

env::GroupCommit Bootstrap(const Identity& identity, const std::vector<FirstReplica>& replicas) {
  env::GroupCommit commit = Bootstrap(identity);
  for (const auto& [region, incarnation] : replicas) {
    const Peer* peer = region.PeerOn(identity.store);
    INVARIANT(peer != nullptr) << "region " << region.id << " has no peer on store "
                               << identity.store;
    CreateReplica(region.id, peer->id, incarnation, &commit);
    raft::Persist& persist = commit.log.back().persist;
    persist.token = IoToken(1);
    persist.hard_state = raft::HardState{kRegionBirth.term, PeerId()};
    persist.base =
        std::make_shared<raft::LogBase>(raft::LogBase{kRegionBirth, ConfStateOf(region)});
    commit.data.Put(RegionRowKey(region.id), EncodeRegion(region));
    commit.data.Put(AppliedRowKey(region.id), EncodeApplied(kRegionBirth));
  }
  return commit;
}

env::GroupCommit Bootstrap(const Identity& identity, const Region& region,
                           Incarnation incarnation) {
  return Bootstrap(identity, {{region, incarnation}});
}

// The ids are the first ones: who founds a cluster is alone.
std::vector<Region> FoundingRegions(StoreId store) {
  const std::string machine = kv::EncodeKey(kv::NamespaceId::kMachine, "");
  const RegionEpoch first{1, 1};
  return {{RegionId(1), "", machine, first, {{PeerId(1), store}}},
          {RegionId(2), machine, "", first, {{PeerId(2), store}}}};
}

void CreateReplica(RegionId region, PeerId peer, Incarnation incarnation,
                   env::GroupCommit* commit) {
  INVARIANT(incarnation) << "a replica has an incarnation";
  env::LogWrite& log = commit->log.emplace_back();
  log.region = region;
  log.create = incarnation;
  log.persist.hard_state = raft::HardState{};
  commit->data.Put(ReplicaRowKey(region), EncodeReplicaRow({peer, /*removed=*/false}));
}

absl::Status DestroyReplica(const Region& region, PeerId peer, const DataReader& data,
                            env::GroupCommit* commit) {
  if (region.initialized()) {
    const kv::KeyRange range = DataRange(region);
    const absl::Status status = data.Scan(range.begin, range.end, [&](std::string_view key, auto) {
      commit->data.Delete(std::string(key));
      return true;
    });
    if (!status.ok()) return status;
    commit->data.Delete(RegionRowKey(region.id));
    commit->data.Delete(AppliedRowKey(region.id));
    commit->data.Delete(NamespacesRowKey(region.id));
  }
  commit->data.Put(ReplicaRowKey(region.id), EncodeReplicaRow({peer, /*removed=*/true}));
  env::LogWrite& log = commit->log.emplace_back();
  log.region = region.id;
  log.destroy = true;
  return absl::OkStatus();
}

absl::StatusOr<RecoveredStore> Recover(const DataReader& data,
                                       const std::vector<env::LogState>& logs) {
  const absl::StatusOr<Identity> identity = ReadIdentity(data, logs);
  if (!identity.ok()) return identity.status();
  const absl::StatusOr<PartsByRegion> parts = Collect(data, logs);
  if (!parts.ok()) return parts.status();

  RecoveredStore store;
  store.identity = *identity;
  for (const auto& [id, found] : *parts) {
    if (!found.replica) return RegionLoss(id, "the replica row is missing, but other parts exist");
    if (found.replica->removed) {
      if (found.region || found.applied || !found.namespaces.empty() || found.log != nullptr) {
        return RegionLoss(id, "replica row: it says removed, but other parts exist");
      }
      store.tombstones[id] = found.replica->peer;
      continue;
    }
    absl::StatusOr<RecoveredRegion> region = Join(id, found);
    if (!region.ok()) return region.status();
    store.regions.push_back(*std::move(region));
  }
  if (absl::Status status = CheckDisjoint(store.regions); !status.ok()) return status;
  absl::StatusOr<RecoveredOutbox> outbox = RecoverOutbox(store.identity.store, data);
  if (!outbox.ok()) return outbox.status();
  store.outbox = *std::move(outbox);
  absl::StatusOr<cluster::Directory> directory = ReadDirectory(data);
  if (!directory.ok()) return directory.status();
  store.directory = *std::move(directory);
  return store;
}

}  // namespace flaredb::store
