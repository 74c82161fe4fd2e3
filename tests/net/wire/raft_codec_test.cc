// SPDX-License-Identifier: Apache-2.0
#include "net/wire/raft_codec.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/base/check.h"
#include "net/wire/raft_message_codec.h"
#include "proto/raftpb.pb.h"
#include "tests/net/wire/raft_messages.h"

namespace flaredb::net {
namespace {

TEST(RaftCodec, EveryKindOfMessageSurvivesTheWire) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Generator generator(seed);
    for (uint64_t kind = 0; kind < Generator::kKinds; ++kind) {
      const store::StoreMessage sent = generator.Message(kind);
      const std::string bytes = Encode(sent);
      const auto received = DecodeOrDie(bytes);
      ASSERT_EQ(received.size(), 1u) << "seed " << seed << " kind " << kind;
      EXPECT_EQ(received[0].index(), sent.index());
      EXPECT_EQ(Encode(received[0]), bytes) << "seed " << seed << " kind " << kind;
    }
  }
}

// Equal encodings alone would not notice a field that neither direction carries.
TEST(RaftCodec, EntriesArriveAsTheyWere) {
  const std::vector<raft::NewEntry> entries = {
      {raft::EntryKind::kNoop, ""},
      {raft::EntryKind::kCommand, "a"},
      {raft::EntryKind::kCommand, std::string_view("\0b", 2)}};
  raft::AppendRequest append;
  append.session = 7;
  append.round = 8;
  append.prev = {Term(3), Index(9)};
  append.commit_index = Index(5);
  append.entries.push_back(raft::EntrySlice(raft::EntryBlock::Create(Term(4), Index(10), entries)));
  store::RaftEnvelope sent{RegionId(1), {2, 3}, {}};
  sent.message = {PeerId(1), PeerId(2), Term(4), Incarnation(11), Incarnation(12), append};

  const auto received = DecodeOrDie(Encode(sent));
  ASSERT_EQ(received.size(), 1u);
  const auto& envelope = std::get<store::RaftEnvelope>(received[0]);
  EXPECT_EQ(envelope.region, RegionId(1));
  EXPECT_EQ(envelope.epoch, (RegionEpoch{2, 3}));
  EXPECT_EQ(envelope.message.from, PeerId(1));
  EXPECT_EQ(envelope.message.to, PeerId(2));
  EXPECT_EQ(envelope.message.term, Term(4));
  EXPECT_EQ(envelope.message.from_incarnation, Incarnation(11));
  EXPECT_EQ(envelope.message.to_incarnation, Incarnation(12));
  const auto& got = std::get<raft::AppendRequest>(envelope.message.body);
  EXPECT_EQ(got.session, 7u);
  EXPECT_EQ(got.round, 8u);
  EXPECT_EQ(got.prev, append.prev);
  EXPECT_EQ(got.commit_index, Index(5));
  ASSERT_EQ(got.entries.size(), 1u);
  ASSERT_EQ(got.entries[0].size(), 3u);
  for (uint32_t i = 0; i < 3; ++i) {
    const raft::EntryView entry = got.entries[0].at(i);
    EXPECT_EQ(entry.index, Index(10 + i));
    EXPECT_EQ(entry.term, Term(4));
    EXPECT_EQ(entry.kind, entries[i].kind);
    EXPECT_EQ(entry.payload, entries[i].payload);
  }
}

// What arrives when `body` was sent.
template <typename Body>
Body Arrived(const Body& body) {
  const auto received = DecodeOrDie(Encode(EnvelopeOf(body)));
  EXPECT_EQ(received.size(), 1u);
  return std::get<Body>(std::get<store::RaftEnvelope>(received.at(0)).message.body);
}

TEST(RaftCodec, ASnapshotArrivesAsItWas) {
  raft::SnapshotChunk sent;
  sent.id = raft::SnapshotId(11);
  sent.base.last = {Term(8), Index(100)};
  sent.base.conf.voters = {PeerId(1), PeerId(2)};
  sent.base.conf.voters_outgoing = {PeerId(2), PeerId(3)};
  sent.base.conf.learners = {PeerId(3), PeerId(4)};
  sent.base.conf.members = {{PeerId(1), StoreId(21), Incarnation(31)},
                            {PeerId(3), StoreId(23), Incarnation()},
                            {PeerId(4), StoreId(), Incarnation(34)}};
  sent.number = 12;
  sent.last = true;
  sent.checksum = 13;
  sent.data = std::string("\0data", 5);
  const auto got =
      Arrived(raft::SnapshotRequest{14, 15, std::make_shared<raft::SnapshotChunk>(sent)});
  EXPECT_EQ(got.session, 14u);
  EXPECT_EQ(got.round, 15u);
  EXPECT_EQ(got.chunk->id, sent.id);
  EXPECT_EQ(got.chunk->base, sent.base);
  EXPECT_EQ(got.chunk->number, 12u);
  EXPECT_TRUE(got.chunk->last);
  EXPECT_EQ(got.chunk->checksum, 13u);
  EXPECT_EQ(got.chunk->data, sent.data);

  const auto reply = Arrived(raft::SnapshotReply{16, 17, raft::SnapshotId(18), 19});
  EXPECT_EQ(reply.session, 16u);
  EXPECT_EQ(reply.round, 17u);
  EXPECT_EQ(reply.id, raft::SnapshotId(18));
  EXPECT_EQ(reply.next_chunk, 19u);
}

TEST(RaftCodec, ShortMessagesArriveAsTheyWere) {
  const raft::LogId last{Term(8), Index(100)};
  EXPECT_EQ(Arrived(raft::VoteRequest{last, false}).last_log, last);
  EXPECT_TRUE(Arrived(raft::VoteRequest{last, true}).leadership_transfer);
  EXPECT_FALSE(Arrived(raft::VoteRequest{last, false}).leadership_transfer);
  EXPECT_TRUE(Arrived(raft::AppendRequest{1, 2, last, Index(99), true, {}}).accept_unanswered);
  EXPECT_FALSE(Arrived(raft::AppendRequest{1, 2, last, Index(99), false, {}}).accept_unanswered);
  EXPECT_EQ(Arrived(raft::HeartbeatRequest{1, 2, last}).rest_at, last);
  EXPECT_EQ(Arrived(raft::HeartbeatRequest{1, 2, {}}).rest_at, raft::LogId());
  EXPECT_EQ(Arrived(raft::TimeoutNow{last}).last_log, last);
  // What a leader asks of a follower of which it knows nothing.
  EXPECT_EQ(Arrived(raft::TimeoutNow{}).last_log, raft::LogId());
  EXPECT_EQ(Arrived(raft::ReadRequest{77}).request, 77u);
  EXPECT_EQ(Arrived(raft::ReadReply{77, Index(5)}).request, 77u);
  EXPECT_EQ(Arrived(raft::ReadReply{77, Index(5)}).index, Index(5));
}

TEST(RaftCodec, RemovedPeersAndBeatsArriveAsTheyWere) {
  const auto removed = DecodeOrDie(Encode(store::PeerRemoved{RegionId(3), PeerId(4), 5}));
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_EQ(std::get<store::PeerRemoved>(removed[0]).region, RegionId(3));
  EXPECT_EQ(std::get<store::PeerRemoved>(removed[0]).peer, PeerId(4));
  EXPECT_EQ(std::get<store::PeerRemoved>(removed[0]).conf_version, 5u);
  const auto beat = DecodeOrDie(Encode(store::StoreBeat{5, {RegionId(6), RegionId(8)}}));
  ASSERT_EQ(beat.size(), 1u);
  EXPECT_EQ(std::get<store::StoreBeat>(beat[0]).life, 5u);
  EXPECT_EQ(std::get<store::StoreBeat>(beat[0]).dead,
            (std::vector<RegionId>{RegionId(6), RegionId(8)}));
}

store::Operation Forwarded(const store::Operation& operation) {
  store::ForwardedRequest request;
  request.region = RegionId(1);
  request.request.operation = operation;
  const auto received = DecodeOrDie(Encode(request));
  EXPECT_EQ(received.size(), 1u);
  return std::get<store::ForwardedRequest>(received.at(0)).request.operation;
}

TEST(RaftCodec, ReadsKeepTheirMode) {
  for (const kv::Mode mode : {kv::Mode::kStrong, kv::Mode::kEventual}) {
    const store::Operation get = Forwarded(store::GetRequest{kv::NamespaceId{7}, "k", mode});
    EXPECT_EQ(std::get<store::GetRequest>(get).mode, mode);
    const store::Operation scan =
        Forwarded(store::ScanRequest{kv::NamespaceId{7}, "a", "b", 0, 0, false, mode});
    EXPECT_EQ(std::get<store::ScanRequest>(scan).mode, mode);
  }
}

TEST(RaftCodec, HeldRowsArriveAsTheyWere) {
  const std::vector<kv::LwwRow> held = {{"", "v", false, kv::Hlc(300), StoreId(3)},
                                        {"l", "", true, kv::Hlc(UINT64_MAX), StoreId(2)}};
  for (const store::Operation& read : std::vector<store::Operation>{
           store::GetRequest{kv::NamespaceId{7}, "k", kv::Mode::kEventual},
           store::ScanRequest{kv::NamespaceId{7}, "", "", 0, 0, false, kv::Mode::kEventual}}) {
    store::ForwardedRequest request;
    request.region = RegionId(1);
    request.request.operation = read;
    request.held = held;
    request.unseen = Index(UINT64_MAX);
    const auto received = DecodeOrDie(Encode(request));
    EXPECT_EQ(std::get<store::ForwardedRequest>(received.at(0)).held, held);
    EXPECT_EQ(std::get<store::ForwardedRequest>(received.at(0)).unseen, request.unseen);
  }
}

TEST(RaftCodec, CommandsOnNamespacesArriveAsTheyWere) {
  const kv::NamespaceId ns{7};
  for (const kv::NamespaceCommand& command : std::vector<kv::NamespaceCommand>{
           kv::LwwBatch{ns,
                        kv::ModeEpoch(4),
                        {{"k", "v", false, kv::Hlc(300), StoreId(3)},
                         {"l", "", true, kv::Hlc(UINT64_MAX), StoreId(2)}}},
           kv::ModeFence{ns, {kv::Mode::kEventual, kv::ModeEpoch(5), kv::Hlc(1 << 20)}},
           kv::CollectTombstones{ns, "a", "b", kv::Hlc(9)}}) {
    EXPECT_EQ(std::get<kv::NamespaceCommand>(Forwarded(command)), command);
  }
}

TEST(RaftCodec, WhatAStoreAcceptsItselfIsNotForwarded) {
  EXPECT_THROW(Forwarded(store::RawWriteRequest{kv::NamespaceId{7}, "k", "v"}), InvariantViolation);
  EXPECT_THROW(Encode(store::ForwardedReply{1, {store::AcceptedReply{kv::Hlc(5)}, Index()}}),
               InvariantViolation);
}

template <typename Result>
Result Answered(const Result& result) {
  const auto received = DecodeOrDie(Encode(store::ForwardedReply{1, {result, Index(8)}}));
  EXPECT_EQ(received.size(), 1u);
  return std::get<Result>(std::get<store::ForwardedReply>(received.at(0)).reply.result);
}

TEST(RaftCodec, AnswersAboutEventualNamespacesArriveAsTheyWere) {
  const kv::VersionedValue value{"v", kv::Version(3), kv::Hlc(1 << 20)};
  const store::GetReply get = Answered(store::GetReply{value});
  ASSERT_TRUE(get.found.has_value());
  EXPECT_EQ(get.found->hlc, value.hlc);
  store::ScanReply page;
  page.page.rows = {{"k", "v", kv::Version(3), kv::Hlc(1 << 20)}};
  const store::ScanReply scan = Answered(page);
  ASSERT_EQ(scan.page.rows.size(), 1u);
  EXPECT_EQ(scan.page.rows[0].hlc, page.page.rows[0].hlc);

  kv::NamespaceReply fenced;
  fenced.state.fence = kv::Fence{kv::Mode::kStrong, kv::ModeEpoch(6), kv::Hlc(9)};
  fenced.state.floors = {kv::Version(7), Index(300), kv::Hlc(8)};
  EXPECT_EQ(Answered(fenced), fenced);
  const kv::NamespaceReply nothing_to_say{true, {}};
  const kv::NamespaceReply goes_on{true, {}, "next"};
  EXPECT_EQ(Answered(goes_on), goes_on);
  EXPECT_EQ(Answered(nothing_to_say), nothing_to_say);

  for (const bool changing : {false, true}) {
    store::Error error;
    error.code = store::ErrorCode::kNamespaceMode;
    error.namespace_mode = store::NamespaceMode{kv::Mode::kEventual, kv::ModeEpoch(5), changing};
    EXPECT_EQ(Answered(error).namespace_mode, error.namespace_mode);
  }
}

TEST(RaftCodec, OneBatchCarriesManyMessages) {
  Generator generator(1);
  raftpb::RaftBatch batch;
  for (uint64_t kind = 0; kind < Generator::kKinds; ++kind) {
    AppendMessage(generator.Message(kind), &batch);
  }
  std::vector<store::StoreMessage> messages;
  ASSERT_TRUE(TakeMessages(&batch, &messages).ok());
  EXPECT_EQ(messages.size(), Generator::kKinds);
  EXPECT_EQ(batch.ByteSizeLong(), 0u);
}

// An owner that gives more breaks its contract; nobody could receive it.
TEST(RaftCodec, TooLargePiecesAreNotSent) {
  auto chunk = std::make_shared<raft::SnapshotChunk>();
  chunk->data.resize(kSnapshotDataBytesMax + 1);
  raftpb::RaftBatch batch;
  EXPECT_THROW(AppendMessage(EnvelopeOf(raft::SnapshotRequest{1, 2, chunk}), &batch),
               InvariantViolation);
}

// Cut after each byte: a batch is not readable then, and neither is what it carries unless the cut
// lies between two fields; what is left must make sense or be refused.
TEST(RaftCodec, CutMessagesAreRefusedOrMakeSense) {
  uint64_t refused = 0;
  for (uint64_t kind = 0; kind < Generator::kKinds; ++kind) {
    const store::StoreMessage sent = Generator(kind).Message(kind);
    const std::string bytes = Encode(sent);
    for (size_t size = 1; size < bytes.size(); ++size) {
      raftpb::RaftBatch batch;
      EXPECT_FALSE(batch.ParseFromString(bytes.substr(0, size))) << "kind " << kind;
    }
    if (!std::holds_alternative<store::RaftEnvelope>(sent)) continue;
    raftpb::RaftBatch whole;
    ASSERT_TRUE(whole.ParseFromString(bytes));
    const std::string inner = whole.messages(0).SerializeAsString();
    for (size_t size = 0; size < inner.size(); ++size) {
      raftpb::RaftBatch batch;
      if (!batch.add_messages()->ParseFromString(inner.substr(0, size))) continue;
      std::vector<store::StoreMessage> messages;
      if (!TakeMessages(&batch, &messages).ok()) {
        ++refused;
        continue;
      }
      ASSERT_EQ(messages.size(), 1u);
      EXPECT_EQ(DecodeOrDie(Encode(messages[0])).size(), 1u) << "kind " << kind;
    }
  }
  // Without its body, at least, each.
  EXPECT_GE(refused, Generator::kBodies);
}

TEST(RaftCodec, SpoiledBytesNeverCrash) {
  uint64_t accepted = 0;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    Generator generator(seed);
    std::string bytes = Encode(generator.Message(seed % Generator::kKinds));
    for (uint64_t n = generator.rng().Between(0, 3); n > 0 && !bytes.empty(); --n) {
      bytes[generator.rng().Below(bytes.size())] = static_cast<char>(generator.rng().Next());
    }
    raftpb::RaftBatch batch;
    std::vector<store::StoreMessage> messages;
    if (!batch.ParseFromString(bytes) || !TakeMessages(&batch, &messages).ok()) continue;
    ++accepted;
    // What was accepted can be sent on.
    for (const store::StoreMessage& message : messages) {
      EXPECT_EQ(DecodeOrDie(Encode(message)).size(), 1u);
    }
  }
  // The untouched quarter at least.
  EXPECT_GT(accepted, 600u);
}

// A batch is cut by them, so whatever makes a message long must count.
TEST(RaftCodec, PayloadIsNearlyAllOfALargeMessage) {
  const std::vector<std::string> texts(5000, "entry");
  std::vector<raft::NewEntry> entries;
  for (const std::string& text : texts) entries.push_back({raft::EntryKind::kCommand, text});
  raft::AppendRequest append;
  append.entries.push_back(raft::EntrySlice(raft::EntryBlock::Create(Term(9), Index(1), entries)));
  auto data = std::make_shared<raft::SnapshotChunk>();
  data->data.resize(100000);
  auto conf = std::make_shared<raft::SnapshotChunk>();
  store::StoreBeat beat;
  for (uint64_t id = UINT64_MAX - 1000; id < UINT64_MAX; ++id) {
    conf->base.conf.voters.emplace_back(id);
    conf->base.conf.members.push_back({PeerId(id), StoreId(id), Incarnation(id)});
    beat.dead.emplace_back(id);
  }
  for (const store::StoreMessage& message :
       {store::StoreMessage(EnvelopeOf(append)),
        store::StoreMessage(EnvelopeOf(raft::SnapshotRequest{1, 2, data})),
        store::StoreMessage(EnvelopeOf(raft::SnapshotRequest{1, 2, conf})),
        store::StoreMessage(beat)}) {
    EXPECT_GE(PayloadBytes(message) + 512, Encode(message).size()) << message.index();
  }
}

TEST(RaftCodec, KeysAndValuesOfEveryOperationArePayload) {
  const std::string key(8000, 'k');
  kv::CompareAndDelete del;
  del.key = key;
  const kv::NamespaceId ns{7};
  for (const store::Operation& operation :
       {store::Operation(store::GetRequest{kv::NamespaceId::kDefault, key}),
        store::Operation(store::ScanRequest{kv::NamespaceId::kDefault, key, "", 0, 0, false}),
        store::Operation(del),
        store::Operation(
            kv::LwwBatch{ns, kv::ModeEpoch(4), {{key, "", true, kv::Hlc(300), StoreId(3)}}}),
        store::Operation(
            kv::LwwBatch{ns, kv::ModeEpoch(4), {{"k", key, false, kv::Hlc(300), StoreId(3)}}}),
        store::Operation(kv::CollectTombstones{ns, key, "", kv::Hlc(9)}),
        store::Operation(kv::CollectTombstones{ns, "", key, kv::Hlc(9)})}) {
    store::ForwardedRequest request;
    request.request.operation = operation;
    EXPECT_GE(PayloadBytes(request), key.size()) << operation.index();
  }
  store::ForwardedRequest request;
  request.request.operation = store::GetRequest{ns, "k", kv::Mode::kEventual};
  request.held = {{"k", key, false, kv::Hlc(300), StoreId(3)}};
  EXPECT_GE(PayloadBytes(request), key.size());
}

}  // namespace
}  // namespace flaredb::net
