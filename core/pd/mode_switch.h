// SPDX-License-Identifier: Apache-2.0
// How a namespace changes its consistency mode while it is in use.
//
//              start                    step
//   kStrong ----------> kToEventual ----------> kEventual
//      ^                     |                   |     ^
//      | step         cancel |             start |     | cancel
//      |                     v                   v     |
//      +------------- kToStrongFence <------- kToStrongDrain
//                                      step
//
// Stores and regions act on the state that they have heard of, each at its own time; so a step is
// taken when all of them have reported that they reached the state before. Two of them are then
// never more than one state apart, and of two such states at most one lets writes in (the
// two-version rule of F1, Rae et al. 2013).
//
//   kStrong         compare-and-swap, linearizable reads
//   kToEventual     neither mode writes. Every region writes a fence into its log: from there on it
//                   refuses strong operations.
//   kEventual       raw writes, accepted by any store
//   kToStrongDrain  neither mode writes. Every store ships the raw writes that it accepted.
//   kToStrongFence  neither mode writes. Every region writes a fence: from there on it refuses raw
//                   writes, however late they come.
//
// A cancel waits for nobody, since it leads towards where the slowest may still be. On the way to
// eventual it has to fence again, because some regions may refuse strong operations by now; on the
// way to strong, before the fence, nothing needs to be undone. After it there is nothing to wait
// for but regions, so it is carried through.
#ifndef FLAREDB_CORE_PD_MODE_SWITCH_H_
#define FLAREDB_CORE_PD_MODE_SWITCH_H_

#include <cstdint>
#include <optional>

#include "core/kv/mode.h"

namespace flaredb::pd {

using kv::Mode;

enum class ModeState : uint8_t {
  kStrong = 1,
  kToEventual = 2,
  kEventual = 3,
  kToStrongDrain = 4,
  kToStrongFence = 5,
};

constexpr ModeState StableState(Mode mode) {
  return mode == Mode::kStrong ? ModeState::kStrong : ModeState::kEventual;
}

constexpr bool IsStable(ModeState state) {
  return state == ModeState::kStrong || state == ModeState::kEventual;
}

// The mode that a namespace has, or is on its way to.
constexpr Mode TargetOf(ModeState state) {
  const bool eventual = state == ModeState::kEventual || state == ModeState::kToEventual;
  return eventual ? Mode::kEventual : Mode::kStrong;
}

// The arrows above. Nullopt: there is none.
constexpr std::optional<ModeState> AfterStart(ModeState state) {
  if (state == ModeState::kStrong) return ModeState::kToEventual;
  if (state == ModeState::kEventual) return ModeState::kToStrongDrain;
  return std::nullopt;
}

constexpr std::optional<ModeState> AfterStep(ModeState state) {
  if (state == ModeState::kToEventual) return ModeState::kEventual;
  if (state == ModeState::kToStrongDrain) return ModeState::kToStrongFence;
  if (state == ModeState::kToStrongFence) return ModeState::kStrong;
  return std::nullopt;
}

constexpr std::optional<ModeState> AfterCancel(ModeState state) {
  if (state == ModeState::kToEventual) return ModeState::kToStrongFence;
  if (state == ModeState::kToStrongDrain) return ModeState::kEventual;
  return std::nullopt;
}

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_MODE_SWITCH_H_
