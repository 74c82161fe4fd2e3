// SPDX-License-Identifier: Apache-2.0
#include "net/wire/raft_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "proto/raftpb.pb.h"

namespace flaredb::net {
namespace {

// Random messages of every kind. Numbers are small or huge, texts are any bytes.
class Generator {
 public:
  explicit Generator(uint64_t seed) : rng_(seed) {}

  static constexpr uint64_t kKinds = 8 + 4 + 4;

  // Message number `kind`, below kKinds.
  store::StoreMessage Message(uint64_t kind) {
    if (kind < 8) return Envelope(kind);
    if (kind < 12) return Request(kind - 8);
    return Reply(kind - 12);
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

  raft::Body Body(uint64_t kind, Term* sender_term) {
    switch (kind) {
      case 0:
        return raft::PreVoteRequest{Term(Number()), LogId()};
      case 1:
        return raft::PreVoteReply{Term(Number()), Flag()};
      case 2:
        return raft::VoteRequest{LogId()};
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
        return raft::HeartbeatRequest{Number(), Number()};
      default:
        return raft::HeartbeatReply{Number(), Number(), Index(Number())};
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
        const bool noop = Flag();
        if (!noop) payload = Bytes(100);
        entries.push_back({noop ? raft::EntryKind::kNoop : raft::EntryKind::kCommand, payload});
      }
      const auto block = raft::EntryBlock::Create(last.term, last.index.next(), entries);
      // A slice that starts in the middle of its block leaves a gap: cut only at the end.
      append.entries.emplace_back(block, 0, static_cast<uint32_t>(rng_.Between(1, block->size())));
      last.index = append.entries.back().last_index();
    }
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
      default:
        forwarded.request.operation =
            kv::CompareAndDelete{ns, Bytes(50), kv::Version(Number()), Retry()};
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
  append.entries.emplace_back(raft::EntryBlock::Create(Term(4), Index(10), entries));
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

TEST(RaftCodec, OneBatchCarriesManyMessages) {
  Generator generator(1);
  raftpb::RaftBatch batch;
  for (uint64_t kind = 0; kind < Generator::kKinds; ++kind) {
    AppendMessage(generator.Message(kind), &batch);
  }
  std::vector<store::StoreMessage> messages;
  ASSERT_TRUE(TakeMessages(&batch, &messages).ok());
  EXPECT_EQ(messages.size(), Generator::kKinds);
  EXPECT_EQ(batch.messages_size() + batch.requests_size() + batch.replies_size(), 0);
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
    std::vector<store::StoreMessage> messages(1);
    const absl::Status status = TakeMessages(&batch_, &messages);
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

// A batch is cut by them, so what is long must count whatever carries it.
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
