// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/workload.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/kv/key.h"
#include "core/raft/membership.h"
#include "core/region/state_rows.h"
#include "core/store/recovery.h"

namespace flaredb::storage {
namespace {

constexpr StoreId kStore(1);

// Each region has a namespace of its own as its range.
Region RegionOf(RegionId id, PeerId peer) {
  Region region;
  region.id = id;
  region.start_key = kv::EncodeKey(static_cast<kv::NamespaceId>(id.value()), "");
  region.end_key = kv::EncodeKey(static_cast<kv::NamespaceId>(id.value() + 1), "");
  region.epoch = {1, 1};
  region.peers = {{peer, kStore}};
  return region;
}

raft::ConfState Voters(uint64_t count) {
  raft::ConfState conf;
  for (uint64_t id = 1; id <= count; ++id) conf.voters.push_back(PeerId(id));
  return conf;
}

const std::string* RowOf(const sim::DiskImage& image, const std::string& key) {
  const auto row = image.rows().find(key);
  return row == image.rows().end() ? nullptr : &row->second;
}

raft::LogId AppliedOf(RegionId region, const sim::DiskImage& image) {
  return DecodeApplied(*RowOf(image, AppliedRowKey(region))).value();
}

}  // namespace

std::string Workload::Bytes() {
  // Rarely more than one block of RocksDB's log, and rarely nothing but zeros.
  const uint64_t size = rng_.Chance(8000) ? rng_.Below(40000) : rng_.Below(300);
  if (rng_.Chance(20000)) return std::string(size, '\0');
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>('a' + rng_.Below(26));
  return bytes;
}

void Workload::PutRows(RegionId region, env::GroupCommit* commit) {
  for (uint64_t i = rng_.Below(4); i > 0; --i) {
    std::string key = kv::EncodeKey(static_cast<kv::NamespaceId>(region.value()),
                                    "key" + std::to_string(rng_.Below(40)));
    if (rng_.Chance(250000)) {
      commit->data.Delete(std::move(key));
    } else {
      commit->data.Put(std::move(key), Bytes());
    }
  }
}

void Workload::Append(Term term, Index last, raft::Persist* persist) {
  std::vector<std::string> payloads(rng_.Between(uint64_t{1}, uint64_t{8}));
  std::vector<raft::NewEntry> entries;
  const bool has_conf = rng_.Chance(100000);
  for (std::string& payload : payloads) {
    const bool conf = has_conf && &payload == &payloads.back();
    payload =
        conf ? raft::EncodeConfState(Voters(rng_.Between(uint64_t{1}, uint64_t{5}))) : Bytes();
    entries.push_back({conf ? raft::EntryKind::kConf : raft::EntryKind::kCommand, payload});
  }
  persist->append.push_back(raft::EntrySlice(raft::EntryBlock::Create(term, last.next(), entries)));
}

void Workload::InstallSnapshot(const Region& region, const sim::DiskImage& image,
                               raft::HardState now, env::GroupCommit* commit) {
  env::LogWrite& write = commit->log.emplace_back();
  write.region = region.id;
  const sim::LogImage& log = image.log(region.id);
  const Term term =
      std::max(now.term, log.base().last.term) + rng_.Between(uint64_t{0}, uint64_t{2});
  const raft::LogId at{std::max(term, Term(1)),
                       log.last_index() + rng_.Between(uint64_t{1}, uint64_t{40})};
  if (now.term < at.term) write.persist.hard_state = raft::HardState{at.term, PeerId()};
  write.persist.install = true;
  write.persist.base = std::make_shared<raft::LogBase>(
      raft::LogBase{at, Voters(rng_.Between(uint64_t{1}, uint64_t{5}))});
  const kv::KeyRange range = DataRange(region);
  for (auto it = image.rows().lower_bound(range.begin);
       it != image.rows().end() && it->first < range.end; ++it) {
    commit->data.Delete(it->first);
  }
  commit->data.Put(RegionRowKey(region.id), EncodeRegion(region));
  commit->data.Put(AppliedRowKey(region.id), EncodeApplied(at));
  PutRows(region.id, commit);
}

void Workload::Advance(RegionId region, const sim::DiskImage& image, raft::HardState now,
                       env::GroupCommit* commit) {
  env::LogWrite& write = commit->log.emplace_back();
  write.region = region;
  raft::Persist& persist = write.persist;
  const sim::LogImage& log = image.log(region);
  const raft::LogId applied = AppliedOf(region, image);
  const Index base = log.base().last.index;

  if (rng_.Chance(300000)) {
    now = {now.term + rng_.Between(uint64_t{1}, uint64_t{3}), PeerId(rng_.Below(4))};
    persist.hard_state = now;
  }
  if (base < applied.index && rng_.Chance(120000)) {
    const Index to = base + rng_.Between(uint64_t{1}, applied.index - base);
    persist.base =
        std::make_shared<raft::LogBase>(raft::LogBase{{log.TermAt(to), to}, log.ConfAt(to)});
  }
  Index last = log.last_index();
  if (applied.index < last && rng_.Chance(200000)) {
    persist.truncate_from =
        last.next() - rng_.Between(uint64_t{1}, std::min<uint64_t>(20, last - applied.index));
    last = persist.truncate_from.prev();
  }
  // Only what was there before is applied: entries are committed after they are on disks.
  if (applied.index < last && rng_.Chance(600000)) {
    const Index to = applied.index + rng_.Between(uint64_t{1}, last - applied.index);
    commit->data.Put(AppliedRowKey(region), EncodeApplied({log.TermAt(to), to}));
    PutRows(region, commit);
  }
  if (rng_.Chance(800000)) Append(now.term, last, &persist);
}

env::GroupCommit Workload::Step(RegionId region, const sim::DiskImage& image) {
  env::GroupCommit commit;
  const std::string* row = RowOf(image, ReplicaRowKey(region));
  const ReplicaRow replica =
      row == nullptr ? ReplicaRow{PeerId(), true} : DecodeReplicaRow(*row).value();
  if (replica.removed) {
    store::CreateReplica(region, replica.peer.next(), Incarnation(rng_.Next() | 1), &commit);
    return commit;
  }
  const Region here = RegionOf(region, replica.peer);
  const raft::HardState now = image.log(region).hard_state();
  const bool initialized = RowOf(image, RegionRowKey(region)) != nullptr;
  if (rng_.Chance(20000)) {
    Region ended = here;
    if (!initialized) ended.peers.clear();
    const absl::Status destroyed = store::DestroyReplica(ended, replica.peer, image, &commit);
    INVARIANT(destroyed.ok()) << std::string(destroyed.message());
  } else if (!initialized ? rng_.Chance(700000) : rng_.Chance(30000)) {
    InstallSnapshot(here, image, now, &commit);
  } else if (initialized) {
    Advance(region, image, now, &commit);
  } else {
    env::LogWrite& write = commit.log.emplace_back();
    write.region = region;
    write.persist.hard_state = raft::HardState{now.term.next(), PeerId(rng_.Below(4))};
  }
  return commit;
}

env::GroupCommit Workload::Next(IoToken token, const sim::DiskImage& image) {
  if (image.rows().empty()) {
    env::GroupCommit first = store::Bootstrap({.cluster_id = 7, .store = kStore});
    first.token = token;
    return first;
  }
  env::GroupCommit commit;
  commit.token = token;
  sim::DiskImage after = image;
  const uint64_t steps = rng_.Chance(300000) ? 2 : 1;
  for (uint64_t i = 0; i < steps; ++i) {
    env::GroupCommit step = Step(RegionId(rng_.Between(uint64_t{1}, regions_)), after);
    const auto refused = after.Apply(step);
    INVARIANT(!refused) << *refused;
    for (env::LogWrite& write : step.log) commit.log.push_back(std::move(write));
    for (Mutation& mutation : step.data.mutations) {
      commit.data.mutations.push_back(std::move(mutation));
    }
  }
  return commit;
}

}  // namespace flaredb::storage
