// SPDX-License-Identifier: Apache-2.0
#include "sim/world/trace_hash.h"

#include <string>
#include <variant>

#include "core/pd/reply.h"
#include "core/raft/membership.h"
#include "core/region/region.h"
#include "sim/world/overloaded.h"

namespace flaredb::sim {
namespace {

void Feed(Hasher* hash, const store::RaftEnvelope& e) {
  hash->Add(e.region).Add(e.epoch.conf_version).Add(e.epoch.version);
  raft::HashInto(e.message, hash);
}

void Feed(Hasher* hash, const store::ForwardedRequest& r) {
  hash->Add(r.id).Add(r.region).Add(r.unseen);
  AddTo(hash, r.request);
  for (const kv::LwwRow& row : r.held) {
    hash->Add(row.key).Add(row.value).Add(row.deleted).Add(row.hlc).Add(row.origin);
  }
}

void Feed(Hasher* hash, const store::ForwardedReply& r) {
  hash->Add(r.id);
  AddTo(hash, r.reply);
}

void Feed(Hasher* hash, const store::PeerRemoved& m) {
  hash->Add(m.region).Add(m.peer).Add(m.conf_version);
}

void Feed(Hasher* hash, const store::StoreBeat& m) {
  hash->Add(m.life).Add(m.dead.size());
  for (const RegionId region : m.dead) hash->Add(region);
}

void Feed(Hasher* hash, const cluster::RollCall& m) {
  hash->Add(m.term).Add(m.round).Add(EncodeRegion(m.pd)).Add(m.clock);
  hash->Add(pd::EncodeReply(m.view)).Add(m.orders.size());
  for (const cluster::RegionOrder& order : m.orders) {
    hash->Add(order.region).Add(order.epoch.conf_version).Add(order.epoch.version);
    hash->Add(order.what.index());
    if (const auto* move = std::get_if<cluster::MoveLeader>(&order.what)) {
      hash->Add(move->target);
      continue;
    }
    const auto& changes = std::get<cluster::ChangeMembers>(order.what).changes;
    hash->Add(changes.size());
    for (const raft::MemberChange& change : changes) {
      hash->Add(static_cast<uint64_t>(change.kind)).Add(change.id).Add(change.store);
    }
  }
  hash->Add(m.waiting.size());
  for (const std::string& sentence : m.waiting) hash->Add(sentence);
}

void Feed(Hasher* hash, const cluster::RollAnswer& m) {
  hash->Add(m.term).Add(m.round).Add(m.instance.hi).Add(m.instance.lo).Add(m.known).Add(m.clock);
  hash->Add(m.regions.size());
  for (const cluster::RegionReport& report : m.regions) {
    hash->Add(EncodeRegion(report.info.region)).Add(report.info.term).Add(report.info.leader);
    hash->Add(raft::EncodeConfState(report.conf)).Add(report.changing);
    hash->Add(report.behind.size());
    for (const PeerId peer : report.behind) hash->Add(peer);
  }
  hash->Add(m.namespaces.size());
  for (const cluster::NamespaceReport& report : m.namespaces) {
    hash->Add(static_cast<uint64_t>(report.ns)).Add(report.mode_epoch);
    hash->Add(report.unshipped).Add(report.watermark);
  }
  hash->Add(m.refusals.size());
  for (const cluster::OrderRefusal& refusal : m.refusals) {
    hash->Add(refusal.region).Add(refusal.why);
  }
}

}  // namespace

void AddTo(Hasher* hash, const store::StoreMessage& message) {
  hash->Add(message.index());
  std::visit([hash](const auto& m) { Feed(hash, m); }, message);
}

void AddTo(Hasher* hash, const store::Request& request) {
  hash->Add(static_cast<uint64_t>(request.budget.nanoseconds())).Add(request.operation.index());
  std::visit(
      Overloaded{
          [&](const store::GetRequest& r) { hash->Add(r.key).Add(static_cast<uint64_t>(r.mode)); },
          [&](const store::ScanRequest& r) {
            hash->Add(r.begin).Add(r.end).Add(r.rows_max).Add(r.bytes_max);
            hash->Add(r.keys_only).Add(static_cast<uint64_t>(r.mode));
          },
          [&](const kv::CompareAndSwap& r) {
            hash->Add(r.key).Add(r.value).Add(r.expected).Add(r.retry.id.client_lo);
            hash->Add(r.retry.id.seq).Add(r.retry.seen_index);
          },
          [&](const kv::CompareAndDelete& r) {
            hash->Add(r.key).Add(r.expected).Add(r.retry.id.client_lo);
            hash->Add(r.retry.id.seq).Add(r.retry.seen_index);
          },
          [&](const store::ExecuteRequest& r) { hash->Add(r.object).Add(r.command); },
          [&](const store::QueryRequest& r) { hash->Add(r.object).Add(r.query); },
          [&](const store::RawWriteRequest& r) {
            hash->Add(r.key).Add(r.value.has_value()).Add(r.value.value_or(""));
          },
          [&](const kv::NamespaceCommand& r) { hash->Add(kv::EncodeNamespaceCommand(r)); },
      },
      request.operation);
}

void AddTo(Hasher* hash, const store::Reply& reply) {
  hash->Add(reply.applied_index).Add(reply.result.index());
  std::visit(Overloaded{
                 [&](const store::GetReply& r) {
                   hash->Add(r.found.has_value());
                   if (r.found) {
                     hash->Add(r.found->version).Add(r.found->value).Add(r.found->hlc);
                   }
                 },
                 [&](const store::ScanReply& r) {
                   hash->Add(r.page.rows.size()).Add(r.page.next_key);
                   for (const kv::ScanRow& row : r.page.rows) {
                     hash->Add(row.key).Add(row.version).Add(row.value).Add(row.hlc);
                   }
                 },
                 [&](const kv::WriteReply& r) {
                   hash->Add(static_cast<uint64_t>(r.result)).Add(r.version).Add(r.value);
                 },
                 [&](const MachineReply& r) { hash->Add(r.bytes).Add(r.index); },
                 [&](const store::AcceptedReply& r) { hash->Add(r.hlc); },
                 [&](const kv::NamespaceReply& r) {
                   hash->Add(r.admitted);
                   hash->Add(r.next);
                 },
                 [&](const store::Error& r) {
                   hash->Add(static_cast<uint64_t>(r.code)).Add(static_cast<uint64_t>(r.outcome));
                   hash->Add(r.leader);
                 },
             },
             reply.result);
}

void AddTo(Hasher* hash, const env::GroupCommit& commit) {
  hash->Add(commit.token).Add(commit.log.size());
  for (const env::LogWrite& write : commit.log) {
    const raft::Persist& p = write.persist;
    hash->Add(write.region).Add(write.create).Add(write.destroy);
    hash->Add(p.token).Add(p.truncate_from).Add(p.hard_state.has_value());
    if (p.hard_state) hash->Add(p.hard_state->term).Add(p.hard_state->vote);
    hash->Add(p.install).Add(p.base != nullptr);
    if (p.base != nullptr) raft::HashInto(*p.base, hash);
    raft::HashInto(p.append, hash);
  }
  hash->Add(commit.data.mutations.size());
  for (const Mutation& mutation : commit.data.mutations) {
    hash->Add(mutation.key).Add(mutation.value.has_value());
    if (mutation.value) hash->Add(*mutation.value);
  }
}

}  // namespace flaredb::sim
