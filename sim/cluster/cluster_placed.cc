// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/check.h"
#include "core/cluster/directory.h"
#include "core/store/outbox.h"
#include "core/store/recovery.h"
#include "sim/cluster/cluster.h"
#include "sim/world/recorder.h"
#include "sim/world/sentence.h"

namespace flaredb::sim {
namespace {

cluster::Directory DirectoryIn(const DiskImage::Rows& rows) {
  const auto row = rows.find(cluster::kDirectoryRowKey);
  if (row == rows.end()) return cluster::Directory();
  absl::StatusOr<cluster::Directory> directory = cluster::DecodeDirectory(row->second);
  INVARIANT(directory.ok()) << directory.status();
  return *std::move(directory);
}

}  // namespace

// As production begins: the first store founds the cluster, and all others ask to join.
void Cluster::Found() {
  const std::vector<Region> founding = store::FoundingRegions(StoreId(1));
  pd_spec_ = std::make_unique<PdSpec>(&pd_machine_);
  Watch(founding[0], "", nullptr);
  Watch(founding[1], "in the placement driver's region: ", pd_spec_.get());
  for (uint32_t id = 0; id < size(); ++id) {
    store::Options& options = nodes_[id].options;
    options.machine = &pd_machine_;
    options.cluster->address = DescriptorOf(id).address;
    options.cluster->feature_level = DescriptorOf(id).feature_level;
  }
  PlacementWatch::Sight sight;
  sight.rows_of = [this](uint32_t id, kv::NamespaceId ns) { return RowsOf(id, ns); };
  sight.directory_of = [this](uint32_t id) { return DirectoryIn(nodes_[id].disk.image().rows()); };
  placement_ = std::make_unique<PlacementWatch>(regions_[1].get(), regions_[0].get(),
                                                profile_.store.cluster->driver.replicas,
                                                std::move(sight), &world_->report);
}

pd::StoreDescriptor Cluster::DescriptorOf(uint32_t id) const {
  return {StoreId(id + 1), InstanceOf(id), "n" + std::to_string(id + 1) + ":1", 1};
}

env::GroupCommit Cluster::FirstRows(uint32_t id) {
  const store::Identity identity{kClusterId, StoreId(id + 1), InstanceOf(id)};
  if (id != 0) return store::Bootstrap(identity);
  std::vector<store::FirstReplica> replicas;
  for (const auto& region : regions_) {
    replicas.push_back(
        {region->region, Incarnation(world_->choices.Seed(Choice::kIncarnation, id) + 1)});
  }
  return store::Bootstrap(identity, replicas);
}

void Cluster::Join(uint32_t id) {
  Node& node = nodes_[id];
  if (std::exchange(node.joined, true)) return;
  node.disk.Format(FirstRows(id));
  StartStore(id);
}

bool Cluster::MayLose(uint32_t id) const {
  return present(id) && std::all_of(regions_.begin(), regions_.end(),
                                    [&](const auto& region) { return region->losses.MayLose(id); });
}

void Cluster::Lose(uint32_t id, bool stops) {
  for (auto& region : regions_) region->losses.Lose(id, stops);
  if (stops) Crash(id, {Fault::kCount, Duration()});
}

void Cluster::Retire(uint32_t id) {
  nodes_[id].retired = true;
  Crash(id, {Fault::kCount, Duration()});
}

bool Cluster::present(uint32_t id) const {
  return nodes_[id].joined && !nodes_[id].retired && !losses().left_out(id);
}

size_t Cluster::RowsOf(uint32_t id, kv::NamespaceId ns) const {
  size_t rows = nodes_[id].store ? nodes_[id].store->eventual(ns).rows : 0;
  size_t on_disk = 0;
  for (const auto& [row, what] : OutboxOf(id)) on_disk += kv::DecodeKey(row)->ns == ns ? 1 : 0;
  return std::max(rows, on_disk);
}

// A store has connections to the members that it knows of; one that has heard nothing yet was told
// of all when it joined.
bool Cluster::Reaches(uint32_t id, StoreId to) const {
  if (!placement_) return true;
  const cluster::Directory& directory = *nodes_[id].store->directory();
  const pd::StoreInfo* known = directory.Find(to);
  return !directory.revision() || (known != nullptr && pd::IsMember(*known));
}

// Nobody listens to a store that was given up: it is told so, over and over.
bool Cluster::TurnsAway(const Packet& packet) {
  if (!placement_ || !std::holds_alternative<store::StoreMessage>(packet.body)) return false;
  const cluster::Directory& directory = *nodes_[packet.to].store->directory();
  const pd::StoreInfo* sender = directory.Find(StoreId(packet.from + 1));
  if (sender == nullptr || pd::IsMember(*sender)) return false;
  network_->Send({packet.to, packet.from, store::Expelled{}});
  return true;
}

// What it knows itself of whether it may accept writes to eventual namespaces; absent: it may.
std::optional<pd::StoreInfo> Cluster::WhyClosed(uint32_t id) const {
  if (!placement_) return std::nullopt;
  const pd::StoreInfo* self = nodes_[id].store->directory()->Find(StoreId(id + 1));
  if (self == nullptr || self->state == pd::StoreState::kUp) return std::nullopt;
  return *self;
}

void Cluster::WatchPlacement(uint32_t id) {
  if (!placement_ || world_->report.failed()) return;
  placement_->Follow();
  for (const store::Send& send : effects_.sends) {
    if (const auto* call = std::get_if<cluster::RollCall>(&send.message)) {
      placement_->OnCall(id, *call);
    }
  }
}

void Cluster::WatchDirectory(uint32_t id) {
  if (!placement_) return;
  Node& node = nodes_[id];
  const DiskImage::Rows& rows = node.disk.image().rows();
  const auto row = rows.find(cluster::kDirectoryRowKey);
  if (row == rows.end() || row->second == node.directory_row) return;
  node.directory_row = row->second;
  cluster::Directory now = DirectoryIn(rows);
  placement_->OnDirectory(id, node.directory, now);
  node.directory = std::move(now);
}

std::optional<std::string> Cluster::Unplaced() const {
  if (!placement_) return std::nullopt;
  const pd::ClusterView& view = placement_->view();
  if (!view.revision) return "the cluster is not founded";
  size_t up = 0;
  for (const pd::StoreInfo& store : view.stores) {
    const auto id = static_cast<uint32_t>(store.id.value() - 1);
    up += store.state == pd::StoreState::kUp ? 1 : 0;
    if (store.state == pd::StoreState::kDraining) return Names::Store(id) + " is being drained";
    if (!pd::IsMember(store)) continue;
    if (!nodes_[id].store) return Names::Store(id) + ", a member, does not run";
    const store::Store& member = *nodes_[id].store;
    if (!member.waiting().empty()) {
      return Names::Store(id) + " waits, by what it was told: " + member.waiting().front();
    }
    const cluster::Directory& directory = *member.directory();
    if (directory.revision() != view.revision) {
      return Sentence(Names::Store(id), " has the directory of revision ", directory.revision(),
                      " of ", view.revision);
    }
    for (const store::PeerView& peer : member.peers()) {
      const RegionWatch& region = *regions_[peer.region == regions_[0]->region.id ? 0 : 1];
      // Whoever is no voter, as far as it knows, asks nobody and stays (docs/RAFT.md).
      const bool asks = peer.raft.conf.IsVoter(peer.peer);
      if (!asks || region.checkers.commits().confs().back().conf.IsMember(peer.peer)) continue;
      return Sentence(Names::Store(id), " holds peer ", peer.peer, " of region ", peer.region,
                      ", which is no member any more");
    }
  }
  for (const pd::Namespace& ns : view.namespaces) {
    if (!pd::IsStable(ns.state)) return "the mode of " + ns.name + " is still changing";
  }
  for (const auto& region : regions_) {
    const raft::ConfState& conf = region->checkers.commits().confs().back().conf;
    const std::string which = Sentence("region ", region->region.id);
    const size_t wanted = std::min(up, profile_.store.cluster->driver.replicas);
    if (conf.joint() || conf.voters.size() != wanted || !conf.learners.empty()) {
      return Sentence(which, " is on ", region->checkers.names().Tell(conf), ", but is to have ",
                      wanted, " voters");
    }
    for (const raft::Member& member : conf.members) {
      const auto at = std::find_if(view.stores.begin(), view.stores.end(),
                                   [&](const auto& store) { return store.id == member.store; });
      if (at != view.stores.end() && at->state == pd::StoreState::kUp) continue;
      return Sentence(which, " has a member on store ", member.store, ", which is not up");
    }
  }
  return std::nullopt;
}

}  // namespace flaredb::sim
