// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/model_support.h"

#include <optional>
#include <utility>

namespace flaredb::storage {

raft::EntrySlices Entries(Term term, Index first, const std::vector<std::string>& payloads) {
  std::vector<raft::NewEntry> entries;
  for (const std::string& payload : payloads) {
    entries.push_back({raft::EntryKind::kCommand, payload});
  }
  raft::EntrySlices slices;
  slices.emplace_back(raft::EntryBlock::Create(term, first, entries));
  return slices;
}

void Content::Apply(const env::GroupCommit& commit) {
  for (const env::LogWrite& write : commit.log) {
    Replica& replica = replicas[write.region];
    if (write.create) replica.incarnation = write.create;
    if (write.persist.truncate_from) replica.log.resize(write.persist.truncate_from.value() - 1);
    for (const raft::EntrySlice& slice : write.persist.append) {
      for (uint32_t i = 0; i < slice.size(); ++i) {
        const raft::EntryView e = slice.at(i);
        replica.log.push_back({e.term, e.kind, std::string(e.payload)});
      }
    }
    if (write.persist.hard_state) replica.hard_state = *write.persist.hard_state;
  }
  for (const Mutation& m : commit.data.mutations) {
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
    size_t run = 0;
    while (replica.log.size() < log.last_index.value()) {
      // A small budget, so that reads come in pieces.
      const Index next(replica.log.size() + 1);
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

env::LogWrite Life::RandomWrite(RegionId region) {
  env::LogWrite write{.region = region, .create = {}, .persist = {}};
  const auto known = content_.replicas.find(region);
  raft::HardState hard_state;
  size_t size = 0;
  if (known == content_.replicas.end()) {
    write.create = Incarnation(rng_.Next() | 1);
  } else {
    hard_state = known->second.hard_state;
    size = known->second.log.size();
  }
  if (write.create || rng_.Chance(300000)) {
    hard_state = {hard_state.term + 1 + rng_.Below(3), PeerId(rng_.Below(4))};
    write.persist.hard_state = hard_state;
  }
  if (size > 0 && rng_.Chance(200000)) {
    const uint64_t from = rng_.Between(size > 20 ? size - 20 : 1, size);
    write.persist.truncate_from = Index(from);
    size = from - 1;
  }
  if (rng_.Chance(800000)) {
    std::vector<std::string> payloads(rng_.Between(uint64_t{1}, uint64_t{8}));
    for (std::string& payload : payloads) payload = RandomBytes();
    write.persist.append = Entries(hard_state.term, Index(size + 1), payloads);
  }
  return write;
}

env::GroupCommit Life::Next() {
  env::GroupCommit commit;
  commit.token = ++token_;
  const RegionId first(rng_.Between(uint64_t{1}, uint64_t{3}));
  commit.log.push_back(RandomWrite(first));
  if (rng_.Chance(300000)) commit.log.push_back(RandomWrite(RegionId(first.value() % 3 + 1)));
  commit.data.Put("last_token", std::to_string(token_.value()));
  for (uint64_t i = rng_.Below(4); i > 0; --i) {
    const std::string key = "key" + std::to_string(rng_.Below(50));
    if (rng_.Chance(250000)) {
      commit.data.Delete(key);
    } else {
      commit.data.Put(key, RandomBytes());
    }
  }
  content_.Apply(commit);
  return commit;
}

IoToken LastToken(const Content& content) {
  const auto row = content.data.find("last_token");
  return row == content.data.end() ? IoToken() : IoToken(std::stoull(row->second));
}

}  // namespace flaredb::storage
