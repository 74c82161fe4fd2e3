// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/mode_driver.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/kv/key.h"
#include "core/pd/mode_switch.h"

namespace flaredb::cluster {

namespace {

using pd::ModeState;

bool NeedsFences(ModeState state) {
  return state == ModeState::kToEventual || state == ModeState::kToStrongFence;
}
bool NeedsMembers(ModeState state) { return state != ModeState::kToStrongFence; }

std::string Rows(uint64_t rows) { return absl::StrCat(rows, rows == 1 ? " row" : " rows"); }

}  // namespace

ModeDriver::Work ModeDriver::Look(Instant now, const pd::Namespace& ns, const Roster& roster,
                                  AskPd ask) {
  INVARIANT(!pd::IsStable(ns.state));
  Work work;
  // A fence to eventual comes after all times that anybody has, so everybody has to say first.
  if (ns.state == ModeState::kToEventual) LookForAnswers(now, roster, &work);
  if (NeedsFences(ns.state) && work.waits_for.empty()) {
    LookAtRegions(now, ns, roster, ask, &work);
  }
  if (NeedsMembers(ns.state)) LookAtMembers(now, ns, roster, &work);
  work.done = work.waits_for.empty();
  return work;
}

void ModeDriver::LookForAnswers(Instant now, const Roster& roster, Work* work) {
  for (const auto& [id, member] : roster.members()) {
    if (member.answer && !member.is_other) continue;
    const bool named = member.is_other || roster.IsSilent(now, member);
    work->waits_for =
        absl::StrCat("store ", id.value(), ", ",
                     named ? roster.WhyNot(now, member) : "which has yet to hear of it");
    return;
  }
}

void ModeDriver::LookAtRegions(Instant now, const pd::Namespace& ns, const Roster& roster,
                               AskPd ask, Work* work) {
  Fences& fences = fences_[ns.id];
  if (fences.mode_epoch != ns.mode_epoch) fences = {ns.mode_epoch, {}, {}};
  const bool to_eventual = ns.state == ModeState::kToEventual;
  kv::ModeFence fence{
      ns.id, {to_eventual ? kv::Mode::kEventual : kv::Mode::kStrong, ns.mode_epoch, kv::Hlc()}};
  // Above all times that anybody has told, and all fences of the namespace alike if it can be.
  if (to_eventual) fence.fence.base_hlc = std::max(fences.base, roster.Clock(now).next());

  const kv::KeyRange range = kv::EncodeRange(ns.id, "", "");
  const KnownRegions known = RegionsOf(range.begin, range.end, ask);
  for (const pd::RegionInfo& info : known.regions) {
    if (fences.regions.contains(info.region.id)) continue;
    work->fences.push_back({info.region.id, info.region.epoch, fence});
  }
  work->clock = fences.base;
  if (!work->fences.empty()) {
    work->waits_for = absl::StrCat("region ", work->fences.front().region.value(),
                                   ", whose log has no fence yet");
  } else if (known.has_hole) {
    work->waits_for = "the leader of a region that is not known at the moment";
  }
}

void ModeDriver::LookAtMembers(Instant now, const pd::Namespace& ns, const Roster& roster,
                               Work* work) {
  if (!work->waits_for.empty()) return;
  const bool drains = ns.state == ModeState::kToStrongDrain;
  for (const auto& [id, member] : roster.members()) {
    const NamespaceReport* report = member.ReportOf(ns.id);
    const bool heard = report != nullptr && report->mode_epoch >= ns.mode_epoch;
    const std::string store = absl::StrCat("store ", id.value());
    if (member.is_other || (!heard && roster.IsSilent(now, member))) {
      work->waits_for = absl::StrCat(store, ", ", roster.WhyNot(now, member));
    } else if (!heard) {
      work->waits_for = absl::StrCat(store, ", which has yet to hear of it");
    } else if (drains && report->unshipped > 0) {
      work->waits_for = absl::StrCat(store, ", which has ", Rows(report->unshipped), " to ship");
      if (roster.IsSilent(now, member)) {
        absl::StrAppend(&work->waits_for, " and ", roster.WhyNot(now, member));
      }
    } else if (!drains && member.answer->clock < work->clock) {
      work->waits_for = absl::StrCat(store, ", which has yet to set its clock");
    }
    if (!work->waits_for.empty()) return;
  }
}

void ModeDriver::OnFence(RegionId region, const kv::ModeFence& sent,
                         const kv::NamespaceReply& reply) {
  const std::optional<kv::Fence>& stands = reply.state.fence;
  if (!stands || stands->mode_epoch < sent.fence.mode_epoch) return;
  Fences& fences = fences_[sent.ns];
  if (fences.mode_epoch != sent.fence.mode_epoch) return;
  fences.regions.insert(region);
  fences.base = std::max(fences.base, stands->base_hlc);
}

}  // namespace flaredb::cluster
