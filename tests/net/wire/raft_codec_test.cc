// SPDX-License-Identifier: Apache-2.0
#include "net/wire/raft_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/raft/membership.h"
#include "net/wire/raft_message_codec.h"
#include "proto/raftpb.pb.h"

namespace flaredb::net {
namespace {

// Random messages of every kind. Numbers are small or huge, texts are any bytes.
class Generator {
 public:
  explicit Generator(uint64_t seed) : rng_(seed) {}

  static constexpr uint64_t kBodies = std::variant_size_v<raft::Body>;
  static constexpr uint64_t kKinds = kBodies + 6 + 5 + 2;

  // Message number `kind`, below kKinds.
  store::StoreMessage Message(uint64_t kind) {
    if (kind < kBodies) return Envelope(kind);
    kind -= kBodies;
    if (kind < 6) return Request(kind);
    if (kind < 11) return Reply(kind - 6);
    if (kind == 11) return store::PeerRemoved{RegionId(Positive()), PeerId(Positive()), Positive()};
    return Beat();
  }

  Rng& rng() { return rng_; }

 private:
  uint64_t Number() { return rng_.Next() >> rng_.Below(64); }
  uint64_t Positive() { return std::max<uint64_t>(Number(), 1); }
  bool Flag() { return rng_.Below(2) == 0; }
  std::string Bytes(size_t max) {
    std::string bytes(rng_.Below(max + 1), '\0');
    for (char& c : bytes) c = static_cast<char>(rng_.Next());
    return bytes;
  }
  raft::LogId LogId() { return {Term(Number()), Index(Number())}; }
  // Of an entry that the sender, in the term that it is given here, may have.
  raft::LogId EntryId(Term* sender_term) {
    const raft::LogId id{Term(Positive()), Index(Positive())};
    *sender_term = id.term + std::min(rng_.Below(3), Term::Max() - id.term);
    return id;
  }
  // Ascending, none 0.
  template <typename Id>
  std::vector<Id> Ids(uint64_t min, uint64_t max) {
    std::vector<Id> ids;
    uint64_t last = 0;
    for (uint64_t n = rng_.Between(min, max); n > 0; --n) {
      last += rng_.Between(1, uint64_t{1} << rng_.Below(55));
      ids.emplace_back(last);
    }
    return ids;
  }
  raft::ConfState Conf() {
    raft::ConfState conf;
    const bool joint = Flag();
    for (const PeerId id : Ids<PeerId>(1, 8)) {
      const bool voter = conf.voters.empty() || Flag();
      if (voter) conf.voters.push_back(id);
      if (joint && Flag()) conf.voters_outgoing.push_back(id);
      if (!voter && Flag()) conf.learners.push_back(id);
      if (conf.IsMember(id) && Flag()) {
        conf.members.push_back({id, StoreId(Number()), Incarnation(Number())});
      }
    }
    return conf;
  }
  RegionEpoch Epoch() { return {Number(), Number()}; }

  store::StoreMessage Envelope(uint64_t kind) {
    store::RaftEnvelope envelope;
    envelope.region = RegionId(Positive());
    envelope.epoch = Epoch();
    envelope.message.from = PeerId(Positive());
    envelope.message.to = PeerId(Positive());
    envelope.message.term = Term(Number());
    envelope.message.from_incarnation = Incarnation(Number());
    envelope.message.to_incarnation = Incarnation(Number());
    envelope.message.body = Body(kind, &envelope.message.term);
    return envelope;
  }

  store::StoreMessage Beat() {
    store::StoreBeat beat;
    beat.life = Positive();
    beat.dead = Ids<RegionId>(0, 5);
    return beat;
  }

  // May choose the sender's term.
  raft::Body Body(uint64_t kind, Term* sender_term) {
    switch (kind) {
      case 0:
        return raft::PreVoteRequest{Term(Number()), LogId()};
      case 1:
        return raft::PreVoteReply{Term(Number()), Flag()};
      case 2:
        return raft::VoteRequest{LogId(), Flag()};
      case 3:
        return raft::VoteReply{Flag()};
      case 4:
        return Append(sender_term);
      case 5: {
        raft::AppendReply reply{Number(), Number(), {}};
        if (Flag()) {
          reply.result = raft::AppendAccept{Index(Number()), Index(Number())};
        } else {
          reply.result = raft::AppendReject{Index(Number()), LogId()};
        }
        return reply;
      }
      case 6:
        return raft::HeartbeatRequest{Number(), Number(),
                                      Flag() ? EntryId(sender_term) : raft::LogId()};
      case 7:
        return raft::HeartbeatReply{Number(), Number(), Index(Number())};
      case 8:
        return raft::TimeoutNow{Flag() ? EntryId(sender_term) : raft::LogId()};
      case 9:
        return raft::ReadRequest{Number()};
      case 10:
        return raft::ReadReply{Number(), Index(Number())};
      case 11: {
        auto chunk = std::make_shared<raft::SnapshotChunk>();
        chunk->id = raft::SnapshotId(Positive());
        chunk->base = {EntryId(sender_term), Conf()};
        chunk->number = Number();
        chunk->last = Flag();
        chunk->checksum = Number();
        chunk->data = Bytes(200);
        return raft::SnapshotRequest{Number(), Number(), std::move(chunk)};
      }
      default:
        return raft::SnapshotReply{Number(), Number(), raft::SnapshotId(Positive()), Number()};
    }
  }

  raft::AppendRequest Append(Term* sender_term) {
    raft::AppendRequest append;
    append.session = Number();
    append.round = Number();
    append.prev = {Term(rng_.Below(1000)), Index(rng_.Below(1000))};
    append.commit_index = Index(Number());
    raft::LogId last = append.prev;
    for (uint64_t run = rng_.Below(4); run > 0; --run) {
      last.term = last.term + rng_.Below(3) + (last.term ? 0 : 1);
      std::vector<std::string> payloads(rng_.Between(1, 5));
      std::vector<raft::NewEntry> entries;
      for (std::string& payload : payloads) {
        const auto kind = static_cast<raft::EntryKind>(rng_.Below(3));
        if (kind == raft::EntryKind::kCommand) payload = Bytes(100);
        if (kind == raft::EntryKind::kConf) payload = raft::EncodeConfState(Conf());
        entries.push_back({kind, payload});
      }
      const auto block = raft::EntryBlock::Create(last.term, last.index.next(), entries);
      // A slice that starts in the middle of its block leaves a gap: cut only at the end.
      append.entries.push_back(
          raft::EntrySlice(block, 0, static_cast<uint32_t>(rng_.Between(1, block->size()))));
      last.index = append.entries.back().last_index();
    }
    append.accept_unanswered = append.entries.empty() && Flag();
    *sender_term = last.term + rng_.Below(3);
    return append;
  }

  kv::Retry Retry() {
    if (Flag()) return {};
    return {{Number(), Number(), Number()}, Index(Number())};
  }

  store::StoreMessage Request(uint64_t kind) {
    store::ForwardedRequest forwarded;
    forwarded.id = Number();
    forwarded.region = RegionId(Positive());
    forwarded.request.budget = Duration::Nanoseconds(static_cast<int64_t>(Number() >> 1));
    if (Flag()) forwarded.request.context = store::RoutingContext{RegionId(Positive()), Epoch()};
    const auto ns = static_cast<kv::NamespaceId>(rng_.Between(1, UINT32_MAX));
    switch (kind) {
      case 0:
        forwarded.request.operation = store::GetRequest{ns, Bytes(50)};
        break;
      case 1:
        forwarded.request.operation =
            store::ScanRequest{ns, Bytes(50), Bytes(50), Number(), Number(), Flag()};
        break;
      case 2:
        forwarded.request.operation =
            kv::CompareAndSwap{ns, Bytes(50), Bytes(200), kv::Version(Number()), Retry()};
        break;
      case 3:
        forwarded.request.operation =
            kv::CompareAndDelete{ns, Bytes(50), kv::Version(Number()), Retry()};
        break;
      case 4:
        forwarded.request.operation = store::ExecuteRequest{Bytes(50), Bytes(200)};
        break;
      default:
        forwarded.request.operation = store::QueryRequest{Bytes(50), Bytes(200)};
    }
    return forwarded;
  }

  store::StoreMessage Reply(uint64_t kind) {
    store::ForwardedReply forwarded;
    forwarded.id = Number();
    forwarded.reply.applied_index = Index(Number());
    switch (kind) {
      case 0: {
        store::GetReply get;
        if (Flag()) get.found = kv::VersionedValue{Bytes(100), kv::Version(Number())};
        forwarded.reply.result = std::move(get);
        break;
      }
      case 1: {
        store::ScanReply scan;
        for (uint64_t n = rng_.Below(5); n > 0; --n) {
          scan.page.rows.push_back({Bytes(20), Bytes(20), kv::Version(Number())});
        }
        scan.page.next_key = Bytes(20);
        forwarded.reply.result = std::move(scan);
        break;
      }
      case 2:
        forwarded.reply.result = kv::WriteReply{static_cast<kv::WriteResult>(rng_.Below(4)),
                                                kv::Version(Number()), Bytes(50)};
        break;
      case 3:
        forwarded.reply.result = MachineReply{Bytes(200), Index(Number())};
        break;
      default: {
        store::Error error;
        error.code = static_cast<store::ErrorCode>(
            rng_.Below(static_cast<uint64_t>(store::ErrorCode::kStoreFailed) + 1));
        error.outcome = Flag() ? store::Outcome::kUnknown : store::Outcome::kNotApplied;
        error.message = "sentence";
        error.region_id = RegionId(Number());
        error.leader = StoreId(Number());
        if (Flag()) {
          error.region = Region{RegionId(Number()),
                                Bytes(10),
                                Bytes(10),
                                Epoch(),
                                {{PeerId(Number()), StoreId(Number())}}};
        }
        error.backoff = Duration::Milliseconds(static_cast<int64_t>(rng_.Below(5000)));
        forwarded.reply.result = std::move(error);
      }
    }
    return forwarded;
  }

  Rng rng_;
};

// The encoding is deterministic and lists every field, so equal encodings mean equal messages.
std::string Encode(const store::StoreMessage& message) {
  raftpb::RaftBatch batch;
  AppendMessage(message, &batch);
  return batch.SerializeAsString();
}

std::vector<store::StoreMessage> DecodeOrDie(const std::string& bytes) {
  raftpb::RaftBatch batch;
  EXPECT_TRUE(batch.ParseFromString(bytes));
  std::vector<store::StoreMessage> messages;
  const absl::Status status = TakeMessages(&batch, &messages);
  EXPECT_TRUE(status.ok()) << status;
  return messages;
}

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

store::RaftEnvelope EnvelopeOf(raft::Body body) {
  return {RegionId(1),
          {2, 3},
          {PeerId(4), PeerId(5), Term(9), Incarnation(6), Incarnation(7), std::move(body)}};
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

// What a broken or newer store could send. Each case spoils one thing of a good message.
class RefusedMessage : public testing::Test {
 protected:
  RefusedMessage() {
    raftpb::RaftMessage* message = batch_.add_messages();
    message->set_region_id(1);
    message->mutable_region_epoch()->set_version(1);
    message->mutable_from_peer()->set_id(1);
    message->mutable_to_peer()->set_id(2);
    message->set_term(5);
    raftpb::AppendRequest* append = message->mutable_append_request();
    append->mutable_prev()->set_term(3);
    append->mutable_prev()->set_index(9);
    raftpb::EntryRun* run = append->add_entries();
    run->set_term(4);
    run->set_first_index(10);
    run->add_payload_ends(1);
    run->add_payload_ends(3);
    run->set_kinds(std::string("\1\1"));
    run->set_payloads("abc");
  }

  raftpb::RaftMessage* message() { return batch_.mutable_messages(0); }
  raftpb::EntryRun* run() { return message()->mutable_append_request()->mutable_entries(0); }

  std::string Reason() {
    raftpb::RaftBatch batch = batch_;
    std::vector<store::StoreMessage> messages(1);
    const absl::Status status = TakeMessages(&batch, &messages);
    EXPECT_EQ(messages.size(), status.ok() ? 2u : 1u);
    return std::string(status.message().data(), status.message().size());
  }

  raftpb::RaftBatch batch_;
};

TEST_F(RefusedMessage, Control) { EXPECT_EQ(Reason(), ""); }
TEST_F(RefusedMessage, NoRegion) {
  message()->clear_region_id();
  EXPECT_EQ(Reason(), "a Raft message without a region");
}
TEST_F(RefusedMessage, NoEpoch) {
  message()->clear_region_epoch();
  EXPECT_EQ(Reason(), "a Raft message without a region epoch");
}
TEST_F(RefusedMessage, NoPeer) {
  message()->clear_to_peer();
  EXPECT_EQ(Reason(), "a Raft message without its peers");
}
TEST_F(RefusedMessage, NoBody) {
  message()->clear_body();
  EXPECT_EQ(Reason(), "a Raft message of an unknown kind");
}
TEST_F(RefusedMessage, GapBeforeEntries) {
  run()->set_first_index(11);
  EXPECT_EQ(Reason(), "entries with a gap before them");
}
TEST_F(RefusedMessage, TermGoesBack) {
  run()->set_term(2);
  EXPECT_EQ(Reason(), "entry terms that go back");
}
TEST_F(RefusedMessage, TermBeyondTheSenders) {
  run()->set_term(6);
  EXPECT_EQ(Reason(), "entries of a later term than their sender's");
}
TEST_F(RefusedMessage, EmptyRun) {
  run()->clear_payload_ends();
  EXPECT_EQ(Reason(), "a run of entries without entries");
}
TEST_F(RefusedMessage, PayloadBeyondTheEnd) {
  run()->set_payload_ends(1, 4);
  EXPECT_EQ(Reason(), "entry payloads out of bounds");
}
TEST_F(RefusedMessage, PayloadsThatGoBack) {
  run()->set_payload_ends(0, 3);
  run()->set_payload_ends(1, 1);
  EXPECT_EQ(Reason(), "entry payloads out of bounds");
}
TEST_F(RefusedMessage, BytesOfNoPayload) {
  run()->set_payloads("abcd");
  EXPECT_EQ(Reason(), "entry payloads out of bounds");
}
TEST_F(RefusedMessage, UnknownEntryKind) {
  run()->set_kinds(std::string("\1\7"));
  EXPECT_EQ(Reason(), "an entry of an unknown kind");
}
TEST_F(RefusedMessage, UnreadableConfigurationEntry) {
  run()->set_kinds(std::string("\1\2"));
  EXPECT_EQ(Reason(), "an entry with an unreadable configuration");
}
TEST_F(RefusedMessage, ConfigurationEntryWithoutVoters) {
  const std::string conf = raft::EncodeConfState({});
  run()->set_kinds(std::string("\1\2"));
  run()->set_payloads("a" + conf);
  run()->set_payload_ends(1, static_cast<uint32_t>(1 + conf.size()));
  EXPECT_EQ(Reason(), "a configuration without voters");
}
TEST_F(RefusedMessage, EntriesThatWantNoAnswer) {
  message()->mutable_append_request()->set_accept_unanswered(true);
  EXPECT_EQ(Reason(), "entries that want no answer");
}
TEST_F(RefusedMessage, IndexOverflow) {
  message()->mutable_append_request()->mutable_prev()->set_index(UINT64_MAX - 1);
  run()->set_first_index(UINT64_MAX);
  EXPECT_EQ(Reason(), "entry indexes that overflow");
}
TEST_F(RefusedMessage, ForwardedRequestOfUnknownKind) {
  batch_.add_requests()->set_region_id(1);
  EXPECT_EQ(Reason(), "a forwarded request of an unknown kind");
}
TEST_F(RefusedMessage, ForwardedReplyOfUnknownKind) {
  batch_.add_replies();
  EXPECT_EQ(Reason(), "a forwarded reply of an unknown kind");
}
TEST_F(RefusedMessage, ForwardedReplyWithUnknownError) {
  batch_.add_replies()->mutable_error();
  EXPECT_EQ(Reason(), "a forwarded reply with an unknown error");
}

TEST_F(RefusedMessage, RemovedPeerWithoutRegion) {
  batch_.add_removed_peers()->set_peer_id(1);
  EXPECT_EQ(Reason(), "a removed peer without a region");
}
TEST_F(RefusedMessage, RemovedPeerWithoutId) {
  batch_.add_removed_peers()->set_region_id(1);
  EXPECT_EQ(Reason(), "a removed peer without an id");
}
TEST_F(RefusedMessage, BeatWithoutLife) {
  batch_.add_beats();
  EXPECT_EQ(Reason(), "a store's beat without its life");
}
TEST_F(RefusedMessage, BeatWithDeadRegionsOutOfOrder) {
  for (const std::vector<uint64_t>& dead : {std::vector<uint64_t>{0}, {2, 1}, {3, 3}}) {
    batch_.clear_beats();
    batch_.add_beats()->set_life(1);
    batch_.mutable_beats(0)->mutable_dead()->Add(dead.begin(), dead.end());
    EXPECT_EQ(Reason(), "a store's beat with dead regions out of order");
  }
}
TEST_F(RefusedMessage, RestWhereTheSenderCannotBe) {
  for (const auto& [term, index] : {std::pair{0, 4}, {4, 0}, {0, 0}, {6, 4}}) {
    raftpb::LogId* rest = message()->mutable_heartbeat_request()->mutable_rest_at();
    rest->set_term(static_cast<uint64_t>(term));
    rest->set_index(static_cast<uint64_t>(index));
    EXPECT_EQ(Reason(), "a rest at a position that its sender cannot have");
  }
}
TEST_F(RefusedMessage, CallToCampaignWithAnImpossibleLog) {
  for (const auto& [term, index] : {std::pair{0, 4}, {4, 0}, {6, 4}}) {
    raftpb::LogId* last = message()->mutable_timeout_now()->mutable_last_log();
    last->set_term(static_cast<uint64_t>(term));
    last->set_index(static_cast<uint64_t>(index));
    EXPECT_EQ(Reason(), "a call to campaign with a log that its sender cannot have");
  }
}
TEST_F(RefusedMessage, SnapshotReplyWithoutId) {
  message()->mutable_snapshot_reply();
  EXPECT_EQ(Reason(), "a snapshot's answer without its id");
}

class RefusedSnapshot : public RefusedMessage {
 protected:
  RefusedSnapshot() {
    raftpb::SnapshotChunk* chunk = message()->mutable_snapshot_request()->mutable_chunk();
    chunk->set_id(1);
    chunk->mutable_base()->mutable_last()->set_term(5);
    chunk->mutable_base()->mutable_last()->set_index(9);
    for (const uint64_t id : {1, 2, 3}) conf()->add_voters(id);
    for (const uint64_t id : {3, 4}) conf()->add_voters_outgoing(id);
    for (const uint64_t id : {4, 5}) conf()->add_learners(id);
    for (const uint64_t id : {3, 4, 5}) conf()->add_members()->set_peer_id(id);
  }

  raftpb::SnapshotChunk* chunk() { return message()->mutable_snapshot_request()->mutable_chunk(); }
  raftpb::ConfState* conf() { return chunk()->mutable_base()->mutable_conf(); }
};

TEST_F(RefusedSnapshot, Control) { EXPECT_EQ(Reason(), ""); }
TEST_F(RefusedSnapshot, NoChunk) {
  message()->mutable_snapshot_request()->clear_chunk();
  EXPECT_EQ(Reason(), "a snapshot without a piece of it");
}
TEST_F(RefusedSnapshot, NoId) {
  chunk()->clear_id();
  EXPECT_EQ(Reason(), "a snapshot without an id");
}
TEST_F(RefusedSnapshot, LargestPiece) {
  chunk()->set_data(std::string(kSnapshotDataBytesMax, 'd'));
  EXPECT_EQ(Reason(), "");
}
TEST_F(RefusedSnapshot, TooLargePiece) {
  chunk()->set_data(std::string(kSnapshotDataBytesMax + 1, 'd'));
  EXPECT_EQ(Reason(), "a snapshot's piece that is too large");
}
TEST_F(RefusedSnapshot, NoBase) {
  chunk()->clear_base();
  EXPECT_EQ(Reason(), "a snapshot of a position that its sender cannot have");
}
TEST_F(RefusedSnapshot, BaseOfALaterTermThanTheSenders) {
  chunk()->mutable_base()->mutable_last()->set_term(6);
  EXPECT_EQ(Reason(), "a snapshot of a position that its sender cannot have");
}
TEST_F(RefusedSnapshot, NoVoters) {
  conf()->clear_voters();
  EXPECT_EQ(Reason(), "a configuration without voters");
}
TEST_F(RefusedSnapshot, ListsOutOfOrder) {
  conf()->set_voters(0, 2);
  EXPECT_EQ(Reason(), "a configuration with peers out of order");
}
TEST_F(RefusedSnapshot, OutgoingVotersOutOfOrder) {
  conf()->set_voters_outgoing(0, 9);
  EXPECT_EQ(Reason(), "a configuration with peers out of order");
}
TEST_F(RefusedSnapshot, LearnersOutOfOrder) {
  conf()->set_learners(0, 9);
  EXPECT_EQ(Reason(), "a configuration with peers out of order");
}
TEST_F(RefusedSnapshot, PeerZero) {
  conf()->set_voters(0, 0);
  EXPECT_EQ(Reason(), "a configuration with peers out of order");
}
TEST_F(RefusedSnapshot, LearnerThatVotes) {
  conf()->set_learners(0, 3);
  EXPECT_EQ(Reason(), "a configuration with a voter that is a learner");
}
TEST_F(RefusedSnapshot, MembersOutOfOrder) {
  conf()->mutable_members(1)->set_peer_id(3);
  EXPECT_EQ(Reason(), "a configuration with members out of order");
}
TEST_F(RefusedSnapshot, MemberOfNoList) {
  conf()->add_members()->set_peer_id(6);
  EXPECT_EQ(Reason(), "a configuration with a member that is not in it");
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

TEST(RaftCodec, KeysOfEveryOperationArePayload) {
  const std::string key(8000, 'k');
  kv::CompareAndDelete del;
  del.key = key;
  for (const store::Operation& operation :
       {store::Operation(store::GetRequest{kv::NamespaceId::kDefault, key}),
        store::Operation(store::ScanRequest{kv::NamespaceId::kDefault, key, "", 0, 0, false}),
        store::Operation(del)}) {
    store::ForwardedRequest request;
    request.request.operation = operation;
    EXPECT_GE(PayloadBytes(request), key.size()) << operation.index();
  }
}

}  // namespace
}  // namespace flaredb::net
