// SPDX-License-Identifier: Apache-2.0
#include "core/store/calls.h"

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

#include "core/base/probe.h"
#include "core/kv/key.h"
#include "core/store/errors.h"
#include "core/store/reads.h"

namespace flaredb::store {
namespace {

std::string RoutingKey(const kv::NamespaceCommand& command) {
  if (const auto* batch = std::get_if<kv::LwwBatch>(&command)) {
    return kv::EncodeKey(batch->ns, batch->rows.front().key);
  }
  const auto* collect = std::get_if<kv::CollectTombstones>(&command);
  return kv::EncodeKey(kv::NamespaceOf(command), collect != nullptr ? collect->begin : "");
}

std::string RoutingKey(const Operation& operation) {
  return std::visit(
      [](const auto& op) {
        using Op = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<Op, kv::NamespaceCommand>) {
          return RoutingKey(op);
        } else if constexpr (std::is_same_v<Op, ScanRequest>) {
          return kv::EncodeKey(op.ns, op.begin);
        } else if constexpr (std::is_same_v<Op, ExecuteRequest> ||
                             std::is_same_v<Op, QueryRequest>) {
          return ObjectPrefix(op.object);
        } else {
          return kv::EncodeKey(op.ns, op.key);
        }
      },
      operation);
}

Command TakeCommand(Operation operation) {
  if (auto* swap = std::get_if<kv::CompareAndSwap>(&operation)) return std::move(*swap);
  if (auto* execute = std::get_if<ExecuteRequest>(&operation)) {
    return MachineCommand{std::move(execute->object), std::move(execute->command)};
  }
  if (auto* command = std::get_if<kv::NamespaceCommand>(&operation)) return std::move(*command);
  return std::get<kv::CompareAndDelete>(std::move(operation));
}

bool IsEventualRead(const Operation& operation) {
  if (const auto* get = std::get_if<GetRequest>(&operation)) {
    return get->mode == kv::Mode::kEventual;
  }
  const auto* scan = std::get_if<ScanRequest>(&operation);
  return scan != nullptr && scan->mode == kv::Mode::kEventual;
}

// Whether an interrupted call may be routed again by this store.
bool MayTryAgain(const Call& call) {
  const bool untried = call.attempts == 0 || !call.IsWrite();
  return call.IsRoutedHere() && (untried || call.MayRetry());
}

// The refusal says that there is no leader where one was expected; another may be found.
bool LostItsLeader(const Error& error) {
  return error.code == ErrorCode::kNotLeader || error.code == ErrorCode::kReadNotReady ||
         error.code == ErrorCode::kStaleCommand;
}

}  // namespace

void Calls::BeginTurn(Instant now, Effects* effects, env::GroupCommit* commit) {
  now_ = now;
  effects_ = effects;
  commit_ = commit;
}

void Calls::Admit(Origin origin, Request request, uint64_t unix_ms) {
  // However much time there is, the deadline is an instant.
  const Instant deadline = now_ + std::min(request.budget, Instant::Max() - now_);
  std::optional<Error> refusal = Validate(request, options_);
  if (!refusal) refusal = namespaces_.Refusal(request.operation);
  if (!refusal && table_.size() >= options_.waiting_calls_max) {
    REACHED(kCallsFull);
    refusal = BusyError("too many requests wait for an answer");
  }
  if (!refusal && deadline <= now_) refusal = DeadlineError(false);

  const CallKey key = table_.Add({origin, deadline, std::move(request)});
  if (const auto* client = std::get_if<CallId>(&origin)) by_client_[*client] = key;
  if (refusal) {
    Fail(key, *std::move(refusal));
  } else if (std::holds_alternative<RawWriteRequest>(table_.Find(key)->request.operation)) {
    Accept(key, unix_ms);
  } else {
    Route(key);
  }
}

void Calls::Accept(CallKey key, uint64_t unix_ms) {
  Call& call = *table_.Find(key);
  auto& write = std::get<RawWriteRequest>(call.request.operation);
  const std::optional<kv::Hlc> hlc =
      outbox_->Accept(write.ns, namespaces_.Of(write.ns).mode_epoch, write.key,
                      std::move(write.value), unix_ms, commit_);
  if (!hlc) {
    Fail(key, OutboxFullError());
    return;
  }
  ++call.attempts;
  accepted_.push_back({commit_->token, key, *hlc});
}

void Calls::OnDurable(IoToken token) {
  for (; !accepted_.empty() && accepted_.front().token <= token; accepted_.pop_front()) {
    const Accepted& accepted = accepted_.front();
    if (table_.Find(accepted.call) != nullptr) {
      Answer(accepted.call, Reply{AcceptedReply{accepted.hlc}, Index()});
    }
  }
}

void Calls::Route(CallKey key) {
  const Call& call = *table_.Find(key);
  const Replica* replica = nullptr;
  if (std::optional<Error> error = FindReplica(call, &replica)) {
    Fail(key, *std::move(error));
    return;
  }
  const RegionId region = replica->region().id;
  const StoreId leader = replica->leader_store();
  if (replica->poisoned()) {
    Fail(key, StoppedError(region, false));
  } else if (IsEventualRead(call.request.operation)) {
    eventual_reads_.push_back(key);
  } else if (call.IsRoutedHere() && leader && BUGGIFY(kParkCall)) {
    Park(key);
  } else if (replica->is_leader()) {
    QueuedKeys& queue = queues_[region];
    (call.IsWrite() ? queue.writes : queue.reads).push_back(key);
  } else if (leader && options_.follower_reads && !call.IsWrite()) {
    queues_[region].reads.push_back(key);
  } else if (!call.IsRoutedHere()) {
    Fail(key, NotLeaderError(region, leader));
  } else if (leader) {
    ForwardTo(leader, region, key);
  } else {
    Park(key);
  }
}

std::optional<Error> Calls::FindReplica(const Call& call, const Replica** replica) const {
  const std::string key = RoutingKey(call.request.operation);
  const auto& context = call.request.context;
  *replica = context ? replicas_->Find(context->region) : replicas_->FindByKey(key);
  if (*replica == nullptr || !(*replica)->region().initialized())
    return RegionNotFoundError(context ? context->region : RegionId());
  const Region& region = (*replica)->region();
  if (context && region.epoch != context->epoch) return EpochError(region);
  if (context && !region.Contains(key)) return KeyNotInRegionError(region.id);
  // Who cut it to a region may know another one than there is now.
  const auto* command = std::get_if<kv::NamespaceCommand>(&call.request.operation);
  if (command != nullptr && !Holds(region, *command)) return KeyNotInRegionError(region.id);
  return std::nullopt;
}

void Calls::ForwardTo(StoreId store, RegionId region, CallKey key) {
  Call& call = *table_.Find(key);
  ++call.attempts;
  call.forward_id = ++last_forward_id_;
  forwards_.emplace(call.forward_id, Forward{key, region, store});
  Request request = call.request;
  request.budget = call.deadline - now_;
  effects_->sends.push_back({store, ForwardedRequest{call.forward_id, region, std::move(request)}});
}

void Calls::OnReply(ForwardedReply reply) {
  const auto forward = forwards_.find(reply.id);
  if (forward == forwards_.end()) {
    REACHED(kForwardAnsweredLate);
    return;
  }
  const CallKey key = forward->second.call;
  forwards_.erase(forward);
  Call& call = *table_.Find(key);
  call.forward_id = 0;
  auto* error = std::get_if<Error>(&reply.reply.result);
  if (error == nullptr) {
    Answer(key, std::move(reply.reply));
    return;
  }
  if (error->outcome == Outcome::kNotApplied) --call.attempts;
  if (LostItsLeader(*error) && MayTryAgain(call)) {
    Park(key);
  } else {
    Fail(key, std::move(*error), reply.reply.applied_index);
  }
}

// Waits for a leader: until one is known, but looks again after a heartbeat's time.
void Calls::Park(CallKey key) {
  parked_.push_back(key);
  retry_at_ = std::min(retry_at_, now_ + options_.raft.heartbeat_interval);
}

void Calls::RouteParked() {
  if (now_ < retry_at_) return;
  retry_at_ = Instant::Max();
  for (const CallKey key : std::exchange(parked_, {})) {
    if (table_.Find(key) != nullptr) Route(key);
  }
}

void Calls::Interrupt(CallKey key, RegionId region) {
  const Call& call = *table_.Find(key);
  if (MayTryAgain(call)) {
    Park(key);
  } else {
    Fail(key, InterruptedError(region, call.IsWrite() && call.attempts > 0));
  }
}

void Calls::OnLeaderChanged(RegionId region, StoreId leader) {
  if (!leader) return;
  // Who waits for another store's answer may wait for ever: that store may be gone.
  for (auto forward = forwards_.begin(); forward != forwards_.end();) {
    const Forward waiting = forward->second;
    Call& call = *table_.Find(waiting.call);
    if (waiting.region != region || waiting.to == leader || !MayTryAgain(call)) {
      ++forward;
      continue;
    }
    REACHED(kForwardedElsewhere);
    forward = forwards_.erase(forward);
    call.forward_id = 0;
    Park(waiting.call);
  }
  if (!parked_.empty()) retry_at_ = now_;
}

std::map<RegionId, Calls::Queue> Calls::TakeQueues() {
  std::map<RegionId, Queue> queues;
  for (auto& [region, keys] : std::exchange(queues_, {})) {
    Queue& queue = queues[region];
    for (const CallKey key : keys.writes) {
      Call* call = table_.Find(key);
      if (call == nullptr) continue;
      ++call->attempts;
      // Kept when the call may be routed again; that includes any write that is displaced.
      Operation& operation = call->request.operation;
      queue.writes.push_back(
          {key, TakeCommand(call->IsRoutedHere() ? operation : std::move(operation))});
    }
    queue.reads = std::move(keys.reads);
  }
  return queues;
}

absl::Status Calls::Settle(const Replica& replica, ReplicaOutput* output) {
  const RegionId region = replica.region().id;
  for (auto& [key, reply] : output->applied) AnswerWrite(key, std::move(reply), replica);
  for (const CallKey key : output->readable) {
    if (absl::Status status = AnswerRead(key, replica); !status.ok()) return status;
  }
  for (const CallKey key : output->displaced) {
    Call* call = table_.Find(key);
    if (call == nullptr) continue;
    --call->attempts;
    Interrupt(key, region);
  }
  for (const CallKey key : output->interrupted) {
    if (table_.Find(key) != nullptr) Interrupt(key, region);
  }
  for (const CallKey key : output->refused) {
    Call* call = table_.Find(key);
    if (call == nullptr) continue;
    --call->attempts;
    Fail(key, BusyError("too many writes wait for a quorum, or the leader is handing over"));
  }
  if (output->leader_changed) OnLeaderChanged(region, replica.leader_store());
  return absl::OkStatus();
}

absl::Status Calls::AnswerEventualReads() {
  for (const CallKey key : std::exchange(eventual_reads_, {})) {
    const Call* call = table_.Find(key);
    if (call == nullptr) continue;
    const Replica* replica = nullptr;
    if (std::optional<Error> error = FindReplica(*call, &replica)) {
      Fail(key, *std::move(error));
    } else if (absl::Status status = AnswerRead(key, *replica); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status Calls::AnswerRead(CallKey key, const Replica& replica) {
  const Call* call = table_.Find(key);
  if (call == nullptr) return absl::OkStatus();
  absl::StatusOr<Result> result =
      ReadOperation(call->request.operation, replica.machine(), *outbox_, *data_, options_);
  if (!result.ok()) return result.status();
  Answer(key, Reply{*std::move(result), replica.applied_index()});
  return absl::OkStatus();
}

void Calls::AnswerWrite(CallKey key, ApplyReply outcome, const Replica& replica) {
  Call* call = table_.Find(key);
  if (call == nullptr) return;
  if (std::holds_alternative<EpochChanged>(outcome)) {
    --call->attempts;
    Fail(key, EpochError(replica.region()), replica.applied_index());
    return;
  }
  if (auto* own = std::get_if<MachineReply>(&outcome)) {
    Answer(key, Reply{std::move(*own), replica.applied_index()});
    return;
  }
  if (auto* of_namespace = std::get_if<kv::NamespaceReply>(&outcome)) {
    if (std::holds_alternative<kv::NamespaceCommand>(call->request.operation)) {
      Answer(key, Reply{std::move(*of_namespace), replica.applied_index()});
      return;
    }
    --call->attempts;  // The fence turned it away.
    const kv::Fence& fence = *of_namespace->state.fence;
    Fail(key, NamespaceModeError(kv::Mode::kStrong, {fence.mode, fence.mode_epoch}),
         replica.applied_index());
    return;
  }
  auto& write = std::get<kv::WriteReply>(outcome);
  SOMETIMES(kWriteOvertaken, write.result == kv::WriteResult::kOvertaken);
  if (write.result == kv::WriteResult::kForgotten) {
    REACHED(kWriteForgotten);
    --call->attempts;  // This one was not applied; without another the outcome is certain.
    Fail(key, ForgottenError(), replica.applied_index());
    return;
  }
  Answer(key, Reply{std::move(write), replica.applied_index()});
}

void Calls::Expire() {
  while (const std::optional<CallKey> key = table_.NextExpired(now_)) {
    const Call& call = *table_.Find(*key);
    Fail(*key, DeadlineError(call.IsWrite() && call.attempts > 0));
  }
}

// An error ends the call. Whatever it says of this attempt, an earlier one of a write may have been
// carried out.
void Calls::Fail(CallKey key, Error error, Index applied_index) {
  const Call& call = *table_.Find(key);
  if (call.IsWrite() && call.attempts > 0) error.outcome = Outcome::kUnknown;
  Answer(key, Reply{std::move(error), applied_index});
}

void Calls::Answer(CallKey key, Reply reply) {
  const Call& call = *table_.Find(key);
  if (const auto* client = std::get_if<CallId>(&call.origin)) {
    effects_->replies.push_back({*client, std::move(reply)});
  } else if (const auto* parcel = std::get_if<ParcelId>(&call.origin)) {
    parcel_replies_.emplace_back(*parcel, std::move(reply));
  } else {
    const auto& origin = std::get<ForwardOrigin>(call.origin);
    effects_->sends.push_back({origin.store, ForwardedReply{origin.id, std::move(reply)}});
  }
  Forget(key);
}

void Calls::Abandon(CallId client) {
  const auto found = by_client_.find(client);
  if (found != by_client_.end()) Forget(found->second);
}

void Calls::Forget(CallKey key) {
  const Call& call = *table_.Find(key);
  if (const auto* client = std::get_if<CallId>(&call.origin)) by_client_.erase(*client);
  if (call.forward_id != 0) forwards_.erase(call.forward_id);
  table_.Remove(key);
}

std::vector<CallView> Calls::views() const {
  std::vector<CallView> views;
  table_.ForEach([&](CallKey key, const Call& call) {
    CallView view;
    view.origin = call.origin;
    view.deadline = call.deadline;
    if (call.forward_id != 0) {
      view.step = CallStep::kForwarded;
      view.store = forwards_.at(call.forward_id).to;
      view.forward_id = call.forward_id;
    } else if (std::any_of(accepted_.begin(), accepted_.end(),
                           [&](const Accepted& each) { return each.call == key; })) {
      view.step = CallStep::kAccepted;
    } else if (std::find(parked_.begin(), parked_.end(), key) != parked_.end()) {
      view.step = CallStep::kParked;
    } else {
      for (const auto& [region, replica] : *replicas_) replica->Show(key, &view);
    }
    views.push_back(std::move(view));
  });
  return views;
}

Instant Calls::next_deadline() {
  return std::min(table_.next_deadline(), parked_.empty() ? Instant::Max() : retry_at_);
}

}  // namespace flaredb::store
