// SPDX-License-Identifier: Apache-2.0
// What tests of changing members share.
#ifndef FLAREDB_TESTS_CORE_STORE_MEMBERS_H_
#define FLAREDB_TESTS_CORE_STORE_MEMBERS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/core/store/requests.h"
#include "tests/core/store/stores.h"

namespace flaredb::store {

// Region 1 with a leader on the stores 1 to 3, as peers of the same numbers. The stores 4 and 5 are
// empty.
class MembersTest : public ::testing::Test {
 protected:
  using Kind = raft::MemberChange::Kind;

  explicit MembersTest(const Options& options = Options()) : stores_(3, options) {
    stores_.AddEmptyStore(4);
    stores_.AddEmptyStore(5);
    leader_ = stores_.AwaitLeader();
    follower_ = leader_ % 3 + 1;
    other_ = follower_ % 3 + 1;
  }

  // An order to `leader_`. Returns the refusal.
  std::string Change(std::vector<raft::MemberChange> changes) {
    return stores_.Tell(leader_, ChangePeers{std::move(changes)});
  }
  std::string AddLearner(uint64_t peer, uint64_t store) {
    return Change({{Kind::kAddLearner, PeerId(peer), StoreId(store)}});
  }
  std::string Promote(uint64_t peer) { return Change({{Kind::kPromote, PeerId(peer), {}}}); }
  std::string Remove(uint64_t peer) { return Change({{Kind::kRemove, PeerId(peer), {}}}); }
  std::string Transfer(uint64_t peer) {
    return stores_.Tell(leader_, TransferLeader{PeerId(peer)});
  }

  // Writes k0, k1, ... at `leader_`.
  void Fill(int keys, const std::string& value = "v") {
    for (int i = 0; i < keys; ++i) {
      const Reply reply = stores_.Ask(leader_, Make(Swap("k" + std::to_string(i), value)));
      EXPECT_EQ(WriteOf(reply).result, kv::WriteResult::kApplied);
    }
  }
  // Passes time until `done`, which must come.
  template <typename Condition>
  void Await(Condition done) {
    for (int i = 0; i < 100; ++i) {
      if (done()) return;
      stores_.Pass(Duration::Milliseconds(100));
    }
    ADD_FAILURE() << "it never comes to that";
  }
  // The only leader that knows of no other one; becomes `leader_`.
  uint64_t AwaitNewLeader() { return leader_ = stores_.AwaitLeader(); }

  raft::ConfState conf(uint64_t store) { return stores_.peer(store).raft.conf; }
  // Nothing of region 1 is left on the store but the tombstone of `peer`.
  void ExpectGone(uint64_t store, uint64_t peer) {
    EXPECT_FALSE(stores_.hosts(store));
    EXPECT_FALSE(stores_.HasLog(store));
    EXPECT_TRUE(stores_.UserRows(store).empty());
    const absl::StatusOr<RecoveredStore> recovered = stores_.Recovered(store);
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    EXPECT_TRUE(recovered->regions.empty());
    const std::map<RegionId, PeerId> tombstone = {{RegionId(1), PeerId(peer)}};
    EXPECT_EQ(recovered->tombstones, tombstone);
  }
  // A message of region 1 as the peer on `from` would send it to `to` on `store`.
  Event Message(uint64_t from, uint64_t to, Term term, raft::Body body) {
    raft::Message message;
    message.from = PeerId(from);
    message.to = PeerId(to);
    message.term = term;
    message.from_incarnation = Incarnation(from);
    message.body = std::move(body);
    return MessageReceived{StoreId(from), RaftEnvelope{RegionId(1), {1, 1}, std::move(message)}};
  }

  Stores stores_;
  uint64_t leader_;
  uint64_t follower_;
  uint64_t other_;
};

}  // namespace flaredb::store

#endif  // FLAREDB_TESTS_CORE_STORE_MEMBERS_H_
