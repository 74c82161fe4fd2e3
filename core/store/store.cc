// SPDX-License-Identifier: Apache-2.0
#include "core/store/store.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "core/region/overlay.h"
#include "core/store/calls.h"
#include "core/store/replica.h"
#include "core/store/replica_set.h"

namespace flaredb::store {

// Events go to replicas and calls; what replicas then want becomes effects and one group commit.
class Store::Impl {
 public:
  Impl(const Options& options, RecoveredStore recovered, const DataReader* data, Instant now)
      : options_(options),
        identity_(recovered.identity),
        overlay_(data),
        rng_(options.seed),
        calls_(options_, &replicas_, &overlay_, rng_.Next()) {
    for (RecoveredRegion& region : recovered.regions) {
      replicas_.Add(std::make_unique<Replica>(options_, identity_.store, std::move(region),
                                              rng_.Fork(), now));
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
    calls_.BeginTurn(now, effects);

    for (Event& event : events) {
      std::visit([&](auto& e) { On(e); }, event);
    }
    for (auto& [id, replica] : replicas_) {
      if (replica->next_deadline() > now_) continue;
      replica->OnDeadline(context(), &output_);
      Settle(*replica);
    }
    // Before routing, so that nothing is begun for a call that is over.
    calls_.Expire();
    calls_.RouteParked();
    for (auto& [region, queue] : calls_.TakeQueues()) {
      Replica& replica = *replicas_.Find(region);
      if (!queue.writes.empty()) replica.Propose(context(), queue.writes, &output_);
      if (!queue.reads.empty()) replica.Read(context(), std::move(queue.reads), &output_);
      Settle(replica);
    }

    if (failed_) {
      absl::Status failure = std::move(effects->failure);
      effects->Clear();
      effects->failure = std::move(failure);
      return;
    }
    if (!commit.log.empty() || !commit.data.empty()) IssueCommit(std::move(commit));
    ComputeNextDeadline(now);
  }

  Instant next_deadline() const { return next_deadline_; }
  const Identity& identity() const { return identity_; }
  size_t waiting_calls() const { return calls_.size(); }
  size_t rows_in_flight() const { return overlay_.size(); }
  std::vector<PeerView> peers() const {
    std::vector<PeerView> views;
    for (const auto& [id, replica] : replicas_) views.push_back(replica->view());
    return views;
  }

 private:
  // What becomes durable with a group commit: persists of Raft groups, by their own tokens.
  struct InFlight {
    IoToken token;
    std::vector<std::pair<RegionId, IoToken>> persists;
  };

  void On(MessageReceived& event) {
    std::visit([&](auto& message) { Receive(event.from, message); }, event.message);
  }
  void Receive(StoreId, RaftEnvelope& envelope) {
    Replica* replica = replicas_.Find(envelope.region);
    if (replica == nullptr) return;
    replica->OnMessage(context(), std::move(envelope.message), &output_);
    Settle(*replica);
  }
  void Receive(StoreId from, ForwardedRequest& forwarded) {
    calls_.Admit(ForwardOrigin{from, forwarded.id}, std::move(forwarded.request));
  }
  void Receive(StoreId, ForwardedReply& reply) { calls_.OnReply(std::move(reply)); }

  void On(ClientCall& event) { calls_.Admit(event.id, std::move(event.request)); }
  void On(ClientGone& event) { calls_.Abandon(event.id); }

  void On(DiskDone& event) {
    overlay_.Release(event.token);
    while (!in_flight_.empty() && in_flight_.front().token <= event.token) {
      const InFlight done = std::move(in_flight_.front());
      in_flight_.pop_front();
      for (const auto& [region, token] : done.persists) {
        Replica& replica = *replicas_.Find(region);
        replica.OnPersisted(context(), token, &output_);
        Settle(replica);
      }
    }
  }
  void On(DiskFailed& event) { Stop(event.status); }

  void On(env::LogFetched& event) {
    Replica* replica = replicas_.Find(event.region);
    if (replica == nullptr || !replica->Wants(event.id)) return;
    if (!event.entries.ok()) {
      Stop(event.entries.status());
      return;
    }
    replica->OnFetched(context(), event.id, *std::move(event.entries), &output_);
    Settle(*replica);
  }

  TurnContext context() { return {now_, commit_, &overlay_}; }

  // Distributes what a replica put into output_.
  void Settle(const Replica& replica) {
    if (!output_.failure.ok()) {
      Stop(output_.failure);
    } else {
      SendAndFetch(replica.region());
      const absl::Status status = calls_.Settle(replica, &output_);
      if (!status.ok()) Stop(status);
    }
    output_.Clear();
  }

  void SendAndFetch(const Region& region) {
    for (raft::Message& message : output_.sends) {
      const Peer* peer = region.PeerOf(message.to);
      // The answer to a stranger, who is no member of the region.
      if (peer == nullptr) continue;
      effects_->sends.push_back(
          {peer->store, RaftEnvelope{region.id, region.epoch, std::move(message)}});
    }
    for (const raft::Fetch& fetch : output_.fetches) {
      effects_->fetches.push_back({region.id, fetch});
    }
  }

  void IssueCommit(env::GroupCommit commit) {
    last_token_ = commit.token;
    InFlight in_flight{commit.token, {}};
    for (const env::LogWrite& write : commit.log) {
      auto& persists = in_flight.persists;
      if (!persists.empty() && persists.back().first == write.region) {
        persists.back().second = write.persist.token;
      } else {
        persists.emplace_back(write.region, write.persist.token);
      }
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
    next_deadline_ = std::max(now, std::min(calls_.next_deadline(), replicas_.next_deadline()));
  }

  const Options options_;
  const Identity identity_;
  Overlay overlay_;
  Rng rng_;
  ReplicaSet replicas_;
  Calls calls_;
  // Token 1 is Bootstrap's; those of an earlier life do not matter.
  IoToken last_token_{1};
  std::deque<InFlight> in_flight_;
  Instant next_deadline_;
  bool failed_ = false;

  // Of the turn in progress.
  Instant now_;
  Effects* effects_ = nullptr;
  env::GroupCommit* commit_ = nullptr;
  ReplicaOutput output_;
};

Store::Store(const Options& options, RecoveredStore recovered, const DataReader* data, Instant now)
    : impl_(std::make_unique<Impl>(options, std::move(recovered), data, now)) {}
Store::~Store() = default;

void Store::Turn(Instant now, absl::Span<Event> events, Effects* effects) {
  impl_->Turn(now, events, effects);
}
Instant Store::next_deadline() const { return impl_->next_deadline(); }
const Identity& Store::identity() const { return impl_->identity(); }
std::vector<PeerView> Store::peers() const { return impl_->peers(); }
size_t Store::waiting_calls() const { return impl_->waiting_calls(); }
size_t Store::rows_in_flight() const { return impl_->rows_in_flight(); }

}  // namespace flaredb::store
