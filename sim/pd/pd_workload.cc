// SPDX-License-Identifier: Apache-2.0
#include "sim/pd/pd_workload.h"

#include <algorithm>
#include <variant>

#include "core/pd/reply.h"

namespace flaredb::sim {
namespace {

// Two stores found clusters, each its own.
constexpr uint64_t kFounders = 2;

Region FirstRegion(StoreId founder) {
  return {RegionId(1), "", "", {1, 1}, {{PeerId(1), founder}}};
}

}  // namespace

PdWorkload::PdWorkload() : story_(FirstRegion(StoreId(1))) {}

MachineOp PdWorkload::Next(ClientChoices* choices) {
  const std::string object(pd::kObject);
  if (choices->Chance(25)) return {object, EncodeQuery(NextQuery(choices)), true};
  if (!founded_ || choices->Chance(3)) return {object, EncodeCommand(Founding(choices))};
  return {object, EncodeCommand(NextCommand(choices))};
}

void PdWorkload::OnAnswer(std::string_view answer) {
  const auto reply = pd::DecodeReply(answer);
  if (!reply.ok()) return;
  const auto* refused = std::get_if<pd::Refused>(&*reply);
  founded_ = founded_ || refused == nullptr || refused->reason == pd::Refusal::kBootstrapped;
  if (const auto* store = std::get_if<pd::StoreInfo>(&*reply)) {
    revision_ = std::max(revision_, store->changed);
  } else if (const auto* ns = std::get_if<pd::Namespace>(&*reply)) {
    revision_ = std::max(revision_, ns->changed);
    epochs_[ns->name] = std::max(epochs_[ns->name], ns->mode_epoch);
  } else if (const auto* view = std::get_if<pd::ClusterView>(&*reply)) {
    revision_ = std::max(revision_, view->revision);
  }
}

pd::Bootstrap PdWorkload::Founding(ClientChoices* choices) {
  const uint64_t founder = 1 + choices->Pick(kFounders);
  pd::Bootstrap founding{pd::ClusterId(100 + founder), {}, {FirstRegion(StoreId(founder))}};
  founding.store = {StoreId(founder), {7, founder}, "s" + std::to_string(founder) + ":1", 1};
  if (choices->Chance(10)) founding.regions.clear();
  return founding;
}

pd::StoreDescriptor PdWorkload::Store(ClientChoices* choices) {
  const uint64_t id = 1 + choices->Pick(RegionStory::kStores);
  const uint64_t disk = choices->Chance(90) ? id : 1 + choices->Pick(RegionStory::kStores);
  const uint64_t host = choices->Chance(80) ? id : 1 + choices->Pick(RegionStory::kStores + 2);
  pd::StoreDescriptor store{
      StoreId(id), {7, disk}, "s" + std::to_string(host) + ":1", 1 + choices->Pick(2)};
  if (choices->Chance(3)) store.id = StoreId(uint64_t{1} << 40);
  if (choices->Chance(3)) store.address = "nowhere";
  return store;
}

std::string PdWorkload::Name(ClientChoices* choices) {
  static const char* const kNames[] = {"default", "logs", "log", "metrics", "a/b", ""};
  return kNames[choices->Chance(95) ? choices->Pick(4) : 4 + choices->Pick(2)];
}

std::string PdWorkload::Key(ClientChoices* choices) {
  if (choices->Chance(20)) return "";
  return std::string(1, static_cast<char>(RegionStory::kFirstKey - 1 + choices->Pick(10)));
}

pd::Revision PdWorkload::Seen(ClientChoices* choices) {
  return choices->Chance(70) ? revision_ : pd::Revision(choices->Pick(revision_.value() + 2));
}

pd::ModeEpoch PdWorkload::Epoch(const std::string& name, ClientChoices* choices) {
  const pd::ModeEpoch known = epochs_[name];
  return choices->Chance(80) ? known : pd::ModeEpoch(choices->Pick(known.value() + 2));
}

pd::Command PdWorkload::NextCommand(ClientChoices* choices) {
  const std::string name = Name(choices);
  const pd::Mode mode = choices->Chance(50) ? pd::Mode::kStrong : pd::Mode::kEventual;
  switch (choices->Pick(12)) {
    case 0:
    case 1:
    case 2:
      return pd::PutRegion{story_.Report(choices)};
    case 3:
    case 4:
      return pd::PutStore{Store(choices), Seen(choices)};
    case 5:
    case 6:
      return pd::SetStoreState{StoreId(1 + choices->Pick(RegionStory::kStores)),
                               pd::StoreState{static_cast<uint8_t>(1 + choices->Pick(5))},
                               Seen(choices)};
    case 7:
      return pd::AllocateIds{choices->Chance(90) ? 1 + choices->Pick(4) : choices->Pick(2) * 1025};
    case 8:
      if (choices->Chance(50)) return pd::EnsureNamespace{name, std::nullopt};
      return pd::EnsureNamespace{name, mode};
    case 9:
      return pd::StartModeSwitch{name, mode, Epoch(name, choices)};
    case 10:
      return pd::CancelModeSwitch{name, Epoch(name, choices)};
    default:
      return pd::AdvanceModeSwitch{name, Epoch(name, choices)};
  }
}

pd::Query PdWorkload::NextQuery(ClientChoices* choices) {
  switch (choices->Pick(5)) {
    case 0:
      return pd::GetCluster{Seen(choices)};
    case 1:
      return pd::GetRegion{Key(choices)};
    case 2:
      return pd::ScanRegions{Key(choices), Key(choices), 1 + choices->Pick(5)};
    case 3:
      return pd::GetNamespace{Name(choices)};
    default:
      return pd::ListNamespaces{choices->Chance(50) ? "" : "log", Name(choices),
                                1 + choices->Pick(3)};
  }
}

}  // namespace flaredb::sim
