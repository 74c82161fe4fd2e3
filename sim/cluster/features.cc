// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/features.h"

#include <algorithm>
#include <variant>

#include "sim/invariants/raft_message.h"

namespace flaredb::sim {
namespace {

bool IsTransfer(const store::Send& send) {
  const raft::Message* message = RaftMessageIn(send);
  return message != nullptr && std::holds_alternative<raft::TimeoutNow>(message->body);
}

// Or a command of a machine, which takes more than a turn as well.
bool IsRead(const store::CallReply& reply) {
  return std::holds_alternative<MachineReply>(reply.reply.result) ||
         std::holds_alternative<store::GetReply>(reply.reply.result) ||
         std::holds_alternative<store::ScanReply>(reply.reply.result);
}

}  // namespace

void Features::AddTurn(absl::Span<const store::Event> events, const raft::View& before,
                       const raft::View& after, const store::Effects& effects) {
  if (effects.commit) {
    for (const env::LogWrite& write : effects.commit->log) {
      created += static_cast<bool>(write.create);
      destroyed += write.destroy;
      snapshots += write.persist.install;
      compactions += write.persist.base != nullptr && !write.persist.install;
    }
  }
  for (const store::Send& send : effects.sends) transfers += IsTransfer(send);
  if (after.role != raft::Role::kLeader) return;
  rests += after.resting && !before.resting;
  if (after.conf.voters.size() == 1 && !after.conf.joint()) return;
  // A round of contact takes more than the turn in which the call came.
  const auto came_now = [&](store::CallId id) {
    return std::any_of(events.begin(), events.end(), [&](const store::Event& event) {
      const auto* call = std::get_if<store::ClientCall>(&event);
      return call != nullptr && call->id == id;
    });
  };
  for (const store::CallReply& reply : effects.replies) {
    leases += IsRead(reply) && came_now(reply.id);
  }
}

void Features::AddConfs(const std::vector<raft::ConfAt>& confs) {
  for (size_t i = 1; i < confs.size(); ++i) {
    const raft::ConfState& before = confs[i - 1].conf;
    const raft::ConfState& after = confs[i].conf;
    if (after.voters == before.voters && after.voters_outgoing == before.voters_outgoing &&
        after.learners == before.learners) {
      continue;  // Only pins somebody's life.
    }
    ++changes;
    joint_phases += after.joint();
  }
}

Features& Features::operator+=(const Features& other) {
  changes += other.changes;
  joint_phases += other.joint_phases;
  created += other.created;
  destroyed += other.destroyed;
  snapshots += other.snapshots;
  compactions += other.compactions;
  transfers += other.transfers;
  leases += other.leases;
  rests += other.rests;
  return *this;
}

}  // namespace flaredb::sim
