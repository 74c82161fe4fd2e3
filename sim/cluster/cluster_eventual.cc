// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/cluster.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/kv/key.h"
#include "core/store/outbox.h"

namespace flaredb::sim {
namespace {

// When a run begins, by everybody who has the right time.
constexpr int64_t kBeginMs = 1'700'000'000'000;

}  // namespace

// Now and then somebody sets the clock just before it is read.
uint64_t Cluster::UnixMs(uint32_t id) {
  Node& node = nodes_[id];
  const EventualProfile& eventual = profile_.eventual;
  Choices& choices = world_->choices;
  const bool wanders = !placement_ || !healed_;
  if (wanders && choices.Chance(Choice::kWallClock, eventual.wall_jump_ppm, id) &&
      world_->faults.Fires(Fault::kWallJump, id)) {
    world_->faults.Mattered(Fault::kWallJump);
    const auto max = static_cast<int64_t>(eventual.wall_jump_ms);
    node.wall_ms += static_cast<int64_t>(
                        choices.Between(Choice::kWallClock, 0, 2 * eventual.wall_jump_ms, id)) -
                    max;
  }
  const int64_t elapsed = (world_->now() - Instant()).milliseconds();
  return static_cast<uint64_t>(std::max<int64_t>(kBeginMs + elapsed + node.wall_ms, 1));
}

void Cluster::Tell(uint32_t id, const store::NamespaceChanged& change) {
  Node& node = nodes_[id];
  if (!node.store || node.paused) return;
  node.inbox.push_back(change);
  Notify(id);
}

void Cluster::TellTime(uint32_t id) {
  Node& node = nodes_[id];
  if (!node.store || node.paused) return;
  node.inbox.push_back(store::WallClock{UnixMs(id)});
  Notify(id);
}

std::optional<store::EventualView> Cluster::Report(uint32_t id, kv::NamespaceId ns) const {
  const Node& node = nodes_[id];
  if (!node.store || node.paused) return std::nullopt;
  store::EventualView view = node.store->eventual(ns);
  for (const env::GroupCommit& commit : node.disk.unfinished()) {
    for (const Mutation& mutation : commit.data.mutations) {
      if (!mutation.value && store::IsOutboxRow(mutation.key)) ++view.rows;
    }
  }
  return view;
}

std::map<std::string, store::OutboxRow> Cluster::OutboxOf(uint32_t id) const {
  absl::StatusOr<store::RecoveredOutbox> outbox =
      store::RecoverOutbox(StoreId(id + 1), nodes_[id].disk.image());
  INVARIANT(outbox.ok()) << outbox.status();
  return std::move(outbox->rows);
}

// Whether the store may say this now; otherwise the run has failed.
//   READ  who is sure to lead has committed what anybody else has. Eventual namespaces promise less
//   ACK   of a write that is accepted the disk has the row, or a later one of the key
//   HLC   its time comes after all that the store has told before, in earlier lives, too; after the
//         base of the fence, and not before what may have been collected
bool Cluster::MayAnswer(uint32_t id, const Node::Call& call, const store::Reply& reply) {
  Node& node = nodes_[id];
  if (const auto* accepted = std::get_if<store::AcceptedReply>(&reply.result)) {
    const auto rows = OutboxOf(id);
    const auto row = rows.find(call.row);
    if (row == rows.end() || row->second.row.hlc < accepted->hlc) {
      FailSafety("ACK", Names::Store(id) + " tells a client that it has accepted a write at time " +
                            std::to_string(accepted->hlc.value()) +
                            ", but its disk does not have it.");
      return false;
    }
    if (call.closed && call.closed == WhyClosed(id)) {
      FailSafety("PLACE", Names::Store(id) +
                              " accepts a write, but knew that it was being drained, or was given "
                              "up, when the call came.");
      return false;
    }
    if (accepted->hlc <= node.acknowledged) {
      FailSafety("HLC", Names::Store(id) + " accepts a write at time " +
                            std::to_string(accepted->hlc.value()) +
                            ", but has accepted one before at time " +
                            std::to_string(node.acknowledged.value()) + ".");
      return false;
    }
    const Commits& commits = checkers().commits();
    const kv::NamespaceState state =
        commits.model().StateAt(kv::DecodeKey(call.row)->ns, commits.last());
    const kv::Hlc base = state.fence ? state.fence->base_hlc : kv::Hlc();
    if (accepted->hlc <= base || accepted->hlc < state.floors.collected_hlc) {
      FailSafety("HLC", Names::Store(id) + " accepts a write at time " +
                            std::to_string(accepted->hlc.value()) +
                            ", but by the log records of before its fence count as of time " +
                            std::to_string(base.value()) + ", and all before time " +
                            std::to_string(state.floors.collected_hlc.value()) + " was applied.");
      return false;
    }
    node.acknowledged = accepted->hlc;
    return true;
  }
  const bool answers = !std::holds_alternative<store::Error>(reply.result);
  if (call.eventual || !answers || reply.applied_index >= call.committed) return true;
  FailSafety("READ", Names::Store(id) + " answers a call by the state at index " +
                         std::to_string(reply.applied_index.value()) + ", but index " +
                         std::to_string(call.committed.value()) +
                         " was committed when the call came.");
  return false;
}

}  // namespace flaredb::sim
