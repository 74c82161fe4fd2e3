// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/roster.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace flaredb::cluster {

const NamespaceReport* Member::ReportOf(kv::NamespaceId ns) const {
  if (!answer) return nullptr;
  const std::vector<NamespaceReport>& reports = answer->namespaces;
  const auto at = std::lower_bound(
      reports.begin(), reports.end(), ns,
      [](const NamespaceReport& report, kv::NamespaceId x) { return report.ns < x; });
  return at != reports.end() && at->ns == ns ? &*at : nullptr;
}

void Roster::Follow(Instant now, const Directory& directory) {
  for (const auto& [id, store] : directory.stores()) {
    if (!pd::IsMember(store)) {
      members_.erase(id);
      continue;
    }
    const auto [at, is_new] = members_.try_emplace(id);
    at->second.store = store;
    if (is_new) at->second.heard_at = now;
  }
}

void Roster::OnAnswer(Instant now, StoreId from, RollAnswer answer) {
  const auto at = members_.find(from);
  if (at == members_.end() || answer.term != term_) return;
  Member& member = at->second;
  if (answer.round > member.called_round) return;
  if (member.answer && answer.round <= member.answer->round) return;
  member.is_other = answer.instance != member.store.instance;
  if (member.is_other) return;
  if (answer.unix_ms != 0) member.wall.Add(now, answer.unix_ms);
  member.heard_at = now;
  member.answer = std::move(answer);
}

void Roster::OnCalled(Instant now, StoreId to, uint64_t round, CallContent content) {
  Member& member = members_.at(to);
  member.called_round = round;
  member.called_at = now;
  member.told = std::move(content);
}

std::map<RegionId, LedRegion> Roster::regions() const {
  std::map<RegionId, LedRegion> regions;
  for (const auto& [id, member] : members_) {
    if (!member.answer) continue;
    for (const RegionReport& report : member.answer->regions) {
      LedRegion& latest = regions[report.info.region.id];
      if (latest.report == nullptr || report.info.term > latest.report->info.term) {
        latest = {id, &report};
      }
    }
  }
  return regions;
}

kv::Hlc Roster::Clock(Instant now) const {
  const uint64_t unix_ms = UnixMs(now);
  const auto skew = static_cast<uint64_t>(clock_skew_max_.milliseconds());
  const kv::Hlc last_sound = unix_ms != 0 ? kv::HlcAt(unix_ms + skew) : kv::Hlc::Max();
  kv::Hlc greatest;
  kv::Hlc least = kv::Hlc::Max();
  for (const auto& [id, member] : members_) {
    // Who knows nothing yet has written nothing, and may be behind what others collected.
    if (!member.answer || !member.answer->known) continue;
    const kv::Hlc clock = member.answer->clock;
    if (clock <= last_sound) greatest = std::max(greatest, clock);
    least = std::min(least, clock);
  }
  return greatest || least == kv::Hlc::Max() ? greatest : least;
}

std::optional<int64_t> Roster::MedianOffset() const {
  std::vector<int64_t> offsets;
  for (const auto& [id, member] : members_) {
    if (member.wall.known()) offsets.push_back(member.wall.milliseconds());
  }
  if (offsets.size() * 2 <= members_.size()) return std::nullopt;
  const auto median = offsets.begin() + static_cast<ptrdiff_t>((offsets.size() - 1) / 2);
  std::nth_element(offsets.begin(), median, offsets.end());
  return *median;
}

uint64_t Roster::UnixMs(Instant now) const {
  const std::optional<int64_t> offset = MedianOffset();
  if (!offset) return 0;
  return static_cast<uint64_t>(std::max<int64_t>(*offset + (now - Instant()).milliseconds(), 0));
}

int64_t Roster::AheadMs(const Member& member) const {
  const std::optional<int64_t> offset = MedianOffset();
  if (!offset || !member.wall.known()) return 0;
  const int64_t ahead = member.wall.milliseconds() - *offset;
  return ahead > clock_skew_max_.milliseconds() ? ahead : 0;
}

bool Roster::MayTell(const Member& member, StoreId founder) const {
  if (!member.answer) return false;
  if (member.answer->known) return true;
  bool all_answered = true;
  for (const auto& [id, other] : members_) {
    if (other.answer && (other.answer->known || id == founder)) return true;
    all_answered = all_answered && other.answer;
  }
  return all_answered;
}

std::string Roster::WhyNot(Instant now, const Member& member) const {
  if (member.is_other) return "under whose id a store with another disk answers";
  return absl::StrCat("which has not answered for ", (now - member.heard_at).milliseconds() / 1000,
                      " s");
}

}  // namespace flaredb::cluster
