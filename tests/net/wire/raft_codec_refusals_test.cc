// SPDX-License-Identifier: Apache-2.0
// What a broken or newer store could send. Each case spoils one thing of a good message.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/kv/namespace_state.h"
#include "core/raft/membership.h"
#include "net/wire/raft_codec.h"
#include "net/wire/raft_message_codec.h"
#include "proto/raftpb.pb.h"

namespace flaredb::net {
namespace {

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
    const auto carried = static_cast<size_t>(batch_.messages_size() + batch_.requests_size() +
                                             batch_.replies_size() + batch_.removed_peers_size() +
                                             batch_.beats_size());
    EXPECT_EQ(messages.size(), status.ok() ? 1 + carried : 1u);
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

TEST_F(RefusedMessage, ForwardedCommandOnANamespaceThatIsNone) {
  batch_.add_requests()->set_region_id(1);
  for (const char* bytes : {"", "\1", "\1\4\7"}) {
    batch_.mutable_requests(0)->set_namespace_command(bytes);
    EXPECT_EQ(Reason(), "a forwarded command on a namespace that cannot be decoded");
  }
}
TEST_F(RefusedMessage, ForwardedCommandThatMergesNothing) {
  batch_.add_requests()->set_region_id(1);
  batch_.mutable_requests(0)->set_namespace_command(std::string("\1\1\7\4\0", 5));
  EXPECT_EQ(Reason(), "a forwarded command on a namespace that cannot be decoded");
}
TEST_F(RefusedMessage, HeldRowsThatNobodyReads) {
  raftpb::ForwardedRequest* request = batch_.add_requests();
  request->set_region_id(1);
  request->mutable_get()->set_namespace_id(7);
  raftpb::HeldRow* row = request->add_held();
  row->set_hlc(5);
  row->set_origin_store(1);
  EXPECT_EQ(Reason(), "held rows with an operation that does not read them");
  request->mutable_scan()->set_namespace_id(7);
  EXPECT_EQ(Reason(), "held rows with an operation that does not read them");
  request->mutable_scan()->set_eventual(true);
  EXPECT_EQ(Reason(), "");
  request->mutable_query();
  EXPECT_EQ(Reason(), "held rows with an operation that does not read them");
}
TEST_F(RefusedMessage, UnseenIndexThatNobodyMinds) {
  raftpb::ForwardedRequest* request = batch_.add_requests();
  request->set_region_id(1);
  request->set_unseen_index(5);
  request->mutable_get()->set_namespace_id(7);
  EXPECT_EQ(Reason(), "an unseen index with an operation that need not show it");
  request->mutable_get()->set_eventual(true);
  EXPECT_EQ(Reason(), "");
}
TEST_F(RefusedMessage, HeldRowsThatNoStoreMakes) {
  raftpb::ForwardedRequest* request = batch_.add_requests();
  request->set_region_id(1);
  request->mutable_get()->set_namespace_id(7);
  request->mutable_get()->set_eventual(true);
  raftpb::HeldRow* row = request->add_held();
  row->set_hlc(5);
  EXPECT_EQ(Reason(), "a held row that nobody stamped");
  row->set_origin_store(1);
  EXPECT_EQ(Reason(), "");
  row->clear_hlc();
  EXPECT_EQ(Reason(), "a held row that nobody stamped");
  row->set_hlc(5);
  row->set_deleted(true);
  EXPECT_EQ(Reason(), "");
  row->set_value("v");
  EXPECT_EQ(Reason(), "a held row that is deleted and has a value");
  row->set_deleted(false);
  *request->add_held() = request->held(0);
  EXPECT_EQ(Reason(), "held rows out of order");
  request->mutable_held(1)->set_key("k");
  EXPECT_EQ(Reason(), "");
}
TEST_F(RefusedMessage, ForwardedReplyAboutNoMode) {
  batch_.add_replies()->mutable_error()->set_code(raftpb::StoreError::NAMESPACE_MODE);
  EXPECT_EQ(Reason(), "a forwarded reply about a mode that does not say which");
  batch_.mutable_replies(0)->mutable_error()->mutable_namespace_mode();
  EXPECT_EQ(Reason(), "");
}
TEST_F(RefusedMessage, ForwardedReplyWithAnUnreadableState) {
  batch_.add_replies()->mutable_namespace_reply()->set_admitted(true);
  EXPECT_EQ(Reason(), "");
  batch_.mutable_replies(0)->mutable_namespace_reply()->set_states("\1\1");
  EXPECT_EQ(Reason(), "a forwarded reply with a state that cannot be decoded");
}
TEST_F(RefusedMessage, ForwardedReplyWithStatesOfSeveralNamespaces) {
  kv::NamespaceState state;
  state.floors.collected_hlc = kv::Hlc(5);
  batch_.add_replies()->mutable_namespace_reply()->set_admitted(true);
  for (const kv::NamespaceStates& states : std::vector<kv::NamespaceStates>{
           {}, {{kv::NamespaceId{1}, state}, {kv::NamespaceId{2}, state}}}) {
    batch_.mutable_replies(0)->mutable_namespace_reply()->set_states(
        kv::EncodeNamespaceStates(states));
    EXPECT_EQ(Reason(), "a forwarded reply with a state that cannot be decoded");
  }
}
TEST_F(RefusedMessage, ForwardedReplyAboutNoFence) {
  batch_.add_replies()->mutable_namespace_reply();
  EXPECT_EQ(Reason(), "a forwarded reply about a fence that is not there");
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

}  // namespace
}  // namespace flaredb::net
