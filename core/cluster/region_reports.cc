// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/region_reports.h"

#include <utility>
#include <variant>

namespace flaredb::cluster {

bool IsNews(const pd::RegionInfo& report, AskPd ask) {
  if (!report.term || report.region.PeerOf(report.leader) == nullptr) return false;
  const pd::Reply reply = ask(pd::GetRegion{report.region.start_key});
  const auto* known = std::get_if<pd::RegionInfo>(&reply);
  if (known == nullptr) return true;
  const RegionEpoch& now = report.region.epoch;
  const RegionEpoch& then = known->region.epoch;
  // Another region that held these keys has them no more when a greater version comes.
  if (known->region.id != report.region.id) return now.version > then.version;
  if (report.term < known->term || now.conf_version < then.conf_version) return false;
  return now.version >= then.version && report != *known;
}

KnownRegions RegionsOf(std::string_view begin, std::string_view end, AskPd ask) {
  KnownRegions known;
  pd::ScanRegions scan{std::string(begin), std::string(end)};
  do {
    const pd::Reply reply = ask(scan);
    const auto* page = std::get_if<pd::RegionPage>(&reply);
    if (page == nullptr) {
      known.has_hole = true;
      return known;
    }
    known.has_hole = known.has_hole || page->has_hole;
    known.regions.insert(known.regions.end(), page->regions.begin(), page->regions.end());
    scan.start_key = page->next_key;
  } while (!scan.start_key.empty());
  return known;
}

}  // namespace flaredb::cluster
