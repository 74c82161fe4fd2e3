// SPDX-License-Identifier: Apache-2.0
#include "core/store/calls.h"

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/probe.h"
#include "core/pd/namespaces.h"
#include "core/store/errors.h"
#include "core/store/operations.h"
#include "core/store/reads.h"

namespace flaredb::store {
namespace {

Command TakeCommand(Operation operation) {
  if (auto* swap = std::get_if<kv::CompareAndSwap>(&operation)) return std::move(*swap);
  if (auto* execute = std::get_if<ExecuteRequest>(&operation)) {
    return MachineCommand{std::move(execute->object), std::move(execute->command)};
  }
  if (auto* command = std::get_if<kv::NamespaceCommand>(&operation)) return std::move(*command);
  return std::get<kv::CompareAndDelete>(std::move(operation));
}

// What an answer to a read costs in memory.
size_t BytesOf(const Result& result) {
  if (const auto* get = std::get_if<GetReply>(&result)) {
    return get->found ? get->found->value.size() : 0;
  }
  if (const auto* own = std::get_if<MachineReply>(&result)) return own->bytes.size();
  const auto* scan = std::get_if<ScanReply>(&result);
  if (scan == nullptr) return 0;
  size_t bytes = 0;
  for (const kv::ScanRow& row : scan->page.rows) {
    bytes += sizeof(row) + row.key.size() + row.value.size();
  }
  return bytes;
}

Error TooManyRead(const Options& options) {
  return BusyError(absl::StrCat("too many large values are asked for at once, beyond the limit of ",
                                options.read_bytes_max, " bytes"));
}

// What a call waited for when its time was over.
std::string WhyNoLeader(StoreId self, const Region& region) {
  std::vector<uint64_t> stores;
  for (const Peer& peer : region.peers) stores.push_back(peer.store.value());
  std::sort(stores.begin(), stores.end());
  return absl::StrCat("the deadline passed while region ", region.id.value(),
                      " had no leader that store ", self.value(), " knew of: most of its stores, ",
                      absl::StrJoin(stores, ", "), ", have to be up and reach each other");
}

}  // namespace

void Calls::BeginTurn(Instant now, Effects* effects, env::GroupCommit* commit) {
  now_ = now;
  effects_ = effects;
  commit_ = commit;
  read_bytes_ = 0;
}

void Calls::Admit(Origin origin, Request request, uint64_t unix_ms) {
  Call call;
  call.origin = std::move(origin);
  call.request = std::move(request);
  call.unix_ms = unix_ms;
  Admit(std::move(call));
}

void Calls::AdmitForwarded(StoreId from, ForwardedRequest forwarded) {
  Call call;
  call.origin = ForwardOrigin{from, forwarded.id};
  call.request = std::move(forwarded.request);
  call.held = std::move(forwarded.held);
  call.unseen = forwarded.unseen;
  Admit(std::move(call));
}

OwnId Calls::AdmitOwn(Request request) {
  const OwnId id = ++last_own_;
  Admit(id, std::move(request));
  return id;
}

void Calls::Admit(Call call) {
  // However much time there is, the deadline is an instant.
  call.deadline = now_ + std::min(call.request.budget, Instant::Max() - now_);
  std::optional<Error> refusal = Validate(call.request, options_);
  const bool of_store = call.IsOfAStore();
  if (!refusal && !of_store && table_.size() - of_stores_ >= options_.waiting_calls_max) {
    REACHED(kCallsFull);
    refusal = BusyError(
        absl::StrCat("too many requests wait for an answer: ", table_.size() - of_stores_,
                     " of at most ", options_.waiting_calls_max, " (--max-waiting-calls)"));
  }
  call.bytes = BytesOf(call.request.operation);
  for (const kv::LwwRow& row : call.held) call.bytes += row.key.size() + row.value.size();
  if (!refusal && !of_store && table_.bytes() + call.bytes > options_.waiting_bytes_max) {
    refusal = BusyError(absl::StrCat("too many large requests wait for an answer: with this one ",
                                     table_.bytes() + call.bytes, " bytes of at most ",
                                     options_.waiting_bytes_max, " (--max-waiting-bytes)"));
  }
  if (!refusal && call.deadline <= now_) refusal = DeadlineError(false);

  const Origin origin = call.origin;
  const CallKey key = table_.Add(std::move(call));
  if (of_store) ++of_stores_;
  if (const auto* client = std::get_if<CallId>(&origin)) by_client_[*client] = key;
  if (refusal) {
    Fail(key, *std::move(refusal));
  } else {
    Proceed(key);
  }
}

void Calls::Proceed(CallKey key) {
  if (!Resolve(key)) return;
  const Call& call = *table_.Find(key);
  // The store that forwarded it has looked.
  if (!std::holds_alternative<ForwardOrigin>(call.origin)) {
    if (std::optional<Error> refusal = namespaces_.Refusal(call.request.operation)) {
      Fail(key, *std::move(refusal));
      return;
    }
  }
  if (std::holds_alternative<RawWriteRequest>(call.request.operation)) {
    Accept(key);
  } else {
    Route(key);
  }
}

// False: the call waits, or has failed.
bool Calls::Resolve(CallKey key) {
  Request& request = table_.Find(key)->request;
  const std::string& name = request.namespace_name;
  if (name.empty()) return true;
  const kv::NamespaceId ns = namespaces_.Find(name);
  if (ns != kv::NamespaceId::kNone) {
    SetNamespace(ns, &request.operation);
    request.namespace_name.clear();
    return true;
  }
  if (!pd::IsNamespaceName(name)) {
    Fail(key, BadNamespaceNameError());
  } else if (!options_.cluster) {
    Fail(key, NamespaceNotFoundError(name));
  } else {
    inquiries_.WantNamespace(name, CreatesNamespace(request.operation), key);
  }
  return false;
}

void Calls::Accept(CallKey key) {
  Call& call = *table_.Find(key);
  if (std::optional<Error> refusal = raw_gate_.Refusal(now_, call.unix_ms)) {
    Fail(key, *std::move(refusal));
    return;
  }
  auto& write = std::get<RawWriteRequest>(call.request.operation);
  const std::optional<kv::Hlc> hlc =
      outbox_->Accept(write.ns, namespaces_.Of(write.ns).mode_epoch, write.key,
                      std::move(write.value), call.unix_ms, commit_);
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

void Calls::Interrupt(CallKey key, RegionId region) {
  const Call& call = *table_.Find(key);
  if (call.MayTryAgain()) {
    Park(key);
  } else {
    Fail(key, InterruptedError(region, call.IsWrite() && call.attempts > 0));
  }
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
  for (const CallKey key : output->crowded_out) CrowdOut(key);
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
    Fail(key, BusyError(absl::StrCat("too many writes wait for a quorum, at most ",
                                     options_.raft.uncommitted_bytes_max,
                                     " bytes of them (--max-uncommitted-bytes), or the leader is "
                                     "handing over")));
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
  const bool own = std::holds_alternative<OwnId>(call->origin);
  if (!own && read_bytes_ >= options_.read_bytes_max) {
    Fail(key, TooManyRead(options_));
    return absl::OkStatus();
  }
  absl::StatusOr<Result> result = ReadOperation(call->request.operation, replica.machine(),
                                                *outbox_, call->held, *data_, options_);
  if (!result.ok()) return result.status();
  read_bytes_ += BytesOf(*result);
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
    REACHED(kStrongFenced);
    --call->attempts;  // The fence turned it away.
    const kv::Fence& fence = *of_namespace->state.fence;
    Fail(key, NamespaceModeError(kv::Mode::kStrong, {fence.mode, fence.mode_epoch}),
         replica.applied_index());
    return;
  }
  auto& write = std::get<kv::WriteReply>(outcome);
  if (!write.value.empty() && read_bytes_ >= options_.read_bytes_max) return CrowdOut(key);
  read_bytes_ += write.value.size();
  SOMETIMES(kWriteOvertaken, write.result == kv::WriteResult::kOvertaken);
  if (write.result == kv::WriteResult::kForgotten) {
    REACHED(kWriteForgotten);
    --call->attempts;  // This one was not applied; without another the outcome is certain.
    Fail(key, ForgottenError(), replica.applied_index());
    return;
  }
  Answer(key, Reply{std::move(write), replica.applied_index()});
}

// It took no effect, and nobody was told that it never will.
void Calls::CrowdOut(CallKey key) {
  Call* call = table_.Find(key);
  if (call == nullptr) return;
  --call->attempts;
  Fail(key, TooManyRead(options_));
}

void Calls::Expire() {
  while (const std::optional<CallKey> key = table_.NextExpired(now_)) {
    const Call& call = *table_.Find(*key);
    Error error = DeadlineError(call.IsWrite() && call.attempts > 0);
    const Replica* replica = nullptr;
    // What a store asks for may be on its way, and its operation with it.
    if (error.outcome == Outcome::kNotApplied && !call.IsOfAStore() &&
        !FindReplica(call, &replica) && !replica->leader_store()) {
      error.message = WhyNoLeader(self_, replica->region());
    }
    Fail(*key, std::move(error));
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
  } else if (const auto* own = std::get_if<OwnId>(&call.origin)) {
    (inquiries_.Asks(*own) ? told_ : own_replies_).emplace_back(*own, std::move(reply));
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
  if (call.IsOfAStore()) --of_stores_;
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
    } else if (inquiries_.Holds(key)) {
      view.step = CallStep::kNamed;
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
  if (!own_replies_.empty() || !told_.empty()) return now_;
  return std::min({table_.next_deadline(), parked_.empty() ? Instant::Max() : retry_at_,
                   patience_.empty() ? Instant::Max() : patience_.front().first});
}

}  // namespace flaredb::store
