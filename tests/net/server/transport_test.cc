// SPDX-License-Identifier: Apache-2.0
#include "net/server/transport.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "net/event_loop.h"
#include "net/grpc_server.h"
#include "net/system_clock.h"
#include "net/wire/raft_message_codec.h"

namespace flaredb::net {
namespace {

constexpr uint64_t kCluster = 7;

// One store's transport with its server; messages that arrive are kept.
struct Node {
  Node(EventLoop* loop, uint64_t id)
      : store(id),
        server(std::make_unique<GrpcServer>(loop, GrpcServerOptions())),
        transport(
            loop, server.get(), nullptr,
            [this](StoreId from, store::StoreMessage message) {
              received.emplace_back(from, std::move(message));
            },
            [this] { expelled = true; }) {
    address = "127.0.0.1:" + std::to_string(*server->Listen("127.0.0.1:0"));
  }
  ~Node() { server.reset(); }

  void Start(const Members& members, uint64_t cluster = kCluster, const Members& hints = {}) {
    transport.Start({cluster, store}, members, 100 + store.value(), hints);
  }
  void SendNow(StoreId to, const store::StoreMessage& message) {
    transport.Send(to, message);
    transport.Flush();
  }
  // The last thing received, if it is a forwarded reply with an error.
  const store::Error* LastError() const {
    if (received.empty()) return nullptr;
    const auto* reply = std::get_if<store::ForwardedReply>(&received.back().second);
    return reply == nullptr ? nullptr : std::get_if<store::Error>(&reply->reply.result);
  }

  const StoreId store;
  std::unique_ptr<GrpcServer> server;
  Transport transport;
  std::string address;
  bool expelled = false;
  std::vector<std::pair<StoreId, store::StoreMessage>> received;
};

store::RaftEnvelope Heartbeat(uint64_t round) {
  store::RaftEnvelope envelope;
  envelope.region = RegionId(1);
  envelope.message.from = PeerId(1);
  envelope.message.to = PeerId(2);
  raft::HeartbeatRequest heartbeat;
  heartbeat.round = round;
  envelope.message.body = heartbeat;
  return envelope;
}

// One piece of a snapshot with `size` bytes of data.
store::RaftEnvelope SnapshotPiece(uint64_t number, size_t size) {
  store::RaftEnvelope envelope = Heartbeat(0);
  envelope.message.term = Term(1);
  auto chunk = std::make_shared<raft::SnapshotChunk>();
  chunk->id = raft::SnapshotId(1);
  chunk->base.last = {Term(1), Index(1)};
  chunk->base.conf.voters = {PeerId(1), PeerId(2)};
  chunk->number = number;
  chunk->data.assign(size, static_cast<char>(number));
  envelope.message.body = raft::SnapshotRequest{1, 1, std::move(chunk)};
  return envelope;
}

store::ForwardedRequest Forwarded(uint64_t id, store::Operation operation) {
  store::ForwardedRequest forwarded;
  forwarded.id = id;
  forwarded.region = RegionId(1);
  forwarded.request.operation = std::move(operation);
  return forwarded;
}

class TransportTest : public testing::Test {
 protected:
  TransportTest() : loop_(*EventLoop::Create()), one_(loop_.get(), 1), two_(loop_.get(), 2) {
    members_ = {{one_.store, one_.address}, {two_.store, two_.address}};
  }

  // Runs the loop until `done`; false when that takes too long.
  bool RunUntil(const std::function<bool()>& done, Duration limit = Duration::Seconds(10)) {
    const Instant until = MonotonicNow() + limit;
    while (!done()) {
      if (MonotonicNow() > until) return false;
      loop_->RunOnce(MonotonicNow() + Duration::Milliseconds(20));
    }
    return true;
  }

  // Until a message from `from` arrives at `to`: the link is up.
  bool RunUntilLinked(Node* from, Node* to) {
    const bool linked = RunUntil([&] {
      from->SendNow(to->store, Heartbeat(0));
      return !to->received.empty();
    });
    // Let those that are on their way arrive.
    RunUntil([] { return false; }, Duration::Milliseconds(100));
    to->received.clear();
    return linked;
  }

  const std::unique_ptr<EventLoop> loop_;
  Node one_;
  Node two_;
  Members members_;
};

TEST_F(TransportTest, CarriesMessagesBothWaysInTheirOrder) {
  one_.Start(members_);
  two_.Start(members_);
  ASSERT_TRUE(RunUntilLinked(&one_, &two_));
  ASSERT_TRUE(RunUntilLinked(&two_, &one_));
  for (uint64_t round = 1; round <= 100; ++round) one_.SendNow(two_.store, Heartbeat(round));
  ASSERT_TRUE(RunUntil([&] { return two_.received.size() == 100; }));
  for (uint64_t round = 1; round <= 100; ++round) {
    const auto& [from, message] = two_.received[round - 1];
    EXPECT_EQ(from, one_.store);
    const auto& body = std::get<store::RaftEnvelope>(message).message.body;
    EXPECT_EQ(std::get<raft::HeartbeatRequest>(body).round, round);
  }
}

TEST_F(TransportTest, CarriesWhatStoresTellEachOther) {
  one_.Start(members_);
  two_.Start(members_);
  ASSERT_TRUE(RunUntilLinked(&one_, &two_));
  one_.SendNow(two_.store, store::PeerRemoved{RegionId(3), PeerId(4), 5});
  one_.SendNow(two_.store, store::StoreBeat{5, {RegionId(6)}});
  ASSERT_TRUE(RunUntil([&] { return two_.received.size() == 2; }));
  EXPECT_EQ(std::get<store::PeerRemoved>(two_.received[0].second).peer, PeerId(4));
  EXPECT_EQ(std::get<store::StoreBeat>(two_.received[1].second).life, 5u);
}

// In one turn: pieces of the usual size, many small ones, and behind a batch that is nearly full
// the largest that there may be.
TEST_F(TransportTest, SnapshotPiecesOfEverySizeStayBelowTheMessageLimit) {
  one_.Start(members_);
  two_.Start(members_);
  ASSERT_TRUE(RunUntilLinked(&one_, &two_));
  std::vector<size_t> sizes(8, 1 << 20);
  sizes.insert(sizes.end(), 1000, 1000);
  sizes.push_back(kSnapshotDataBytesMax);
  sizes.push_back((1 << 20) - 2000);
  sizes.push_back(kSnapshotDataBytesMax);
  for (uint64_t i = 0; i < sizes.size(); ++i) {
    one_.transport.Send(two_.store, SnapshotPiece(i, sizes[i]));
  }
  one_.transport.Flush();
  ASSERT_TRUE(RunUntil([&] { return two_.received.size() == sizes.size(); }));
  for (uint64_t i = 0; i < sizes.size(); ++i) {
    const auto& body = std::get<store::RaftEnvelope>(two_.received[i].second).message.body;
    const raft::SnapshotChunk& chunk = *std::get<raft::SnapshotRequest>(body).chunk;
    EXPECT_EQ(chunk.number, i);
    EXPECT_EQ(chunk.data, std::string(sizes[i], static_cast<char>(i)));
  }
}

// A store that was away may be called by one that joined meanwhile, and hears only from it who the
// members are.
TEST_F(TransportTest, AStoreThatIsNotKnownYetIsHeardAndAnswered) {
  one_.Start(members_);
  two_.Start({{two_.store, two_.address}});
  ASSERT_TRUE(RunUntilLinked(&one_, &two_));
  EXPECT_TRUE(RunUntilLinked(&two_, &one_));
  EXPECT_EQ(two_.transport.AddressOf(one_.store), one_.address);
}

TEST_F(TransportTest, WhoMovedIsAnsweredWhereItCallsFrom) {
  one_.Start(members_);
  two_.Start({{one_.store, "127.0.0.1:1"}, {two_.store, two_.address}});
  ASSERT_TRUE(RunUntilLinked(&one_, &two_));
  EXPECT_TRUE(RunUntilLinked(&two_, &one_));
  // The cluster's word comes later, and counts.
  two_.transport.SetMembers({{one_.store, "127.0.0.1:2"}, {two_.store, two_.address}});
  EXPECT_EQ(two_.transport.AddressOf(one_.store), "127.0.0.1:2");
}

// When all stores moved while all were down, none is where another one looks for it.
TEST_F(TransportTest, WhoIsNotAtItsKnownAddressIsFoundWhereTheOperatorSays) {
  two_.Start({{one_.store, "127.0.0.1:1"}, {two_.store, two_.address}});
  one_.Start({{one_.store, one_.address}, {two_.store, "127.0.0.1:1"}}, kCluster,
             {{two_.store, two_.address}});
  ASSERT_TRUE(RunUntilLinked(&one_, &two_));
  EXPECT_TRUE(RunUntilLinked(&two_, &one_));
}

// Two stores were told where a third one is, and it tells each where the other one called from.
TEST_F(TransportTest, WhoIsNotAtItsKnownAddressIsFoundByThoseWhoCalledTheSame) {
  Node three(loop_.get(), 3);
  Members members = {{one_.store, "127.0.0.1:1"}, {two_.store, "127.0.0.1:1"}};
  members[three.store] = "127.0.0.1:1";
  const auto start = [&](Node* node) {
    Members own = members;
    own[node->store] = node->address;
    node->Start(own, kCluster, {{one_.store, one_.address}});
  };
  start(&one_);
  start(&two_);
  ASSERT_TRUE(RunUntilLinked(&two_, &one_));
  start(&three);
  ASSERT_TRUE(RunUntilLinked(&three, &two_)) << "it was told when it called";
  EXPECT_TRUE(RunUntilLinked(&two_, &three)) << "it is told since, or was called";
}

// What others say does not break a link that is up.
TEST_F(TransportTest, HearsayIsWorthLessThanALink) {
  one_.Start(members_);
  two_.Start(members_);
  Node three(loop_.get(), 3);
  members_[three.store] = three.address;
  one_.transport.SetMembers(members_);
  ASSERT_TRUE(RunUntilLinked(&one_, &two_));
  const auto sent_to_two = [&] {
    uint64_t sent = 0;
    for (const LinkFigures& link : one_.transport.figures()) {
      if (link.store == two_.store) sent = link.messages_sent;
    }
    return sent;
  };
  const uint64_t sent = sent_to_two();
  ASSERT_GT(sent, 0u);
  // It heard of another store 2, which is not of this cluster any more.
  Node other(loop_.get(), 2);
  three.Start(members_);
  other.Start({{other.store, other.address}, {three.store, three.address}});
  ASSERT_TRUE(RunUntilLinked(&other, &three));
  ASSERT_TRUE(RunUntilLinked(&one_, &three));
  EXPECT_GE(sent_to_two(), sent) << "a link that was opened again begins at 0";
}

TEST_F(TransportTest, AStaleHintIsLeftForTheKnownAddress) {
  one_.Start(members_, kCluster, {{two_.store, "127.0.0.1:1"}});
  RunUntil([] { return false; }, Duration::Milliseconds(200));
  two_.Start(members_);
  EXPECT_TRUE(RunUntilLinked(&one_, &two_));
}

TEST_F(TransportTest, WhoIsGoneFromAClusterDoesNotReturn) {
  one_.Start(members_);
  two_.Start(members_);
  ASSERT_TRUE(RunUntilLinked(&one_, &two_));
  two_.transport.SetMembers({{two_.store, two_.address}}, {one_.store});
  EXPECT_TRUE(RunUntil([&] { return one_.expelled; })) << "it is told, though it says nothing";
  one_.SendNow(two_.store, Heartbeat(1));
  EXPECT_FALSE(RunUntil([&] { return !two_.received.empty(); }, Duration::Seconds(1)));
}

TEST_F(TransportTest, LinksAgainWhenTheOtherStoreComesBack) {
  one_.Start(members_);
  two_.Start(members_);
  ASSERT_TRUE(RunUntilLinked(&one_, &two_));
  two_.server.reset();
  RunUntil([] { return false; }, Duration::Milliseconds(200));
  auto server = std::make_unique<GrpcServer>(loop_.get(), GrpcServerOptions());
  uint64_t arrived = 0;
  PeerAcceptor acceptor(
      server.get(), [&](StoreId, store::StoreMessage) { ++arrived; },
      [](StoreId, const std::string&) {});
  ASSERT_TRUE(server->Listen(two_.address).ok());
  acceptor.Start({kCluster, two_.store}, 999);
  EXPECT_TRUE(RunUntil([&] {
    one_.SendNow(two_.store, Heartbeat(1));
    return arrived > 0;
  }));
  server.reset();
}

TEST_F(TransportTest, ARequestThatCannotLeaveIsAnsweredAtOnce) {
  one_.Start({{one_.store, one_.address}, {two_.store, "127.0.0.1:1"}});
  one_.SendNow(two_.store, Forwarded(5, store::GetRequest()));
  ASSERT_TRUE(RunUntil([&] { return one_.LastError() != nullptr; }, Duration::Seconds(1)));
  EXPECT_EQ(one_.received.back().first, two_.store);
  EXPECT_EQ(std::get<store::ForwardedReply>(one_.received.back().second).id, 5u);
  EXPECT_EQ(one_.LastError()->code, store::ErrorCode::kNotLeader);
  EXPECT_EQ(one_.LastError()->outcome, store::Outcome::kNotApplied);
}

TEST_F(TransportTest, ARequestWhoseLinkBreaksIsAnsweredTruthfully) {
  one_.Start(members_);
  two_.Start(members_);
  ASSERT_TRUE(RunUntilLinked(&one_, &two_));
  one_.SendNow(two_.store, Forwarded(6, kv::CompareAndSwap()));
  one_.SendNow(two_.store, Forwarded(7, store::GetRequest()));
  ASSERT_TRUE(RunUntil([&] { return two_.received.size() == 2; }));
  one_.received.clear();
  two_.server.reset();
  ASSERT_TRUE(RunUntil([&] { return one_.received.size() == 2; }));
  const auto error = [&](size_t i) {
    return std::get<store::Error>(
        std::get<store::ForwardedReply>(one_.received[i].second).reply.result);
  };
  EXPECT_EQ(error(0).code, store::ErrorCode::kStaleCommand);
  EXPECT_EQ(error(0).outcome, store::Outcome::kUnknown);
  EXPECT_EQ(error(1).code, store::ErrorCode::kReadNotReady);
  EXPECT_EQ(error(1).outcome, store::Outcome::kNotApplied);
}

TEST_F(TransportTest, AnAnsweredRequestIsNotAnsweredAgain) {
  one_.Start(members_);
  two_.Start(members_);
  ASSERT_TRUE(RunUntilLinked(&one_, &two_));
  ASSERT_TRUE(RunUntilLinked(&two_, &one_));
  one_.SendNow(two_.store, Forwarded(8, kv::CompareAndSwap()));
  ASSERT_TRUE(RunUntil([&] { return two_.received.size() == 1; }));
  two_.SendNow(one_.store, store::ForwardedReply{8, {kv::WriteReply(), Index(1)}});
  ASSERT_TRUE(RunUntil([&] { return one_.received.size() == 1; }));
  two_.server.reset();
  RunUntil([] { return false; }, Duration::Milliseconds(300));
  EXPECT_EQ(one_.received.size(), 1u);
}

// Nothing of another cluster, or for another store, gets in.
class RefusedStream : public TransportTest {
 protected:
  // What store 1 sends when it is configured so does not arrive at store 2.
  void ExpectRefused(const Members& members, uint64_t cluster) {
    // Which tells nobody where it is.
    two_.Start({{two_.store, two_.address}});
    one_.Start(members, cluster);
    RunUntil(
        [&] {
          one_.SendNow(StoreId(2), Heartbeat(1));
          one_.SendNow(StoreId(5), Heartbeat(1));
          return false;
        },
        Duration::Milliseconds(500));
    EXPECT_TRUE(two_.received.empty());
    EXPECT_GT(two_.server->counters().calls_total, 0u);  // It did try.
  }
};

TEST_F(RefusedStream, AnotherCluster) { ExpectRefused(members_, kCluster + 1); }
TEST_F(RefusedStream, AnotherStoreIsMeant) {
  ExpectRefused({{one_.store, one_.address}, {StoreId(5), two_.address}}, kCluster);
}

}  // namespace
}  // namespace flaredb::net
