// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/departures.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace flaredb::cluster {

namespace {

std::string Count(uint64_t count, const char* what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

uint64_t RowsLeft(const RollAnswer& answer) {
  uint64_t rows = 0;
  for (const NamespaceReport& report : answer.namespaces) rows += report.unshipped;
  return rows;
}

// What a drain waits for at the store itself; empty: nothing.
std::string StillWrites(const pd::StoreInfo& store, const Member& member) {
  // What it says before it knows that it is to go, it may still add to.
  if (!member.answer || member.answer->known < store.changed) {
    return "its word that it accepts no more writes";
  }
  const uint64_t rows = RowsLeft(*member.answer);
  return rows > 0 ? Count(rows, "row") + " that it has to ship" : "";
}

}  // namespace

void Departures::OnDirectory(const Directory& directory, const Roster& roster) {
  for (const auto& [id, member] : roster.members()) {
    if (pd::IsMember(*directory.Find(id)) || !member.answer) continue;
    given_up_with_[id] = RowsLeft(*member.answer);
  }
}

Departures::Work Departures::Look(const Directory& directory, const Roster& roster,
                                  const std::map<RegionId, LedRegion>& regions) const {
  Work work;
  for (const auto& [id, store] : directory.stores()) {
    const bool drains = store.state == pd::StoreState::kDraining;
    if (!drains && store.state != pd::StoreState::kLost) continue;
    const std::string name = absl::StrCat("store ", id.value());
    const auto rows = given_up_with_.find(id);
    if (!drains && rows != given_up_with_.end() && rows->second > 0) {
      work.waiting.push_back(absl::StrCat(name, " was given up with ", Count(rows->second, "row"),
                                          " that it had accepted and not shipped when it last "
                                          "answered: they are lost"));
    }
    uint64_t replicas = 0;
    for (const auto& [region, led] : regions) {
      replicas += led.report->info.region.PeerOn(id) != nullptr ? 1 : 0;
    }
    std::vector<std::string> left;
    if (replicas > 0) left.push_back(Count(replicas, "region"));
    if (drains) {
      std::string writes = StillWrites(store, roster.members().at(id));
      if (!writes.empty()) left.push_back(std::move(writes));
    }
    if (!left.empty()) {
      work.waiting.push_back(absl::StrCat("the ", drains ? "drain" : "replacement", " of ", name,
                                          " waits for ", absl::StrJoin(left, " and ")));
    } else if (drains) {
      work.drained.push_back({id, pd::StoreState::kDrained, store.changed});
    }
  }
  return work;
}

}  // namespace flaredb::cluster
