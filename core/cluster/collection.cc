// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/collection.h"

#include <algorithm>
#include <utility>

#include "core/kv/key.h"

namespace flaredb::cluster {

namespace {

// The user key of `ns` at which a region begins or ends; empty when that lies outside of `ns`.
std::string UserKey(kv::NamespaceId ns, std::string_view bound) {
  const std::optional<kv::DecodedKey> key = kv::DecodeKey(bound);
  return key && key->ns == ns ? std::string(key->user_key) : "";
}

}  // namespace

Watermark WatermarkOf(const pd::Namespace& ns, const Roster& roster) {
  Watermark least{kv::Hlc::Max(), StoreId()};
  for (const auto& [id, member] : roster.members()) {
    const NamespaceReport* report = member.ReportOf(ns.id);
    // By another state of the namespace it might accept what it does not count.
    const bool counts =
        report != nullptr && report->mode_epoch == ns.mode_epoch && !member.is_other;
    const kv::Hlc time = counts ? report->watermark : kv::Hlc();
    if (time < least.time) least = {time, id};
  }
  return least.slowest ? least : Watermark();
}

std::vector<RegionErrand> Collection::Look(Instant now, const pd::Namespace& ns,
                                           const Roster& roster, AskPd ask) {
  const auto [at, is_new] = rounds_.try_emplace(ns.id);
  Round& round = at->second;
  if (is_new) round.next = started_ + interval_;
  if (now >= round.next) {
    const Watermark watermark = WatermarkOf(ns, roster);
    round.next = now + interval_;
    if (watermark.time > round.before) {
      round.before = watermark.time;
      round.done.clear();
      round.rest.clear();
      round.complete = false;
    }
  }
  std::vector<RegionErrand> errands;
  if (round.complete) return errands;
  const kv::KeyRange range = kv::EncodeRange(ns.id, "", "");
  const KnownRegions known = RegionsOf(range.begin, range.end, ask);
  for (const pd::RegionInfo& info : known.regions) {
    const Region& region = info.region;
    if (round.done.contains(region.id)) continue;
    kv::CollectTombstones collect{ns.id, UserKey(ns.id, region.start_key),
                                  UserKey(ns.id, region.end_key), round.before};
    if (const auto rest = round.rest.find(region.id); rest != round.rest.end()) {
      collect.begin = std::max(collect.begin, rest->second);
      // It has split: the rest belongs to another one, which begins where it begins.
      if (!collect.end.empty() && collect.begin >= collect.end) continue;
    }
    errands.push_back({region.id, region.epoch, std::move(collect)});
  }
  round.complete = errands.empty() && !known.has_hole;
  return errands;
}

void Collection::OnCollected(RegionId region, const kv::CollectTombstones& done,
                             const kv::NamespaceReply& reply) {
  const auto at = rounds_.find(done.ns);
  if (at == rounds_.end() || at->second.before != done.before) return;
  if (reply.next.empty()) {
    at->second.done.insert(region);
  } else {
    at->second.rest[region] = reply.next;
  }
}

Instant Collection::next_deadline() const {
  Instant next = Instant::Max();
  for (const auto& [ns, round] : rounds_) next = std::min(next, round.next);
  return next;
}

}  // namespace flaredb::cluster
