// SPDX-License-Identifier: Apache-2.0
#include "core/store/store.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/kv/key.h"
#include "core/region/overlay.h"
#include "core/store/call_table.h"
#include "core/store/errors.h"
#include "core/store/reads.h"
#include "core/store/replica.h"

namespace flaredb::store {
namespace {

std::string RoutingKey(const Operation& operation) {
  return std::visit(
      [](const auto& op) {
        using Op = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<Op, ScanRequest>) {
          return kv::EncodeKey(op.ns, op.begin);
        } else {
          return kv::EncodeKey(op.ns, op.key);
        }
      },
      operation);
}

kv::Command TakeCommand(Operation&& operation) {
  if (auto* swap = std::get_if<kv::CompareAndSwap>(&operation)) return std::move(*swap);
  return std::get<kv::CompareAndDelete>(std::move(operation));
}

}  // namespace

// The way of a call: Admit -> Route -> queued for a leader here, forwarded to the leader's store,
// or parked until there is a leader -> Answer. Exactly one Answer ends it.
class Store::Impl {
 public:
  Impl(const Options& options, RecoveredStore recovered, const DataReader* data, Instant now)
      : options_(options),
        identity_(recovered.identity),
        overlay_(data),
        rng_(options.seed),
        last_forward_id_(rng_.Next()) {
    for (RecoveredRegion& region : recovered.regions) {
      const RegionId id = region.region.id;
      region_by_start_.emplace(region.region.start_key, id);
      replicas_.emplace(id, std::make_unique<Replica>(options_, identity_.store, std::move(region),
                                                      rng_.Fork(), now));
    }
    ComputeNextDeadline(now);
  }

  void Turn(Instant now, absl::Span<Event> events, Effects* effects) {
    if (failed_) return;
    now_ = now;
    effects_ = effects;
    GroupCommit commit;
    commit.token = last_token_.next();
    commit_ = &commit;
    for (Event& event : events) {
      std::visit([&](auto& e) { On(e); }, event);
    }
    for (auto& [id, replica] : replicas_) {
      if (replica->next_deadline() > now_) continue;
      replica->OnDeadline(context(), &output_);
      Settle(id, *replica);
    }
    // First, so that nothing is begun for a call that is over.
    ExpireCalls();
    if (now_ >= retry_at_) RouteParked();
    SubmitQueued();
    if (failed_) {
      const absl::Status failure = std::move(effects->failure);
      effects->Clear();
      effects->failure = failure;
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
  // A request on its way to the leader's store.
  struct Forward {
    CallKey call;
    RegionId region;
    StoreId to;
  };
  // Calls for a leader here, collected over a turn.
  struct Queue {
    std::vector<CallKey> writes;
    std::vector<CallKey> reads;
  };
  // What becomes durable with a group commit.
  struct InFlight {
    IoToken token;
    std::vector<std::pair<RegionId, IoToken>> persists;
  };

  // --- Events.

  void On(MessageReceived& event) {
    std::visit([&](auto& message) { Receive(event.from, message); }, event.message);
  }

  void Receive(StoreId, RaftEnvelope& envelope) {
    auto replica = replicas_.find(envelope.region);
    if (replica == replicas_.end()) return;
    replica->second->OnMessage(context(), std::move(envelope.message), &output_);
    Settle(replica->first, *replica->second);
  }

  void Receive(StoreId from, ForwardedRequest& forwarded) {
    Admit(ForwardOrigin{from, forwarded.id}, std::move(forwarded.request));
  }

  void Receive(StoreId, ForwardedReply& reply) {
    auto found = forwards_.find(reply.id);
    if (found == forwards_.end()) return;
    const Forward forward = found->second;
    forwards_.erase(found);
    Call* call = calls_.Find(forward.call);
    call->forward_id = 0;
    auto* error = std::get_if<Error>(&reply.reply.result);
    if (error == nullptr) {
      Answer(forward.call, std::move(reply.reply));
      return;
    }
    if (error->outcome == Outcome::kNotApplied) --call->attempts;
    const bool leader_gone = error->code == ErrorCode::kNotLeader ||
                             error->code == ErrorCode::kReadNotReady ||
                             error->code == ErrorCode::kStaleCommand;
    if (leader_gone && MayTryAgain(*call)) {
      Park(forward.call);
    } else {
      Fail(forward.call, std::move(*error), reply.reply.applied_index);
    }
  }

  void On(ClientCall& event) { Admit(event.id, std::move(event.request)); }

  void On(ClientGone& event) {
    auto found = client_calls_.find(event.id);
    if (found != client_calls_.end()) Forget(found->second);
  }

  void On(DiskDone& event) {
    overlay_.Release(event.token);
    while (!in_flight_.empty() && in_flight_.front().token <= event.token) {
      const InFlight done = std::move(in_flight_.front());
      in_flight_.pop_front();
      for (const auto& [region, token] : done.persists) {
        Replica& replica = *replicas_.at(region);
        replica.OnPersisted(context(), token, &output_);
        Settle(region, replica);
      }
    }
  }

  void On(DiskFailed& event) { Stop(event.status); }

  void On(LogFetched& event) {
    auto replica = replicas_.find(event.region);
    if (replica == replicas_.end() || !replica->second->Wants(event.id)) return;
    if (!event.entries.ok()) {
      Stop(event.entries.status());
      return;
    }
    replica->second->OnFetched(context(), event.id, *std::move(event.entries), &output_);
    Settle(replica->first, *replica->second);
  }

  // --- Calls.

  void Admit(Origin origin, Request request) {
    // However much time there is, the deadline is an instant.
    const Instant deadline = now_ + std::min(request.budget, Instant::Max() - now_);
    Call call{std::move(origin), deadline, std::move(request), 0};
    std::optional<Error> refusal = Validate(call.request, options_);
    if (!refusal && calls_.size() >= options_.waiting_calls_max) {
      refusal = BusyError("too many requests wait for an answer");
    }
    if (!refusal && call.deadline <= now_) refusal = DeadlineError(false);
    const CallKey key = calls_.Add(std::move(call));
    const Call& added = *calls_.Find(key);
    if (const auto* client = std::get_if<CallId>(&added.origin)) client_calls_[*client] = key;
    if (refusal) {
      Fail(key, *std::move(refusal));
    } else {
      Route(key);
    }
  }

  void Route(CallKey key) {
    const Call& call = *calls_.Find(key);
    Replica* replica = nullptr;
    if (std::optional<Error> error = FindReplica(call, &replica)) {
      Fail(key, *std::move(error));
      return;
    }
    const RegionId region = replica->region().id;
    const bool client_routes = call.request.context.has_value();
    const bool forwarded = std::holds_alternative<ForwardOrigin>(call.origin);
    const StoreId leader = replica->leader_store();
    if (replica->poisoned()) {
      Fail(key, StoppedError(region, false));
    } else if (replica->is_leader()) {
      Queue& queue = queues_[region];
      (call.IsWrite() ? queue.writes : queue.reads).push_back(key);
    } else if (forwarded || client_routes) {
      Fail(key, NotLeaderError(region, leader));
    } else if (leader) {
      ForwardTo(leader, region, key);
    } else {
      Park(key);
    }
  }

  std::optional<Error> FindReplica(const Call& call, Replica** replica) {
    const std::string key = RoutingKey(call.request.operation);
    if (const auto& context = call.request.context) {
      auto found = replicas_.find(context->region);
      if (found == replicas_.end()) return RegionNotFoundError(context->region);
      const Region& region = found->second->region();
      if (region.epoch != context->epoch) return EpochError(region);
      if (!region.Contains(key)) return KeyNotInRegionError(region.id);
      *replica = found->second.get();
      return std::nullopt;
    }
    auto after = region_by_start_.upper_bound(key);
    if (after != region_by_start_.begin()) {
      Replica& candidate = *replicas_.at(std::prev(after)->second);
      if (candidate.region().Contains(key)) {
        *replica = &candidate;
        return std::nullopt;
      }
    }
    return RegionNotFoundError(RegionId());
  }

  void ForwardTo(StoreId store, RegionId region, CallKey key) {
    Call& call = *calls_.Find(key);
    ++call.attempts;
    const uint64_t id = ++last_forward_id_;
    call.forward_id = id;
    forwards_.emplace(id, Forward{key, region, store});
    Request request = call.request;
    request.budget = call.deadline - now_;
    effects_->sends.push_back({store, ForwardedRequest{id, region, std::move(request)}});
  }

  // Waits for a leader: until one is known, but looks again after a heartbeat's time.
  void Park(CallKey key) {
    parked_.push_back(key);
    retry_at_ = std::min(retry_at_, now_ + options_.raft.heartbeat_interval);
  }

  void RouteParked() {
    retry_at_ = Instant::Max();
    for (const CallKey key : std::exchange(parked_, {})) {
      if (calls_.Find(key) != nullptr) Route(key);
    }
  }

  // Whether an interrupted call may be routed again by this store.
  static bool MayTryAgain(const Call& call) {
    const bool untried = call.attempts == 0 || !call.IsWrite();
    return call.IsRoutedHere() && (untried || call.MayRetry());
  }

  void Interrupt(CallKey key, RegionId region) {
    const Call* call = calls_.Find(key);
    if (call == nullptr) return;
    if (MayTryAgain(*call)) {
      Park(key);
    } else {
      Fail(key, InterruptedError(region, call->IsWrite() && call->attempts > 0));
    }
  }

  void SubmitQueued() {
    for (auto& [region, queue] : std::exchange(queues_, {})) {
      Replica& replica = *replicas_.at(region);
      std::vector<QueuedWrite> writes;
      for (const CallKey key : queue.writes) {
        Call* call = calls_.Find(key);
        if (call == nullptr) continue;
        ++call->attempts;
        // Kept when the call may be routed again; that includes any write that is displaced.
        Operation& operation = call->request.operation;
        writes.push_back({key, TakeCommand(call->IsRoutedHere() ? Operation(operation)
                                                                : std::move(operation))});
      }
      if (!writes.empty()) replica.Propose(context(), writes, &output_);
      if (!queue.reads.empty()) replica.Read(context(), std::move(queue.reads), &output_);
      Settle(region, replica);
    }
  }

  void ExpireCalls() {
    while (const std::optional<CallKey> key = calls_.NextExpired(now_)) {
      const Call& call = *calls_.Find(*key);
      Fail(*key, DeadlineError(call.IsWrite() && call.attempts > 0));
    }
  }

  void ServeRead(CallKey key, const Replica& replica) {
    const Call* call = calls_.Find(key);
    if (call == nullptr) return;
    absl::StatusOr<Result> result =
        ReadOperation(call->request.operation, replica.region(), overlay_, options_);
    if (!result.ok()) {
      Stop(result.status());
      return;
    }
    Answer(key, Reply{*std::move(result), replica.applied_index()});
  }

  void AnswerWrite(CallKey key, ApplyReply outcome, const Replica& replica) {
    Call* call = calls_.Find(key);
    if (call == nullptr) return;
    if (std::holds_alternative<EpochChanged>(outcome)) {
      --call->attempts;
      Fail(key, EpochError(replica.region()), replica.applied_index());
      return;
    }
    auto& write = std::get<kv::WriteReply>(outcome);
    if (write.result == kv::WriteResult::kForgotten) {
      Fail(key, ForgottenError(), replica.applied_index());
      return;
    }
    Answer(key, Reply{std::move(write), replica.applied_index()});
  }

  // An error ends the call. Whatever it says of this attempt, an earlier one of a write may have
  // been carried out.
  void Fail(CallKey key, Error error, Index applied_index = Index()) {
    const Call& call = *calls_.Find(key);
    if (call.IsWrite() && call.attempts > 0) error.outcome = Outcome::kUnknown;
    Answer(key, Reply{std::move(error), applied_index});
  }

  void Answer(CallKey key, Reply reply) {
    const Call& call = *calls_.Find(key);
    if (const auto* client = std::get_if<CallId>(&call.origin)) {
      effects_->replies.push_back({*client, std::move(reply)});
    } else {
      const auto& origin = std::get<ForwardOrigin>(call.origin);
      effects_->sends.push_back({origin.store, ForwardedReply{origin.id, std::move(reply)}});
    }
    Forget(key);
  }

  void Forget(CallKey key) {
    const Call& call = *calls_.Find(key);
    if (const auto* client = std::get_if<CallId>(&call.origin)) client_calls_.erase(*client);
    if (call.forward_id != 0) forwards_.erase(call.forward_id);
    calls_.Remove(key);
  }

  // --- Replicas.

  TurnContext context() { return {now_, commit_, &overlay_}; }

  // Distributes what a replica put into output_.
  void Settle(RegionId id, Replica& replica) {
    if (!output_.failure.ok()) {
      Stop(output_.failure);
      output_ = {};
      return;
    }
    ReplicaOutput output = std::exchange(output_, {});
    const Region& region = replica.region();
    for (raft::Message& message : output.sends) {
      const Peer* peer = region.PeerOf(message.to);
      // The answer to a stranger, who is no member of the region.
      if (peer == nullptr) continue;
      effects_->sends.push_back({peer->store, RaftEnvelope{id, region.epoch, std::move(message)}});
    }
    for (const raft::Fetch& fetch : output.fetches) effects_->fetches.push_back({id, fetch});
    for (auto& [key, reply] : output.applied) AnswerWrite(key, std::move(reply), replica);
    for (const CallKey key : output.readable) ServeRead(key, replica);
    for (const CallKey key : output.displaced) {
      Call* call = calls_.Find(key);
      if (call == nullptr) continue;
      --call->attempts;
      Interrupt(key, id);
    }
    for (const CallKey key : output.interrupted) Interrupt(key, id);
    for (const CallKey key : output.refused) {
      Call* call = calls_.Find(key);
      if (call == nullptr) continue;
      --call->attempts;
      Fail(key, BusyError("too many writes wait for a quorum"));
    }
    if (output.leader_changed) OnLeaderChanged(id, replica.leader_store());
  }

  void OnLeaderChanged(RegionId region, StoreId leader) {
    if (!leader) return;
    // Who waits for another store's answer may wait for ever: that store may be gone.
    for (auto forward = forwards_.begin(); forward != forwards_.end();) {
      const Forward waiting = forward->second;
      Call* call = calls_.Find(waiting.call);
      if (waiting.region != region || waiting.to == leader || !MayTryAgain(*call)) {
        ++forward;
        continue;
      }
      forward = forwards_.erase(forward);
      call->forward_id = 0;
      Park(waiting.call);
    }
    if (!parked_.empty()) retry_at_ = now_;
  }

  void IssueCommit(GroupCommit commit) {
    last_token_ = commit.token;
    InFlight in_flight{commit.token, {}};
    for (const LogWrite& write : commit.log) {
      if (!in_flight.persists.empty() && in_flight.persists.back().first == write.region) {
        in_flight.persists.back().second = write.persist.token;
      } else {
        in_flight.persists.emplace_back(write.region, write.persist.token);
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
    next_deadline_ = std::min(calls_.next_deadline(), parked_.empty() ? Instant::Max() : retry_at_);
    for (const auto& [id, replica] : replicas_) {
      next_deadline_ = std::min(next_deadline_, replica->next_deadline());
    }
    next_deadline_ = std::max(next_deadline_, now);
  }

  const Options options_;
  const Identity identity_;
  Overlay overlay_;
  Rng rng_;
  std::map<RegionId, std::unique_ptr<Replica>> replicas_;
  std::map<std::string, RegionId, std::less<>> region_by_start_;

  CallTable calls_;
  std::map<CallId, CallKey> client_calls_;
  std::map<uint64_t, Forward> forwards_;
  // Drawn at random at start: replies to an earlier life of the store must not match.
  uint64_t last_forward_id_;
  std::map<RegionId, Queue> queues_;
  std::vector<CallKey> parked_;
  Instant retry_at_ = Instant::Max();

  // Token 1 is Bootstrap's; those of an earlier life do not matter.
  IoToken last_token_{1};
  std::deque<InFlight> in_flight_;
  Instant next_deadline_;
  bool failed_ = false;

  // Of the turn in progress.
  Instant now_;
  Effects* effects_ = nullptr;
  GroupCommit* commit_ = nullptr;
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
