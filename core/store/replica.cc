// SPDX-License-Identifier: Apache-2.0
#include "core/store/replica.h"

#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/probe.h"
#include "core/store/errors.h"

namespace flaredb::store {
namespace {

// A mismatch comes with the value that is there.
void AddReply(CallKey call, ApplyReply reply, size_t value_bytes_max, ReplicaOutput* output) {
  const auto* write = std::get_if<kv::WriteReply>(&reply);
  const size_t bytes = write == nullptr ? 0 : write->value.size();
  if (bytes > 0 && output->value_bytes >= value_bytes_max) {
    output->crowded_out.push_back(call);
    return;
  }
  output->value_bytes += bytes;
  output->applied.emplace_back(call, std::move(reply));
}

}  // namespace

Replica::Replica(const Options& options, RecoveredRegion recovered, Rng rng, Instant now)
    : options_(options),
      peer_(recovered.peer),
      machine_(std::move(recovered.region), recovered.applied, options.machine,
               std::move(recovered.namespaces)),
      raft_(options.raft, peer_, std::move(recovered.raft), rng, now),
      term_(raft_.term()) {}

void Replica::OnMessage(const TurnContext& turn, StoreId from, raft::Message message,
                        ReplicaOutput* output) {
  if (!conf().Find(message.from).store && region().PeerOf(message.from) == nullptr) {
    acquaintances_[message.from] = from;
  }
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

std::string Replica::OnOrder(const TurnContext& turn, const Order& order, ReplicaOutput* output) {
  std::string refusal;
  if (const auto* change = std::get_if<ChangePeers>(&order.what)) {
    refusal = Refusal(*change);
    if (refusal.empty()) {
      const auto result = raft_.ChangeMembers(turn.now, change->changes, &effects_);
      if (const auto* why = std::get_if<raft::ChangeRefusal>(&result)) refusal = Describe(*why);
      if (std::holds_alternative<raft::NotLeader>(result)) {
        refusal = Describe(raft::TransferRefusal::kNotLeader);
      }
    }
  } else if (const auto* transfer = std::get_if<TransferLeader>(&order.what)) {
    const auto why = raft_.TransferLeadership(turn.now, transfer->target, &effects_);
    if (why) refusal = Describe(*why);
  } else if (!raft_.Recover(turn.now, std::get<raft::RecoveryPlan>(order.what), &effects_)) {
    refusal =
        "the plan did not choose this replica, or its log or term has moved since; make a new plan "
        "from what all survivors report now";
  }
  Drain(turn, output);
  return refusal;
}

// What the core cannot know: that a region has one replica on a store at most.
std::string Replica::Refusal(const ChangePeers& order) const {
  for (const raft::MemberChange& change : order.changes) {
    if (change.kind != raft::MemberChange::Kind::kAddLearner) continue;
    if (!change.store) return "a new peer needs a store";
    for (const PeerId peer : conf().Everybody()) {
      if (peer >= change.id) {
        return absl::StrCat("peer ids ascend, and ", peer.value(),
                            " is used already; take a larger one");
      }
      if (conf().Find(peer).store != change.store) continue;
      return absl::StrCat("store ", change.store.value(), " has peer ", peer.value(),
                          " of the region already; remove that first");
    }
    const auto same_store = [&](const raft::MemberChange& other) {
      return other.kind == change.kind && other.store == change.store;
    };
    if (std::count_if(order.changes.begin(), order.changes.end(), same_store) > 1) {
      return absl::StrCat("two new peers cannot share store ", change.store.value());
    }
  }
  return {};
}

void Replica::OnStateDurable(const TurnContext& turn, Index applied, ReplicaOutput* output) {
  if (applied > raft_.base().index + options_.log_entries_max) {
    if (BUGGIFY(kCompactLate)) return;
    raft_.Compact(turn.now, applied - options_.log_entries_max / 2, &effects_);
  } else if (BUGGIFY(kCompactEarly)) {
    raft_.Compact(turn.now, applied, &effects_);
  } else {
    return;
  }
  Drain(turn, output);
}

void Replica::Wake(const TurnContext& turn, ReplicaOutput* output) {
  raft_.Wake(turn.now, &effects_);
  Drain(turn, output);
}

void Replica::OnDiskFailed(const TurnContext& turn, ReplicaOutput* output) {
  raft_.OnDiskFailed(turn.now, &effects_);
  Drain(turn, output);
}

void Replica::Abandon(ReplicaOutput* output) {
  InterruptAll(output);
  const auto interrupt = [&](const std::vector<CallKey>& calls) {
    output->interrupted.insert(output->interrupted.end(), calls.begin(), calls.end());
  };
  for (const auto& [id, calls] : reads_) interrupt(calls);
  reads_.clear();
  InterruptGranted(output);
}

void Replica::Propose(const TurnContext& turn, absl::Span<const QueuedWrite> writes,
                      ReplicaOutput* output) {
  while (!writes.empty()) {
    std::vector<std::string> payloads;
    size_t bytes = 0;
    while (
        payloads.size() < writes.size() &&
        (payloads.empty() || (bytes < options_.raft.append_bytes_max && !BUGGIFY(kSplitBatch)))) {
      const Command& command = writes[payloads.size()].command;
      payloads.push_back(EncodeRegionCommand({region().epoch, command}));
      bytes += payloads.back().size();
    }
    ProposeBlock(turn, writes.first(payloads.size()), payloads, output);
    writes.remove_prefix(payloads.size());
  }
}

void Replica::ProposeBlock(const TurnContext& turn, absl::Span<const QueuedWrite> writes,
                           absl::Span<const std::string> payloads, ReplicaOutput* output) {
  std::vector<raft::NewEntry> entries;
  entries.reserve(payloads.size());
  for (const std::string& payload : payloads) {
    entries.push_back({raft::EntryKind::kCommand, payload});
  }
  const raft::ProposeResult result =
      raft_.Propose(turn.now, raft::EntryBlock::Create(entries), &effects_);
  if (const auto* proposed = std::get_if<raft::Proposed>(&result)) {
    for (size_t i = 0; i < writes.size(); ++i) {
      writes_.push_back({proposed->first_index + i, proposed->term, writes[i].call});
    }
  } else {
    SOMETIMES(kWriteTooLate, std::holds_alternative<raft::NotLeader>(result));
    auto& turned_away =
        std::holds_alternative<raft::Busy>(result) ? output->refused : output->displaced;
    for (const QueuedWrite& write : writes) turned_away.push_back(write.call);
  }
  Drain(turn, output);
}

void Replica::Read(const TurnContext& turn, std::vector<CallKey> reads, ReplicaOutput* output) {
  const raft::ReadResult result =
      raft_.Read(turn.now, &effects_,
                 options_.lease_reads ? raft::ReadMode::kLease : raft::ReadMode::kReadIndex);
  if (const auto* id = std::get_if<ReadId>(&result)) {
    reads_.emplace(*id, std::move(reads));
  } else {
    output->interrupted.insert(output->interrupted.end(), reads.begin(), reads.end());
  }
  Drain(turn, output);
}

// Carrying out one thing may make the core want the next.
void Replica::Drain(const TurnContext& turn, ReplicaOutput* output) {
  do {
    std::swap(effects_, carried_);
    CarryOut(turn, &carried_, output);
    carried_.Clear();
  } while (!effects_.empty() && output->failure.ok());
  while (!granted_.empty() && granted_.front().index <= applied_index()) {
    output->readable.insert(output->readable.end(), granted_.front().calls.begin(),
                            granted_.front().calls.end());
    granted_.pop_front();
  }
  SOMETIMES(kReadWaitsForApply, !granted_.empty());
  if (poisoned()) {
    Abandon(output);
    snapshots_ = ReplicaSnapshots();
  }
}

void Replica::CarryOut(const TurnContext& turn, raft::Effects* effects, ReplicaOutput* output) {
  std::move(effects->sends.begin(), effects->sends.end(), std::back_inserter(output->sends));
  std::move(effects->fetches.begin(), effects->fetches.end(), std::back_inserter(output->fetches));
  for (const raft::Apply& apply : effects->applies) ApplyEntries(turn, apply.entries, output);
  for (const raft::SnapshotEffect& effect : effects->snapshots) {
    output->failure.Update(CarryOut(turn, effect));
  }
  for (raft::Persist& persist : effects->persists) {
    if (persist.install) output->failure.Update(Install(turn, persist.base->last, output));
    turn.commit->log.push_back({region().id, Incarnation(), std::move(persist), false});
  }
  for (const raft::ReadOutcome& read : effects->reads) {
    auto node = reads_.extract(read.id);
    INVARIANT(!node.empty());
    if (read.granted) {
      granted_.push_back({read.index, std::move(node.mapped())});
    } else {
      output->interrupted.insert(output->interrupted.end(), node.mapped().begin(),
                                 node.mapped().end());
    }
  }
  if (effects->role_change) NoteRole(*effects->role_change, output);
}

void Replica::NoteRole(const raft::RoleChange& change, ReplicaOutput* output) {
  // Its entries are no longer this replica's to answer for.
  if (change.role != raft::Role::kLeader || change.term != term_) InterruptAll(output);
  // What a leader of before granted is part of every later history, unless that was recovered by
  // force: then its index may never come, or mean something else.
  if (change.term != term_) InterruptGranted(output);
  output->leader_changed |= change.leader != leader_ || change.term != term_;
  leader_ = change.leader;
  term_ = change.term;
}

absl::Status Replica::CarryOut(const TurnContext& turn, const raft::SnapshotEffect& effect) {
  if (const auto* take = std::get_if<raft::TakeSnapshot>(&effect)) {
    const absl::StatusOr<Index> index = snapshots_.Take(take->id, region().id, *turn.durable);
    if (!index.ok()) return index.status();
    raft_.OnSnapshotTaken(turn.now, take->id, *index, &effects_);
  } else if (const auto* read = std::get_if<raft::ReadSnapshot>(&effect)) {
    absl::StatusOr<SnapshotPiece> piece = snapshots_.Read(*read);
    if (!piece.ok()) return piece.status();
    raft_.OnSnapshotRead(turn.now, read->id, read->number, std::move(piece->bytes), piece->last,
                         &effects_);
  } else if (const auto* drop = std::get_if<raft::DropSnapshot>(&effect)) {
    snapshots_.Drop(drop->id);
  } else if (const auto* stage = std::get_if<raft::StageSnapshot>(&effect)) {
    return snapshots_.Stage(*stage->chunk);
  } else {
    snapshots_.Unstage();
  }
  return absl::OkStatus();
}

// The state becomes the snapshot's, in the same commit as the log that continues it.
absl::Status Replica::Install(const TurnContext& turn, raft::LogId applied, ReplicaOutput* output) {
  Region region = machine_.region();
  kv::NamespaceStates namespaces = machine_.namespaces();
  WriteBatch batch;
  absl::Status status =
      snapshots_.stage()->Finish(*turn.data, applied, &region, &namespaces, &batch);
  if (!status.ok()) return status;
  machine_ = RegionMachine(std::move(region), applied, options_.machine, std::move(namespaces));
  turn.data->Add(turn.commit->token, batch);
  std::move(batch.mutations.begin(), batch.mutations.end(),
            std::back_inserter(turn.commit->data.mutations));
  output->region_replaced = true;
  return absl::OkStatus();
}

void Replica::ApplyEntries(const TurnContext& turn, const raft::EntrySlices& entries,
                           ReplicaOutput* output) {
  WriteBatch batch;
  for (const raft::EntrySlice& slice : entries) {
    for (uint32_t i = 0; i < slice.size() && output->failure.ok(); ++i) {
      const raft::EntryView entry = slice.at(i);
      const bool changes_peers = entry.kind == raft::EntryKind::kConf;
      const Region before = changes_peers ? region() : Region();
      absl::StatusOr<ApplyReply> reply = machine_.Apply(entry, *turn.data, &batch);
      if (!reply.ok()) {
        output->failure = reply.status();
        return;
      }
      if (changes_peers) NoteRemovals(before, output);
      // The next entry, and every reader, must see it before the disk does.
      turn.data->Add(turn.commit->token, batch);
      std::move(batch.mutations.begin(), batch.mutations.end(),
                std::back_inserter(turn.commit->data.mutations));
      batch.Clear();

      if (writes_.empty() || writes_.front().index != entry.index) continue;
      if (writes_.front().term == entry.term) {
        AddReply(writes_.front().call, *std::move(reply), options_.read_bytes_max, output);
      } else {
        output->displaced.push_back(writes_.front().call);
      }
      writes_.pop_front();
    }
  }
}

// A configuration from before this replica joined does not name it either; only one that leaves it
// out after one that had it ends its life.
void Replica::NoteRemovals(const Region& before, ReplicaOutput* output) {
  for (const Peer& peer : before.peers) {
    if (region().PeerOf(peer.id) != nullptr) continue;
    output->removed.push_back(peer);
    output->excluded |= peer.id == peer_;
  }
}

void Replica::InterruptGranted(ReplicaOutput* output) {
  for (const GrantedRead& read : granted_) {
    output->interrupted.insert(output->interrupted.end(), read.calls.begin(), read.calls.end());
  }
  granted_.clear();
}

void Replica::InterruptAll(ReplicaOutput* output) {
  for (const WaitingWrite& write : writes_) output->interrupted.push_back(write.call);
  writes_.clear();
}

bool Replica::WasMemberBefore(uint64_t conf_version) const {
  return region().PeerOf(peer_) != nullptr && region().epoch.conf_version < conf_version;
}

bool Replica::IsLeftAlone(Instant now) const {
  return !is_leader() && !resting() && !conf().IsVoter(peer_) && now >= raft_.view().promised_until;
}

StoreId Replica::leader_store() const { return leader_ ? StoreOf(leader_) : StoreId(); }

StoreId Replica::StoreOf(PeerId peer) const {
  if (const StoreId store = conf().Find(peer).store) return store;
  if (const Peer* known = region().PeerOf(peer)) return known->store;
  const auto acquaintance = acquaintances_.find(peer);
  return acquaintance != acquaintances_.end() ? acquaintance->second : StoreId();
}

PeerView Replica::view(Instant now) const {
  PeerView view;
  view.region = region().id;
  view.raft = raft_.view();
  view.raft.lease_valid = raft_.HoldsLease(now);
  view.peer = view.raft.id;
  view.applied_index = applied_index();
  view.waiting_writes = writes_.size();
  for (const auto& [id, calls] : reads_) view.waiting_reads += calls.size();
  for (const GrantedRead& read : granted_) view.waiting_reads += read.calls.size();
  view.poison = raft_.poison();
  view.poisoned = poisoned();
  return view;
}

void Replica::Show(CallKey call, CallView* view) const {
  const auto has = [&](const std::vector<CallKey>& calls) {
    return std::find(calls.begin(), calls.end(), call) != calls.end();
  };
  for (const WaitingWrite& write : writes_) {
    if (write.call == call) view->step = CallStep::kProposed, view->index = write.index;
  }
  for (const auto& [id, calls] : reads_) {
    if (has(calls)) view->step = CallStep::kReadAsked;
  }
  for (const GrantedRead& read : granted_) {
    if (has(read.calls)) view->step = CallStep::kReadAt, view->index = read.index;
  }
}

}  // namespace flaredb::store
