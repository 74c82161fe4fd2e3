// SPDX-License-Identifier: Apache-2.0
#include "core/store/roll_report.h"

#include <algorithm>

#include "core/raft/view.h"
#include "core/store/replica.h"

namespace flaredb::store {
namespace {

cluster::RegionReport Report(const Replica& replica, const raft::View& raft) {
  cluster::RegionReport report;
  report.info = {replica.region(), raft.term, raft.id};
  report.conf = raft.conf;
  // The region is that of the configuration only once that is applied.
  report.changing = raft.conf.joint() || raft.conf_index > replica.applied_index() ||
                    static_cast<bool>(raft.transferee) ||
                    replica.machine().applied().term != raft.term;
  // Nobody who rests has to say so all the time.
  if (raft.resting) return report;
  for (const raft::ProgressView& progress : raft.progress) {
    if (progress.peer == raft.id) continue;
    if (!progress.caught_up || !progress.recently_active) report.behind.push_back(progress.peer);
  }
  return report;
}

}  // namespace

std::vector<cluster::RegionReport> ReportRegions(const ReplicaSet& replicas, Instant now) {
  std::vector<cluster::RegionReport> reports;
  for (const auto& [id, replica] : replicas) {
    if (!replica->is_leader() || replica->poisoned()) continue;
    reports.push_back(Report(*replica, replica->view(now).raft));
  }
  return reports;
}

std::vector<cluster::NamespaceReport> ReportNamespaces(const cluster::Directory& directory,
                                                       const Outbox& outbox) {
  std::vector<cluster::NamespaceReport> reports;
  for (const auto& [name, ns] : directory.namespaces()) {
    if (ns.state == pd::ModeState::kStrong) continue;
    reports.push_back({ns.id, ns.mode_epoch, outbox.rows_of(ns.id), outbox.Watermark(ns.id)});
  }
  std::sort(reports.begin(), reports.end(),
            [](const auto& a, const auto& b) { return a.ns < b.ns; });
  return reports;
}

}  // namespace flaredb::store
