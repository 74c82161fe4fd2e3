// SPDX-License-Identifier: Apache-2.0
#include "core/raft/message.h"

#include "core/raft/membership.h"

namespace flaredb::raft {

void HashInto(const LogBase& base, Hasher* hash) {
  hash->Add(base.last.term).Add(base.last.index).Add(EncodeConfState(base.conf));
}

void HashInto(const EntrySlices& entries, Hasher* hash) {
  hash->Add(entries.size());
  for (const EntrySlice& s : entries) {
    hash->Add(s.term()).Add(s.first_index()).Add(s.last_index());
  }
}

namespace {

void Feed(Hasher* hash, LogId id) { hash->Add(id.term).Add(id.index); }

void Feed(Hasher* hash, const PreVoteRequest& m) {
  hash->Add(m.campaign_term);
  Feed(hash, m.last_log);
}

void Feed(Hasher* hash, const PreVoteReply& m) { hash->Add(m.campaign_term).Add(m.granted); }

void Feed(Hasher* hash, const VoteRequest& m) {
  Feed(hash, m.last_log);
  hash->Add(m.leadership_transfer);
}

void Feed(Hasher* hash, const VoteReply& m) { hash->Add(m.granted); }

void Feed(Hasher* hash, const AppendRequest& m) {
  hash->Add(m.session).Add(m.round);
  Feed(hash, m.prev);
  hash->Add(m.commit_index).Add(m.accept_unanswered);
  HashInto(m.entries, hash);
}

void Feed(Hasher* hash, const AppendReply& m) {
  hash->Add(m.session).Add(m.round).Add(m.result.index());
  if (const auto* accept = std::get_if<AppendAccept>(&m.result)) {
    hash->Add(accept->match_index).Add(accept->commit_index);
  } else {
    const auto& reject = std::get<AppendReject>(m.result);
    hash->Add(reject.prev_index);
    Feed(hash, reject.hint);
  }
}

void Feed(Hasher* hash, const HeartbeatRequest& m) {
  hash->Add(m.session).Add(m.round);
  Feed(hash, m.rest_at);
}

void Feed(Hasher* hash, const HeartbeatReply& m) {
  hash->Add(m.session).Add(m.round).Add(m.commit_index);
}

void Feed(Hasher* hash, const TimeoutNow& m) { Feed(hash, m.last_log); }

void Feed(Hasher* hash, const ReadRequest& m) { hash->Add(m.request); }

void Feed(Hasher* hash, const ReadReply& m) { hash->Add(m.request).Add(m.index); }

void Feed(Hasher* hash, const SnapshotRequest& m) {
  hash->Add(m.session).Add(m.round).Add(m.chunk->id);
  HashInto(m.chunk->base, hash);
  hash->Add(m.chunk->number).Add(m.chunk->last).Add(m.chunk->checksum);
}

void Feed(Hasher* hash, const SnapshotReply& m) {
  hash->Add(m.session).Add(m.round).Add(m.id).Add(m.next_chunk);
}

}  // namespace

FLAREDB_DEFINE_VARIANT(Body)

void HashInto(const Message& m, Hasher* hash) {
  hash->Add(m.from).Add(m.to).Add(m.term);
  hash->Add(m.from_incarnation).Add(m.to_incarnation).Add(m.body.index());
  std::visit([hash](const auto& body) { Feed(hash, body); }, m.body);
}

}  // namespace flaredb::raft
