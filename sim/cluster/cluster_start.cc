// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/cluster.h"

#include <algorithm>
#include <utility>

#include "sim/world/describe.h"
#include "sim/world/recorder.h"

namespace flaredb::sim {
namespace {

// Region, peer and store numbers of the same replica differ, so that mixing them up shows.
Region MakeRegion(uint32_t members) {
  Region region;
  region.id = RegionId(1);
  region.epoch = {1, 1};
  for (uint32_t i = 0; i < members; ++i) region.peers.push_back({PeerId(101 + i), StoreId(i + 1)});
  return region;
}

// A clock that jumps is beyond what leases allow for; see Fault::kClockJump.
bool ClocksAreTrusted(const Profile& profile) {
  const std::vector<Fault>& kinds = profile.faults.kinds;
  return profile.store.lease_reads || std::none_of(kinds.begin(), kinds.end(), [](Fault fault) {
           return fault == Fault::kClockJump || fault == Fault::kClockStop;
         });
}

}  // namespace

Cluster::Cluster(World* world, const Profile& profile, SimNetwork* network, MachineSpec* spec,
                 const NewRealDisk& new_real_disk)
    : world_(world),
      profile_(profile),
      network_(network),
      nodes_([&] {
        std::vector<Node> nodes;
        nodes.reserve(profile.stores);
        for (uint32_t i = 0; i < profile.stores; ++i) {
          store::Options& options =
              nodes.emplace_back(world, profile.disk, i, new_real_disk).options;
          options = profile.store;
          if (spec != nullptr) options.machine = &spec->machine();
        }
        return nodes;
      }()),
      last_peer_(MakeRegion(profile.members).peers.back().id) {
  if (profile.placed.active) {
    Found();
  } else {
    Watch(MakeRegion(profile.members), "", spec);
  }
}

// From now on what happens to `region` is checked; a failure begins with `about`.
void Cluster::Watch(const Region& region, std::string about, MachineSpec* spec) {
  regions_.push_back(std::make_unique<RegionWatch>(
      region, Disks(), profile_.store.raft, ClocksAreTrusted(profile_),
      FailureReport(&world_->report, std::move(about)),
      Clocks{[this] { return world_->now(); },
             [this](uint32_t id, Instant local) { return nodes_[id].clock.WhenReads(local); }},
      spec));
}

std::vector<const SimDisk*> Cluster::Disks() const {
  std::vector<const SimDisk*> disks;
  for (const Node& node : nodes_) disks.push_back(&node.disk);
  return disks;
}

void Cluster::Start() {
  for (uint32_t id = 0; id < size(); ++id) {
    Node& node = nodes_[id];
    Choices& choices = world_->choices;
    const Duration offset =
        choices.Between(Choice::kClock, Duration::Seconds(1), Duration::Seconds(100000), id);
    const int64_t wrong = DrawDrift(&choices, Choice::kClock, id, profile_);
    const bool is_wrong = wrong != 0 && world_->faults.Fires(Fault::kClockRate);
    if (is_wrong) {
      world_->faults.Mattered(Fault::kClockRate);
      if (Recorder* recorder = world_->recorder) {
        recorder->NodeEvent(id, "clock", NameOf(Fault::kClockRate));
      }
    }
    node.clock = NodeClock(offset, is_wrong ? wrong : 0);
    const uint64_t skew = profile_.eventual.wall_skew_ms;
    if (skew != 0) {
      node.wall_ms = static_cast<int64_t>(choices.Between(Choice::kWallClock, 0, skew, id));
    }
    if (placement_) {
      if (id == 0) Join(id);
      continue;
    }
    node.joined = true;
    const store::Identity identity{kClusterId, StoreId(id + 1)};
    const Incarnation incarnation(choices.Seed(Choice::kIncarnation, id) + 1);
    node.disk.Format(region().PeerOn(identity.store) != nullptr
                         ? store::Bootstrap(identity, region(), incarnation)
                         : store::Bootstrap(identity));
    StartStore(id);
  }
}

void Cluster::StartStore(uint32_t id) {
  Node& node = nodes_[id];
  ++node.life;
  absl::StatusOr<store::RecoveredStore> recovered =
      store::Recover(node.disk.data(), node.disk.LogStates());
  if (!recovered.ok()) {
    FailSafety("STORE", "the disk of " + Names::Store(id) +
                            " took every write, but the store can't start from it: " +
                            std::string(recovered.status().message()));
    return;
  }
  const std::vector<store::RecoveredRegion> replicas = recovered->regions;
  store::Options options = node.options;
  options.seed = world_->choices.Seed(Choice::kStoreSeed, id);
  if (options.cluster) options.cluster->unix_ms = UnixMs(id);
  world_->acting = id;
  node.store = std::make_unique<store::Store>(options, *std::move(recovered), &node.disk.data(),
                                              node.clock.Read(world_->now()));
  node.paused = false;
  node.wake_at = Instant::Max();
  const std::vector<store::PeerView> views = node.store->peers();
  for (auto& region : regions_) {
    const auto found = std::find_if(
        replicas.begin(), replicas.end(),
        [&](const store::RecoveredRegion& each) { return each.region.id == region->region.id; });
    region->checkers.OnStart(id, node.clock.Read(world_->now()),
                             found != replicas.end() ? &*found : nullptr, region->In(views));
    CheckAllPromises(region.get());
  }
  const store::PeerView* view = data().In(views);
  world_->trace.hash().Add(id).Add(node.life).Add(view != nullptr ? view->applied_index : Index());
  if (world_->trace.on()) {
    world_->trace.Line(world_->now(), Names::Store(id),
                       "START life " + std::to_string(node.life) + ": " +
                           (view != nullptr ? sim::Describe(view->raft) + ", " +
                                                  checkers().names().Tell(view->raft.conf)
                                            : std::string("no replica")));
  }
  if (Recorder* recorder = world_->recorder) {
    recorder->NodeEvent(id, "start", "life " + std::to_string(node.life));
  }
  RecordState(id);
  ArmTimer(id);
}

PeerId Cluster::NewPeer(uint32_t node) {
  ++last_peer_;
  data().checkers.OnNewPeer(last_peer_, StoreId(node + 1));
  return last_peer_;
}

}  // namespace flaredb::sim
