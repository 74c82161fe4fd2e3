// SPDX-License-Identifier: Apache-2.0
#include "net/server/mode_wish.h"

namespace flaredb::net {

pd::Command CommandOf(const ModeWish& wish, pd::ModeEpoch at) {
  if (!wish.mode) return pd::CancelModeSwitch{wish.name, at};
  return pd::StartModeSwitch{wish.name, *wish.mode, at};
}

std::variant<pd::ModeState, pd::Refused> Foresee(const ModeWish& wish, const pd::Namespace& ns) {
  if (!wish.mode) {
    const bool other = wish.seen && wish.seen != ns.mode_epoch;
    if (other || pd::IsStable(ns.state)) return ns.state;
    const std::optional<pd::ModeState> next = pd::AfterCancel(ns.state);
    if (!next) return pd::Refused{pd::Refusal::kTooLate};
    return *next;
  }
  if (pd::TargetOf(ns.state) == *wish.mode) return ns.state;
  if (wish.seen && wish.seen != ns.mode_epoch) {
    return pd::Refused{pd::Refusal::kModeChanged, ns.mode_epoch.value()};
  }
  const std::optional<pd::ModeState> next = pd::AfterStart(ns.state);
  if (!next) return pd::Refused{pd::Refusal::kOtherSwitch};
  return *next;
}

std::string WaitsFor(pd::ModeState state) {
  switch (state) {
    case pd::ModeState::kStrong:
    case pd::ModeState::kEventual:
      return "";
    case pd::ModeState::kToEventual:
      return "every region of it to refuse strong operations from a common point on";
    case pd::ModeState::kToStrongDrain:
      return "every store to hand over the writes to it that it has accepted";
    case pd::ModeState::kToStrongFence:
      return "every region of it to refuse eventual writes from a common point on";
  }
  return "";
}

}  // namespace flaredb::net
