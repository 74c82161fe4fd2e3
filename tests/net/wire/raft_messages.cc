// SPDX-License-Identifier: Apache-2.0
#include "tests/net/wire/raft_messages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/raft/membership.h"
#include "net/wire/raft_codec.h"
#include "proto/raftpb.pb.h"

namespace flaredb::net {
namespace {

class Maker {
 public:
  explicit Maker(Rng* rng) : rng_(*rng) {}

  // Message number `kind`, below kKinds.
  store::StoreMessage Message(uint64_t kind) {
    if (kind < Generator::kBodies) return Envelope(kind);
    kind -= Generator::kBodies;
    if (kind < Generator::kRequests) return Request(kind);
    kind -= Generator::kRequests;
    if (kind < Generator::kReplies) return Reply(kind);
    kind -= Generator::kReplies;
    if (kind == 0) return store::PeerRemoved{RegionId(Positive()), PeerId(Positive()), Positive()};
    if (kind == 1) return Beat();
    if (kind == 2) return RollCall();
    return RollAnswer();
  }

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

  Region SomeRegion(uint64_t id) {
    Region region{RegionId(id), Bytes(10), "", Epoch(), {}};
    for (const PeerId peer : Ids<PeerId>(1, 4))
      region.peers.push_back({peer, StoreId(peer.value())});
    return region;
  }

  store::StoreMessage RollCall() {
    cluster::RollCall call;
    call.term = Term(Positive());
    call.round = Positive();
    call.pd = SomeRegion(Positive());
    call.clock = kv::Hlc(Number() >> 1);
    call.unix_ms = Number() >> 17;
    if (Flag()) {
      call.view = {
          pd::ClusterId(Number()), pd::Revision(Number()), pd::Revision(Positive()), {}, {}};
      call.view.stores.push_back(
          {{StoreId(Positive()), {Number(), Positive()}, Bytes(20), Number()},
           pd::StoreState::kDraining,
           pd::Revision(Positive())});
      call.view.namespaces.push_back({kv::NamespaceId{static_cast<uint32_t>(rng_.Between(1, 99))},
                                      Bytes(20), pd::ModeState::kToStrongDrain,
                                      pd::ModeEpoch(Positive()), Flag(), pd::Revision(Positive())});
    }
    for (uint64_t n = rng_.Below(4); n > 0; --n) {
      cluster::RegionOrder order{RegionId(Positive()), Epoch(), {}};
      if (Flag()) {
        order.what = cluster::MoveLeader{PeerId(Positive())};
      } else {
        cluster::ChangeMembers change;
        for (uint64_t m = rng_.Between(1, 3); m > 0; --m) {
          const auto kind = static_cast<raft::MemberChange::Kind>(rng_.Below(4));
          const bool adds = kind == raft::MemberChange::Kind::kAddLearner;
          change.changes.push_back(
              {kind, PeerId(Positive()), adds ? StoreId(Positive()) : StoreId()});
        }
        order.what = std::move(change);
      }
      call.orders.push_back(std::move(order));
    }
    for (uint64_t n = rng_.Below(3); n > 0; --n) call.waiting.push_back("sentence");
    return call;
  }

  store::StoreMessage RollAnswer() {
    cluster::RollAnswer answer;
    answer.term = Term(Positive());
    answer.round = Positive();
    answer.instance = {Number(), Positive()};
    answer.known = pd::Revision(Number());
    answer.clock = kv::Hlc(Number() >> 1);
    answer.unix_ms = Number() >> 17;
    for (const RegionId id : Ids<RegionId>(0, 3)) {
      answer.regions.push_back({{SomeRegion(id.value()), Term(Positive()), PeerId(Positive())},
                                Conf(),
                                Flag(),
                                Ids<PeerId>(0, 3)});
    }
    for (uint32_t ns = 1; ns < 9; ++ns) {
      if (Flag()) continue;
      answer.namespaces.push_back(
          {kv::NamespaceId{ns}, pd::ModeEpoch(Positive()), Number(), kv::Hlc(Number())});
    }
    for (uint64_t n = rng_.Below(3); n > 0; --n) {
      answer.refusals.push_back({RegionId(Positive()), "sentence"});
    }
    return answer;
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

  kv::Mode Mode() { return Flag() ? kv::Mode::kEventual : kv::Mode::kStrong; }
  kv::LwwRow LwwRow() {
    kv::LwwRow row;
    row.key = Bytes(50);
    row.deleted = Flag();
    if (!row.deleted) row.value = Bytes(100);
    row.hlc = kv::Hlc(Positive());
    row.origin = StoreId(Positive());
    return row;
  }
  kv::NamespaceCommand NamespaceCommand(uint64_t kind, kv::NamespaceId ns) {
    switch (kind) {
      case 0: {
        kv::LwwBatch batch{ns, kv::ModeEpoch(Number()), {}};
        for (uint64_t n = rng_.Between(1, 5); n > 0; --n) batch.rows.push_back(LwwRow());
        return batch;
      }
      case 1:
        return kv::ModeFence{ns, {Mode(), kv::ModeEpoch(Positive()), kv::Hlc(Number())}};
      default:
        return kv::CollectTombstones{ns, Bytes(50), Bytes(50), kv::Hlc(Number()), Positive()};
    }
  }
  kv::NamespaceReply NamespaceReply() {
    kv::NamespaceReply reply;
    reply.admitted = Flag();
    if (!reply.admitted || Flag()) {
      reply.state.fence = kv::Fence{Mode(), kv::ModeEpoch(Positive()), kv::Hlc(Number())};
    }
    if (Flag())
      reply.state.floors = {kv::Version(Positive()), Index(Positive()), kv::Hlc(Number())};
    reply.next = Bytes(50);
    return reply;
  }

  static bool ReadsEventually(const store::Operation& operation) {
    if (const auto* get = std::get_if<store::GetRequest>(&operation)) {
      return get->mode == kv::Mode::kEventual;
    }
    const auto* scan = std::get_if<store::ScanRequest>(&operation);
    return scan != nullptr && scan->mode == kv::Mode::kEventual;
  }

  std::vector<kv::LwwRow> HeldRows() {
    std::vector<kv::LwwRow> rows;
    std::string key;
    for (uint64_t left = rng_.Between(0, 3); left > 0; --left) {
      key += "k" + Bytes(20);
      const bool deleted = Flag();
      rows.push_back(
          {key, deleted ? "" : Bytes(50), deleted, kv::Hlc(Positive()), StoreId(Positive())});
    }
    return rows;
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
        forwarded.request.operation = store::GetRequest{ns, Bytes(50), Mode()};
        break;
      case 1:
        forwarded.request.operation =
            store::ScanRequest{ns, Bytes(50), Bytes(50), Number(), Number(), Flag(), Mode()};
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
      case 5:
        forwarded.request.operation = store::QueryRequest{Bytes(50), Bytes(200)};
        break;
      default:
        forwarded.request.operation = NamespaceCommand(kind - 6, ns);
    }
    if (ReadsEventually(forwarded.request.operation)) {
      forwarded.held = HeldRows();
      forwarded.unseen = Index(Number());
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
        if (Flag()) {
          get.found = kv::VersionedValue{Bytes(100), kv::Version(Number()), kv::Hlc(Number())};
        }
        forwarded.reply.result = std::move(get);
        break;
      }
      case 1: {
        store::ScanReply scan;
        for (uint64_t n = rng_.Below(5); n > 0; --n) {
          scan.page.rows.push_back(
              {Bytes(20), Bytes(20), kv::Version(Number()), kv::Hlc(Number())});
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
      case 4:
        forwarded.reply.result = NamespaceReply();
        break;
      default: {
        store::Error error;
        error.code = static_cast<store::ErrorCode>(
            rng_.Below(static_cast<uint64_t>(store::ErrorCode::kNotAccepting) + 1));
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
        if (error.code == store::ErrorCode::kNamespaceMode) {
          error.namespace_mode = store::NamespaceMode{Mode(), kv::ModeEpoch(Number()), Flag()};
        }
        forwarded.reply.result = std::move(error);
      }
    }
    return forwarded;
  }

  Rng& rng_;
};

}  // namespace

store::StoreMessage Generator::Message(uint64_t kind) { return Maker(&rng_).Message(kind); }

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

store::RaftEnvelope EnvelopeOf(raft::Body body) {
  return {RegionId(1),
          {2, 3},
          {PeerId(4), PeerId(5), Term(9), Incarnation(6), Incarnation(7), std::move(body)}};
}

}  // namespace flaredb::net
