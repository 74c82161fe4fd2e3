// SPDX-License-Identifier: Apache-2.0
// The members of the cluster as a driver has heard them in its term: who was called, who answered
// what, who is silent.
#ifndef FLAREDB_CORE_CLUSTER_ROSTER_H_
#define FLAREDB_CORE_CLUSTER_ROSTER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/cluster/clock_offset.h"
#include "core/cluster/directory.h"
#include "core/cluster/roll_call.h"
#include "core/pd/cluster.h"

namespace flaredb::cluster {

// What of a call may be worth another one before its time.
struct CallContent {
  pd::Revision revision;  // Up to which it told the store.
  kv::Hlc clock;          // That a switch waits for; zero: none does.
  std::vector<RegionOrder> orders;

  friend bool operator==(const CallContent&, const CallContent&) = default;
};

struct Member {
  pd::StoreInfo store;
  uint64_t called_round = 0;  // Of the last call; zero: there was none yet.
  Instant called_at;
  CallContent told;                  // By the last call.
  std::optional<RollAnswer> answer;  // The latest.
  Instant heard_at;                  // When that came; before it, when the member became known.
  ClockOffset wall;                  // Of its clock, as far as it was told.
  bool is_other = false;  // Somebody answers under its id whose disk is not the one that joined.

  bool answered_last_call() const { return answer && answer->round == called_round; }
  // Of the latest answer; null: it said nothing about that namespace.
  const NamespaceReport* ReportOf(kv::NamespaceId ns) const;
};

struct LedRegion {
  StoreId leader;
  const RegionReport* report = nullptr;
};

class Roster {
 public:
  Roster(Term term, Duration silence_timeout, Duration clock_skew_max)
      : term_(term), silence_timeout_(silence_timeout), clock_skew_max_(clock_skew_max) {}

  // Members come and go as `directory` says.
  void Follow(Instant now, const Directory& directory);
  // Ignored unless it answers a call of this term to a member, later than what it answered before.
  void OnAnswer(Instant now, StoreId from, RollAnswer answer);
  void OnCalled(Instant now, StoreId to, uint64_t round, CallContent content);

  const std::map<StoreId, Member>& members() const { return members_; }
  // Each region as whoever led it last has reported it. Borrowed until the next answer.
  std::map<RegionId, LedRegion> regions() const;
  // A time from before which nothing was collected that a member might still write; zero: nobody
  // said yet. It is the greatest that a member has told, without those that are too far ahead of
  // UnixMs; when all are, the least.
  kv::Hlc Clock(Instant now) const;
  // What the wall clocks of most members show: no more of them are ahead of it than are behind.
  // Zero unless more than half of them have said.
  uint64_t UnixMs(Instant now) const;
  // By how many milliseconds the wall clock of `member` is too far ahead of that; zero: it is not.
  int64_t AheadMs(const Member& member) const;
  // Whether a store may be told of the cluster. One that knows nothing has to take the time of
  // one that does, or its writes might come before what was collected long ago. `founder` has been
  // a member from the beginning: as long as it knows nothing, nothing was collected. Zero: it is
  // not known who that was.
  bool MayTell(const Member& member, StoreId founder) const;

  bool IsSilent(Instant now, const Member& member) const {
    return now - member.heard_at >= silence_timeout_;
  }
  // As a relative clause without the comma: why one waits for `member`, who does not answer as
  // wanted.
  std::string WhyNot(Instant now, const Member& member) const;

 private:
  std::optional<int64_t> MedianOffset() const;

  const Term term_;
  const Duration silence_timeout_;
  const Duration clock_skew_max_;
  std::map<StoreId, Member> members_;
};

}  // namespace flaredb::cluster

#endif  // FLAREDB_CORE_CLUSTER_ROSTER_H_
