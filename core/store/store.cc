// SPDX-License-Identifier: Apache-2.0
#include "core/store/store.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/probe.h"
#include "core/base/rng.h"
#include "core/region/overlay.h"
#include "core/store/calls.h"
#include "core/store/membership.h"
#include "core/store/outbox.h"
#include "core/store/replica.h"
#include "core/store/replica_set.h"
#include "core/store/shipper.h"
#include "core/store/store_beats.h"

namespace flaredb::store {
namespace {

// Whether the replica has applied a configuration without it after one that had it, and its process
// died before the turn in which it would have gone. Nobody else would tell it: it was a leader, and
// who is no member is not followed.
bool WasRemoved(const RecoveredRegion& recovered) {
  const Region& region = recovered.region;
  if (!region.initialized() || region.PeerOf(recovered.peer) != nullptr) return false;
  const std::vector<raft::ConfAt>& confs = recovered.raft.confs;
  return recovered.raft.conf.IsMember(recovered.peer) ||
         std::any_of(confs.begin(), confs.end(), [&](const raft::ConfAt& at) {
           return at.index <= recovered.applied.index && at.conf.IsMember(recovered.peer);
         });
}

}  // namespace

// Events go to replicas and calls; what replicas then want becomes effects and one group commit.
class Store::Impl {
 public:
  Impl(const Options& options, RecoveredStore recovered, const DataSource* data, Instant now)
      : options_(options),
        identity_(recovered.identity),
        data_(data),
        overlay_(data),
        rng_(options.seed),
        life_(rng_.Next() | 1),
        beats_(options_.raft),
        outbox_(recovered.identity.store, options_.outbox, std::move(recovered.outbox)),
        calls_(identity_.store, options_, &replicas_, &overlay_, &outbox_, rng_.Next()),
        shipper_(options_.raft, &outbox_, &replicas_, &calls_),
        tombstones_(std::move(recovered.tombstones)) {
    if (options_.cluster) {
      membership_.emplace(
          options_, identity_, std::move(recovered.directory), &replicas_, &overlay_, &outbox_,
          &calls_, [this](const Order& order) { return Tell(order); }, now);
    }
    for (RecoveredRegion& region : recovered.regions) {
      if (WasRemoved(region)) excluded_.insert(region.region.id);
      replicas_.Add(std::make_unique<Replica>(options_, std::move(region), rng_.Fork(), now));
    }
    ComputeNextDeadline(now);
  }

  void Turn(Instant now, absl::Span<Event> events, Effects* effects) {
    if (failed_) return;
    now_ = now;
    effects_ = effects;
    env::GroupCommit commit;
    commit.token = last_token_.next();
    commit_ = &commit;
    calls_.BeginTurn(now, effects, &commit);
    if (membership_) membership_->BeginTurn(now, effects, &commit);

    DestroyExcluded();
    // Once something has failed nobody is asked to go on from there.
    for (size_t i = 0; i < events.size() && !failed_; ++i) {
      std::visit([&](auto& e) { On(e); }, events[i]);
    }
    if (!failed_) Work(now);

    if (failed_) {
      absl::Status failure = std::move(effects->failure);
      effects->Clear();
      effects->failure = std::move(failure);
      effects->sends = std::move(farewells_);
      return;
    }
    if (!commit.log.empty() || !commit.data.empty()) IssueCommit(std::move(commit));
    if (membership_) membership_->EndTurn(last_token_, durable_token_);
    ComputeNextDeadline(now);
  }

  Instant next_deadline() const { return next_deadline_; }
  const Identity& identity() const { return identity_; }
  size_t waiting_calls() const { return calls_.size(); }
  size_t forwarded_calls() const { return calls_.forwarded(); }
  size_t parked_calls() const { return calls_.parked(); }
  size_t outbox_rows() const { return outbox_.rows(); }
  EventualView eventual(kv::NamespaceId ns) const {
    return {calls_.ModeOf(ns), outbox_.rows_of(ns), outbox_.Watermark(ns), outbox_.clock()};
  }
  std::vector<CallView> calls() const { return calls_.views(); }
  const Membership* membership() const { return membership_ ? &*membership_ : nullptr; }
  size_t rows_in_flight() const { return overlay_.size(); }
  bool HoldsLease(RegionId region, Instant now) const {
    const Replica* replica = replicas_.Find(region);
    return replica != nullptr && replica->HoldsLease(now);
  }
  std::vector<PeerView> peers() const {
    std::vector<PeerView> views;
    for (const auto& [id, replica] : replicas_) views.push_back(replica->view(now_));
    return views;
  }

 private:
  // What becomes durable of one region with a group commit.
  struct Done {
    PeerId peer;
    IoToken token;  // Of its Raft group.
    Index applied;
  };
  struct InFlight {
    IoToken token;
    std::map<RegionId, Done> regions;
  };

  void On(MessageReceived& event) {
    std::visit([&](auto& message) { Receive(event.from, message); }, event.message);
  }
  void Receive(StoreId from, RaftEnvelope& envelope) {
    const RegionId region = envelope.region;
    const raft::Message& message = envelope.message;
    Replica* replica = replicas_.Find(region);
    // Ids are never reused: a later peer of the region on this store means that the one here was
    // removed, whether it knows or not.
    if (replica != nullptr && message.to > replica->peer()) {
      REACHED(kReplacedUnknowing);
      excluded_.insert(region);
    }
    if (replica == nullptr) replica = MaybeCreate(region, message);
    if (replica == nullptr || message.to != replica->peer()) return;
    const uint64_t conf_version = replica->region().epoch.conf_version;
    if (envelope.epoch.conf_version < conf_version && !replica->Knows(message.from)) {
      // Told, but heard all the same (thesis 4.1): it may be a voter that this replica has yet to
      // learn of, and whose own rows lag behind its log.
      effects_->sends.push_back({from, PeerRemoved{region, message.from, conf_version}});
    }
    replica->OnMessage(context(), from, std::move(envelope.message), &output_);
    Settle(*replica);
  }
  void Receive(StoreId, PeerRemoved& removed) {
    const Replica* replica = replicas_.Find(removed.region);
    if (replica != nullptr && replica->peer() == removed.peer &&
        replica->WasMemberBefore(removed.conf_version)) {
      excluded_.insert(removed.region);
    }
  }
  void Receive(StoreId from, StoreBeat& beat) {
    if (beats_.OnBeat(now_, from, beat.life)) WakeAllWith(from);
    for (const RegionId region : beat.dead) {
      if (Replica* replica = replicas_.Find(region)) WakeUp(replica);
    }
  }
  void Receive(StoreId from, ForwardedRequest& forwarded) {
    calls_.AdmitForwarded(from, std::move(forwarded));
  }
  void Receive(StoreId, ForwardedReply& reply) { calls_.OnReply(std::move(reply)); }
  void Receive(StoreId from, cluster::RollCall& call) {
    if (membership_) membership_->OnCall(from, call);
  }
  void Receive(StoreId from, cluster::RollAnswer& answer) {
    if (membership_) membership_->OnAnswer(from, std::move(answer));
  }

  void On(ClientCall& event) {
    if (membership_ && event.unix_ms != 0) membership_->OnWallClock(event.unix_ms);
    calls_.Admit(event.id, std::move(event.request), event.unix_ms);
  }
  void On(NamespaceChanged& event) {
    outbox_.Follow(event.after, commit_);
    calls_.OnNamespace(event);
  }
  // With a placement driver the watermark follows in the answers to its roll calls.
  void On(WallClock& event) {
    if (membership_) return membership_->OnWallClock(event.unix_ms);
    outbox_.Advance(event.unix_ms, commit_);
  }
  void On(Expelled&) {
    if (membership_) membership_->OnExpelled();
  }
  void On(ClientGone& event) { calls_.Abandon(event.id); }

  void On(Order& event) { effects_->orders.push_back({event.id, Tell(event)}); }
  // Returns why the replica here refused, empty when it began.
  std::string Tell(const Order& order) {
    Replica* replica = replicas_.Find(order.region);
    if (replica == nullptr) return "there is no replica of the region here";
    std::string refusal = replica->OnOrder(context(), order, &output_);
    Settle(*replica);
    return refusal;
  }

  void On(DiskDone& event) {
    durable_token_ = std::max(durable_token_, event.token);
    overlay_.Release(event.token);
    outbox_.OnDurable(event.token);
    calls_.OnDurable(event.token);
    while (!in_flight_.empty() && in_flight_.front().token <= event.token) {
      const InFlight done = std::move(in_flight_.front());
      in_flight_.pop_front();
      for (const auto& [region, what] : done.regions) {
        Replica* replica = replicas_.Find(region);
        // It may be gone, with another one in its place.
        if (replica == nullptr || replica->peer() != what.peer) continue;
        replica->OnPersisted(context(), what.token, &output_);
        replica->OnStateDurable(context(), what.applied, &output_);
        Settle(*replica);
      }
    }
  }
  // Whoever leads hands over first, while others wait for nothing else from this store.
  void On(DiskFailed& event) {
    if (failed_) return;
    std::vector<Send> others = std::exchange(effects_->sends, {});
    for (auto& [id, replica] : replicas_) {
      replica->OnDiskFailed(context(), &output_);
      Settle(*replica);
    }
    farewells_ = std::exchange(effects_->sends, std::move(others));
    Stop(event.status);
  }

  void On(env::LogFetched& event) {
    Replica* replica = replicas_.Find(event.region);
    if (replica == nullptr || !replica->Wants(event.id)) {
      REACHED(kFetchedTooLate);
      return;
    }
    if (!event.entries.ok()) {
      Stop(event.entries.status());
      return;
    }
    replica->OnFetched(context(), event.id, *std::move(event.entries), &output_);
    Settle(*replica);
  }

  TurnContext context() { return {now_, commit_, &overlay_, data_}; }

  // What is due, and what has come up in this turn.
  void Work(Instant now) {
    FireDeadlines();
    if (failed_) return;
    // Before routing, so that nothing is begun for a call that is over.
    calls_.Expire();
    calls_.RouteParked();
    shipper_.Ship(now);
    if (membership_) {
      if (absl::Status status = membership_->Run(); !status.ok()) Stop(status);
    }
    calls_.Inquire();
    excluded_.merge(calls_.TakeRemoved());
    for (auto& [region, queue] : calls_.TakeQueues()) {
      Replica& replica = *replicas_.Find(region);
      if (!queue.writes.empty()) replica.Propose(context(), queue.writes, &output_);
      if (!queue.reads.empty()) replica.Read(context(), std::move(queue.reads), &output_);
      Settle(replica);
      if (failed_) return;
    }
    if (absl::Status status = calls_.AnswerEventualReads(); !status.ok()) Stop(status);
    shipper_.Settle(now, commit_);
  }

  void FireDeadlines() {
    for (auto& [id, replica] : replicas_) {
      if (replica->next_deadline() > now_) continue;
      replica->OnDeadline(context(), &output_);
      Settle(*replica);
    }
    if (beats_.next_deadline() <= now_) Beat();
  }

  // --- Replicas come and go.

  // A leader that replicates to a peer which is not here yet: it is to be.
  Replica* MaybeCreate(RegionId region, const raft::Message& message) {
    const bool replicates = std::holds_alternative<raft::AppendRequest>(message.body) ||
                            std::holds_alternative<raft::HeartbeatRequest>(message.body) ||
                            std::holds_alternative<raft::SnapshotRequest>(message.body);
    const auto tombstone = tombstones_.find(region);
    SOMETIMES(kMessageToTheDead, replicates && message.to && tombstone != tombstones_.end() &&
                                     message.to <= tombstone->second);
    // Not for one that believes in an earlier life of this store, which nobody would listen to.
    if (!replicates || !message.to || message.to_incarnation ||
        (tombstone != tombstones_.end() && message.to <= tombstone->second)) {
      return nullptr;
    }
    SOMETIMES(kRecreated, tombstone != tombstones_.end());
    const Incarnation incarnation(rng_.Next() | 1);
    CreateReplica(region, message.to, incarnation, commit_);
    RecoveredRegion recovered;
    recovered.peer = message.to;
    recovered.region.id = region;
    recovered.raft.incarnation = incarnation;
    replicas_.Add(std::make_unique<Replica>(options_, std::move(recovered), rng_.Fork(), now_));
    return replicas_.Find(region);
  }

  void Destroy(RegionId region) {
    const std::unique_ptr<Replica> replica = replicas_.Take(region);
    tombstones_[region] = replica->peer();
    const size_t first = commit_->data.mutations.size();
    const absl::Status status =
        DestroyReplica(replica->region(), replica->peer(), overlay_, commit_);
    if (!status.ok()) Stop(status);
    WriteBatch rows;
    rows.mutations.assign(commit_->data.mutations.begin() + static_cast<ptrdiff_t>(first),
                          commit_->data.mutations.end());
    overlay_.Add(commit_->token, rows);
    replica->Abandon(&output_);
    SettleCalls(*replica);
    output_.Clear();
  }

  // In the turn after it was excluded: what a replica did in its last turn leaves first, and nobody
  // holds on to it.
  void DestroyExcluded() {
    for (const RegionId region : std::exchange(excluded_, {})) {
      if (replicas_.Find(region) != nullptr) Destroy(region);
    }
  }

  // --- Groups that rest.

  void WakeUp(Replica* replica) {
    if (!replica->resting()) return;
    replica->Wake(context(), &output_);
    Settle(*replica);
  }

  void WakeAllWith(StoreId store) {
    for (auto& [id, replica] : replicas_) {
      if (!replica->resting() || !MembersStores(*replica).contains(store)) continue;
      REACHED(kWokenBySilence);
      WakeUp(replica.get());
    }
  }

  std::set<StoreId> MembersStores(const Replica& replica) const {
    std::set<StoreId> stores;
    for (const PeerId peer : replica.conf().Everybody()) stores.insert(replica.StoreOf(peer));
    stores.erase(identity_.store);
    stores.erase(StoreId());
    return stores;
  }

  void Beat() {
    std::set<StoreId> watched;
    StoreBeat beat{life_, {}};
    for (auto& [id, replica] : replicas_) {
      if (replica->resting()) watched.merge(MembersStores(*replica));
      if (replica->poisoned()) beat.dead.push_back(id);
    }
    for (const StoreId store : watched) effects_->sends.push_back({store, beat});
    for (const StoreId silent : beats_.Beat(now_, watched)) WakeAllWith(silent);
  }

  // Distributes what a replica put into output_.
  void Settle(const Replica& replica) {
    if (!output_.failure.ok()) {
      Stop(output_.failure);
    } else {
      const RegionId region = replica.region().id;
      SendAndFetch(replica);
      SettleCalls(replica);
      if (output_.region_replaced) replicas_.Add(replicas_.Take(region));
      if (output_.excluded) excluded_.insert(region);
      if (replica.resting()) beats_.Arm(now_);
    }
    output_.Clear();
  }

  void SettleCalls(const Replica& replica) {
    const absl::Status status = calls_.Settle(replica, &output_);
    if (!status.ok()) Stop(status);
  }

  void SendAndFetch(const Replica& replica) {
    const Region& region = replica.region();
    for (raft::Message& message : output_.sends) {
      // Nobody knows where a stranger is.
      const StoreId store = replica.StoreOf(message.to);
      if (!store) continue;
      effects_->sends.push_back({store, RaftEnvelope{region.id, region.epoch, std::move(message)}});
    }
    // A leader stops replicating to whom it removed, who would never hear of it.
    for (const Peer& peer : output_.removed) {
      if (replica.is_leader()) {
        effects_->sends.push_back(
            {peer.store, PeerRemoved{region.id, peer.id, region.epoch.conf_version}});
      }
    }
    for (const raft::Fetch& fetch : output_.fetches) {
      effects_->fetches.push_back({region.id, fetch});
    }
  }

  void IssueCommit(env::GroupCommit commit) {
    last_token_ = commit.token;
    InFlight in_flight{commit.token, {}};
    for (const env::LogWrite& write : commit.log) {
      const Replica* replica = replicas_.Find(write.region);
      if (replica == nullptr || write.destroy) continue;
      in_flight.regions[write.region] = {replica->peer(), write.persist.token,
                                         replica->applied_index()};
    }
    in_flight_.push_back(std::move(in_flight));
    effects_->commit = std::move(commit);
  }

  void Stop(absl::Status why) {
    if (failed_) return;
    failed_ = true;
    effects_->failure = std::move(why);
    next_deadline_ = Instant::Max();
  }

  void ComputeNextDeadline(Instant now) {
    if (!excluded_.empty()) {
      next_deadline_ = now;
      return;
    }
    next_deadline_ =
        std::max(now, std::min({calls_.next_deadline(), replicas_.next_deadline(),
                                beats_.next_deadline(), shipper_.next_deadline(),
                                membership_ ? membership_->next_deadline() : Instant::Max()}));
  }

  const Options options_;
  const Identity identity_;
  const DataSource* const data_;
  Overlay overlay_;
  Rng rng_;
  const uint64_t life_;
  ReplicaSet replicas_;
  StoreBeats beats_;
  Outbox outbox_;
  Calls calls_;
  Shipper shipper_;
  std::optional<Membership> membership_;  // With Options::cluster.
  std::map<RegionId, PeerId> tombstones_;
  // Token 1 is Bootstrap's; those of an earlier life do not matter.
  IoToken last_token_{1};
  IoToken durable_token_{1};
  std::deque<InFlight> in_flight_;
  Instant next_deadline_;
  bool failed_ = false;

  // Of the turn in progress.
  Instant now_;
  Effects* effects_ = nullptr;
  env::GroupCommit* commit_ = nullptr;
  ReplicaOutput output_;
  std::vector<Send> farewells_;  // What leaves although the store has stopped.
  std::set<RegionId> excluded_;  // Whose replica here is to be destroyed.
};

Store::Store(const Options& options, RecoveredStore recovered, const DataSource* data, Instant now)
    : impl_(std::make_unique<Impl>(options, std::move(recovered), data, now)) {}
Store::~Store() = default;

void Store::Turn(Instant now, absl::Span<Event> events, Effects* effects) {
  impl_->Turn(now, events, effects);
}
Instant Store::next_deadline() const { return impl_->next_deadline(); }
const Identity& Store::identity() const { return impl_->identity(); }
std::vector<PeerView> Store::peers() const { return impl_->peers(); }
bool Store::HoldsLease(RegionId region, Instant now) const {
  return impl_->HoldsLease(region, now);
}
size_t Store::waiting_calls() const { return impl_->waiting_calls(); }
size_t Store::forwarded_calls() const { return impl_->forwarded_calls(); }
size_t Store::parked_calls() const { return impl_->parked_calls(); }
std::vector<CallView> Store::calls() const { return impl_->calls(); }
const cluster::Directory* Store::directory() const {
  const Membership* membership = impl_->membership();
  return membership != nullptr ? &membership->directory() : nullptr;
}
const std::vector<std::string>& Store::waiting() const {
  static const std::vector<std::string> kNothing;
  const Membership* membership = impl_->membership();
  return membership != nullptr ? membership->waiting() : kNothing;
}
size_t Store::rows_in_flight() const { return impl_->rows_in_flight(); }
size_t Store::outbox_rows() const { return impl_->outbox_rows(); }
EventualView Store::eventual(kv::NamespaceId ns) const { return impl_->eventual(ns); }

}  // namespace flaredb::store
