// SPDX-License-Identifier: Apache-2.0
// What tests of whole clusters share: a founder, others that join, and nobody else who tells the
// stores what to do.
#ifndef FLAREDB_TESTS_CORE_STORE_CLUSTER_H_
#define FLAREDB_TESTS_CORE_STORE_CLUSTER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "core/pd/command.h"
#include "core/pd/pd_machine.h"
#include "core/pd/query.h"
#include "core/pd/reply.h"
#include "tests/core/store/requests.h"
#include "tests/core/store/stores.h"

namespace flaredb::store {

class ClusterTest : public ::testing::Test {
 protected:
  static Options ClusterOptions() {
    static const pd::PdMachine machine;
    Options options;
    options.machine = &machine;
    options.cluster.emplace();
    return options;
  }
  explicit ClusterTest(const Options& options = ClusterOptions()) : stores_(0, options, {}) {}

  // --- The cluster.

  // Store 1 alone, as soon as it has a cluster.
  void Found() {
    stores_.AddFounder(1);
    Await([&] { return Known(1).size() == 1; });
  }
  // What a process does before it starts as a store: asks one that is in.
  pd::Reply Put(uint64_t id, uint64_t through = 1) {
    return Ask(through, pd::Command(pd::PutStore{{StoreId(id), stores_.IdentityOf(id).instance,
                                                  Stores::AddressOf(id), 0},
                                                 pd::Revision()}));
  }
  void Join(uint64_t id, uint64_t through = 1) {
    const pd::Reply reply = Put(id, through);
    EXPECT_TRUE(std::holds_alternative<pd::StoreInfo>(reply)) << "refused";
    stores_.AddEmptyStore(id);
  }
  // A founder and others, with everything replicated as far as it can be.
  void Grow(uint64_t stores) {
    Found();
    for (uint64_t id = 2; id <= stores; ++id) Join(id);
    Await([&] { return Voters(1) == std::min<size_t>(stores, 3) && Voters(2) == Voters(1); });
  }

  // --- What is to be seen.

  // The stores that a store knows of.
  std::vector<uint64_t> Known(uint64_t store) {
    std::vector<uint64_t> ids;
    for (const auto& [id, info] : stores_.store(store).directory()->stores()) {
      ids.push_back(id.value());
    }
    return ids;
  }
  // The leader's replica; nullopt without one.
  std::optional<std::pair<uint64_t, PeerView>> Leader(uint64_t region) {
    std::optional<std::pair<uint64_t, PeerView>> leader;
    for (const uint64_t id : stores_.alive()) {
      if (!stores_.hosts(id, region)) continue;
      PeerView view = stores_.peer(id, region);
      if (view.raft.role != raft::Role::kLeader) continue;
      if (!leader || leader->second.raft.term < view.raft.term) leader = {id, std::move(view)};
    }
    return leader;
  }
  // Of a region that has a leader and is not on its way to another configuration; 0 otherwise.
  size_t Voters(uint64_t region) {
    const auto leader = Leader(region);
    if (!leader) return 0;
    const raft::ConfState& conf = leader->second.raft.conf;
    return conf.joint() || !conf.learners.empty() ? 0 : conf.voters.size();
  }
  // The stores on which the region has voters, by its leader.
  std::vector<uint64_t> Holders(uint64_t region) {
    std::vector<uint64_t> holders;
    const auto leader = Leader(region);
    if (!leader) return holders;
    const raft::ConfState& conf = leader->second.raft.conf;
    for (const PeerId voter : conf.voters) holders.push_back(conf.Find(voter).store.value());
    std::sort(holders.begin(), holders.end());
    return holders;
  }

  // --- Requests.

  // Passes time until the answer is there.
  Reply Wait(CallId call) {
    stores_.Settle();
    Await([&] { return stores_.reply(call) != nullptr; });
    const Reply* reply = stores_.reply(call);
    return reply != nullptr ? *reply : Reply();
  }
  Reply Do(uint64_t store, Operation operation, const std::string& ns = "") {
    return Wait(stores_.Call(store, Request{std::nullopt, kBudget, std::move(operation), ns}));
  }
  pd::Reply Ask(uint64_t store, const pd::Command& command) {
    return Decoded(Do(store, ExecuteRequest{std::string(pd::kObject), pd::EncodeCommand(command)}));
  }
  pd::Reply Ask(uint64_t store, const pd::Query& query) {
    return Decoded(Do(store, QueryRequest{std::string(pd::kObject), pd::EncodeQuery(query)}));
  }
  static pd::Reply Decoded(const Reply& reply) {
    const auto* answer = std::get_if<MachineReply>(&reply.result);
    EXPECT_NE(answer, nullptr) << Sentence(reply);
    if (answer == nullptr) return pd::Refused();
    absl::StatusOr<pd::Reply> decoded = pd::DecodeReply(answer->bytes);
    EXPECT_TRUE(decoded.ok()) << decoded.status();
    return decoded.ok() ? *std::move(decoded) : pd::Refused();
  }
  static std::string Sentence(const Reply& reply) {
    const auto* error = std::get_if<Error>(&reply.result);
    return error != nullptr ? "error: " + error->message : "no error";
  }
  // Writes to a strong namespace; the version, or what went wrong.
  std::string Swap(uint64_t store, const std::string& ns, const std::string& key,
                   const std::string& value, uint64_t expected = 0) {
    const Reply reply = Do(store, store::Swap(key, value, expected), ns);
    const auto* write = std::get_if<kv::WriteReply>(&reply.result);
    if (write == nullptr) return Sentence(reply);
    return write->result == kv::WriteResult::kApplied
               ? "version " + std::to_string(write->version.value())
               : "mismatch";
  }
  std::string Get(uint64_t store, const std::string& ns, const std::string& key,
                  kv::Mode mode = kv::Mode::kStrong) {
    const Reply reply = Do(store, GetRequest{kv::NamespaceId::kDefault, key, mode}, ns);
    const auto* get = std::get_if<GetReply>(&reply.result);
    if (get == nullptr) return Sentence(reply);
    return get->found ? get->found->value : "none";
  }
  std::string GetRaw(uint64_t store, const std::string& ns, const std::string& key) {
    return Get(store, ns, key, kv::Mode::kEventual);
  }
  std::string PutRaw(uint64_t store, const std::string& ns, const std::string& key,
                     std::optional<std::string> value) {
    const Reply reply =
        Do(store, RawWriteRequest{kv::NamespaceId::kDefault, key, std::move(value)}, ns);
    return std::holds_alternative<AcceptedReply>(reply.result) ? "accepted" : Sentence(reply);
  }

  // Passes time until `done`, which must come.
  template <typename Condition>
  void Await(Condition done, Duration limit = Duration::Seconds(60)) {
    const Instant end = stores_.now() + limit;
    while (!done()) {
      if (stores_.now() >= end) {
        ADD_FAILURE() << "it never comes to that\n" << Describe();
        return;
      }
      stores_.Pass(Duration::Milliseconds(50));
    }
  }
  // How all stands, for messages.
  std::string Describe() {
    std::string text;
    for (const uint64_t id : stores_.alive()) {
      text += "store " + std::to_string(id) + ":";
      for (const PeerView& peer : stores_.store(id).peers()) {
        text += " region " + std::to_string(peer.region.value()) + " " +
                raft::Describe(peer.raft.conf) +
                (peer.raft.role == raft::Role::kLeader ? " leads;" : ";");
      }
      text += " waits for";
      for (const std::string& what : stores_.store(id).waiting()) text += " [" + what + "]";
      text += "\n";
    }
    return text;
  }

  Stores stores_;
};

}  // namespace flaredb::store

#endif  // FLAREDB_TESTS_CORE_STORE_CLUSTER_H_
