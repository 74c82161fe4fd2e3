// SPDX-License-Identifier: Apache-2.0
#include "sim/world/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/raft/entry.h"

namespace flaredb::sim {
namespace {

constexpr Duration Us(int64_t n) { return Duration::Microseconds(n); }

// Two stores and a client, 0, 1 and 2.
class SimNetworkTest : public testing::Test {
 protected:
  static NetworkProfile Calm() {
    NetworkProfile profile;
    profile.delay = {Us(100), Us(900)};
    return profile;
  }

  static Packet RaftMessage(uint64_t tag, Endpoint from = 0, Endpoint to = 1) {
    store::RaftEnvelope envelope;
    envelope.region = RegionId(1);
    envelope.message.term = Term(tag);
    envelope.message.body = raft::HeartbeatRequest{};
    return {from, to, store::StoreMessage(std::move(envelope))};
  }
  static Packet Forwarded(uint64_t id) {
    store::ForwardedRequest request;
    request.id = id;
    return {0, 1, store::StoreMessage(std::move(request))};
  }

  uint64_t Mattered(Fault fault) const { return world_.faults.counts()[fault].mattered; }

  // The tags of Raft messages, or ids of forwarded requests, in the order of arrival.
  std::vector<uint64_t> Arrivals(SimNetwork* network) {
    std::vector<uint64_t> tags;
    while (!world_.queue.empty()) {
      const Event event = world_.queue.Pop();
      EXPECT_EQ(event.kind, EventKind::kDeliver);
      const std::optional<Packet> packet = network->Take(event.arg);
      if (!packet) continue;
      const auto& message = std::get<store::StoreMessage>(packet->body);
      if (const auto* envelope = std::get_if<store::RaftEnvelope>(&message)) {
        tags.push_back(envelope->message.term.value());
      } else {
        tags.push_back(std::get<store::ForwardedRequest>(message).id);
      }
    }
    return tags;
  }

  static std::vector<uint64_t> UpTo(uint64_t n) {
    std::vector<uint64_t> tags;
    for (uint64_t i = 1; i <= n; ++i) tags.push_back(i);
    return tags;
  }

  World world_{1, nullptr};
};

TEST_F(SimNetworkTest, AnOrderedLinkDeliversInTheOrderOfSending) {
  SimNetwork network(&world_, Calm(), 3);
  for (const uint64_t tag : UpTo(100)) network.Send(RaftMessage(tag));
  EXPECT_EQ(Arrivals(&network), UpTo(100));
  EXPECT_EQ(network.in_flight(), 0u);
}

TEST_F(SimNetworkTest, AnUnorderedLinkReordersAndLosesNothing) {
  NetworkProfile profile = Calm();
  profile.ordered = false;
  SimNetwork network(&world_, profile, 3);
  for (const uint64_t tag : UpTo(100)) network.Send(RaftMessage(tag));
  std::vector<uint64_t> arrived = Arrivals(&network);
  EXPECT_NE(arrived, UpTo(100));
  EXPECT_GT(Mattered(Fault::kOvertake), 10u);
  std::sort(arrived.begin(), arrived.end());
  EXPECT_EQ(arrived, UpTo(100));
}

TEST_F(SimNetworkTest, ACutLosesOneDirectionOnly) {
  SimNetwork network(&world_, Calm(), 3);
  network.Cut(0, 1, Fault::kSplit);
  network.Send(RaftMessage(1, 0, 1));
  network.Send(RaftMessage(2, 1, 0));
  EXPECT_EQ(Mattered(Fault::kSplit), 1u);
  EXPECT_EQ(Arrivals(&network), std::vector<uint64_t>{2});
}

TEST_F(SimNetworkTest, TheLatestCutCountsAsTheReason) {
  SimNetwork network(&world_, Calm(), 3);
  network.Cut(0, 1, Fault::kSplit);
  network.Cut(0, 1, Fault::kOneWay);
  network.Send(RaftMessage(1));
  EXPECT_EQ(Mattered(Fault::kSplit), 0u);
  EXPECT_EQ(Mattered(Fault::kOneWay), 1u);
}

TEST_F(SimNetworkTest, CutsNest) {
  SimNetwork network(&world_, Calm(), 3);
  network.Cut(0, 1, Fault::kSplit);
  network.Cut(0, 1, Fault::kSplit);
  network.Mend(0, 1);
  network.Send(RaftMessage(1));
  network.Mend(0, 1);
  network.Send(RaftMessage(2));
  EXPECT_EQ(Arrivals(&network), std::vector<uint64_t>{2});
}

TEST_F(SimNetworkTest, WhatIsUnderWayWhenACutBeginsStillArrives) {
  SimNetwork network(&world_, Calm(), 3);
  network.Send(RaftMessage(1));
  network.Cut(0, 1, Fault::kSplit);
  EXPECT_EQ(Arrivals(&network), std::vector<uint64_t>{1});
}

TEST_F(SimNetworkTest, AHeldLinkDeliversEverythingAfterItsRelease) {
  SimNetwork network(&world_, Calm(), 3);
  network.Hold(0, 1);
  for (const uint64_t tag : UpTo(10)) network.Send(RaftMessage(tag));
  EXPECT_EQ(Arrivals(&network), std::vector<uint64_t>{});
  network.Release(0, 1);
  EXPECT_EQ(Arrivals(&network), UpTo(10));
  EXPECT_EQ(Mattered(Fault::kHoldLink), 10u);
}

TEST_F(SimNetworkTest, HoldsNest) {
  SimNetwork network(&world_, Calm(), 3);
  network.Hold(0, 1);
  network.Hold(0, 1);
  network.Send(RaftMessage(1));
  network.Release(0, 1);
  EXPECT_EQ(Arrivals(&network), std::vector<uint64_t>{});
  network.Release(0, 1);
  EXPECT_EQ(Arrivals(&network), std::vector<uint64_t>{1});
}

TEST_F(SimNetworkTest, LossTakesItsShare) {
  NetworkProfile profile = Calm();
  profile.loss_ppm = 300000;
  SimNetwork network(&world_, profile, 3);
  for (const uint64_t tag : UpTo(1000)) network.Send(RaftMessage(tag));
  const size_t arrived = Arrivals(&network).size();
  EXPECT_GT(arrived, 600u);
  EXPECT_LT(arrived, 800u);
  EXPECT_EQ(Mattered(Fault::kLoseMessage), 1000 - arrived);
}

TEST_F(SimNetworkTest, OnlyRaftMessagesAreDoubled) {
  NetworkProfile profile = Calm();
  profile.copy_ppm = 1000000;
  profile.copy_delay_max = Duration::Seconds(60);
  SimNetwork network(&world_, profile, 3);
  network.Send(RaftMessage(1));
  network.Send(Forwarded(2));
  std::vector<uint64_t> arrived = Arrivals(&network);
  std::sort(arrived.begin(), arrived.end());
  EXPECT_EQ(arrived, (std::vector<uint64_t>{1, 1, 2}));
  EXPECT_EQ(network.in_flight(), 0u);
}

TEST_F(SimNetworkTest, ACopyIsWhole) {
  NetworkProfile profile = Calm();
  profile.copy_ppm = 1000000;
  SimNetwork network(&world_, profile, 3);
  const std::string payload(100, 'x');
  const raft::NewEntry entry{raft::EntryKind::kCommand, payload};
  raft::AppendRequest append;
  append.entries.push_back(
      raft::EntrySlice(raft::EntryBlock::Create(Term(1), Index(1), {&entry, 1})));
  store::RaftEnvelope envelope;
  envelope.message.body = std::move(append);
  network.Send({0, 1, store::StoreMessage(std::move(envelope))});
  for (int arrival = 1; arrival <= 2; ++arrival) {
    const std::optional<Packet> packet = network.Take(world_.queue.Pop().arg);
    const auto& arrived = std::get<raft::AppendRequest>(
        std::get<store::RaftEnvelope>(std::get<store::StoreMessage>(packet->body)).message.body);
    ASSERT_EQ(arrived.entries.size(), 1u) << arrival;
    EXPECT_EQ(arrived.entries[0].at(0).payload, payload) << arrival;
  }
}

TEST_F(SimNetworkTest, ACopyMayComeMuchLater) {
  NetworkProfile profile = Calm();
  profile.copy_ppm = 1000000;
  profile.copy_delay_max = Duration::Seconds(60);
  SimNetwork network(&world_, profile, 3);
  for (const uint64_t tag : UpTo(20)) network.Send(RaftMessage(tag));
  Arrivals(&network);
  EXPECT_GT(world_.now() - Instant(), Duration::Seconds(30));
}

TEST_F(SimNetworkTest, AResetLosesWhatIsUnderWayOnThatLinkOnly) {
  SimNetwork network(&world_, Calm(), 3);
  network.Send(RaftMessage(1));
  network.Send(RaftMessage(2, 1, 0));
  EXPECT_EQ(network.Reset(0, 1), 1u);
  network.Send(RaftMessage(3));
  EXPECT_EQ(Arrivals(&network), (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(network.in_flight(), 0u);
  // What has arrived can't be lost any more, and nothing else was.
  EXPECT_EQ(network.Reset(0, 1), 0u);
  for (const uint64_t tag : UpTo(5)) network.Send(RaftMessage(tag));
  EXPECT_EQ(Arrivals(&network), UpTo(5));
}

TEST_F(SimNetworkTest, ASlowLinkTakesItsTimeUntilItIsHastened) {
  NetworkProfile profile = Calm();
  profile.slow_link_max = Duration::Seconds(100);
  SimNetwork network(&world_, profile, 3);
  network.Slow(0, 1);
  network.Send(RaftMessage(1));
  Arrivals(&network);
  EXPECT_GT(world_.now() - Instant(), Us(900));
  EXPECT_EQ(Mattered(Fault::kSlowLink), 1u);
  network.Hasten(0, 1);
  const Instant before = world_.now();
  network.Send(RaftMessage(2));
  Arrivals(&network);
  EXPECT_LE(world_.now() - before, Us(900));
}

TEST_F(SimNetworkTest, ASlowMessageTakesUpToItsMaximum) {
  NetworkProfile profile = Calm();
  profile.slow_ppm = 1000000;
  profile.slow_max = Duration::Seconds(100);
  SimNetwork network(&world_, profile, 3);
  for (const uint64_t tag : UpTo(20)) network.Send(RaftMessage(tag));
  Arrivals(&network);
  EXPECT_GT(world_.now() - Instant(), Duration::Seconds(50));
  EXPECT_LE(world_.now() - Instant(), Duration::Seconds(100));
  EXPECT_EQ(Mattered(Fault::kSlowMessage), 20u);
}

TEST_F(SimNetworkTest, ACorruptedPieceDiffersInOneBitAndTheSendersDoesNot) {
  NetworkProfile profile = Calm();
  profile.corrupt_ppm = 1000000;
  SimNetwork network(&world_, profile, 3);
  const auto chunk = std::make_shared<raft::SnapshotChunk>();
  chunk->data = std::string(20, 'x');
  store::RaftEnvelope envelope;
  envelope.message.body = raft::SnapshotRequest{1, 1, chunk};
  network.Send({0, 1, store::StoreMessage(std::move(envelope))});
  const std::optional<Packet> packet = network.Take(world_.queue.Pop().arg);
  const auto& arrived = std::get<raft::SnapshotRequest>(
      std::get<store::RaftEnvelope>(std::get<store::StoreMessage>(packet->body)).message.body);
  int bits = 0;
  for (size_t i = 0; i < 20; ++i) bits += std::popcount<uint8_t>(arrived.chunk->data[i] ^ 'x');
  EXPECT_EQ(bits, 1);
  EXPECT_EQ(chunk->data, std::string(20, 'x'));
  EXPECT_EQ(world_.faults.counts()[Fault::kCorruptPiece].fired, 1u);
}

TEST_F(SimNetworkTest, WhatIsLeftOutDoesNotHappen) {
  Reduction calm;
  for (const Fault fault : {Fault::kLoseMessage, Fault::kCopyMessage, Fault::kOvertake}) {
    calm.without.set(static_cast<size_t>(fault));
  }
  World world(Choices(1), &calm, nullptr);
  NetworkProfile profile = Calm();
  profile.loss_ppm = 1000000;
  profile.copy_ppm = 1000000;
  profile.ordered = false;
  SimNetwork network(&world, profile, 3);
  for (const uint64_t tag : UpTo(100)) network.Send(RaftMessage(tag));
  std::vector<uint64_t> arrived;
  while (!world.queue.empty()) {
    const std::optional<Packet> packet = network.Take(world.queue.Pop().arg);
    const auto& message = std::get<store::StoreMessage>(packet->body);
    arrived.push_back(std::get<store::RaftEnvelope>(message).message.term.value());
  }
  EXPECT_EQ(arrived, UpTo(100));
}

TEST_F(SimNetworkTest, HealingReleasesAndMendsEverything) {
  NetworkProfile profile = Calm();
  profile.slow_link_max = Duration::Seconds(100);
  SimNetwork network(&world_, profile, 3);
  network.Hold(0, 1);
  network.Hold(0, 1);
  network.Send(RaftMessage(1, 0, 1));
  network.Slow(0, 1);
  network.Cut(1, 0, Fault::kSplit);
  network.Cut(1, 0, Fault::kSplit);
  network.Heal();
  network.Send(RaftMessage(2, 0, 1));
  network.Send(RaftMessage(3, 1, 0));
  std::vector<uint64_t> arrived = Arrivals(&network);
  std::sort(arrived.begin(), arrived.end());
  EXPECT_EQ(arrived, UpTo(3));
  EXPECT_LE(world_.now() - Instant(), Us(900));
}

TEST_F(SimNetworkTest, AfterHealingNothingHappensByChance) {
  NetworkProfile profile = Calm();
  profile.loss_ppm = profile.copy_ppm = profile.slow_ppm = profile.corrupt_ppm = 1000000;
  profile.slow_max = profile.copy_delay_max = Duration::Seconds(100);
  SimNetwork network(&world_, profile, 3);
  network.Heal();
  const auto chunk = std::make_shared<raft::SnapshotChunk>();
  chunk->data = "piece";
  store::RaftEnvelope envelope;
  envelope.message.term = Term(1);
  envelope.message.body = raft::SnapshotRequest{1, 1, chunk};
  network.Send({0, 1, store::StoreMessage(std::move(envelope))});
  EXPECT_EQ(Arrivals(&network), std::vector<uint64_t>{1});
  EXPECT_LE(world_.now() - Instant(), Us(900));
  EXPECT_EQ(world_.faults.counts().fired(), 0u);
}

}  // namespace
}  // namespace flaredb::sim
