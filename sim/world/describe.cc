// SPDX-License-Identifier: Apache-2.0
#include "sim/world/describe.h"

#include <sstream>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"
#include "core/base/strings.h"
#include "sim/world/overloaded.h"

namespace flaredb::sim {
namespace {

std::ostream& operator<<(std::ostream& out, raft::LogId id) {
  return out << id.term << ':' << id.index;
}

void ListTo(std::ostream& out, const std::vector<PeerId>& ids) {
  out << '{';
  for (size_t i = 0; i < ids.size(); ++i) out << (i == 0 ? "" : ",") << ids[i];
  out << '}';
}

std::ostream& operator<<(std::ostream& out, const raft::ConfState& conf) {
  out << "peers ";
  ListTo(out, conf.voters);
  if (conf.joint()) {
    out << " from ";
    ListTo(out, conf.voters_outgoing);
  }
  if (!conf.learners.empty()) {
    out << " learners ";
    ListTo(out, conf.learners);
  }
  return out;
}

uint32_t CountOf(const raft::EntrySlices& entries) {
  uint32_t count = 0;
  for (const raft::EntrySlice& slice : entries) count += slice.size();
  return count;
}

void DescribeTo(std::ostream& out, const raft::Body& body, Term term) {
  std::visit(
      Overloaded{
          [&](const raft::PreVoteRequest& m) {
            out << "pre-vote? term " << m.campaign_term << " (own " << term << ", log "
                << m.last_log << ")";
          },
          [&](const raft::PreVoteReply& m) {
            out << "pre-vote " << (m.granted ? "yes" : "no") << " for term " << m.campaign_term
                << " (own " << term << ")";
          },
          [&](const raft::VoteRequest& m) {
            out << "vote? term " << term << " (log " << m.last_log
                << (m.leadership_transfer ? ", by transfer)" : ")");
          },
          [&](const raft::VoteReply& m) {
            out << "vote " << (m.granted ? "yes" : "no") << " term " << term;
          },
          [&](const raft::AppendRequest& m) {
            out << "append term " << term << " (prev " << m.prev << ", " << CountOf(m.entries)
                << " entries";
            if (!m.entries.empty()) out << " to " << m.entries.back().last_index();
            out << ", commit " << m.commit_index << ", session " << m.session << ", round "
                << m.round << (m.accept_unanswered ? ", no accept)" : ")");
          },
          [&](const raft::AppendReply& m) {
            if (const auto* accept = std::get_if<raft::AppendAccept>(&m.result)) {
              out << "append ok term " << term << " (match " << accept->match_index << ", commit "
                  << accept->commit_index;
            } else {
              const auto& reject = std::get<raft::AppendReject>(m.result);
              out << "append refused term " << term << " (prev " << reject.prev_index << ", hint "
                  << reject.hint;
            }
            out << ", session " << m.session << ", round " << m.round << ")";
          },
          [&](const raft::HeartbeatRequest& m) {
            out << "heartbeat term " << term << " (session " << m.session << ", round " << m.round;
            if (m.rest_at != raft::LogId()) out << ", rest at " << m.rest_at;
            out << ")";
          },
          [&](const raft::HeartbeatReply& m) {
            out << "heartbeat ok term " << term << " (commit " << m.commit_index << ", session "
                << m.session << ", round " << m.round << ")";
          },
          [&](const raft::TimeoutNow& m) {
            out << "campaign now, term " << term << " (log " << m.last_log << ")";
          },
          [&](const raft::ReadRequest& m) {
            out << "read? term " << term << " (request " << m.request << ")";
          },
          [&](const raft::ReadReply& m) {
            out << "read " << (m.index ? "at " : "unknown");
            if (m.index) out << m.index;
            out << " term " << term << " (request " << m.request << ")";
          },
          [&](const raft::SnapshotRequest& m) {
            const raft::SnapshotChunk& chunk = *m.chunk;
            out << "snapshot " << chunk.id << " term " << term << " (base " << chunk.base.last
                << ", conf " << chunk.base.conf << ", chunk " << chunk.number
                << (chunk.last ? " the last" : "") << " of " << chunk.data.size()
                << " bytes, session " << m.session << ", round " << m.round << ")";
          },
          [&](const raft::SnapshotReply& m) {
            out << "snapshot " << m.id << " wants chunk " << m.next_chunk << " term " << term
                << " (session " << m.session << ", round " << m.round << ")";
          },
      },
      body);
}

const char* NameOf(raft::Role role) {
  switch (role) {
    case raft::Role::kFollower:
      return "follower";
    case raft::Role::kPreCandidate:
      return "pre-candidate";
    case raft::Role::kCandidate:
      return "candidate";
    case raft::Role::kLeader:
      return "leader";
  }
  return "?";
}

const char* NameOf(store::ErrorCode code) {
  switch (code) {
    case store::ErrorCode::kNotLeader:
      return "not leader";
    case store::ErrorCode::kEpochNotMatch:
      return "epoch does not match";
    case store::ErrorCode::kRegionNotFound:
      return "region not found";
    case store::ErrorCode::kKeyNotInRegion:
      return "key not in region";
    case store::ErrorCode::kReadNotReady:
      return "read not ready";
    case store::ErrorCode::kServerIsBusy:
      return "server is busy";
    case store::ErrorCode::kStaleCommand:
      return "stale command";
    case store::ErrorCode::kDeadlineExceeded:
      return "deadline exceeded";
    case store::ErrorCode::kForgotten:
      return "forgotten";
    case store::ErrorCode::kInvalidArgument:
      return "invalid argument";
    case store::ErrorCode::kNamespaceMode:
      return "namespace mode";
    case store::ErrorCode::kStoreFailed:
      return "store failed";
    case store::ErrorCode::kNamespaceNotFound:
      return "namespace not found";
    case store::ErrorCode::kNotAccepting:
      return "not accepting";
  }
  return "?";
}

std::string Words(const kv::NamespaceCommand& command) {
  std::ostringstream out;
  std::visit(Overloaded{
                 [&](const kv::LwwBatch& c) { out << "merge " << c.rows.size() << " rows"; },
                 [&](const kv::ModeFence& c) {
                   out << (c.fence.mode == kv::Mode::kStrong ? "fence strong" : "fence eventual")
                       << " at epoch " << c.fence.mode_epoch;
                 },
                 [&](const kv::CollectTombstones& c) { out << "collect before " << c.before; },
             },
             command);
  return out.str();
}

const char* NameOf(kv::WriteResult result) {
  switch (result) {
    case kv::WriteResult::kApplied:
      return "applied";
    case kv::WriteResult::kMismatch:
      return "mismatch";
    case kv::WriteResult::kOvertaken:
      return "overtaken";
    case kv::WriteResult::kForgotten:
      return "forgotten";
  }
  return "?";
}

// The part of a value that tells it apart.
std::string_view Head(const std::string& value) {
  return std::string_view(value).substr(0, value.find(':'));
}

// Bytes as a person can read them in one line.
std::string Printable(std::string_view bytes) { return absl::CHexEscape(ToAbsl(bytes)); }

const char* NameOf(raft::MemberChange::Kind kind) {
  switch (kind) {
    case raft::MemberChange::Kind::kAddLearner:
      return "add learner";
    case raft::MemberChange::Kind::kPromote:
      return "promote";
    case raft::MemberChange::Kind::kDemote:
      return "demote";
    case raft::MemberChange::Kind::kRemove:
      return "remove";
  }
  return "?";
}

void WordsTo(std::ostream& out, const cluster::RegionOrder& order) {
  out << ", region " << order.region << ':';
  if (const auto* move = std::get_if<cluster::MoveLeader>(&order.what)) {
    out << " lead " << move->target;
    return;
  }
  for (const raft::MemberChange& change : std::get<cluster::ChangeMembers>(order.what).changes) {
    out << ' ' << NameOf(change.kind) << ' ' << change.id;
    if (change.store) out << " on store " << change.store;
  }
}

std::string Words(const cluster::RollCall& call) {
  std::ostringstream out;
  out << "roll call " << call.round << " of term " << call.term;
  if (call.view.revision) out << ", revision " << call.view.since << " to " << call.view.revision;
  for (const cluster::RegionOrder& order : call.orders) WordsTo(out, order);
  return out.str();
}

std::string Words(const cluster::RollAnswer& answer) {
  std::ostringstream out;
  out << "answer to roll call " << answer.round << " of term " << answer.term << ", knows revision "
      << answer.known;
  for (const cluster::RegionReport& report : answer.regions) {
    out << ", leads region " << report.info.region.id << ' ' << raft::Describe(report.conf);
    if (report.changing) out << " changing";
    if (!report.behind.empty()) out << " behind:";
    for (const PeerId peer : report.behind) out << ' ' << peer;
  }
  for (const cluster::NamespaceReport& report : answer.namespaces) {
    out << ", namespace " << static_cast<uint32_t>(report.ns) << " at epoch " << report.mode_epoch
        << ' ' << report.unshipped << " unshipped";
  }
  for (const cluster::OrderRefusal& refusal : answer.refusals) {
    out << ", region " << refusal.region << " refuses: " << refusal.why;
  }
  return out.str();
}

}  // namespace

std::string Describe(const raft::Message& message) {
  std::ostringstream out;
  DescribeTo(out, message.body, message.term);
  out << " peer " << message.from << " to " << message.to;
  return out.str();
}

std::string Describe(const store::StoreMessage& message) {
  return std::visit(Overloaded{
                        [](const store::RaftEnvelope& m) { return Describe(m.message); },
                        [](const store::ForwardedRequest& m) {
                          return "forwarded #" + std::to_string(m.id) + " " + Describe(m.request);
                        },
                        [](const store::ForwardedReply& m) {
                          return "reply to forwarded #" + std::to_string(m.id) + " " +
                                 Describe(m.reply);
                        },
                        [](const store::PeerRemoved& m) {
                          std::ostringstream out;
                          out << "peer " << m.peer << " of region " << m.region
                              << " is no member at version " << m.conf_version;
                          return out.str();
                        },
                        [](const store::StoreBeat& m) {
                          std::ostringstream out;
                          out << "beat of life " << m.life;
                          if (!m.dead.empty()) out << ", dead regions:";
                          for (const RegionId region : m.dead) out << ' ' << region;
                          return out.str();
                        },
                        [](const cluster::RollCall& m) { return Words(m); },
                        [](const cluster::RollAnswer& m) { return Words(m); },
                    },
                    message);
}

std::string Describe(const store::Request& request) {
  std::ostringstream out;
  std::visit(Overloaded{
                 [&](const store::GetRequest& r) {
                   out << (r.mode == kv::Mode::kStrong ? "get " : "raw get ") << r.key;
                 },
                 [&](const store::ScanRequest& r) {
                   out << (r.mode == kv::Mode::kStrong ? "scan [" : "raw scan [") << r.begin << ", "
                       << r.end << ")";
                   if (r.keys_only) out << " without values";
                 },
                 [&](const kv::CompareAndSwap& r) {
                   out << "cas " << r.key << " if " << r.expected << " to " << Head(r.value)
                       << " (request " << r.retry.id.client_lo << "/" << r.retry.id.seq << ", seen "
                       << r.retry.seen_index << ")";
                 },
                 [&](const kv::CompareAndDelete& r) {
                   out << "cas-delete " << r.key << " if " << r.expected << " (request "
                       << r.retry.id.client_lo << "/" << r.retry.id.seq << ", seen "
                       << r.retry.seen_index << ")";
                 },
                 [&](const store::ExecuteRequest& r) {
                   out << "execute " << Printable(r.object) << ": " << Printable(r.command);
                 },
                 [&](const store::QueryRequest& r) {
                   out << "query " << Printable(r.object) << ": " << Printable(r.query);
                 },
                 [&](const store::RawWriteRequest& r) {
                   out << (r.value ? "raw put " : "raw delete ") << r.key;
                   if (r.value) out << '=' << Head(*r.value);
                 },
                 [&](const kv::NamespaceCommand& r) { out << Words(r); },
             },
             request.operation);
  return out.str();
}

std::string Describe(const store::Reply& reply) {
  std::ostringstream out;
  std::visit(
      Overloaded{
          [&](const store::GetReply& r) {
            if (r.found) {
              out << "found version " << r.found->version << " value " << Head(r.found->value);
            } else {
              out << "not found";
            }
          },
          [&](const store::ScanReply& r) {
            out << r.page.rows.size() << " rows, next \"" << r.page.next_key << "\"";
          },
          [&](const kv::WriteReply& r) {
            out << NameOf(r.result) << ", version " << r.version;
            if (!r.value.empty()) out << " value " << Head(r.value);
          },
          [&](const MachineReply& r) { out << Printable(r.bytes) << ", index " << r.index; },
          [&](const store::AcceptedReply& r) { out << "accepted at " << r.hlc; },
          [&](const kv::NamespaceReply& r) { out << (r.admitted ? "done" : "not admitted"); },
          [&](const store::Error& r) { out << Describe(r); },
      },
      reply.result);
  out << " at " << reply.applied_index;
  return out.str();
}

std::string Describe(const store::Error& error) {
  return std::string(NameOf(error.code)) +
         (error.outcome == store::Outcome::kUnknown ? " (unknown)" : " (not applied)");
}

std::string Describe(const env::GroupCommit& commit) {
  std::ostringstream out;
  out << "commit " << commit.token << ':';
  for (const env::LogWrite& write : commit.log) {
    out << " region " << write.region;
    if (write.create) out << " created life " << write.create;
    if (write.destroy) out << " destroyed";
    if (write.persist.hard_state) {
      out << " term " << write.persist.hard_state->term << " vote for peer "
          << write.persist.hard_state->vote;
    }
    if (write.persist.base != nullptr) {
      out << (write.persist.install ? " install at " : " base ") << write.persist.base->last
          << " conf " << write.persist.base->conf;
    }
    if (write.persist.truncate_from) out << " truncate " << write.persist.truncate_from;
    for (const raft::EntrySlice& slice : write.persist.append) {
      out << " append " << slice.term() << ':' << slice.first_index() << ".." << slice.last_index();
    }
  }
  out << ", " << commit.data.mutations.size() << " rows";
  return out.str();
}

std::string Describe(raft::LogId id) {
  std::ostringstream out;
  out << id;
  return out.str();
}

std::string Describe(const raft::View& view) {
  std::ostringstream out;
  out << NameOf(view.role) << " term " << view.term << " log " << view.last_log << " durable "
      << view.durable_index << " commit " << view.commit_index << " handed out "
      << view.handed_out_index;
  if (view.resting) out << " resting";
  if (view.transferee) out << " handing over to peer " << view.transferee;
  if (view.lease_valid) out << " lease";
  return out.str();
}

}  // namespace flaredb::sim
