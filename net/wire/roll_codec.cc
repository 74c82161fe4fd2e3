// SPDX-License-Identifier: Apache-2.0
#include "net/wire/roll_codec.h"

#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "core/base/strings.h"
#include "core/raft/membership.h"
#include "net/wire/region_codec.h"
#include "proto/raftpb.pb.h"

namespace flaredb::net {
namespace {

using Kind = raft::MemberChange::Kind;

// A store or namespace beside its texts; a member, a peer, an id; each more than it takes.
constexpr size_t kRowBytes = 64;
constexpr size_t kMemberBytes = 40;
constexpr size_t kReportBytes = 64;
constexpr size_t kIdBytes = 10;

absl::Status Bad(std::string_view what) { return absl::InvalidArgumentError(ToAbsl(what)); }

// Whether a clock that observes this can go on.
bool IsTime(uint64_t clock, uint64_t unix_ms) {
  const uint64_t last = kv::UnixMsOf(kv::Hlc::Max());
  return kv::UnixMsOf(kv::Hlc(clock)) < last && unix_ms < last;
}

raftpb::MemberChange::Kind EncodeKind(Kind kind) {
  switch (kind) {
    case Kind::kAddLearner:
      return raftpb::MemberChange::ADD_LEARNER;
    case Kind::kPromote:
      return raftpb::MemberChange::PROMOTE;
    case Kind::kDemote:
      return raftpb::MemberChange::DEMOTE;
    case Kind::kRemove:
      return raftpb::MemberChange::REMOVE;
  }
  return raftpb::MemberChange::KIND_UNSPECIFIED;
}
std::optional<Kind> DecodeKind(raftpb::MemberChange::Kind kind) {
  switch (kind) {
    case raftpb::MemberChange::ADD_LEARNER:
      return Kind::kAddLearner;
    case raftpb::MemberChange::PROMOTE:
      return Kind::kPromote;
    case raftpb::MemberChange::DEMOTE:
      return Kind::kDemote;
    case raftpb::MemberChange::REMOVE:
      return Kind::kRemove;
    default:
      return std::nullopt;
  }
}

void EncodeOrder(const cluster::RegionOrder& in, raftpb::RegionOrder* out) {
  out->set_region_id(in.region.value());
  EncodeEpoch(in.epoch, out->mutable_epoch());
  if (const auto* move = std::get_if<cluster::MoveLeader>(&in.what)) {
    out->set_lead(move->target.value());
    return;
  }
  for (const raft::MemberChange& change : std::get<cluster::ChangeMembers>(in.what).changes) {
    raftpb::MemberChange* to = out->add_changes();
    to->set_kind(EncodeKind(change.kind));
    to->set_peer_id(change.id.value());
    to->set_store_id(change.store.value());
  }
}

absl::Status DecodeOrder(const raftpb::RegionOrder& in, cluster::RegionOrder* out) {
  if (in.region_id() == 0) return Bad("an order without a region");
  out->region = RegionId(in.region_id());
  out->epoch = DecodeEpoch(in.epoch());
  if ((in.lead() != 0) != in.changes().empty()) {
    return Bad("an order that is neither a change of members nor of the leader");
  }
  if (in.lead() != 0) {
    out->what = cluster::MoveLeader{PeerId(in.lead())};
    return absl::OkStatus();
  }
  cluster::ChangeMembers change;
  for (const raftpb::MemberChange& one : in.changes()) {
    const std::optional<Kind> kind = DecodeKind(one.kind());
    if (!kind) return Bad("a change of members of an unknown kind");
    if (one.peer_id() == 0) return Bad("a change of members without a peer");
    if ((*kind == Kind::kAddLearner) != (one.store_id() != 0)) {
      return Bad("a change of members whose store is missing, or of no use");
    }
    change.changes.push_back({*kind, PeerId(one.peer_id()), StoreId(one.store_id())});
  }
  out->what = std::move(change);
  return absl::OkStatus();
}

void EncodeReport(const cluster::RegionReport& in, raftpb::RegionReport* out) {
  out->set_region(flaredb::EncodeRegion(in.info.region));
  out->set_term(in.info.term.value());
  out->set_leader(in.info.leader.value());
  out->set_conf(raft::EncodeConfState(in.conf));
  out->set_changing(in.changing);
  for (const PeerId peer : in.behind) out->add_behind(peer.value());
}

absl::Status DecodeReport(const raftpb::RegionReport& in, cluster::RegionReport* out) {
  absl::StatusOr<Region> region = flaredb::DecodeRegion(in.region());
  if (!region.ok()) return Bad("a report without a region");
  absl::StatusOr<raft::ConfState> conf = raft::DecodeConfState(in.conf());
  if (!conf.ok() || conf->voters.empty()) return Bad("a report without a configuration");
  if (in.term() == 0 || in.leader() == 0) return Bad("a report without a leader and its term");
  out->info = {*std::move(region), Term(in.term()), PeerId(in.leader())};
  out->conf = *std::move(conf);
  out->changing = in.changing();
  PeerId last;
  for (const uint64_t peer : in.behind()) {
    if (PeerId(peer) <= last) return Bad("a report with peers out of order");
    out->behind.push_back(last = PeerId(peer));
  }
  return absl::OkStatus();
}

absl::Status DecodeReport(const raftpb::NamespaceReport& in, cluster::NamespaceReport* out) {
  *out = {kv::NamespaceId{in.namespace_id()}, pd::ModeEpoch(in.mode_epoch()), in.unshipped(),
          kv::Hlc(in.watermark())};
  return out->mode_epoch ? absl::OkStatus() : Bad("a report of a namespace without a mode epoch");
}

}  // namespace

void EncodeRollCall(const cluster::RollCall& in, raftpb::RollCall* out) {
  out->set_term(in.term.value());
  out->set_round(in.round);
  out->set_pd(flaredb::EncodeRegion(in.pd));
  out->set_clock(in.clock.value());
  out->set_unix_ms(in.unix_ms);
  if (in.view.revision) out->set_view(pd::EncodeReply(in.view));
  for (const cluster::RegionOrder& order : in.orders) EncodeOrder(order, out->add_orders());
  for (const std::string& sentence : in.waiting) out->add_waiting(sentence);
}

absl::Status TakeRollCall(raftpb::RollCall* in, cluster::RollCall* out) {
  if (in->term() == 0 || in->round() == 0) return Bad("a roll call without its term and round");
  out->term = Term(in->term());
  out->round = in->round();
  absl::StatusOr<Region> region = flaredb::DecodeRegion(in->pd());
  if (!region.ok()) return Bad("a roll call without the region that it comes from");
  out->pd = *std::move(region);
  if (!IsTime(in->clock(), in->unix_ms())) return Bad("a roll call at the end of time");
  out->clock = kv::Hlc(in->clock());
  out->unix_ms = in->unix_ms();
  if (!in->view().empty()) {
    absl::StatusOr<pd::Reply> view = pd::DecodeReply(in->view());
    if (!view.ok() || !std::holds_alternative<pd::ClusterView>(*view)) {
      return Bad("a roll call with something else than a view of a cluster");
    }
    out->view = std::get<pd::ClusterView>(*std::move(view));
    if (!out->view.revision) return Bad("a roll call with a view of nothing");
  }
  for (const raftpb::RegionOrder& order : in->orders()) {
    if (absl::Status s = DecodeOrder(order, &out->orders.emplace_back()); !s.ok()) return s;
  }
  for (std::string& sentence : *in->mutable_waiting()) out->waiting.push_back(std::move(sentence));
  return absl::OkStatus();
}

void EncodeRollAnswer(const cluster::RollAnswer& in, raftpb::RollAnswer* out) {
  out->set_term(in.term.value());
  out->set_round(in.round);
  out->set_instance_hi(in.instance.hi);
  out->set_instance_lo(in.instance.lo);
  out->set_known(in.known.value());
  out->set_clock(in.clock.value());
  out->set_unix_ms(in.unix_ms);
  for (const cluster::RegionReport& report : in.regions) EncodeReport(report, out->add_regions());
  for (const cluster::NamespaceReport& report : in.namespaces) {
    raftpb::NamespaceReport* to = out->add_namespaces();
    to->set_namespace_id(static_cast<uint32_t>(report.ns));
    to->set_mode_epoch(report.mode_epoch.value());
    to->set_unshipped(report.unshipped);
    to->set_watermark(report.watermark.value());
  }
  for (const cluster::OrderRefusal& refusal : in.refusals) {
    raftpb::OrderRefusal* to = out->add_refusals();
    to->set_region_id(refusal.region.value());
    to->set_why(refusal.why);
  }
}

absl::Status TakeRollAnswer(raftpb::RollAnswer* in, cluster::RollAnswer* out) {
  if (in->term() == 0 || in->round() == 0) return Bad("an answer to no roll call");
  out->term = Term(in->term());
  out->round = in->round();
  out->instance = {in->instance_hi(), in->instance_lo()};
  if (!out->instance) return Bad("an answer to a roll call without the store's instance");
  out->known = pd::Revision(in->known());
  if (!IsTime(in->clock(), in->unix_ms())) return Bad("an answer from the end of time");
  out->clock = kv::Hlc(in->clock());
  out->unix_ms = in->unix_ms();
  RegionId last_region;
  for (const raftpb::RegionReport& report : in->regions()) {
    cluster::RegionReport& to = out->regions.emplace_back();
    if (absl::Status s = DecodeReport(report, &to); !s.ok()) return s;
    if (to.info.region.id <= last_region) return Bad("reports of regions out of order");
    last_region = to.info.region.id;
  }
  kv::NamespaceId last_namespace = kv::NamespaceId::kNone;
  for (const raftpb::NamespaceReport& report : in->namespaces()) {
    cluster::NamespaceReport& to = out->namespaces.emplace_back();
    if (absl::Status s = DecodeReport(report, &to); !s.ok()) return s;
    if (to.ns <= last_namespace) return Bad("reports of namespaces out of order");
    last_namespace = to.ns;
  }
  for (raftpb::OrderRefusal& refusal : *in->mutable_refusals()) {
    if (refusal.region_id() == 0) return Bad("a refusal without a region");
    out->refusals.push_back({RegionId(refusal.region_id()), std::move(*refusal.mutable_why())});
  }
  return absl::OkStatus();
}

size_t PayloadBytes(const cluster::RollCall& call) {
  size_t bytes = call.pd.start_key.size() + call.pd.end_key.size();
  for (const pd::StoreInfo& store : call.view.stores) bytes += kRowBytes + store.address.size();
  for (const pd::Namespace& ns : call.view.namespaces) bytes += kRowBytes + ns.name.size();
  for (const cluster::RegionOrder& order : call.orders) {
    const auto* change = std::get_if<cluster::ChangeMembers>(&order.what);
    bytes += kReportBytes + (change != nullptr ? change->changes.size() * kMemberBytes : 0);
  }
  for (const std::string& sentence : call.waiting) bytes += kIdBytes + sentence.size();
  return bytes;
}

size_t PayloadBytes(const cluster::RollAnswer& answer) {
  size_t bytes = answer.namespaces.size() * kRowBytes;
  for (const cluster::RegionReport& report : answer.regions) {
    const Region& region = report.info.region;
    bytes += kReportBytes + region.start_key.size() + region.end_key.size() +
             (region.peers.size() + report.conf.members.size()) * kMemberBytes;
    bytes += (report.conf.voters.size() + report.conf.voters_outgoing.size() +
              report.conf.learners.size() + report.behind.size()) *
             kIdBytes;
  }
  for (const cluster::OrderRefusal& refusal : answer.refusals) {
    bytes += kReportBytes + refusal.why.size();
  }
  return bytes;
}

}  // namespace flaredb::net
