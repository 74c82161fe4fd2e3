// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/model_support.h"

#include <algorithm>
#include <utility>

#include "core/raft/membership.h"

namespace flaredb::storage {

raft::EntrySlices Entries(Term term, Index first, const std::vector<std::string>& payloads) {
  std::vector<raft::NewEntry> entries;
  for (const std::string& payload : payloads) {
    entries.push_back({raft::EntryKind::kCommand, payload});
  }
  raft::EntrySlices slices;
  slices.push_back(raft::EntrySlice(raft::EntryBlock::Create(term, first, entries)));
  return slices;
}

raft::EntrySlices ConfEntry(Term term, Index index, const raft::ConfState& conf) {
  const std::string payload = raft::EncodeConfState(conf);
  const raft::NewEntry entry{raft::EntryKind::kConf, payload};
  raft::EntrySlices slices;
  slices.push_back(raft::EntrySlice(raft::EntryBlock::Create(term, index, {&entry, 1})));
  return slices;
}

raft::ConfState Voters(std::vector<PeerId> voters) {
  raft::ConfState conf;
  conf.voters = std::move(voters);
  return conf;
}

std::shared_ptr<const raft::LogBase> BaseAt(Term term, Index index, raft::ConfState conf) {
  return std::make_shared<raft::LogBase>(raft::LogBase{{term, index}, std::move(conf)});
}

void Content::Apply(const env::LogWrite& write) {
  if (write.destroy) {
    replicas.erase(write.region);
    return;
  }
  Replica& replica = replicas[write.region];
  const raft::Persist& persist = write.persist;
  if (write.create) replica.incarnation = write.create;
  if (persist.base) {
    const Index to = persist.base->last.index;
    if (persist.install || to >= replica.last_index()) {
      replica.log.clear();
    } else {
      const uint64_t gone = to - replica.base.last.index;
      replica.log.erase(replica.log.begin(), replica.log.begin() + static_cast<ptrdiff_t>(gone));
    }
    replica.base = *persist.base;
  }
  if (persist.truncate_from) {
    replica.log.resize(persist.truncate_from - replica.base.last.index - 1);
  }
  for (const raft::EntrySlice& slice : persist.append) {
    for (uint32_t i = 0; i < slice.size(); ++i) {
      const raft::EntryView e = slice.at(i);
      replica.log.push_back({e.term, e.kind, std::string(e.payload)});
    }
  }
  if (persist.hard_state) replica.hard_state = *persist.hard_state;

  replica.confs.clear();
  for (size_t i = 0; i < replica.log.size(); ++i) {
    if (replica.log[i].kind != raft::EntryKind::kConf) continue;
    replica.confs.push_back(
        {replica.base.last.index + (i + 1), raft::DecodeConfState(replica.log[i].payload).value()});
  }
}

void Content::Apply(const WriteBatch& batch) {
  for (const Mutation& m : batch.mutations) {
    if (m.value) {
      data[m.key] = *m.value;
    } else {
      data.erase(m.key);
    }
  }
}

absl::StatusOr<Content> ReadAll(RocksDisk& disk) {
  Content content;
  const absl::StatusOr<std::vector<env::LogState>> logs = disk.RecoverLogs();
  if (!logs.ok()) return logs.status();
  for (const env::LogState& log : *logs) {
    Content::Replica& replica = content.replicas[log.region];
    replica.incarnation = log.incarnation;
    replica.hard_state = log.hard_state;
    replica.base = log.base;
    replica.confs = log.confs;
    size_t run = 0;
    while (replica.last_index() < log.last_index) {
      // A small budget, so that reads come in pieces.
      const Index next = replica.last_index().next();
      const auto slices = disk.ReadLogNow(log.region, next, log.last_index, 500);
      if (!slices.ok()) return slices.status();
      for (const raft::EntrySlice& slice : *slices) {
        for (uint32_t i = 0; i < slice.size(); ++i) {
          const raft::EntryView e = slice.at(i);
          if (run + 1 < log.terms.size() && log.terms[run + 1].first == e.index) ++run;
          if (log.terms[run].term != e.term) {
            return absl::InternalError("term run and entry differ");
          }
          replica.log.push_back({e.term, e.kind, std::string(e.payload)});
        }
      }
    }
  }
  const absl::Status scanned =
      disk.data().Scan("", "", [&content](std::string_view key, std::string_view value) {
        content.data.emplace(key, value);
        return true;
      });
  if (!scanned.ok()) return scanned;
  return content;
}

std::string Life::RandomBytes() {
  std::string bytes(rng_.Below(payload_bytes_max_), '\0');
  for (char& c : bytes) c = static_cast<char>('a' + rng_.Below(26));
  return bytes;
}

raft::ConfState Life::RandomConf() {
  std::vector<PeerId> voters;
  for (uint64_t id = 1; id <= 5; ++id) {
    if (rng_.Chance(500000)) voters.push_back(PeerId(id));
  }
  raft::ConfState conf = Voters(std::move(voters));
  conf.learners = {PeerId(6)};
  conf.members = {{PeerId(6), StoreId(rng_.Below(9)), Incarnation(rng_.Next())}};
  return conf;
}

Index Life::RandomBase(const Content::Replica& replica, Term term, raft::Persist* persist) {
  const Index base = replica.base.last.index;
  const Index last = replica.last_index();
  if (rng_.Chance(40000)) {
    persist->install = true;
    persist->base = BaseAt(term, base + rng_.Between(uint64_t{1}, uint64_t{40}), RandomConf());
    return persist->base->last.index;
  }
  if (base == last || !rng_.Chance(120000)) return last;
  const Index to = base + rng_.Between(uint64_t{1}, last - base);
  persist->base = BaseAt(replica.log[to - base - 1].term, to, RandomConf());
  return last;
}

env::LogWrite Life::RandomWrite(RegionId region) {
  env::LogWrite write;
  write.region = region;
  const auto known = content_.replicas.find(region);
  const bool creates = known == content_.replicas.end();
  if (!creates && rng_.Chance(20000)) {
    write.destroy = true;
    return write;
  }
  const Content::Replica none;
  const Content::Replica& replica = creates ? none : known->second;
  raft::Persist& persist = write.persist;
  if (creates) write.create = Incarnation(rng_.Next() | 1);
  Term term = replica.hard_state.term;
  if (creates || rng_.Chance(300000)) {
    term = term + 1 + rng_.Below(3);
    persist.hard_state = {term, PeerId(rng_.Below(4))};
  }

  Index last;
  if (creates && rng_.Chance(500000)) {
    persist.base = BaseAt(Term(1), Index(1), RandomConf());
    last = Index(1);
  } else {
    last = RandomBase(replica, term, &persist);
  }
  const Index base = persist.base ? persist.base->last.index : replica.base.last.index;
  if (base < last && rng_.Chance(200000)) {
    const uint64_t reach = std::min<uint64_t>(20, last - base);
    persist.truncate_from = last.next() - rng_.Between(uint64_t{1}, reach);
    last = persist.truncate_from.prev();
  }
  if (rng_.Chance(100000)) {
    persist.append = ConfEntry(term, last.next(), RandomConf());
  } else if (rng_.Chance(800000)) {
    std::vector<std::string> payloads(rng_.Between(uint64_t{1}, uint64_t{8}));
    for (std::string& payload : payloads) payload = RandomBytes();
    persist.append = Entries(term, last.next(), payloads);
  }
  return write;
}

env::GroupCommit Life::Next() {
  env::GroupCommit commit;
  commit.token = ++token_;
  const RegionId first(rng_.Between(uint64_t{1}, uint64_t{3}));
  std::vector<RegionId> regions = {first};
  if (rng_.Chance(300000)) regions.push_back(RegionId(first.value() % 3 + 1));
  if (rng_.Chance(200000)) regions.push_back(first);
  for (const RegionId region : regions) {
    commit.log.push_back(RandomWrite(region));
    content_.Apply(commit.log.back());
  }
  commit.data.Put("last_token", std::to_string(token_.value()));
  for (uint64_t i = rng_.Below(4); i > 0; --i) {
    const std::string key = "key" + std::to_string(rng_.Below(50));
    if (rng_.Chance(250000)) {
      commit.data.Delete(key);
    } else {
      commit.data.Put(key, RandomBytes());
    }
  }
  content_.Apply(commit.data);
  return commit;
}

IoToken LastToken(const Content& content) {
  const auto row = content.data.find("last_token");
  return row == content.data.end() ? IoToken() : IoToken(std::stoull(row->second));
}

}  // namespace flaredb::storage
