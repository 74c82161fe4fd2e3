// SPDX-License-Identifier: Apache-2.0
#include "core/pd/regions.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/pd/rows.h"

namespace flaredb::pd {

namespace {

// Whether a report about a region comes from before another one.
bool IsOlder(const RegionInfo& report, const RegionInfo& known) {
  const RegionEpoch& a = report.region.epoch;
  const RegionEpoch& b = known.region.epoch;
  return report.term < known.term || a.conf_version < b.conf_version || a.version < b.version;
}

// Whether `region` begins before `end`. An empty end: without end.
bool BeginsBefore(const Region& region, std::string_view end) {
  return end.empty() || region.start_key < end;
}

// The regions that share keys with `region`, except that of its id.
std::vector<Region> Overlapped(const Region& region, const ObjectRows& rows) {
  std::vector<Region> others;
  VisitRegions(region.start_key, rows, [&](const RegionInfo& other) {
    if (!BeginsBefore(other.region, region.end_key)) return false;
    if (other.region.id != region.id) others.push_back(other.region);
    return true;
  });
  return others;
}

}  // namespace

// Nor does an old report slip into a hole. Regions are only ever split: what held a key earlier
// held all that the region before the hole held, part of which the one that made the hole holds
// now, at a greater version.
Reply Apply(const PutRegion& put, ClusterInfo*, MutableObjectRows* rows) {
  const Region& region = put.info.region;
  const std::optional<RegionInfo> known = ReadRegion(region.id, *rows);
  if (known && IsOlder(put.info, *known)) {
    return Refused{Refusal::kStaleRegion, region.id.value()};
  }
  const std::vector<Region> overlapped = Overlapped(region, *rows);
  for (const Region& other : overlapped) {
    if (other.epoch.version >= region.epoch.version) {
      return Refused{Refusal::kStaleRegion, other.id.value()};
    }
  }
  if (known == put.info) return Done{};
  for (const Region& other : overlapped) DeleteRegion(other, rows);
  if (known && known->region.end_key != region.end_key) DeleteRegion(known->region, rows);
  WriteRegion(put.info, rows);
  return Done{};
}

Reply Answer(const GetRegion& get, const ClusterInfo&, const ObjectRows& rows) {
  Reply reply = Refused{Refusal::kNoRegion};
  VisitRegions(get.key, rows, [&](const RegionInfo& info) {
    if (info.region.Contains(get.key)) reply = info;
    return false;
  });
  return reply;
}

Reply Answer(const ScanRegions& scan, const ClusterInfo&, const ObjectRows& rows) {
  const uint64_t limit = std::min(scan.limit, kPageRowsMax);
  RegionPage page;
  if (!scan.end_key.empty() && scan.start_key >= scan.end_key) return page;
  Coverage coverage(scan.start_key);
  VisitRegions(scan.start_key, rows, [&](const RegionInfo& info) {
    if (!BeginsBefore(info.region, scan.end_key)) return false;
    if (page.regions.size() == limit) {
      page.next_key = coverage.next();
      return false;
    }
    coverage.Add(info.region);
    page.regions.push_back(info);
    return true;
  });
  page.has_hole = page.next_key.empty() ? !coverage.Reaches(scan.end_key) : coverage.has_hole();
  return page;
}

}  // namespace flaredb::pd
