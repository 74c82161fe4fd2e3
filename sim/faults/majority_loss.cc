// SPDX-License-Identifier: Apache-2.0
#include "sim/faults/majority_loss.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "sim/world/fault.h"

namespace flaredb::sim {
namespace {

// Those of the operator and of the last orders come before.
constexpr uint64_t kFirstOrder = uint64_t{1} << 33;

// Whether the members who are left know of no commits that they lack: then the one who does was
// removed from the region before those who made them were lost. No plan can keep what no member
// has; whether to go on without it, or from a copy of what was removed, is for people to decide.
bool OnlyTheRemovedKnow(const std::vector<raft::View>& reports) {
  Index by_members;
  Index by_the_removed;
  raft::LogId most_complete;
  for (const raft::View& view : reports) {
    const bool is_member = view.conf.IsMember(view.id);
    Index& known = is_member ? by_members : by_the_removed;
    known = std::max(known, view.commit_index);
    if (is_member) most_complete = std::max(most_complete, view.last_log);
  }
  return by_members <= most_complete.index && by_the_removed > most_complete.index;
}

}  // namespace

bool MajorityLoss::Begin() {
  if (!world_->faults.Fires(Fault::kLoseMajority) || !cluster_->LoseAMajority()) return false;
  begun_ = true;
  cluster_->SetObserver(this);
  return true;
}

void MajorityLoss::Continue() {
  if (about_to_die_) Crash(*std::exchange(about_to_die_, std::nullopt));
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    if (cluster_->losses().left_out(node) || cluster_->running(node)) continue;
    latest_ = Names::Store(node) + " is left and does not run";
    return;
  }
  // A lease that rests on promises of those who are lost outlives them, but not its leader.
  if (const std::optional<uint32_t> leader = cluster_->leader()) {
    latest_ = "somebody leads on without a quorum";
    done_ = cluster_->losses().AQuorumIsLeft(cluster_->checkers().replicas()[*leader].view.conf);
    return;
  }
  const auto planned = raft::PlanRecovery(cluster_->losses().Reports());
  const auto* plan = std::get_if<raft::RecoveryPlan>(&planned);
  if (plan == nullptr) return OnNoPlan(std::get<raft::NoPlan>(planned));
  const bool waits = given_at_ && recoveries_ == cluster_->recoveries() &&
                     world_->now() - *given_at_ < election_timeout_ * kPatience;
  if (waits) return;
  Give(*plan);
}

void MajorityLoss::OnNoPlan(raft::NoPlan why) {
  const std::vector<raft::View> reports = cluster_->losses().Reports();
  const auto is_member = [](const raft::View& view) { return view.conf.IsMember(view.id); };
  const auto fail = [this](const char* sentence) {
    world_->report.Fail(FailureKind::kSafety, "REC", sentence);
  };
  switch (why) {
    case raft::NoPlan::kNotNeeded:
      latest_ = "those who are left are a quorum, but have no leader";
      return;
    case raft::NoPlan::kNoSurvivor:
      hopeless_ = true;
      if (std::any_of(reports.begin(), reports.end(), is_member)) {
        fail("nobody is found to recover from, but a member is left.");
      }
      return;
    case raft::NoPlan::kDisagree:
      hopeless_ = true;
      if (!OnlyTheRemovedKnow(reports)) {
        fail(
            "those who are left are said to disagree on what is committed, but no replica that was "
            "removed knows of more than they have, and no disk among theirs is damaged.");
      }
      return;
  }
}

void MajorityLoss::Give(const raft::RecoveryPlan& plan) {
  const uint32_t chosen = cluster_->checkers().NodeOf(plan.chosen);
  latest_ = Names::Store(chosen) + " was ordered to recover, and nothing came of it";
  given_at_ = world_->now();
  recoveries_ = cluster_->recoveries();
  const Mishap mishap = NextMishap(chosen);
  if (mishap == Mishap::kLost) return;
  ambush_ = mishap == Mishap::kCrashInTurn;
  if (mishap == Mishap::kCrashSoon) about_to_die_ = chosen;
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    if (node == chosen || cluster_->losses().left_out(node)) continue;
    if (mishap == Mishap::kToEverybody) GiveTo(node, plan);
    if (mishap == Mishap::kOthersCrash) Crash(node);
  }
  GiveTo(chosen, plan);
  if (mishap == Mishap::kTwice) GiveTo(chosen, plan);
}

void MajorityLoss::GiveTo(uint32_t node, const raft::RecoveryPlan& plan) {
  store::Order order;
  order.id = kFirstOrder + ++orders_;
  order.what = plan;
  cluster_->Give(node, std::move(order), Fault::kLoseMajority);
}

MajorityLoss::Mishap MajorityLoss::NextMishap(uint32_t chosen) {
  if (mishaps_ >= kMishapsMax) return Mishap::kNone;
  // Every other order is one that nothing happens to.
  const auto count = static_cast<uint64_t>(Mishap::kCount);
  const uint64_t drawn = world_->choices.Pick(Choice::kEnding, 2 * count);
  if (drawn == 0 || drawn >= count) return Mishap::kNone;
  if (!world_->faults.Fires(Fault::kLoseMajority, chosen)) return Mishap::kNone;
  ++mishaps_;
  return static_cast<Mishap>(drawn);
}

std::optional<Death> MajorityLoss::CrashAfterTurn(uint32_t, Moments) {
  if (!ambush_ || cluster_->recoveries() == recoveries_) return std::nullopt;
  ambush_ = false;
  return NextDeath();
}

void MajorityLoss::Crash(uint32_t node) { cluster_->Crash(node, NextDeath()); }

Death MajorityLoss::NextDeath() {
  return {
      Fault::kLoseMajority,
      world_->choices.Between(Choice::kEnding, Duration::Microseconds(100), election_timeout_ * 3)};
}

}  // namespace flaredb::sim
