// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/collection.h"

#include <algorithm>
#include <optional>
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
  looked_at_ = now;
  const auto [at, is_new] = entries_.try_emplace(ns.id);
  Entry& entry = at->second;
  Round& round = entry.round;
  if (is_new) Put(ns.id, &entry, &resting_, started_ + interval_);
  if (entry.where == &under_way_ && now >= entry.at && OthersWait(now)) {
    round = Round();
    Put(ns.id, &entry, &resting_, now + interval_);
  }
  if (entry.where == &resting_) {
    if (!MayBegin(now, entry, ns.id)) return {};
    const kv::Hlc before = WatermarkOf(ns, roster).time;
    const bool is_later = before > round.before;
    Put(ns.id, &entry, is_later ? &under_way_ : &resting_, now + interval_);
    if (!is_later) return {};
    round = {before, {}, {}};
  }
  std::vector<RegionErrand> errands;
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
  if (errands.empty() && !known.has_hole) Put(ns.id, &entry, &resting_, now + interval_);
  return errands;
}

bool Collection::OthersWait(Instant now) const {
  return under_way_.size() == kRoundsAtOnce && !resting_.empty() && now >= resting_.begin()->first;
}

// The one that has waited longest comes first, whatever its name is.
bool Collection::MayBegin(Instant now, const Entry& entry, kv::NamespaceId ns) const {
  if (now < entry.at) return false;
  auto first = resting_.begin();
  for (size_t room = under_way_.size(); room < kRoundsAtOnce; ++room, ++first) {
    if (first == resting_.end()) return false;
    if (first->second == ns) return true;
  }
  return false;
}

void Collection::Put(kv::NamespaceId ns, Entry* entry, Schedule* where, Instant at) {
  if (entry->where != nullptr) entry->where->erase({entry->at, ns});
  entry->where = where;
  entry->at = at;
  where->insert({at, ns});
}

void Collection::Forget(kv::NamespaceId ns) {
  const auto at = entries_.find(ns);
  if (at == entries_.end()) return;
  at->second.where->erase({at->second.at, ns});
  entries_.erase(at);
}

void Collection::OnCollected(Instant now, RegionId region, const kv::CollectTombstones& done,
                             const kv::NamespaceReply& reply) {
  const auto at = entries_.find(done.ns);
  if (at == entries_.end()) return;
  Entry& entry = at->second;
  if (entry.where != &under_way_ || entry.round.before != done.before) return;
  if (reply.next.empty()) {
    entry.round.done.insert(region);
  } else {
    entry.round.rest[region] = reply.next;
  }
  Put(done.ns, &entry, &under_way_, now + interval_);
}

// Who was due at the last look, and is as it was, waits for others or for an answer.
Instant Collection::next_deadline() const {
  Instant next = Instant::Max();
  for (const Schedule* schedule : {&resting_, &under_way_}) {
    const auto at = schedule->lower_bound({looked_at_ + Duration::Nanoseconds(1), {}});
    if (at != schedule->end()) next = std::min(next, at->first);
  }
  return next;
}

}  // namespace flaredb::cluster
