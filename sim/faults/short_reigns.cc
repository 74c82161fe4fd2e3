// SPDX-License-Identifier: Apache-2.0
#include "sim/faults/short_reigns.h"

namespace flaredb::sim {

void ShortReigns::End() {
  if (on_ > 0 && --on_ == 0) EndReign();
}

std::optional<Death> ShortReigns::CrashAfterTurn(uint32_t node, Moments moments) {
  if (on_ == 0) return std::nullopt;
  if (moments & Bit(Moment::kElected)) BeginReign(node);
  if (leader_ != node || (moments & fatal_) == 0) return std::nullopt;
  if (skip_ > 0) {
    --skip_;
    return std::nullopt;
  }
  EndReign();
  return Death{
      Fault::kShortReigns,
      world_->choices.Between(Choice::kFaultLength, election_timeout_ / 20, election_timeout_ * 3)};
}

void ShortReigns::BeginReign(uint32_t node) {
  EndReign();
  constexpr Moment kFatal[] = {Moment::kElected, Moment::kWroteLog, Moment::kSentAppend,
                               Moment::kCommitted, Moment::kCommitted};
  leader_ = node;
  fatal_ = Bit(world_->choices.OneOf(Choice::kFaultTarget, kFatal));
  skip_ = static_cast<uint32_t>(world_->choices.Pick(Choice::kFaultTarget, 4));
  if (fatal_ == Bit(Moment::kElected)) skip_ = 0;
  if (!world_->choices.Chance(Choice::kFaultTarget, 500000)) return;
  const auto reached = static_cast<uint32_t>(world_->choices.Pick(Choice::kFaultTarget, stores_));
  for (uint32_t other = 0; other < stores_; ++other) {
    if (other != node && other != reached) cuts_.push_back({node, other});
  }
  for (const auto& [from, to] : cuts_) network_->Cut(from, to, Fault::kShortReigns);
}

void ShortReigns::EndReign() {
  for (const auto& [from, to] : cuts_) network_->Mend(from, to);
  cuts_.clear();
  leader_.reset();
}

}  // namespace flaredb::sim
