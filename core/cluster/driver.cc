// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/driver.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/cluster/collection.h"
#include "core/cluster/departures.h"
#include "core/cluster/directory.h"
#include "core/cluster/errand_book.h"
#include "core/cluster/mode_driver.h"
#include "core/cluster/placement.h"
#include "core/cluster/region_reports.h"
#include "core/cluster/roster.h"
#include "core/pd/command.h"

namespace flaredb::cluster {

namespace {

// Of one errand for ids.
constexpr uint64_t kIdsAtOnce = 16;
// More sentences than these help nobody.
constexpr size_t kWaitingMax = 50;
// So much faster does it call while what it waits for changes.
constexpr int64_t kHurry = 16;

}  // namespace

class Driver::Impl {
 public:
  Impl(const DriverOptions& options, Instant now, Term term, ErrandId last_errand)
      : options_(options),
        term_(term),
        began_at_(now),
        roster_(term, options.silence_timeout, options.clock_skew_max),
        book_(last_errand, options.errand_timeout, options.roll_interval),
        collection_(now, options.collect_interval),
        pace_(options.roll_interval),
        next_deadline_(now) {}

  void OnAnswer(Instant now, StoreId from, RollAnswer answer) {
    roster_.OnAnswer(now, from, std::move(answer));
    has_news_ = true;
  }

  void OnErrandDone(Instant now, ErrandId id, const ErrandOutcome& outcome) {
    const std::optional<Errand> errand = book_.End(now, id);
    if (!errand) return;
    has_news_ = true;
    if (const auto* reply = std::get_if<pd::Reply>(&outcome)) {
      if (const auto* ids = std::get_if<pd::IdRange>(reply)) ids_ = *ids;
      return;
    }
    const auto* reply = std::get_if<kv::NamespaceReply>(&outcome);
    const auto* what = std::get_if<RegionErrand>(&errand->what);
    if (reply == nullptr || what == nullptr) return;
    if (const auto* fence = std::get_if<kv::ModeFence>(&what->command)) {
      modes_.OnFence(what->region, *fence, *reply);
    } else if (const auto* collect = std::get_if<kv::CollectTombstones>(&what->command)) {
      if (reply->admitted) collection_.OnCollected(now, what->region, *collect, *reply);
    }
  }

  void Turn(Instant now, const PdReader& pd, DriverOutput* output) {
    const bool applied_more = pd.applied_index() != applied_;
    if (!applied_more && !has_news_ && now < next_deadline_) return;
    has_news_ = false;
    applied_ = pd.applied_index();
    now_ = now;
    pd_ = &pd;
    output_ = output;
    book_.Expire(now);
    if (applied_more && !ReadCluster()) {
      next_deadline_ = Instant::Max();
      return;
    }
    waiting_.clear();
    clock_ = roster_.Clock(now);
    clock_wanted_ = kv::Hlc();
    LookAtNamespaces();
    LookAtRegions();
    LookAtStores();
    if (waiting_.size() > kWaitingMax) {
      const size_t more = waiting_.size() - kWaitingMax;
      waiting_.resize(kWaitingMax);
      waiting_.push_back(absl::StrCat("and for ", more, " more"));
    }
    if (waiting_ != waited_) {
      pace_ = options_.roll_interval / kHurry;
      waited_ = waiting_;
    }
    CallRoll();
    next_deadline_ = std::min(book_.next_deadline(), collection_.next_deadline());
    for (const auto& [id, member] : roster_.members()) {
      next_deadline_ = std::min(next_deadline_, member.called_at + pace_);
    }
  }

  Instant next_deadline() const { return has_news_ ? Instant() : next_deadline_; }
  const std::vector<std::string>& waiting() const { return waiting_; }

 private:
  pd::Reply Ask(const pd::Query& query) const { return pd_->Ask(query); }
  void Want(const std::string& purpose, const std::variant<pd::Command, RegionErrand>& what) {
    book_.Want(now_, purpose, what, &output_->errands);
  }

  // False before the cluster is founded.
  bool ReadCluster() {
    const pd::Reply reply = Ask(pd::GetCluster{directory_.revision()});
    const auto* view = std::get_if<pd::ClusterView>(&reply);
    if (view == nullptr) return false;
    directory_.Apply(*view);
    departures_.OnDirectory(directory_, roster_);
    roster_.Follow(now_, directory_);
    return true;
  }

  void LookAtNamespaces() {
    const auto ask = [this](const pd::Query& query) { return Ask(query); };
    for (const auto& [name, ns] : directory_.namespaces()) {
      if (ns.state == pd::ModeState::kEventual) {
        for (const RegionErrand& errand : collection_.Look(now_, ns, roster_, ask)) {
          Want(Purpose("collect", ns, errand), errand);
        }
        NoteWhoHoldsCollection(ns);
      } else {
        collection_.Forget(ns.id);
      }
      if (pd::IsStable(ns.state)) continue;
      const ModeDriver::Work work = modes_.Look(now_, ns, roster_, ask);
      for (const RegionErrand& fence : work.fences) Want(Purpose("fence", ns, fence), fence);
      clock_wanted_ = std::max(clock_wanted_, work.clock);
      if (work.done) {
        Want(absl::StrCat("advance ", name, " ", ns.mode_epoch.value()),
             pd::AdvanceModeSwitch{name, ns.mode_epoch});
        continue;
      }
      const char* target = pd::TargetOf(ns.state) == pd::Mode::kStrong ? "strong" : "eventual";
      waiting_.push_back(
          absl::StrCat("the switch of '", name, "' to ", target, " waits for ", work.waits_for));
    }
  }

  static std::string Purpose(const char* what, const pd::Namespace& ns,
                             const RegionErrand& errand) {
    return absl::StrCat(what, " ", ns.name, " ", ns.mode_epoch.value(), " region ",
                        errand.region.value());
  }

  void NoteWhoHoldsCollection(const pd::Namespace& ns) {
    const StoreId slowest = WatermarkOf(ns, roster_).slowest;
    const auto at = roster_.members().find(slowest);
    if (at == roster_.members().end()) return;
    const Member& member = at->second;
    if (!member.is_other && !roster_.IsSilent(now_, member)) return;
    waiting_.push_back(absl::StrCat("the collection of deletions in '", ns.name,
                                    "' waits for store ", slowest.value(), ", ",
                                    roster_.WhyNot(now_, member)));
  }

  void LookAtRegions() {
    const auto ask = [this](const pd::Query& query) { return Ask(query); };
    const std::map<RegionId, LedRegion> regions = roster_.regions();
    for (const auto& [id, led] : regions) {
      if (!IsNews(led.report->info, ask)) continue;
      Want(absl::StrCat("put region ", id.value()), pd::PutRegion{led.report->info});
    }
    NoteSilentRegions(regions, RegionsOf("", "", ask).regions);

    Sites sites = MakeSites(regions);
    orders_.clear();
    for (const auto& [id, led] : regions) LookAt(led, &sites);
    LookAtLeaving(regions);
  }

  // Regions that ought to have a leader who reports them.
  void NoteSilentRegions(const std::map<RegionId, LedRegion>& regions,
                         const std::vector<pd::RegionInfo>& known) {
    if (now_ - began_at_ < options_.silence_timeout) return;
    for (const pd::RegionInfo& info : known) {
      const RegionId id = info.region.id;
      const auto led = regions.find(id);
      if (led != regions.end() &&
          !roster_.IsSilent(now_, roster_.members().at(led->second.leader))) {
        continue;
      }
      waiting_.push_back(absl::StrCat("region ", id.value(), " waits for a leader that answers"));
    }
  }

  Sites MakeSites(const std::map<RegionId, LedRegion>& regions) const {
    Sites sites;
    for (const auto& [id, member] : roster_.members()) {
      Site& site = sites[id];
      site.up = member.store.state == pd::StoreState::kUp;
      site.answers = !member.is_other && !roster_.IsSilent(now_, member);
    }
    for (const auto& [id, led] : regions) {
      for (const Peer& peer : led.report->info.region.peers) {
        if (const auto at = sites.find(peer.store); at != sites.end()) ++at->second.replicas;
      }
    }
    return sites;
  }

  void LookAt(const LedRegion& led, Sites* sites) {
    const RegionReport& report = *led.report;
    const RegionId id = report.info.region.id;
    const auto ordered = ordered_.find(id);
    if (ordered != ordered_.end() && report.conf.IsMember(ordered->second.id)) {
      ordered_.erase(ordered);
    }
    Placement placement = Place(report, *sites, options_.replicas);
    if (placement.waits_for.empty()) return;
    waiting_.push_back(absl::StrCat("region ", id.value(), " waits for ", placement.waits_for));
    // What was ordered since is not in the report.
    if (!roster_.members().at(led.leader).answered_last_call()) return;
    RegionOrder order{id, report.info.region.epoch, {}};
    if (auto* change = std::get_if<ChangeMembers>(&placement.step)) {
      if (placement.grows_onto) {
        const std::optional<PeerId> peer = NewPeer(id, placement.grows_onto);
        if (!peer) return;
        change->changes.front().id = *peer;
        ++sites->at(placement.grows_onto).replicas;
      }
      order.what = std::move(*change);
    } else if (const auto* move = std::get_if<MoveLeader>(&placement.step)) {
      order.what = *move;
    } else {
      return;
    }
    orders_[led.leader].push_back(std::move(order));
  }

  // Nullopt: there are no ids at hand yet. An order that was lost is given again with the same id,
  // but never for another store: it may have been carried out.
  std::optional<PeerId> NewPeer(RegionId region, StoreId store) {
    Peer& peer = ordered_[region];
    if (peer.store == store) return peer.id;
    if (ids_.count == 0) {
      Want("ids", pd::AllocateIds{kIdsAtOnce});
      return std::nullopt;
    }
    peer = {PeerId(ids_.first), store};
    ids_ = {ids_.first + 1, ids_.count - 1};
    return peer.id;
  }

  void LookAtLeaving(const std::map<RegionId, LedRegion>& regions) {
    Departures::Work work = departures_.Look(directory_, roster_, regions);
    for (const pd::SetStoreState& drained : work.drained) {
      Want(absl::StrCat("drained store ", drained.store.value()), drained);
    }
    std::move(work.waiting.begin(), work.waiting.end(), std::back_inserter(waiting_));
  }

  void LookAtStores() {
    for (const auto& [id, member] : roster_.members()) {
      if (member.is_other || roster_.IsSilent(now_, member)) {
        waiting_.push_back(absl::StrCat("the cluster waits for store ", id.value(), ", ",
                                        roster_.WhyNot(now_, member)));
      }
      if (const int64_t ahead = roster_.AheadMs(member); ahead > 0) {
        waiting_.push_back(absl::StrCat("store ", id.value(),
                                        " accepts no writes to eventual namespaces until its wall "
                                        "clock is set, which is ",
                                        ahead, " ms ahead of most stores'"));
      }
      if (!member.answered_last_call()) continue;
      for (const OrderRefusal& refusal : member.answer->refusals) {
        waiting_.push_back(
            absl::StrCat("region ", refusal.region.value(), " refused a change: ", refusal.why));
      }
    }
  }

  void CallRoll() {
    std::vector<StoreId> due;
    bool in_time = false;
    for (const auto& [id, member] : roster_.members()) {
      in_time |= member.called_round != 0 && now_ >= member.called_at + pace_;
      if (IsDue(member)) due.push_back(id);
    }
    if (in_time) pace_ = std::min(pace_ * 2, options_.roll_interval);
    for (const StoreId id : due) {
      const Member& member = roster_.members().at(id);
      CallContent content = ContentFor(member);
      RollCall call{term_,
                    ++last_round_,
                    pd_->region(),
                    std::max(clock_, clock_wanted_),
                    roster_.UnixMs(now_),
                    {},
                    content.orders,
                    waiting_};
      if (content.revision && member.answer->known != content.revision) {
        const pd::Reply reply = Ask(pd::GetCluster{member.answer->known});
        if (const auto* view = std::get_if<pd::ClusterView>(&reply)) call.view = *view;
      }
      roster_.OnCalled(now_, id, last_round_, std::move(content));
      output_->calls.push_back({id, std::move(call)});
    }
  }

  // While the placement driver's region has been nowhere else, its store is the one that founded
  // it.
  StoreId Founder() const {
    const Region& region = pd_->region();
    const bool moved = region.epoch.conf_version > 1 || region.peers.size() != 1;
    return moved ? StoreId() : region.peers.front().store;
  }

  CallContent ContentFor(const Member& member) const {
    CallContent content;
    if (roster_.MayTell(member, Founder())) content.revision = directory_.revision();
    content.clock = clock_wanted_;
    const auto orders = orders_.find(member.store.id);
    if (orders != orders_.end()) content.orders = orders->second;
    return content;
  }

  bool IsDue(const Member& member) const {
    if (member.called_round == 0 || now_ >= member.called_at + pace_) return true;
    return member.answered_last_call() && ContentFor(member) != member.told;
  }

  const DriverOptions options_;
  const Term term_;
  const Instant began_at_;
  Directory directory_;  // As the placement driver has it.
  Roster roster_;
  ErrandBook book_;
  ModeDriver modes_;
  Collection collection_;
  Departures departures_;

  uint64_t last_round_ = 0;
  pd::IdRange ids_;                   // At hand for new peers.
  std::map<RegionId, Peer> ordered_;  // New ones that are no members yet, as far as is known.
  Index applied_;                     // What was looked at last.
  bool has_news_ = true;
  // A change goes on when somebody reports that its last step is done: who asks seldom waits for
  // each step. So the next call comes soon after something moved, and ever later while nothing
  // does.
  Duration pace_;
  Instant next_deadline_;
  std::vector<std::string> waiting_;
  std::vector<std::string> waited_;  // For what, when pace_ was chosen.

  // Of the turn in progress.
  Instant now_;
  const PdReader* pd_ = nullptr;
  DriverOutput* output_ = nullptr;
  kv::Hlc clock_;
  kv::Hlc clock_wanted_;  // By switches; zero: there are none that do.
  std::map<StoreId, std::vector<RegionOrder>> orders_;
};

Driver::Driver(const DriverOptions& options) : options_(options) {}
Driver::~Driver() = default;

// What an errand of an earlier time becomes must not be taken for another one's outcome.
void Driver::Lead(Instant now, Term term) {
  impl_ = std::make_unique<Impl>(options_, now, term, ErrandId(++leads_ << 32));
}
void Driver::Retire() { impl_.reset(); }
bool Driver::leading() const { return impl_ != nullptr; }

void Driver::OnAnswer(Instant now, StoreId from, RollAnswer answer) {
  if (impl_) impl_->OnAnswer(now, from, std::move(answer));
}

void Driver::OnErrandDone(Instant now, ErrandId errand, const ErrandOutcome& outcome) {
  if (impl_) impl_->OnErrandDone(now, errand, outcome);
}

void Driver::Turn(Instant now, const PdReader& pd, DriverOutput* output) {
  if (impl_) impl_->Turn(now, pd, output);
}

Instant Driver::next_deadline() const { return impl_ ? impl_->next_deadline() : Instant::Max(); }

const std::vector<std::string>& Driver::waiting() const {
  static const std::vector<std::string> kNothing;
  return impl_ ? impl_->waiting() : kNothing;
}

}  // namespace flaredb::cluster
