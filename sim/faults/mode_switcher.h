// SPDX-License-Identifier: Apache-2.0
// Somebody who changes the modes of namespaces while they are used, and collects their tombstones.
#ifndef FLAREDB_SIM_FAULTS_MODE_SWITCHER_H_
#define FLAREDB_SIM_FAULTS_MODE_SWITCHER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/kv/hlc.h"
#include "core/kv/mode.h"
#include "core/pd/mode_switch.h"
#include "sim/cluster/cluster.h"
#include "sim/world/network.h"
#include "sim/world/profile.h"
#include "sim/world/world.h"

namespace flaredb::sim {

// Of runs with an EventualProfile. The first becomes eventual as soon as its fence stands, and
// stays so; the second begins strong, and goes to and fro.
inline constexpr kv::NamespaceId kAlwaysEventual{2};
inline constexpr kv::NamespaceId kSwitching{3};

// Takes the steps of core/pd/mode_switch.h. It looks at the cluster from time to time. Every look
// it tells each store that runs and has not heard of the latest state, unless the store is deaf for
// once; now and then one that has heard is told of an earlier state again. What it asks of the
// region goes over the network as a client's calls do, and is asked again when no answer comes. It
// never forgets anything; a store that starts again knows nothing.
//
// A step is taken when every store that was not lost for good has reported the state, and
//   on the way to eventual, and from the drain to strong  the region's fence stands
//   in the drain                                          no store has rows of the namespace
//
// A collection goes on where the last answer says, unless that is lost or another one has begun.
//
// Times, which all stores are told to pass: the base of a fence is above every time that a store
// has reported; tombstones are collected up to the least watermark of all stores.
class ModeSwitcher {
 public:
  // `self` is its endpoint on the network. Everything passed outlives this object.
  ModeSwitcher(World* world, const EventualProfile& profile, Duration election_timeout,
               Cluster* cluster, SimNetwork* network, Endpoint self);

  void Start();
  // On kModes.
  void OnEvent();
  // The answer to one of its calls.
  void Deliver(const Packet& packet);
  // No switch, cancellation or collection from now on, and nobody is deaf. What has begun goes on.
  void Stop() { stopped_ = true; }

  // Every namespace is in one of its modes, and all stores know.
  bool Settled() const;
  // What it waits for, as a clause.
  std::string Describe() const;

 private:
  struct Space {
    kv::NamespaceId ns = kv::NamespaceId::kNone;
    pd::ModeState state = pd::ModeState::kStrong;
    kv::ModeEpoch epoch;
    kv::Hlc base;   // Not before that of the latest fence to eventual.
    kv::Hlc after;  // What stores are to pass.
    bool fenced = false;
    AttemptId call = 0;  // For the fence; zero: none is under way.
    Instant call_until;
    AttemptId collect_call = 0;                 // The latest one.
    kv::CollectTombstones collect;              // That it asks for.
    Instant since;                              // When it came to this state.
    std::vector<store::NamespaceChanged> told;  // Of the states before.
  };

  void Look(Space* space);
  void TellAll(const Space& space);
  store::NamespaceChanged News(const Space& space) const;
  void Enter(Space* space, pd::ModeState state);
  // Above every time that a store reports now.
  void RaiseBase(Space* space);
  bool Ready(const Space& space) const;
  bool NeedsFence(const Space& space) const;
  // A store holds rows and has no member, by which to send them.
  bool Stalled(const Space& space) const;
  // Asks for the fence, each time with a base of its own: the first that is applied stands.
  void Fence(Space* space);
  void Collect(Space* space);
  void OnCollected(Space* space, const kv::NamespaceReply& reply);
  AttemptId Call(kv::NamespaceCommand command);
  bool Chance(uint64_t ppm) { return world_->choices.Chance(Choice::kEventual, ppm, kOwner); }

  static constexpr uint32_t kOwner = Choices::kOwnersMax - 1;

  World* world_;
  const EventualProfile& profile_;
  const Duration timeout_;
  Cluster* cluster_;
  SimNetwork* network_;
  const Endpoint self_;
  std::array<Space, 2> spaces_;
  AttemptId last_call_ = 0;
  bool stopped_ = false;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_FAULTS_MODE_SWITCHER_H_
