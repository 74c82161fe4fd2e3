// SPDX-License-Identifier: Apache-2.0
#include "net/wire/pd_codec.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/strings.h"
#include "net/wire/error_codec.h"
#include "net/wire/region_codec.h"
#include "proto/errorpb.pb.h"
#include "proto/metapb.pb.h"
#include "proto/modes.pb.h"
#include "proto/pdpb.pb.h"

namespace flaredb::net {
namespace {

absl::StatusCode CodeOf(pd::Refusal reason) {
  switch (reason) {
    case pd::Refusal::kNotBootstrapped:
    case pd::Refusal::kRegionsUnknown:
    case pd::Refusal::kNoRegion:
      return absl::StatusCode::kUnavailable;  // It passes.
    case pd::Refusal::kBadStoreId:
    case pd::Refusal::kBadAddress:
    case pd::Refusal::kBadName:
    case pd::Refusal::kTooManyIds:
      return absl::StatusCode::kInvalidArgument;
    case pd::Refusal::kNoSuchStore:
    case pd::Refusal::kNoSuchNamespace:
      return absl::StatusCode::kNotFound;
    case pd::Refusal::kNotUnderstood:
    case pd::Refusal::kBootstrapped:
    case pd::Refusal::kBadRegions:
    case pd::Refusal::kNoLongerMember:
    case pd::Refusal::kOtherInstance:
    case pd::Refusal::kAddressTaken:
    case pd::Refusal::kStoreChanged:
    case pd::Refusal::kIllegalStep:
    case pd::Refusal::kLastStore:
    case pd::Refusal::kHasReplicas:
    case pd::Refusal::kTooManyNamespaces:
    case pd::Refusal::kModeChanged:
    case pd::Refusal::kOtherSwitch:
    case pd::Refusal::kTooLate:
    case pd::Refusal::kStaleRegion:
      return absl::StatusCode::kFailedPrecondition;
  }
  return absl::StatusCode::kFailedPrecondition;  // Of a newer release.
}

}  // namespace

GrpcStatus StatusOf(const pd::Refused& refused, std::string sentence, std::string_view ns) {
  errorpb::Error detail;
  detail.set_message(std::move(sentence));
  detail.set_outcome(errorpb::NOT_APPLIED);
  if (refused.reason == pd::Refusal::kNoSuchNamespace) {
    detail.mutable_namespace_not_found()->set_namespace_(std::string(ns));
  } else {
    errorpb::PlacementRefused* kind = detail.mutable_placement_refused();
    kind->set_reason(
        static_cast<errorpb::PlacementRefused::Reason>(static_cast<int>(refused.reason)));
    kind->set_about(refused.about);
  }
  return StatusWithDetail(CodeOf(refused.reason), detail.message(), "errorpb.Error",
                          detail.SerializeAsString());
}

std::string_view NameOf(pd::Mode mode) { return mode == pd::Mode::kStrong ? "strong" : "eventual"; }

std::optional<pd::Mode> ParseMode(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const pd::Mode mode : {pd::Mode::kStrong, pd::Mode::kEventual}) {
    if (lower == NameOf(mode)) return mode;
  }
  return std::nullopt;
}

GrpcStatus NoSuchMode(std::string_view text) {
  constexpr size_t kShownMax = 32;
  return InvalidRequest(absl::StrCat("\"", absl::CHexEscape(ToAbsl(text.substr(0, kShownMax))),
                                     text.size() > kShownMax ? "..." : "",
                                     "\" is no mode of a namespace: there are \"strong\" and "
                                     "\"eventual\""));
}

std::string_view NameOf(pd::ModeState state) {
  switch (state) {
    case pd::ModeState::kStrong:
      return "strong";
    case pd::ModeState::kToEventual:
      return "to_eventual";
    case pd::ModeState::kEventual:
      return "eventual";
    case pd::ModeState::kToStrongDrain:
      return "to_strong_drain";
    case pd::ModeState::kToStrongFence:
      return "to_strong_fence";
  }
  return "";
}

pd::Mode PresentMode(pd::ModeState state) {
  const pd::Mode target = pd::TargetOf(state);
  if (pd::IsStable(state)) return target;
  return target == pd::Mode::kStrong ? pd::Mode::kEventual : pd::Mode::kStrong;
}

void EncodeNamespace(const pd::Namespace& ns, raftpb::NamespaceInfo* out) {
  out->set_namespace_(ns.name);
  out->set_mode(std::string(NameOf(PresentMode(ns.state))));
  out->set_from_default(ns.from_default);
  out->set_mode_epoch(ns.mode_epoch.value());
  out->set_state(std::string(NameOf(ns.state)));
  out->set_namespace_id(static_cast<uint32_t>(ns.id));
}

void EncodeStore(const pd::StoreInfo& store, metapb::Store* out) {
  out->set_id(store.id.value());
  out->set_address(store.address);
  out->set_state(static_cast<metapb::StoreState>(static_cast<int>(store.state)));
  out->set_feature_level(store.feature_level);
  out->mutable_instance()->set_hi(store.instance.hi);
  out->mutable_instance()->set_lo(store.instance.lo);
  out->set_changed(store.changed.value());
}

pd::StoreDescriptor DecodeDescriptor(const metapb::Store& store) {
  pd::StoreDescriptor out;
  out.id = StoreId(store.id());
  out.instance = {store.instance().hi(), store.instance().lo()};
  out.address = store.address();
  out.feature_level = store.feature_level();
  return out;
}

std::optional<pd::StoreState> DecodeStoreState(int state) {
  if (state < static_cast<int>(pd::StoreState::kUp) ||
      state > static_cast<int>(pd::StoreState::kDrained)) {
    return std::nullopt;
  }
  return static_cast<pd::StoreState>(state);
}

void EncodeRegionInfo(const pd::RegionInfo& info, pdpb::RegionInfo* out) {
  EncodeRegion(info.region, out->mutable_region());
  out->set_term(info.term.value());
  out->set_leader(info.leader.value());
}

}  // namespace flaredb::net
