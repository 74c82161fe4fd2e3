// SPDX-License-Identifier: Apache-2.0
// Roll calls and answers: as they were, or refused.
#include "net/wire/roll_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "net/wire/raft_codec.h"
#include "proto/raftpb.pb.h"
#include "tests/net/wire/raft_messages.h"

namespace flaredb::net {
namespace {

constexpr uint64_t kCall = Generator::kKinds - 2;
constexpr uint64_t kAnswer = Generator::kKinds - 1;

template <typename T>
T Arrived(const store::StoreMessage& message) {
  const std::vector<store::StoreMessage> messages = DecodeOrDie(Encode(message));
  EXPECT_EQ(messages.size(), 1u);
  return messages.size() == 1 ? std::get<T>(messages.front()) : T();
}

TEST(RollCodec, MessagesArriveAsTheyWere) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    Generator generator(seed);
    const store::StoreMessage call = generator.Message(kCall);
    EXPECT_EQ(Arrived<cluster::RollCall>(call), std::get<cluster::RollCall>(call)) << seed;
    const store::StoreMessage answer = generator.Message(kAnswer);
    EXPECT_EQ(Arrived<cluster::RollAnswer>(answer), std::get<cluster::RollAnswer>(answer)) << seed;
  }
}

// A leader may report before it applied that it is one of the peers.
TEST(RollCodec, ALeaderNeedNotBeAPeer) {
  cluster::RollAnswer answer;
  answer.term = Term(1);
  answer.round = 1;
  answer.instance = {1, 2};
  cluster::RegionReport report;
  report.info = {Region{RegionId(1), "", "", {1, 1}, {{PeerId(4), StoreId(5)}}}, Term(1),
                 PeerId(9)};
  report.conf.voters = {PeerId(4), PeerId(9)};
  answer.regions.push_back(report);
  EXPECT_EQ(Arrived<cluster::RollAnswer>(answer), answer);
}

TEST(RollCodec, PayloadIsNearlyAllOfALargeMessage) {
  cluster::RollCall call;
  call.term = Term(1);
  call.round = 1;
  call.pd = Region{RegionId(1),
                   std::string(5000, 'a'),
                   std::string(5000, 'b'),
                   {1, 1},
                   {{PeerId(4), StoreId(5)}}};
  call.view.revision = pd::Revision(1);
  cluster::RollAnswer answer;
  answer.term = Term(1);
  answer.round = 1;
  answer.instance = {1, 2};
  for (uint64_t id = UINT64_MAX - 1000; id < UINT64_MAX; ++id) {
    call.view.stores.push_back({{StoreId(id), {id, id}, std::string(200, 'a'), id},
                                pd::StoreState::kUp,
                                pd::Revision(id)});
    call.orders.push_back(
        {RegionId(id),
         {id, id},
         cluster::ChangeMembers{{{raft::MemberChange::Kind::kAddLearner, PeerId(id), StoreId(id)},
                                 {raft::MemberChange::Kind::kRemove, PeerId(id), StoreId()}}}});
    call.waiting.push_back(std::string(100, 'w'));
    cluster::RegionReport report;
    report.info = {
        Region{RegionId(id), std::string(50, 'a'), "", {id, id}, {{PeerId(id), StoreId(id)}}},
        Term(id), PeerId(id)};
    report.conf.voters = {PeerId(id)};
    report.conf.members = {{PeerId(id), StoreId(id), Incarnation(id)}};
    report.behind = {PeerId(id)};
    answer.regions.push_back(report);
    answer.namespaces.push_back(
        {kv::NamespaceId{static_cast<uint32_t>(id)}, pd::ModeEpoch(id), id, kv::Hlc(id)});
    answer.refusals.push_back({RegionId(id), std::string(100, 'w')});
  }
  EXPECT_GE(PayloadBytes(call) + 512, Encode(call).size());
  EXPECT_GE(PayloadBytes(answer) + 512, Encode(answer).size());
}

// Each case spoils one thing of a good message.
class RefusedCall : public testing::Test {
 protected:
  RefusedCall() {
    cluster::RollCall call;
    call.term = Term(3);
    call.round = 4;
    call.pd = Region{RegionId(1), "", "", {1, 1}, {{PeerId(4), StoreId(5)}}};
    call.orders.push_back(
        {RegionId(1),
         {1, 1},
         cluster::ChangeMembers{{{raft::MemberChange::Kind::kAddLearner, PeerId(7), StoreId(8)}}}});
    EncodeRollCall(call, &call_);
  }
  std::string Reason() {
    raftpb::RollCall in = call_;
    cluster::RollCall out;
    const absl::Status status = TakeRollCall(&in, &out);
    return std::string(status.message().data(), status.message().size());
  }
  raftpb::RegionOrder* order() { return call_.mutable_orders(0); }

  raftpb::RollCall call_;
};

TEST_F(RefusedCall, Control) { EXPECT_EQ(Reason(), ""); }
TEST_F(RefusedCall, NoTerm) {
  call_.clear_term();
  EXPECT_EQ(Reason(), "a roll call without its term and round");
}
TEST_F(RefusedCall, NoRound) {
  call_.clear_round();
  EXPECT_EQ(Reason(), "a roll call without its term and round");
}
TEST_F(RefusedCall, NoRegion) {
  call_.clear_pd();
  EXPECT_EQ(Reason(), "a roll call without the region that it comes from");
}
TEST_F(RefusedCall, AnotherAnswerThanAView) {
  call_.set_view(pd::EncodeReply(pd::Done()));
  EXPECT_EQ(Reason(), "a roll call with something else than a view of a cluster");
}
TEST_F(RefusedCall, AViewOfNothing) {
  call_.set_view(pd::EncodeReply(pd::ClusterView()));
  EXPECT_EQ(Reason(), "a roll call with a view of nothing");
}
TEST_F(RefusedCall, AnOrderForNoRegion) {
  order()->clear_region_id();
  EXPECT_EQ(Reason(), "an order without a region");
}
TEST_F(RefusedCall, AnOrderOfNothing) {
  order()->clear_changes();
  EXPECT_EQ(Reason(), "an order that is neither a change of members nor of the leader");
}
TEST_F(RefusedCall, AnOrderOfBoth) {
  order()->set_lead(4);
  EXPECT_EQ(Reason(), "an order that is neither a change of members nor of the leader");
}
TEST_F(RefusedCall, AChangeOfAnUnknownKind) {
  order()->mutable_changes(0)->clear_kind();
  EXPECT_EQ(Reason(), "a change of members of an unknown kind");
}
TEST_F(RefusedCall, AChangeWithoutAPeer) {
  order()->mutable_changes(0)->clear_peer_id();
  EXPECT_EQ(Reason(), "a change of members without a peer");
}
TEST_F(RefusedCall, ALearnerWithoutAStore) {
  order()->mutable_changes(0)->clear_store_id();
  EXPECT_EQ(Reason(), "a change of members whose store is missing, or of no use");
}

class RefusedAnswer : public testing::Test {
 protected:
  RefusedAnswer() {
    cluster::RollAnswer answer;
    answer.term = Term(3);
    answer.round = 4;
    answer.instance = {1, 2};
    for (const uint64_t id : {5, 6}) {
      cluster::RegionReport report;
      report.info = {Region{RegionId(id), "", "", {1, 1}, {{PeerId(4), StoreId(5)}}}, Term(1),
                     PeerId(4)};
      report.conf.voters = {PeerId(4)};
      report.behind = {PeerId(7), PeerId(9)};
      answer.regions.push_back(report);
      answer.namespaces.push_back(
          {kv::NamespaceId{static_cast<uint32_t>(id)}, pd::ModeEpoch(2), 3, kv::Hlc(4)});
    }
    answer.refusals.push_back({RegionId(5), "why"});
    EncodeRollAnswer(answer, &answer_);
  }
  std::string Reason() {
    raftpb::RollAnswer in = answer_;
    cluster::RollAnswer out;
    const absl::Status status = TakeRollAnswer(&in, &out);
    return std::string(status.message().data(), status.message().size());
  }
  raftpb::RegionReport* region() { return answer_.mutable_regions(1); }

  raftpb::RollAnswer answer_;
};

TEST_F(RefusedAnswer, Control) { EXPECT_EQ(Reason(), ""); }
TEST_F(RefusedAnswer, NoRound) {
  answer_.clear_round();
  EXPECT_EQ(Reason(), "an answer to no roll call");
}
TEST_F(RefusedAnswer, NoInstance) {
  answer_.clear_instance_hi();
  answer_.clear_instance_lo();
  EXPECT_EQ(Reason(), "an answer to a roll call without the store's instance");
}
TEST_F(RefusedAnswer, NoRegion) {
  region()->clear_region();
  EXPECT_EQ(Reason(), "a report without a region");
}
TEST_F(RefusedAnswer, NoConfiguration) {
  region()->clear_conf();
  EXPECT_EQ(Reason(), "a report without a configuration");
}
TEST_F(RefusedAnswer, NobodyWhoVotes) {
  region()->set_conf(std::string("\1\0\0\0\0", 5));
  EXPECT_EQ(Reason(), "a report without a configuration");
}
TEST_F(RefusedAnswer, NoLeader) {
  region()->clear_leader();
  EXPECT_EQ(Reason(), "a report without a leader and its term");
}
TEST_F(RefusedAnswer, PeersOutOfOrder) {
  region()->set_behind(1, 7);
  EXPECT_EQ(Reason(), "a report with peers out of order");
}
TEST_F(RefusedAnswer, RegionsOutOfOrder) {
  region()->set_region(answer_.regions(0).region());
  EXPECT_EQ(Reason(), "reports of regions out of order");
}
TEST_F(RefusedAnswer, NamespacesOutOfOrder) {
  answer_.mutable_namespaces(1)->set_namespace_id(5);
  EXPECT_EQ(Reason(), "reports of namespaces out of order");
}
TEST_F(RefusedAnswer, NoNamespace) {
  answer_.mutable_namespaces(0)->clear_namespace_id();
  EXPECT_EQ(Reason(), "reports of namespaces out of order");
}
TEST_F(RefusedAnswer, NoModeEpoch) {
  answer_.mutable_namespaces(1)->clear_mode_epoch();
  EXPECT_EQ(Reason(), "a report of a namespace without a mode epoch");
}
TEST_F(RefusedAnswer, ARefusalForNoRegion) {
  answer_.mutable_refusals(0)->clear_region_id();
  EXPECT_EQ(Reason(), "a refusal without a region");
}

}  // namespace
}  // namespace flaredb::net
