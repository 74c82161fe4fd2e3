// SPDX-License-Identifier: Apache-2.0
#include "bench/three_nodes.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "bench/heap.h"
#include "core/base/check.h"
#include "core/base/rng.h"

namespace flaredb::bench {

using raft::AppendReply;
using raft::AppendRequest;
using raft::Effects;
using raft::EntryBlock;
using raft::EntryBlockRef;
using raft::EntrySlice;
using raft::EntrySlices;
using raft::EntryView;
using raft::HeartbeatReply;
using raft::HeartbeatRequest;
using raft::Message;
using raft::Raft;

ThreeNodes::ThreeNodes(const raft::Config& config) : config_(config) {
  for (uint64_t id = 1; id <= 3; ++id) {
    raft::Recovered recovered;
    recovered.incarnation = Incarnation(id);
    recovered.conf.voters = {PeerId(1), PeerId(2), PeerId(3)};
    replicas_[id - 1] =
        std::make_unique<Raft>(config_, PeerId(id), std::move(recovered), Rng(id), now_);
  }
  now_ = now_ + config.election_timeout;
  replicas_[0]->Campaign(now_, effects(PeerId(1)));
  Settle();
  INVARIANT(replicas_[0]->is_leader() && applied() > 0);
}

void ThreeNodes::Propose(EntryBlockRef block) {
  const auto result = replicas_[0]->Propose(now_, std::move(block), effects(PeerId(1)));
  INVARIANT(std::holds_alternative<raft::Proposed>(result));
}

void ThreeNodes::Settle() {
  bool busy = true;
  while (busy) {
    busy = false;
    for (int replica = 0; replica < 3; ++replica) busy |= CarryOut(replica);
  }
}

bool ThreeNodes::CarryOut(int replica) {
  Effects& effects = effects_[replica];
  if (effects.sends.empty() && effects.persists.empty() && effects.applies.empty()) return false;
  INVARIANT(effects.fetches.empty()) << "more entries are in flight than the window holds";
  for (const raft::Apply& apply : effects.applies) {
    for (const EntrySlice& slice : apply.entries) applied_[replica] += slice.size();
    Look(apply.entries);
  }
  effects.applies.clear();
  effects.role_change.reset();

  if (!effects.persists.empty()) {
    for (const raft::Persist& persist : effects.persists) Look(persist.append);
    const IoToken token = effects.persists.back().token;
    effects.persists.clear();
    replicas_[replica]->OnPersisted(now_, token, &effects);
  }

  in_delivery_.swap(effects.sends);
  for (Message& message : in_delivery_) Deliver(std::move(message));
  in_delivery_.clear();
  return true;
}

void ThreeNodes::Deliver(Message&& message) {
  Calls* calls = nullptr;
  if (const auto* append = std::get_if<AppendRequest>(&message.body)) {
    Look(append->entries);
  } else if (std::holds_alternative<AppendReply>(message.body)) {
    calls = &acks_;
  } else if (std::holds_alternative<HeartbeatRequest>(message.body) ||
             std::holds_alternative<HeartbeatReply>(message.body)) {
    calls = &heartbeats_;
  }

  ++messages_;
  Raft& receiver = *replicas_[message.to.value() - 1];
  Effects* const out = effects(message.to);
  const uint64_t before = MeasureHeap().allocations;
  receiver.OnMessage(now_, std::move(message), out);
  if (calls == nullptr) return;
  ++calls->calls;
  calls->allocations += MeasureHeap().allocations - before;
}

ThreeNodes::Payloads ThreeNodes::WatchProposal(EntryBlockRef block) {
  payloads_ = Payloads();
  watched_ = block.get();  // The leader's log keeps it alive.
  Propose(std::move(block));
  Settle();
  watched_ = nullptr;
  return payloads_;
}

void ThreeNodes::Look(const EntrySlices& entries) {
  if (watched_ == nullptr) return;
  for (const EntrySlice& slice : entries) {
    for (uint32_t i = 0; i < slice.size(); ++i) {
      const EntryView entry = slice.at(i);
      const EntryView own = watched_->at(entry.index - watched_->first_index());
      ++payloads_.seen;
      if (entry.payload.data() != own.payload.data()) ++payloads_.copied;
    }
  }
}

void ThreeNodes::Heartbeat() {
  now_ = std::max(now_, replicas_[0]->next_deadline());
  const uint64_t before = MeasureHeap().allocations;
  replicas_[0]->OnDeadline(now_, effects(PeerId(1)));
  ++heartbeats_.calls;
  heartbeats_.allocations += MeasureHeap().allocations - before;
  Settle();
}

void ThreeNodes::Rest() {
  const auto rests = [](const auto& replica) { return replica->resting(); };
  while (!std::all_of(replicas_.begin(), replicas_.end(), rests)) Heartbeat();
}

uint64_t ThreeNodes::applied() const { return *std::min_element(applied_.begin(), applied_.end()); }

}  // namespace flaredb::bench
