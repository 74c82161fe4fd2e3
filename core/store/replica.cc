// SPDX-License-Identifier: Apache-2.0
#include "core/store/replica.h"

#include <iterator>
#include <string>
#include <utility>

#include "core/base/check.h"

namespace flaredb::store {
namespace {

PeerId PeerIdOn(StoreId store, const Region& region) {
  const Peer* peer = region.PeerOn(store);
  INVARIANT(peer != nullptr) << "region " << region.id << " has no peer on store " << store;
  return peer->id;
}

}  // namespace

Replica::Replica(const Options& options, StoreId store, RecoveredRegion recovered, Rng rng,
                 Instant now)
    : block_bytes_max_(options.raft.append_bytes_max),
      machine_(recovered.region, recovered.applied),
      raft_(options.raft, PeerIdOn(store, recovered.region), std::move(recovered.raft), rng, now),
      term_(raft_.term()) {}

void Replica::OnMessage(const TurnContext& turn, raft::Message message, ReplicaOutput* output) {
  raft_.OnMessage(turn.now, std::move(message), &effects_);
  Drain(turn, output);
}

void Replica::OnPersisted(const TurnContext& turn, IoToken token, ReplicaOutput* output) {
  raft_.OnPersisted(turn.now, token, &effects_);
  Drain(turn, output);
}

void Replica::OnFetched(const TurnContext& turn, uint64_t fetch_id, raft::EntrySlices entries,
                        ReplicaOutput* output) {
  raft_.OnFetched(turn.now, fetch_id, std::move(entries), &effects_);
  Drain(turn, output);
}

void Replica::OnDeadline(const TurnContext& turn, ReplicaOutput* output) {
  raft_.OnDeadline(turn.now, &effects_);
  Drain(turn, output);
}

void Replica::Propose(const TurnContext& turn, absl::Span<const QueuedWrite> writes,
                      ReplicaOutput* output) {
  while (!writes.empty()) {
    size_t count = 0;
    size_t bytes = 0;
    while (count < writes.size() && (count == 0 || bytes < block_bytes_max_)) {
      bytes += std::visit([](const auto& c) { return c.key.size(); }, writes[count].command);
      if (const auto* swap = std::get_if<kv::CompareAndSwap>(&writes[count].command)) {
        bytes += swap->value.size();
      }
      ++count;
    }
    ProposeBlock(turn, writes.first(count), output);
    writes.remove_prefix(count);
  }
}

void Replica::ProposeBlock(const TurnContext& turn, absl::Span<const QueuedWrite> writes,
                           ReplicaOutput* output) {
  std::vector<std::string> payloads;
  std::vector<raft::NewEntry> entries;
  payloads.reserve(writes.size());
  entries.reserve(writes.size());
  for (const QueuedWrite& write : writes) {
    payloads.push_back(EncodeRegionCommand({region().epoch, write.command}));
    entries.push_back({raft::EntryKind::kCommand, payloads.back()});
  }
  const raft::ProposeResult result =
      raft_.Propose(turn.now, raft::EntryBlock::Create(entries), &effects_);
  if (const auto* proposed = std::get_if<raft::Proposed>(&result)) {
    for (size_t i = 0; i < writes.size(); ++i) {
      writes_.push_back({proposed->first_index + i, proposed->term, writes[i].call});
    }
  } else {
    auto& turned_away =
        std::holds_alternative<raft::Busy>(result) ? output->refused : output->displaced;
    for (const QueuedWrite& write : writes) turned_away.push_back(write.call);
  }
  Drain(turn, output);
}

void Replica::Read(const TurnContext& turn, std::vector<CallKey> reads, ReplicaOutput* output) {
  const raft::ReadResult result = raft_.Read(turn.now, &effects_);
  if (const auto* id = std::get_if<ReadId>(&result)) {
    reads_.emplace(*id, std::move(reads));
  } else {
    output->interrupted.insert(output->interrupted.end(), reads.begin(), reads.end());
  }
  Drain(turn, output);
}

void Replica::Drain(const TurnContext& turn, ReplicaOutput* output) {
  std::move(effects_.sends.begin(), effects_.sends.end(), std::back_inserter(output->sends));
  std::move(effects_.fetches.begin(), effects_.fetches.end(), std::back_inserter(output->fetches));
  for (raft::Persist& persist : effects_.persists) {
    turn.commit->log.push_back({region().id, Incarnation(), std::move(persist)});
  }
  for (const raft::Apply& apply : effects_.applies) ApplyEntries(turn, apply.entries, output);
  for (const raft::ReadOutcome& read : effects_.reads) {
    auto node = reads_.extract(read.id);
    INVARIANT(!node.empty());
    if (read.granted) {
      granted_.push_back({read.index, std::move(node.mapped())});
    } else {
      output->interrupted.insert(output->interrupted.end(), node.mapped().begin(),
                                 node.mapped().end());
    }
  }
  if (effects_.role_change.has_value()) {
    const raft::RoleChange& change = *effects_.role_change;
    // Its entries are no longer this replica's to answer for.
    if (change.role != raft::Role::kLeader || change.term != term_) InterruptAll(output);
    output->leader_changed |= change.leader != leader_ || change.term != term_;
    leader_ = change.leader;
    term_ = change.term;
  }
  effects_.Clear();
  while (!granted_.empty() && granted_.front().index <= applied_index()) {
    output->readable.insert(output->readable.end(), granted_.front().calls.begin(),
                            granted_.front().calls.end());
    granted_.pop_front();
  }
  if (poisoned()) {
    InterruptAll(output);
    for (auto& [id, calls] : reads_) {
      output->interrupted.insert(output->interrupted.end(), calls.begin(), calls.end());
    }
    reads_.clear();
  }
}

void Replica::ApplyEntries(const TurnContext& turn, const raft::EntrySlices& entries,
                           ReplicaOutput* output) {
  WriteBatch batch;
  for (const raft::EntrySlice& slice : entries) {
    for (uint32_t i = 0; i < slice.size() && output->failure.ok(); ++i) {
      const raft::EntryView entry = slice.at(i);
      absl::StatusOr<ApplyReply> reply = machine_.Apply(entry, *turn.data, &batch);
      if (!reply.ok()) {
        output->failure = reply.status();
        return;
      }
      // The next entry, and every reader, must see it before the disk does.
      turn.data->Add(turn.commit->token, batch);
      std::move(batch.mutations.begin(), batch.mutations.end(),
                std::back_inserter(turn.commit->data.mutations));
      batch.Clear();

      if (writes_.empty() || writes_.front().index != entry.index) continue;
      if (writes_.front().term == entry.term) {
        output->applied.emplace_back(writes_.front().call, *std::move(reply));
      } else {
        output->displaced.push_back(writes_.front().call);
      }
      writes_.pop_front();
    }
  }
}

void Replica::InterruptAll(ReplicaOutput* output) {
  for (const WaitingWrite& write : writes_) output->interrupted.push_back(write.call);
  writes_.clear();
}

StoreId Replica::leader_store() const {
  const Peer* peer = region().PeerOf(leader_);
  return peer != nullptr ? peer->store : StoreId();
}

PeerView Replica::view() const {
  PeerView view;
  view.region = region().id;
  view.raft = raft_.view();
  view.peer = view.raft.id;
  view.applied_index = applied_index();
  view.poison = raft_.poison();
  view.poisoned = poisoned();
  return view;
}

}  // namespace flaredb::store
