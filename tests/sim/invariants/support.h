// SPDX-License-Identifier: Apache-2.0
// A region of three replicas on five stores, whose disks a test writes by hand.
#ifndef FLAREDB_TESTS_SIM_INVARIANTS_SUPPORT_H_
#define FLAREDB_TESTS_SIM_INVARIANTS_SUPPORT_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/raft/membership.h"
#include "core/region/region_machine.h"
#include "sim/invariants/commits.h"
#include "sim/invariants/elections.h"
#include "sim/invariants/log_matching.h"
#include "sim/invariants/names.h"
#include "sim/invariants/replica.h"
#include "sim/world/disk.h"

namespace flaredb::sim {

inline constexpr RegionId kRegion(1);
inline constexpr RegionEpoch kEpoch{1, 1};
inline constexpr uint32_t kNodes = 5;

// Peer 101 on store 1, and so on.
inline Region ThreePeers() {
  Region region;
  region.id = kRegion;
  region.epoch = kEpoch;
  for (uint64_t i = 0; i < 3; ++i) region.peers.push_back({PeerId(101 + i), StoreId(i + 1)});
  return region;
}

// Of peers that were numbered as in ThreePeers.
inline raft::ConfState Conf(const std::vector<uint64_t>& voters,
                            const std::vector<uint64_t>& outgoing = {},
                            const std::vector<uint64_t>& learners = {}) {
  raft::ConfState conf;
  for (const uint64_t id : voters) conf.voters.push_back(PeerId(id));
  for (const uint64_t id : outgoing) conf.voters_outgoing.push_back(PeerId(id));
  for (const uint64_t id : learners) conf.learners.push_back(PeerId(id));
  for (const PeerId id : conf.Everybody()) {
    conf.members.push_back({id, StoreId(id.value() - 100), Incarnation()});
  }
  return conf;
}

// A follower of whom the leader knows so much.
inline raft::ProgressView Followed(uint64_t peer, uint64_t match) {
  raft::ProgressView progress;
  progress.peer = PeerId(peer);
  progress.match_index = Index(match);
  progress.next_index = Index(match + 1);
  return progress;
}

struct ModelEntry {
  uint64_t term = 1;
  std::string payload;                                 // Empty: a no-op,
  std::optional<raft::ConfState> conf = std::nullopt;  // or this configuration.
};

inline raft::Persist Append(uint64_t first, const std::vector<ModelEntry>& entries) {
  raft::Persist persist;
  for (size_t i = 0; i < entries.size(); ++i) {
    const ModelEntry& from = entries[i];
    const std::string payload = from.conf ? raft::EncodeConfState(*from.conf) : from.payload;
    const raft::NewEntry entry{from.conf         ? raft::EntryKind::kConf
                               : payload.empty() ? raft::EntryKind::kNoop
                                                 : raft::EntryKind::kCommand,
                               payload};
    persist.append.push_back(
        raft::EntrySlice(raft::EntryBlock::Create(Term(from.term), Index(first + i), {&entry, 1})));
  }
  return persist;
}

inline raft::Persist Hard(uint64_t term, uint64_t vote) {
  raft::Persist persist;
  persist.hard_state = raft::HardState{Term(term), PeerId(vote)};
  return persist;
}

// The log begins after `index`, of `term`.
inline raft::Persist Compact(uint64_t term, uint64_t index, raft::ConfState conf) {
  raft::Persist persist;
  persist.base =
      std::make_shared<raft::LogBase>(raft::LogBase{{Term(term), Index(index)}, std::move(conf)});
  return persist;
}
inline raft::Persist Install(uint64_t term, uint64_t index, raft::ConfState conf) {
  raft::Persist persist = Compact(term, index, std::move(conf));
  persist.install = true;
  return persist;
}

inline std::string Cas(const std::string& key, uint64_t expected, const std::string& value,
                       uint64_t client = 0, uint64_t seen = 0) {
  kv::CompareAndSwap swap;
  swap.key = key;
  swap.value = value;
  swap.expected = kv::Version(expected);
  if (client != 0) swap.retry = {{1, client, 1}, Index(seen)};
  return EncodeRegionCommand({kEpoch, swap});
}

// From and to the peers that began on these nodes.
inline raft::Message Message(uint32_t from, uint32_t to, uint64_t term, raft::Body body) {
  raft::Message message;
  message.from = PeerId(101 + from);
  message.to = PeerId(101 + to);
  message.term = Term(term);
  message.body = std::move(body);
  return message;
}

// The logs of these replicas begin at index 1: the region's birth is index 0 here.
class InvariantsTest : public testing::Test {
 protected:
  InvariantsTest() {
    for (uint32_t node = 0; node < kNodes; ++node) {
      replicas_[node].disk = &disks_[node];
      replicas_[node].view.conf = conf_;
    }
    for (uint32_t node = 0; node < 3; ++node) Hold(node, PeerId(101 + node));
  }

  // The replica on `node` is `peer`, in memory and on the disk.
  void Hold(uint32_t node, PeerId peer) {
    names_.Add(peer, StoreId(node + 1));
    replicas_[node].peer = replicas_[node].durable_peer = peer;
  }
  void Write(uint32_t node, const raft::Persist& persist) {
    env::GroupCommit commit;
    const bool first = disks_[node].image().replicas().empty();
    commit.log.push_back({kRegion, first ? Incarnation(1 + node) : Incarnation(), persist});
    disks_[node].Format(commit);
    ASSERT_EQ(world_.report.failure().sentence, "");
    ASSERT_EQ(replicas_[node].issued.Apply(persist), std::nullopt);
  }
  void Write(const std::vector<uint32_t>& nodes, const raft::Persist& persist) {
    for (const uint32_t node : nodes) Write(node, persist);
  }
  void WriteAll(const raft::Persist& persist) { Write({0, 1, 2}, persist); }
  const LogImage& Disk(uint32_t node) const { return disks_[node].image().log(kRegion); }
  void Lead(uint32_t node, uint64_t term) {
    replicas_[node].running = true;
    replicas_[node].view.role = raft::Role::kLeader;
    replicas_[node].view.term = Term(term);
  }
  // `node` calls committed what follows the history, up to `to`, by the configuration of its view.
  void Commit(uint32_t node, uint64_t to) {
    commits_.OnCommit(node, Index(), Index(to), replicas_[node].view.conf, replicas_);
  }
  const std::string& Broken() const { return report_.failure().invariant; }

  World world_{1, nullptr};
  const Region region_ = ThreePeers();
  const raft::ConfState conf_ = ConfStateOf(region_);
  Names names_{kNodes, region_};
  FailureReport report_;
  SimDisk disks_[kNodes] = {
      {&world_, {}, 0}, {&world_, {}, 1}, {&world_, {}, 2}, {&world_, {}, 3}, {&world_, {}, 4}};
  std::vector<Replica> replicas_{kNodes};
  Elections elections_{&names_, &report_};
  LogMatching log_matching_{&names_, &report_};
  Commits commits_{kRegion, kEpoch, {{}, conf_}, &names_, &report_};
};

}  // namespace flaredb::sim

#endif  // FLAREDB_TESTS_SIM_INVARIANTS_SUPPORT_H_
