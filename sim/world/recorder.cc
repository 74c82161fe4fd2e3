// SPDX-License-Identifier: Apache-2.0
#include "sim/world/recorder.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "sim/world/describe.h"
#include "sim/world/network.h"

namespace flaredb::sim {
namespace {

using MessageKind = Record::MessageKind;

MessageKind KindOf(const raft::Body& body) {
  struct Kinds {
    MessageKind operator()(const raft::PreVoteRequest&) { return MessageKind::kElection; }
    MessageKind operator()(const raft::PreVoteReply&) { return MessageKind::kElection; }
    MessageKind operator()(const raft::VoteRequest&) { return MessageKind::kElection; }
    MessageKind operator()(const raft::VoteReply&) { return MessageKind::kElection; }
    MessageKind operator()(const raft::TimeoutNow&) { return MessageKind::kElection; }
    MessageKind operator()(const raft::AppendRequest&) { return MessageKind::kReplication; }
    MessageKind operator()(const raft::AppendReply&) { return MessageKind::kReplication; }
    MessageKind operator()(const raft::HeartbeatRequest&) { return MessageKind::kHeartbeat; }
    MessageKind operator()(const raft::HeartbeatReply&) { return MessageKind::kHeartbeat; }
    MessageKind operator()(const raft::SnapshotRequest&) { return MessageKind::kSnapshot; }
    MessageKind operator()(const raft::SnapshotReply&) { return MessageKind::kSnapshot; }
    MessageKind operator()(const raft::ReadRequest&) { return MessageKind::kRead; }
    MessageKind operator()(const raft::ReadReply&) { return MessageKind::kRead; }
  };
  return std::visit(Kinds(), body);
}

MessageKind KindOf(const store::StoreMessage& message) {
  struct Kinds {
    MessageKind operator()(const store::RaftEnvelope& m) { return KindOf(m.message.body); }
    MessageKind operator()(const store::ForwardedRequest&) { return MessageKind::kClient; }
    MessageKind operator()(const store::ForwardedReply&) { return MessageKind::kClient; }
    MessageKind operator()(const store::PeerRemoved&) { return MessageKind::kOther; }
    MessageKind operator()(const store::StoreBeat&) { return MessageKind::kHeartbeat; }
    MessageKind operator()(const cluster::RollCall&) { return MessageKind::kOther; }
    MessageKind operator()(const cluster::RollAnswer&) { return MessageKind::kOther; }
  };
  return std::visit(Kinds(), message);
}

Record::Status StatusOf(raft::Role role) {
  switch (role) {
    case raft::Role::kFollower:
      return Record::Status::kFollower;
    case raft::Role::kPreCandidate:
      return Record::Status::kPreCandidate;
    case raft::Role::kCandidate:
      return Record::Status::kCandidate;
    case raft::Role::kLeader:
      break;
  }
  return Record::Status::kLeader;
}

// How an operation ends with this answer; nullopt when the client tries again, or when it depends
// on earlier attempts.
std::optional<Record::Outcome> OutcomeOf(const store::Reply& reply) {
  if (std::holds_alternative<store::Error>(reply.result)) return std::nullopt;
  const auto* write = std::get_if<kv::WriteReply>(&reply.result);
  if (write == nullptr) return Record::Outcome::kOk;
  switch (write->result) {
    case kv::WriteResult::kApplied:
      return Record::Outcome::kOk;
    case kv::WriteResult::kMismatch:
      return Record::Outcome::kNoEffect;
    case kv::WriteResult::kOvertaken:
      return Record::Outcome::kFailed;
    case kv::WriteResult::kForgotten:
      break;
  }
  return std::nullopt;
}

}  // namespace

void Recorder::Sent(Packet* packet) {
  Record::Message message;
  message.from = packet->from;
  message.to = packet->to;
  message.sent = queue_->now();
  if (const auto* between_stores = std::get_if<store::StoreMessage>(&packet->body)) {
    message.kind = KindOf(*between_stores);
    message.text = Describe(*between_stores);
  } else {
    message.kind = MessageKind::kClient;
    if (const auto* request = std::get_if<ClientRequest>(&packet->body)) {
      message.text = Describe(request->request);
    } else if (const auto* reply = std::get_if<ClientReply>(&packet->body)) {
      message.text = Describe(reply->reply);
    } else {
      message.text = "closes the call";
    }
  }
  packet->number = record_->Add(std::move(message));
}

void Recorder::Fared(const Packet& packet, Record::Fate fate) {
  Record::Message* message = record_->Find(packet.number);
  if (message == nullptr) return;
  if (message->fate == Record::Fate::kUnderWay) {
    message->fate = fate;
    message->end = queue_->now();
    return;
  }
  Record::Message copy = *message;
  copy.copy = true;
  copy.fate = fate;
  copy.end = queue_->now();
  record_->Add(std::move(copy));
}

void Recorder::NodeIs(uint32_t node, Process process, const raft::View* view, Index applied) {
  Record::State state;
  state.at = queue_->now();
  state.node = node;
  if (process == Process::kDown) {
    state.status = Record::Status::kDown;
  } else if (process == Process::kPaused) {
    state.status = Record::Status::kPaused;
  } else {
    state.status = view == nullptr ? Record::Status::kNoReplica : StatusOf(view->role);
  }
  if (view != nullptr) {
    state.term = view->term;
    state.commit_index = view->commit_index;
    state.last_index = view->last_log.index;
    state.durable_index = view->durable_index;
    state.applied_index = applied;
  }
  const bool led = record_->StateOf(state.node).status == Record::Status::kLeader;
  if (state.status == Record::Status::kLeader && !led) {
    NodeEvent(state.node, "elected", "term " + std::to_string(state.term.value()));
  }
  record_->Add(state);
}

void Recorder::NodeEvent(uint32_t node, std::string_view kind, std::string_view text) {
  record_->events.push_back({queue_->now(), node, std::string(kind), std::string(text)});
}

void Recorder::Turned(uint32_t node, const raft::View& before, const raft::View& after,
                      const Names& names) {
  // Others only pin somebody's life.
  const bool same = after.conf.voters == before.conf.voters &&
                    after.conf.voters_outgoing == before.conf.voters_outgoing &&
                    after.conf.learners == before.conf.learners;
  if (!same && after.id && before.id) NodeEvent(node, "members", names.Tell(after.conf));
}

void Recorder::Wrote(uint32_t node, const env::GroupCommit& commit) {
  for (const env::LogWrite& write : commit.log) {
    const raft::Persist& persist = write.persist;
    if (write.create) NodeEvent(node, "replica created", "");
    if (write.destroy) NodeEvent(node, "replica destroyed", "");
    if (persist.truncate_from) {
      NodeEvent(node, "truncated", "from " + std::to_string(persist.truncate_from.value()));
    }
    if (persist.install) {
      NodeEvent(node, "snapshot installed",
                persist.base == nullptr
                    ? ""
                    : "up to " + std::to_string(persist.base->last.index.value()));
    }
  }
}

size_t Recorder::FaultBegan(std::string_view kind, std::vector<uint32_t> nodes) {
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  record_->faults.push_back({std::string(kind), queue_->now(), Instant::Max(), std::move(nodes)});
  return record_->faults.size() - 1;
}

void Recorder::FaultEnded(size_t fault) { record_->faults[fault].until = queue_->now(); }

void Recorder::FaultFor(std::string_view kind, uint32_t node, Duration length) {
  const size_t fault = FaultBegan(kind, {node});
  record_->faults[fault].until = queue_->now() + length;
}

void Recorder::Chance(std::string_view kind, std::optional<uint32_t> endpoint) {
  record_->chances.push_back({queue_->now(), endpoint, std::string(kind)});
}

void Recorder::Healed() {
  for (Record::Fault& fault : record_->faults) fault.until = std::min(fault.until, queue_->now());
}

void Recorder::Phase(std::string name) {
  record_->phases.push_back({queue_->now(), std::move(name)});
}

void Recorder::Attempted(uint32_t slot, uint32_t client, uint64_t attempt,
                         const store::Request& request,
                         const std::vector<VersionedHistory::OpRef>& refs) {
  if (InProgress(slot) == nullptr) {
    in_progress_[slot] = record_->operations.size();
    Record::Operation op;
    op.slot = slot;
    op.client = client;
    op.invoked = queue_->now();
    op.what = Describe(request);
    record_->operations.push_back(std::move(op));
    refs_.push_back(refs);
    record_->clients = std::max(record_->clients, slot + 1);
  }
  ++InProgress(slot)->attempts;
  attempts_[attempt] = in_progress_[slot];
}

void Recorder::Answered(uint32_t slot, const store::Reply& reply) {
  if (Record::Operation* op = InProgress(slot)) op->answer = Describe(reply);
  if (const auto outcome = OutcomeOf(reply)) Complete(slot, *outcome);
}

void Recorder::GaveUp(uint32_t slot, bool maybe_applied) {
  Complete(slot, maybe_applied ? Record::Outcome::kUnknown : Record::Outcome::kFailed);
}

Record::Operation* Recorder::InProgress(uint32_t slot) {
  const auto it = in_progress_.find(slot);
  return it == in_progress_.end() ? nullptr : &record_->operations[it->second];
}

void Recorder::Complete(uint32_t slot, Record::Outcome outcome) {
  Record::Operation* op = InProgress(slot);
  if (op == nullptr) return;
  op->outcome = outcome;
  op->completed = queue_->now();
  in_progress_.erase(slot);
}

void Recorder::HistoryBeginsAnew() {
  for (auto& refs : refs_) refs.clear();
}

void Recorder::Accuse(uint64_t attempt) {
  const auto op = attempts_.find(attempt);
  if (op != attempts_.end()) record_->operations[op->second].accused = true;
}

void Recorder::Promised(uint32_t node, Instant from, Instant until) {
  record_->promises.push_back({node, from, until});
}

void Recorder::Finish(const Failure& failure, const VersionedHistory& history) {
  record_->end = queue_->now();
  for (Record::Fault& fault : record_->faults) {
    if (fault.until > record_->end) fault.until = Instant::Max();
  }
  record_->verdict = failure.kind == FailureKind::kNone ? "history linearizable"
                     : failure.invariant == "LIN"       ? "history not linearizable"
                                                        : "history not judged";
  if (failure.kind == FailureKind::kNone) return;
  record_->failure = Record::Failure{failure.invariant, failure.sentence, queue_->now(),
                                     NodesNamedIn(failure.sentence, record_->nodes)};
  AccuseNamed(failure.sentence, history);
}

// Event numbers make the description of an operation unique in its history.
void Recorder::AccuseNamed(std::string_view sentence, const VersionedHistory& history) {
  std::optional<Instant> last;
  for (size_t i = 0; i < refs_.size(); ++i) {
    Record::Operation& op = record_->operations[i];
    const bool named = std::any_of(refs_[i].begin(), refs_[i].end(), [&](auto ref) {
      return sentence.find(Describe(history.ops(ref.key)[ref.op])) != std::string_view::npos;
    });
    op.accused |= named;
    if (named) last = std::max(last.value_or(Instant()), op.completed.value_or(op.invoked));
  }
  // The history is judged when all is over; it went wrong with the last answer that contradicts.
  if (last) record_->failure->at = *last;
}

}  // namespace flaredb::sim
