// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/placement.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace flaredb::cluster {

namespace {

using Kind = raft::MemberChange::Kind;

class Planner {
 public:
  Planner(const RegionReport& report, const Sites& sites, size_t replicas)
      : report_(report), sites_(sites) {
    const auto up =
        std::count_if(sites.begin(), sites.end(), [](const auto& site) { return site.second.up; });
    wanted_ = std::min(replicas, static_cast<size_t>(up));
    for (const PeerId id : report.conf.voters) (IsAtHome(id) ? stay_ : leave_).push_back(id);
    const auto order = [this](PeerId id) { return std::tuple(IsReady(id), IsLeader(id), id); };
    std::sort(leave_.begin(), leave_.end(),
              [&](PeerId a, PeerId b) { return order(a) < order(b); });
  }

  Placement Plan() {
    if (report_.changing || report_.conf.joint()) return Wait("a change that is under way");
    if (wanted_ == 0) return Wait("a store that is up");
    for (const PeerId id : report_.conf.learners) {
      if (IsUseless(id)) return Do({{Kind::kRemove, id, StoreId()}});
    }
    if (stay_.size() < wanted_) return Grow();
    if (!leave_.empty()) return Remove(leave_.front());
    if (stay_.size() > wanted_) return Remove(Surplus());
    return {};
  }

 private:
  StoreId StoreOf(PeerId id) const {
    const Peer* peer = report_.info.region.PeerOf(id);
    return peer != nullptr ? peer->store : report_.conf.Find(id).store;
  }
  const Site* SiteOf(PeerId id) const {
    const auto at = sites_.find(StoreOf(id));
    return at == sites_.end() ? nullptr : &at->second;
  }
  bool IsAtHome(PeerId id) const {
    const Site* site = SiteOf(id);
    return site != nullptr && site->up;
  }
  bool IsReady(PeerId id) const {
    return !std::binary_search(report_.behind.begin(), report_.behind.end(), id);
  }
  bool IsLeader(PeerId id) const { return id == report_.info.leader; }

  // A learner that will not become a voter, or not as soon as another one could.
  bool IsUseless(PeerId learner) const {
    if (!IsAtHome(learner) || stay_.size() >= wanted_) return true;
    return !IsReady(learner) && !SiteOf(learner)->answers && AnsweringSite();
  }

  // The best store for one more replica: one that answers, with as few as any; zero: none is up
  // that has none of this region.
  StoreId BestSite() const {
    StoreId best;
    std::tuple<bool, size_t> best_rank;
    for (const auto& [id, site] : sites_) {
      if (!site.up || report_.info.region.PeerOn(id) != nullptr) continue;
      const std::tuple<bool, size_t> rank(!site.answers, site.replicas);
      if (!best || rank < best_rank) {
        best = id;
        best_rank = rank;
      }
    }
    return best;
  }
  bool AnsweringSite() const {
    const StoreId best = BestSite();
    return best && sites_.at(best).answers;
  }

  Placement Grow() {
    const std::vector<PeerId>& learners = report_.conf.learners;
    if (learners.empty()) return AddLearner();
    const auto ready =
        std::find_if(learners.begin(), learners.end(), [this](PeerId id) { return IsReady(id); });
    if (ready == learners.end()) {
      return Wait(absl::StrCat("store ", StoreOf(learners.front()).value(), " to catch up"));
    }
    const raft::MemberChange promote{Kind::kPromote, *ready, StoreId()};
    // A leader that is to go needs somebody to hand over to: that may be this one.
    if (leave_.empty() || (IsLeader(leave_.front()) && !Successor())) return Do({promote});
    return Remove(leave_.front(), promote);
  }

  Placement AddLearner() {
    const StoreId site = BestSite();
    if (!site) return Wait("another store");
    if (!sites_.at(site).answers) {
      return Wait(absl::StrCat("store ", site.value(), ", which does not answer"));
    }
    Placement placement = Do({{Kind::kAddLearner, PeerId(), site}});
    placement.waits_for = absl::StrCat("a replica on store ", site.value());
    placement.grows_onto = site;
    return placement;
  }

  // Takes a voter out, and puts another one in.
  Placement Remove(PeerId victim, std::optional<raft::MemberChange> promote = std::nullopt) {
    if (IsLeader(victim)) {
      const PeerId successor = Successor();
      if (!successor) return Wait("a voter on another store to catch up");
      Placement placement;
      placement.step = MoveLeader{successor};
      placement.waits_for = absl::StrCat("store ", StoreOf(successor).value(), " to lead it");
      return placement;
    }
    std::vector<PeerId> after = report_.conf.voters;
    std::erase(after, victim);
    std::vector<raft::MemberChange> changes;
    if (promote) {
      after.push_back(promote->id);
      changes.push_back(*promote);
    }
    changes.push_back({Kind::kRemove, victim, StoreId()});
    const auto ready = static_cast<size_t>(
        std::count_if(after.begin(), after.end(), [this](PeerId id) { return IsReady(id); }));
    if (ready < after.size() / 2 + 1) {
      const auto lags =
          std::find_if(after.begin(), after.end(), [this](PeerId id) { return !IsReady(id); });
      return Wait(absl::StrCat("store ", StoreOf(*lags).value(), " to catch up"));
    }
    return Do(std::move(changes));
  }

  // A voter that stays, and can lead at once; zero: there is none.
  PeerId Successor() const {
    for (const PeerId id : stay_) {
      if (IsReady(id) && !IsLeader(id)) return id;
    }
    return PeerId();
  }

  // The voter to give up when there are too many: one that lags, else where most replicas are.
  PeerId Surplus() const {
    const auto worth = [this](PeerId id) {
      return std::tuple(IsReady(id), IsLeader(id), -static_cast<int64_t>(SiteOf(id)->replicas), id);
    };
    return *std::min_element(stay_.begin(), stay_.end(),
                             [&](PeerId a, PeerId b) { return worth(a) < worth(b); });
  }

  Placement Do(std::vector<raft::MemberChange> changes) {
    Placement placement = Wait("a change that is under way");
    placement.step = ChangeMembers{std::move(changes)};
    return placement;
  }
  Placement Wait(std::string what) {
    Placement placement;
    placement.waits_for = std::move(what);
    return placement;
  }

  const RegionReport& report_;
  const Sites& sites_;
  size_t wanted_ = 0;
  std::vector<PeerId> stay_;   // Voters on stores that are up. Ascending.
  std::vector<PeerId> leave_;  // The others; who is missed least first.
};

}  // namespace

Placement Place(const RegionReport& report, const Sites& sites, size_t replicas) {
  return Planner(report, sites, replicas).Plan();
}

}  // namespace flaredb::cluster
