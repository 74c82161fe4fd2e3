// SPDX-License-Identifier: Apache-2.0
#include "net/wire/raft_message_codec.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/raft/membership.h"
#include "net/wire/region_codec.h"
#include "proto/raftpb.pb.h"

namespace flaredb::net {
namespace {

// An entry's end and kind in its run.
constexpr size_t kEntryBytes = 6;
// A member's row, or its id in a list; more than either takes.
constexpr size_t kMemberBytes = 40;

absl::Status Bad(std::string_view what) { return absl::InvalidArgumentError(ToAbsl(what)); }

// ---- Positions

void Encode(raft::LogId id, raftpb::LogId* out) {
  out->set_term(id.term.value());
  out->set_index(id.index.value());
}
raft::LogId Decode(const raftpb::LogId& id) { return {Term(id.term()), Index(id.index())}; }

// Whether an entry can stand there that the leader of `term` knows.
bool IsEntry(raft::LogId id, Term term) { return id.index && id.term && id.term <= term; }

// ---- Configurations

using Ids = std::vector<PeerId>;

void Encode(const Ids& ids, google::protobuf::RepeatedField<uint64_t>* out) {
  for (const PeerId id : ids) out->Add(id.value());
}

// False when the ids do not ascend or one is 0.
bool Decode(const google::protobuf::RepeatedField<uint64_t>& ids, Ids* out) {
  out->reserve(static_cast<size_t>(ids.size()));
  PeerId last;
  for (const uint64_t id : ids) {
    if (PeerId(id) <= last) return false;
    last = PeerId(id);
    out->push_back(last);
  }
  return true;
}

void Encode(const raft::ConfState& in, raftpb::ConfState* out) {
  Encode(in.voters, out->mutable_voters());
  Encode(in.voters_outgoing, out->mutable_voters_outgoing());
  Encode(in.learners, out->mutable_learners());
  for (const raft::Member& member : in.members) {
    raftpb::Member* to = out->add_members();
    to->set_peer_id(member.id.value());
    to->set_store_id(member.store.value());
    to->set_incarnation(member.incarnation.value());
  }
}

absl::Status Decode(const raftpb::ConfState& in, raft::ConfState* out) {
  if (!Decode(in.voters(), &out->voters) || !Decode(in.voters_outgoing(), &out->voters_outgoing) ||
      !Decode(in.learners(), &out->learners)) {
    return Bad("a configuration with peers out of order");
  }
  if (out->voters.empty()) return Bad("a configuration without voters");
  for (const PeerId id : out->learners) {
    if (std::binary_search(out->voters.begin(), out->voters.end(), id)) {
      return Bad("a configuration with a voter that is a learner");
    }
  }
  PeerId last;
  for (const raftpb::Member& member : in.members()) {
    const PeerId id(member.peer_id());
    if (id <= last) return Bad("a configuration with members out of order");
    if (!out->IsMember(id)) return Bad("a configuration with a member that is not in it");
    out->members.push_back({id, StoreId(member.store_id()), Incarnation(member.incarnation())});
    last = id;
  }
  return absl::OkStatus();
}

size_t SizeOf(const raft::ConfState& conf) {
  return (conf.voters.size() + conf.voters_outgoing.size() + conf.learners.size() +
          conf.members.size()) *
         kMemberBytes;
}

// ---- Entries

void Encode(const raft::EntrySlice& slice, raftpb::EntryRun* out) {
  out->set_term(slice.term().value());
  out->set_first_index(slice.first_index().value());
  out->mutable_kinds()->reserve(slice.size());
  out->mutable_payloads()->reserve(slice.bytes());
  for (uint32_t i = 0; i < slice.size(); ++i) {
    const raft::EntryView entry = slice.at(i);
    out->mutable_kinds()->push_back(static_cast<char>(entry.kind));
    out->mutable_payloads()->append(entry.payload);
    out->add_payload_ends(static_cast<uint32_t>(out->payloads().size()));
  }
}

absl::Status CheckEntry(const raft::NewEntry& entry) {
  switch (entry.kind) {
    case raft::EntryKind::kNoop:
    case raft::EntryKind::kCommand:
      return absl::OkStatus();
    case raft::EntryKind::kConf: {
      const auto conf = raft::DecodeConfState(entry.payload);
      if (!conf.ok()) return Bad("an entry with an unreadable configuration");
      return conf->voters.empty() ? Bad("a configuration without voters") : absl::OkStatus();
    }
  }
  return Bad("an entry of an unknown kind");
}

// Appends one run that follows `last`, and moves `last` to its end.
absl::Status DecodeRun(const raftpb::EntryRun& run, raft::LogId* last, raft::EntrySlices* out) {
  const auto size = static_cast<size_t>(run.payload_ends_size());
  if (size == 0 || run.kinds().size() != size) return Bad("a run of entries without entries");
  if (run.first_index() != last->index.value() + 1) return Bad("entries with a gap before them");
  if (run.first_index() > Index::Max().value() - size) return Bad("entry indexes that overflow");
  if (run.term() < last->term.value() || run.term() == 0) return Bad("entry terms that go back");
  absl::InlinedVector<raft::NewEntry, 16> entries(size);
  const std::string_view payloads = run.payloads();
  uint32_t begin = 0;
  for (size_t i = 0; i < size; ++i) {
    const uint32_t end = run.payload_ends(static_cast<int>(i));
    if (end < begin || end > payloads.size()) return Bad("entry payloads out of bounds");
    entries[i] = {static_cast<raft::EntryKind>(run.kinds()[i]),
                  payloads.substr(begin, end - begin)};
    if (absl::Status s = CheckEntry(entries[i]); !s.ok()) return s;
    begin = end;
  }
  if (begin != payloads.size()) return Bad("entry payloads out of bounds");
  out->push_back(raft::EntrySlice(
      raft::EntryBlock::Create(Term(run.term()), Index(run.first_index()), entries)));
  *last = {Term(run.term()), out->back().last_index()};
  return absl::OkStatus();
}

// ---- Encoding, kind by kind

void Encode(const raft::PreVoteRequest& in, raftpb::RaftMessage* message) {
  auto* out = message->mutable_pre_vote_request();
  out->set_campaign_term(in.campaign_term.value());
  Encode(in.last_log, out->mutable_last_log());
}

void Encode(const raft::PreVoteReply& in, raftpb::RaftMessage* message) {
  auto* out = message->mutable_pre_vote_reply();
  out->set_campaign_term(in.campaign_term.value());
  out->set_granted(in.granted);
}

void Encode(const raft::VoteRequest& in, raftpb::RaftMessage* message) {
  auto* out = message->mutable_vote_request();
  Encode(in.last_log, out->mutable_last_log());
  out->set_leadership_transfer(in.leadership_transfer);
}

void Encode(const raft::VoteReply& in, raftpb::RaftMessage* message) {
  message->mutable_vote_reply()->set_granted(in.granted);
}

void Encode(const raft::AppendRequest& in, raftpb::RaftMessage* message) {
  auto* out = message->mutable_append_request();
  out->set_session(in.session);
  out->set_round(in.round);
  Encode(in.prev, out->mutable_prev());
  out->set_commit_index(in.commit_index.value());
  out->set_accept_unanswered(in.accept_unanswered);
  for (const raft::EntrySlice& slice : in.entries) Encode(slice, out->add_entries());
}

void Encode(const raft::AppendReply& in, raftpb::RaftMessage* message) {
  auto* out = message->mutable_append_reply();
  out->set_session(in.session);
  out->set_round(in.round);
  if (const auto* accept = std::get_if<raft::AppendAccept>(&in.result)) {
    out->mutable_accept()->set_match_index(accept->match_index.value());
    out->mutable_accept()->set_commit_index(accept->commit_index.value());
  } else {
    const auto& reject = std::get<raft::AppendReject>(in.result);
    out->mutable_reject()->set_prev_index(reject.prev_index.value());
    Encode(reject.hint, out->mutable_reject()->mutable_hint());
  }
}

void Encode(const raft::HeartbeatRequest& in, raftpb::RaftMessage* message) {
  auto* out = message->mutable_heartbeat_request();
  out->set_session(in.session);
  out->set_round(in.round);
  if (in.rest_at != raft::LogId()) Encode(in.rest_at, out->mutable_rest_at());
}

void Encode(const raft::HeartbeatReply& in, raftpb::RaftMessage* message) {
  auto* out = message->mutable_heartbeat_reply();
  out->set_session(in.session);
  out->set_round(in.round);
  out->set_commit_index(in.commit_index.value());
}

void Encode(const raft::TimeoutNow& in, raftpb::RaftMessage* message) {
  Encode(in.last_log, message->mutable_timeout_now()->mutable_last_log());
}

void Encode(const raft::ReadRequest& in, raftpb::RaftMessage* message) {
  message->mutable_read_request()->set_request(in.request);
}

void Encode(const raft::ReadReply& in, raftpb::RaftMessage* message) {
  auto* out = message->mutable_read_reply();
  out->set_request(in.request);
  out->set_index(in.index.value());
}

void Encode(const raft::SnapshotRequest& in, raftpb::RaftMessage* message) {
  auto* out = message->mutable_snapshot_request();
  out->set_session(in.session);
  out->set_round(in.round);
  INVARIANT(in.chunk != nullptr);
  const raft::SnapshotChunk& chunk = *in.chunk;
  INVARIANT(chunk.data.size() <= kSnapshotDataBytesMax) << chunk.data.size();
  raftpb::SnapshotChunk* to = out->mutable_chunk();
  to->set_id(chunk.id.value());
  Encode(chunk.base.last, to->mutable_base()->mutable_last());
  Encode(chunk.base.conf, to->mutable_base()->mutable_conf());
  to->set_number(chunk.number);
  to->set_last(chunk.last);
  to->set_checksum(chunk.checksum);
  to->set_data(chunk.data);
}

void Encode(const raft::SnapshotReply& in, raftpb::RaftMessage* message) {
  auto* out = message->mutable_snapshot_reply();
  out->set_session(in.session);
  out->set_round(in.round);
  out->set_id(in.id.value());
  out->set_next_chunk(in.next_chunk);
}

// ---- Decoding those that can be senseless. `term` is the sender's.

absl::Status Decode(const raftpb::AppendRequest& in, Term term, raft::Body* out) {
  raft::AppendRequest append{.session = in.session(),
                             .round = in.round(),
                             .prev = Decode(in.prev()),
                             .commit_index = Index(in.commit_index()),
                             .accept_unanswered = in.accept_unanswered(),
                             .entries = {}};
  if (append.accept_unanswered && in.entries_size() > 0) {
    return Bad("entries that want no answer");
  }
  raft::LogId last = append.prev;
  for (const raftpb::EntryRun& run : in.entries()) {
    if (absl::Status s = DecodeRun(run, &last, &append.entries); !s.ok()) return s;
  }
  if (last.term > term) return Bad("entries of a later term than their sender's");
  *out = std::move(append);
  return absl::OkStatus();
}

absl::Status Decode(const raftpb::AppendReply& in, raft::Body* out) {
  raft::AppendReply reply{in.session(), in.round(), {}};
  if (in.has_accept()) {
    reply.result =
        raft::AppendAccept{Index(in.accept().match_index()), Index(in.accept().commit_index())};
  } else if (in.has_reject()) {
    reply.result = raft::AppendReject{Index(in.reject().prev_index()), Decode(in.reject().hint())};
  } else {
    return Bad("an append reply without a result");
  }
  *out = reply;
  return absl::OkStatus();
}

absl::Status Decode(const raftpb::HeartbeatRequest& in, Term term, raft::Body* out) {
  raft::HeartbeatRequest heartbeat{in.session(), in.round(), Decode(in.rest_at())};
  if (in.has_rest_at() && !IsEntry(heartbeat.rest_at, term)) {
    return Bad("a rest at a position that its sender cannot have");
  }
  *out = heartbeat;
  return absl::OkStatus();
}

absl::Status Decode(const raftpb::TimeoutNow& in, Term term, raft::Body* out) {
  const raft::TimeoutNow timeout{Decode(in.last_log())};
  if (timeout.last_log != raft::LogId() && !IsEntry(timeout.last_log, term)) {
    return Bad("a call to campaign with a log that its sender cannot have");
  }
  *out = timeout;
  return absl::OkStatus();
}

absl::Status TakeSnapshot(raftpb::SnapshotRequest* in, Term term, raft::Body* out) {
  if (!in->has_chunk()) return Bad("a snapshot without a piece of it");
  raftpb::SnapshotChunk* from = in->mutable_chunk();
  if (from->id() == 0) return Bad("a snapshot without an id");
  if (from->data().size() > kSnapshotDataBytesMax)
    return Bad("a snapshot's piece that is too large");
  auto chunk = std::make_shared<raft::SnapshotChunk>();
  chunk->id = raft::SnapshotId(from->id());
  chunk->base.last = Decode(from->base().last());
  if (!IsEntry(chunk->base.last, term)) {
    return Bad("a snapshot of a position that its sender cannot have");
  }
  if (absl::Status s = Decode(from->base().conf(), &chunk->base.conf); !s.ok()) return s;
  chunk->number = from->number();
  chunk->last = from->last();
  chunk->checksum = from->checksum();
  chunk->data = std::move(*from->mutable_data());
  *out = raft::SnapshotRequest{in->session(), in->round(), std::move(chunk)};
  return absl::OkStatus();
}

absl::Status Decode(const raftpb::SnapshotReply& in, raft::Body* out) {
  if (in.id() == 0) return Bad("a snapshot's answer without its id");
  *out = raft::SnapshotReply{in.session(), in.round(), raft::SnapshotId(in.id()), in.next_chunk()};
  return absl::OkStatus();
}

absl::Status TakeBody(raftpb::RaftMessage* in, raft::Body* out) {
  const Term term(in->term());
  switch (in->body_case()) {
    case raftpb::RaftMessage::kPreVoteRequest:
      *out = raft::PreVoteRequest{Term(in->pre_vote_request().campaign_term()),
                                  Decode(in->pre_vote_request().last_log())};
      return absl::OkStatus();
    case raftpb::RaftMessage::kPreVoteReply:
      *out = raft::PreVoteReply{Term(in->pre_vote_reply().campaign_term()),
                                in->pre_vote_reply().granted()};
      return absl::OkStatus();
    case raftpb::RaftMessage::kVoteRequest:
      *out = raft::VoteRequest{Decode(in->vote_request().last_log()),
                               in->vote_request().leadership_transfer()};
      return absl::OkStatus();
    case raftpb::RaftMessage::kVoteReply:
      *out = raft::VoteReply{in->vote_reply().granted()};
      return absl::OkStatus();
    case raftpb::RaftMessage::kAppendRequest:
      return Decode(in->append_request(), term, out);
    case raftpb::RaftMessage::kAppendReply:
      return Decode(in->append_reply(), out);
    case raftpb::RaftMessage::kHeartbeatRequest:
      return Decode(in->heartbeat_request(), term, out);
    case raftpb::RaftMessage::kHeartbeatReply:
      *out = raft::HeartbeatReply{in->heartbeat_reply().session(), in->heartbeat_reply().round(),
                                  Index(in->heartbeat_reply().commit_index())};
      return absl::OkStatus();
    case raftpb::RaftMessage::kTimeoutNow:
      return Decode(in->timeout_now(), term, out);
    case raftpb::RaftMessage::kReadRequest:
      *out = raft::ReadRequest{in->read_request().request()};
      return absl::OkStatus();
    case raftpb::RaftMessage::kReadReply:
      *out = raft::ReadReply{in->read_reply().request(), Index(in->read_reply().index())};
      return absl::OkStatus();
    case raftpb::RaftMessage::kSnapshotRequest:
      return TakeSnapshot(in->mutable_snapshot_request(), term, out);
    case raftpb::RaftMessage::kSnapshotReply:
      return Decode(in->snapshot_reply(), out);
    case raftpb::RaftMessage::BODY_NOT_SET:
      break;
  }
  return Bad("a Raft message of an unknown kind");
}

}  // namespace

void EncodeEnvelope(const store::RaftEnvelope& in, raftpb::RaftMessage* out) {
  out->set_region_id(in.region.value());
  EncodeEpoch(in.epoch, out->mutable_region_epoch());
  out->mutable_from_peer()->set_id(in.message.from.value());
  out->mutable_to_peer()->set_id(in.message.to.value());
  out->set_term(in.message.term.value());
  out->set_from_incarnation(in.message.from_incarnation.value());
  out->set_to_incarnation(in.message.to_incarnation.value());
  std::visit([out](const auto& body) { Encode(body, out); }, in.message.body);
}

absl::Status TakeEnvelope(raftpb::RaftMessage* in, store::RaftEnvelope* out) {
  if (in->region_id() == 0) return Bad("a Raft message without a region");
  if (!in->has_region_epoch()) return Bad("a Raft message without a region epoch");
  if (in->from_peer().id() == 0 || in->to_peer().id() == 0) {
    return Bad("a Raft message without its peers");
  }
  out->region = RegionId(in->region_id());
  out->epoch = DecodeEpoch(in->region_epoch());
  out->message.from = PeerId(in->from_peer().id());
  out->message.to = PeerId(in->to_peer().id());
  out->message.term = Term(in->term());
  out->message.from_incarnation = Incarnation(in->from_incarnation());
  out->message.to_incarnation = Incarnation(in->to_incarnation());
  return TakeBody(in, &out->message.body);
}

size_t PayloadBytes(const store::RaftEnvelope& envelope) {
  const raft::Body& body = envelope.message.body;
  if (const auto* append = std::get_if<raft::AppendRequest>(&body)) {
    size_t bytes = 0;
    for (const raft::EntrySlice& slice : append->entries) {
      bytes += slice.bytes() + slice.size() * kEntryBytes;
    }
    return bytes;
  }
  if (const auto* snapshot = std::get_if<raft::SnapshotRequest>(&body)) {
    return snapshot->chunk->data.size() + SizeOf(snapshot->chunk->base.conf);
  }
  return 0;
}

}  // namespace flaredb::net
