// SPDX-License-Identifier: Apache-2.0
// Where calls go, and what is learned on the way.
#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <variant>

#include "core/base/probe.h"
#include "core/base/strings.h"
#include "core/kv/key.h"
#include "core/pd/cluster.h"
#include "core/store/calls.h"
#include "core/store/errors.h"
#include "core/store/operations.h"

namespace flaredb::store {
namespace {

// The refusal says that there is no leader where one was expected; another may be found.
bool LostItsLeader(const Error& error) {
  return error.code == ErrorCode::kNotLeader || error.code == ErrorCode::kReadNotReady ||
         error.code == ErrorCode::kStaleCommand;
}

// Whether the placement driver itself is at this key: it cannot be asked where it is.
bool IsOfPd(const std::string& key) { return key.starts_with(ObjectPrefix(pd::kObject)); }

// Adds to a read of an eventual namespace what is held here of what it asks for, and cuts a scan
// short that would have to take too much. Returns its new end, empty if it was left alone.
std::string TakeHeld(const kv::LwwRows& held, size_t bytes_max, ForwardedRequest* forwarded) {
  Operation& operation = forwarded->request.operation;
  auto* scan = std::get_if<ScanRequest>(&operation);
  const std::string first = RoutingKey(operation);
  const std::string last =
      scan != nullptr ? kv::EncodeRange(scan->ns, scan->begin, scan->end).end : first + '\0';
  size_t bytes = 0;
  for (auto row = held.lower_bound(first); row != held.end() && row->first < last; ++row) {
    bytes += row->second.key.size() + row->second.value.size();
    if (bytes > bytes_max && !forwarded->held.empty()) return scan->end = row->second.key;
    forwarded->held.push_back(row->second);
  }
  return "";
}

}  // namespace

void Calls::Route(CallKey key) {
  const Call& call = *table_.Find(key);
  const Replica* replica = nullptr;
  if (std::optional<Error> error = FindReplica(call, &replica)) {
    const bool elsewhere = error->code == ErrorCode::kRegionNotFound && RouteElsewhere(key);
    if (!elsewhere) Fail(key, *std::move(error));
    return;
  }
  const RegionId region = replica->region().id;
  const StoreId leader = replica->leader_store();
  Doubt(*replica);
  if (replica->poisoned()) {
    Fail(key, StoppedError(region, false));
  } else if (IsEventualRead(call.request.operation) &&
             replica->applied_index() >= std::max(outbox_->unseen(region), call.unseen)) {
    eventual_reads_.push_back(key);
  } else if (call.IsRoutedHere() && leader && BUGGIFY(kParkCall)) {
    Park(key);
  } else if (replica->is_leader()) {
    QueuedKeys& queue = queues_[region];
    (call.IsWrite() ? queue.writes : queue.reads).push_back(key);
  } else if (leader && options_.follower_reads && !call.IsWrite()) {
    queues_[region].reads.push_back(key);
  } else if (leader && call.MayBeForwarded()) {
    ForwardTo(leader, region, key);
  } else if (!call.IsRoutedHere()) {
    Fail(key, NotLeaderError(region, leader));
  } else {
    Park(key);
  }
}

void Calls::Doubt(const Replica& replica) {
  if (!replica.IsLeftAlone(now_)) return;
  std::erase_if(doubted_until_, [&](const auto& each) { return each.second <= now_; });
  const Instant until = now_ + options_.raft.election_timeout;
  if (!doubted_until_.emplace(replica.region().id, until).second) return;
  WantRegion(replica.region().start_key);
}

// Where the placement driver is comes with its roll calls.
void Calls::WantRegion(const std::string& key) {
  if (options_.cluster && !IsOfPd(key)) inquiries_.WantRegion(key);
}

std::optional<Error> Calls::FindReplica(const Call& call, const Replica** replica) const {
  const std::string key = RoutingKey(call.request.operation);
  const auto& context = call.request.context;
  *replica = context ? replicas_->Find(context->region) : replicas_->FindByKey(key);
  if (*replica == nullptr || !(*replica)->region().initialized())
    return RegionNotFoundError(context ? context->region : RegionId());
  const Region& region = (*replica)->region();
  if (!context) {
    // The region of one key may lack others.
    const bool whole = !std::holds_alternative<kv::NamespaceCommand>(call.request.operation) ||
                       Concerns(region, call.request.operation);
    return whole ? std::nullopt : std::optional<Error>(EpochError(region));
  }
  if (region.epoch != context->epoch) return EpochError(region);
  if (!Concerns(region, call.request.operation)) return KeyNotInRegionError(region.id);
  return std::nullopt;
}

// To a region without a replica here, or to be routed again when it is known where that is. False:
// there is nothing to try.
bool Calls::RouteElsewhere(CallKey key) {
  const Call& call = *table_.Find(key);
  if (!options_.cluster || !call.MayBeForwarded()) return false;
  const auto& context = call.request.context;
  const std::string routing_key = RoutingKey(call.request.operation);
  const Region* region = context ? routes_.Find(context->region) : routes_.FindByKey(routing_key);
  if (region != nullptr && routes_.Target(region->id) == self_) {
    routes_.OnNotLeader(region->id, self_, StoreId());
    if (routes_.Target(region->id) == self_) region = nullptr;
  }
  if (region != nullptr) {
    ForwardTo(routes_.Target(region->id), region->id, key, /*by_route=*/true);
    return true;
  }
  // An errand of this store names its region, and comes again: nobody else would ask where that is.
  if (call.IsRoutedHere() || std::holds_alternative<OwnId>(call.origin)) {
    WantRegion(routing_key);
  }
  if (!call.IsRoutedHere()) return false;
  Park(key);
  return true;
}

void Calls::WantRegionOfUnsent() {
  if (!options_.cluster) return;
  std::string from;
  while (const std::string* key = outbox_->FirstUnsent(from)) {
    const Replica* replica = replicas_->FindByKey(*key);
    const Region* region = replica != nullptr ? &replica->region() : routes_.FindByKey(*key);
    if (region == nullptr) WantRegion(*key);
    if (region == nullptr || region->end_key.empty()) return;
    from = region->end_key;
  }
}

void Calls::ForwardTo(StoreId store, RegionId region, CallKey key, bool by_route) {
  Call& call = *table_.Find(key);
  ++call.attempts;
  call.forward_id = ++last_forward_id_;
  Forward forward{key, region, store, by_route, {}};
  ForwardedRequest forwarded{call.forward_id, region, call.request, {}, {}};
  forwarded.request.budget = call.deadline - now_;
  if (IsEventualRead(call.request.operation)) {
    forward.clipped_end = TakeHeld(outbox_->held(), options_.outbox.parcel_bytes_max, &forwarded);
    forwarded.unseen = outbox_->unseen(region);
  }
  if (by_route) {
    patience_.emplace_back(now_ + options_.raft.election_timeout * 2, call.forward_id);
  }
  forwards_.emplace(call.forward_id, std::move(forward));
  effects_->sends.push_back({store, std::move(forwarded)});
}

void Calls::OnReply(ForwardedReply reply) {
  auto node = forwards_.extract(reply.id);
  if (node.empty()) {
    REACHED(kForwardAnsweredLate);
    return;
  }
  const Forward& forward = node.mapped();
  const CallKey key = forward.call;
  Call& call = *table_.Find(key);
  call.forward_id = 0;
  auto* error = std::get_if<Error>(&reply.reply.result);
  if (error == nullptr) {
    auto* scan = std::get_if<ScanReply>(&reply.reply.result);
    if (scan != nullptr && scan->page.next_key.empty()) scan->page.next_key = forward.clipped_end;
    reply.reply.elsewhere = {forward.region, forward.to};
    Answer(key, std::move(reply.reply));
    return;
  }
  if (error->outcome == Outcome::kNotApplied) --call.attempts;
  const bool wrong_way =
      forward.by_route ? LearnFrom(forward, call, *error) : LostItsLeader(*error);
  if (wrong_way && call.MayTryAgain()) {
    Park(key);
  } else {
    Fail(key, std::move(*error), reply.reply.applied_index);
  }
}

// Whether the call went to the wrong store, by what that says; the next one will go elsewhere.
bool Calls::LearnFrom(const Forward& forward, const Call& call, const Error& error) {
  if (LostItsLeader(error)) {
    routes_.OnNotLeader(forward.region, forward.to, error.leader);
    return true;
  }
  if (error.code == ErrorCode::kEpochNotMatch && error.region) {
    routes_.Learn(*error.region, StoreId());
    return true;
  }
  if (error.code != ErrorCode::kRegionNotFound && error.code != ErrorCode::kKeyNotInRegion) {
    return false;
  }
  if (IsOfPd(RoutingKey(call.request.operation))) {
    routes_.OnNotLeader(forward.region, forward.to, StoreId());
  } else {
    routes_.Forget(forward.region);
  }
  return true;
}

// A store that does not answer may be gone. Whoever asks from now on asks another one, and so do
// calls that wait for it and may happen twice.
void Calls::GiveUpSilent() {
  for (; !patience_.empty() && patience_.front().first <= now_; patience_.pop_front()) {
    const auto forward = forwards_.find(patience_.front().second);
    if (forward == forwards_.end()) continue;
    const CallKey key = forward->second.call;
    Call& call = *table_.Find(key);
    if (IsOfPd(RoutingKey(call.request.operation))) {
      routes_.OnNotLeader(forward->second.region, forward->second.to, StoreId());
    } else {
      routes_.OnSilent(forward->second.region, forward->second.to);
    }
    if (!call.MayTryAgain()) continue;
    forwards_.erase(forward);
    call.forward_id = 0;
    Park(key);
  }
}

void Calls::NoteMembers(const Region& region) {
  const Replica* replica = replicas_->Find(region.id);
  if (replica == nullptr || region.PeerOf(replica->peer()) != nullptr) return;
  if (replica->WasMemberBefore(region.epoch.conf_version)) removed_.insert(region.id);
}

void Calls::OnRegion(const Region& region, StoreId leader) {
  NoteMembers(region);
  if (routes_.Learn(region, leader) && !parked_.empty()) retry_at_ = now_;
}

void Calls::Inquire() {
  if (!options_.cluster) return;
  for (const auto& [id, reply] : std::exchange(told_, {})) OnTold(inquiries_.OnReply(id, reply));
  while (std::optional<Operation> question = inquiries_.Next(last_own_.next())) {
    AdmitOwn({std::nullopt, options_.raft.election_timeout * 4, *std::move(question)});
  }
}

void Calls::OnTold(Inquiries::Answer told) {
  for (const CallKey key : told.calls) {
    if (table_.Find(key) == nullptr) continue;
    if (auto* error = std::get_if<Error>(&told.what)) {
      Fail(key, *error);
    } else {
      Park(key);
    }
  }
  if (const auto* region = std::get_if<pd::RegionInfo>(&told.what)) {
    const Peer* leader = region->region.PeerOf(region->leader);
    OnRegion(region->region, leader != nullptr ? leader->store : StoreId());
  } else if (const auto* ns = std::get_if<pd::Namespace>(&told.what)) {
    namespaces_.Learn(*ns);
    retry_at_ = now_;
  }
}

// Waits for a leader: until one is known, but looks again after a heartbeat's time.
void Calls::Park(CallKey key) {
  parked_.push_back(key);
  retry_at_ = std::min(retry_at_, now_ + options_.raft.heartbeat_interval);
}

void Calls::RouteParked() {
  GiveUpSilent();
  if (now_ < retry_at_) return;
  retry_at_ = Instant::Max();
  for (const CallKey key : std::exchange(parked_, {})) {
    if (table_.Find(key) != nullptr) Proceed(key);
  }
}

void Calls::OnLeaderChanged(RegionId region, StoreId leader) {
  if (!leader) return;
  // Who waits for another store's answer may wait for ever: that store may be gone.
  for (auto forward = forwards_.begin(); forward != forwards_.end();) {
    const Forward waiting = forward->second;
    Call& call = *table_.Find(waiting.call);
    if (waiting.region != region || waiting.to == leader || !call.MayTryAgain()) {
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

}  // namespace flaredb::store
