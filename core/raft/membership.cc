// SPDX-License-Identifier: Apache-2.0
#include "core/raft/membership.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/check.h"
#include "core/base/codec.h"

namespace flaredb::raft {
namespace {

constexpr uint8_t kFormat = 1;

using Ids = std::vector<PeerId>;

bool Contains(const Ids& sorted, PeerId id) {
  return std::binary_search(sorted.begin(), sorted.end(), id);
}

void Insert(Ids* sorted, PeerId id) {
  const auto at = std::lower_bound(sorted->begin(), sorted->end(), id);
  if (at == sorted->end() || *at != id) sorted->insert(at, id);
}

void Erase(Ids* sorted, PeerId id) {
  const auto at = std::lower_bound(sorted->begin(), sorted->end(), id);
  if (at != sorted->end() && *at == id) sorted->erase(at);
}

void Put(std::vector<Member>* members, const Member& member) {
  const auto at = std::lower_bound(members->begin(), members->end(), member.id,
                                   [](const Member& m, PeerId id) { return m.id < id; });
  if (at != members->end() && at->id == member.id) {
    *at = member;
  } else {
    members->insert(at, member);
  }
}

void ForgetStrangers(ConfState* conf) {
  std::erase_if(conf->members, [&](const Member& m) { return !conf->IsMember(m.id); });
}

bool NamesTwice(absl::Span<const MemberChange> changes) {
  for (size_t i = 0; i < changes.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (changes[i].id == changes[j].id) return true;
    }
  }
  return false;
}

// Carries out one wish on the incoming half.
std::optional<ChangeRefusal> CarryOut(const MemberChange& change, ConfState* conf) {
  const bool voter = Contains(conf->voters, change.id);
  const bool learner = Contains(conf->learners, change.id);
  const bool newcomer = change.kind == MemberChange::Kind::kAddLearner;
  if (!newcomer && !voter && !learner) return ChangeRefusal::kNotMember;
  switch (change.kind) {
    case MemberChange::Kind::kAddLearner:
      if (voter || learner) return ChangeRefusal::kAlreadyMember;
      Insert(&conf->learners, change.id);
      Put(&conf->members, {change.id, change.store, Incarnation()});
      break;
    case MemberChange::Kind::kPromote:
      if (voter) return ChangeRefusal::kNotLearner;
      Erase(&conf->learners, change.id);
      Insert(&conf->voters, change.id);
      break;
    case MemberChange::Kind::kDemote:
      if (learner) return ChangeRefusal::kNotVoter;
      Erase(&conf->voters, change.id);
      Insert(&conf->learners, change.id);
      break;
    case MemberChange::Kind::kRemove:
      Erase(&conf->voters, change.id);
      Erase(&conf->learners, change.id);
      break;
  }
  return std::nullopt;
}

void WriteIds(const Ids& ids, ByteWriter* out) {
  out->Varint(ids.size());
  for (const PeerId id : ids) out->Varint(id.value());
}

Ids ReadIds(ByteReader* in) {
  Ids ids;
  // Ends at the first defect, so a wrong count costs no more than the bytes that are there.
  for (uint64_t left = in->Varint(); in->ok() && left > 0; --left) {
    const PeerId id(in->Varint());
    in->Require(id && (ids.empty() || ids.back() < id), "peer ids ascend");
    ids.push_back(id);
  }
  return ids;
}

}  // namespace

std::variant<ConfState, ChangeRefusal> Change(const ConfState& conf,
                                              absl::Span<const MemberChange> changes) {
  INVARIANT(!conf.joint());
  if (changes.empty() || NamesTwice(changes)) return ChangeRefusal::kNoChange;
  ConfState next = conf;
  for (const MemberChange& change : changes) {
    if (const auto refusal = CarryOut(change, &next)) return *refusal;
  }
  if (next.voters.empty()) return ChangeRefusal::kNoVoterLeft;
  if (next.voters != conf.voters) next.voters_outgoing = conf.voters;
  ForgetStrangers(&next);
  return next;
}

ConfState LeaveJoint(const ConfState& conf) {
  INVARIANT(conf.joint());
  ConfState next = conf;
  next.voters_outgoing.clear();
  ForgetStrangers(&next);
  return next;
}

ConfState Pin(ConfState conf, absl::Span<const Member> met) {
  for (const Member& member : met) {
    INVARIANT(conf.IsMember(member.id));
    Member row = conf.Find(member.id);
    row.incarnation = member.incarnation;
    Put(&conf.members, row);
  }
  return conf;
}

std::string EncodeConfState(const ConfState& conf) {
  ByteWriter out;
  out.U8(kFormat);
  WriteIds(conf.voters, &out);
  WriteIds(conf.voters_outgoing, &out);
  WriteIds(conf.learners, &out);
  out.Varint(conf.members.size());
  for (const Member& member : conf.members) {
    out.Varint(member.id.value());
    out.Varint(member.store.value());
    out.U64(member.incarnation.value());
  }
  return out.Take();
}

absl::StatusOr<ConfState> DecodeConfState(std::string_view bytes) {
  ByteReader in(bytes);
  in.FormatVersion(kFormat);
  ConfState conf;
  conf.voters = ReadIds(&in);
  conf.voters_outgoing = ReadIds(&in);
  conf.learners = ReadIds(&in);
  for (uint64_t left = in.Varint(); in.ok() && left > 0; --left) {
    const PeerId id(in.Varint());
    const StoreId store(in.Varint());
    in.Require(conf.IsMember(id) && (conf.members.empty() || conf.members.back().id < id),
               "members belong to the configuration and ascend");
    conf.members.push_back({id, store, Incarnation(in.U64())});
  }
  for (const PeerId id : conf.learners) {
    in.Require(!Contains(conf.voters, id), "a learner is no voter of the incoming half");
  }
  in.Require(!conf.voters.empty() || !conf.joint(), "the incoming half has a voter");
  if (absl::Status status = in.Finish("a configuration"); !status.ok()) return status;
  return conf;
}

std::string Describe(const ConfState& conf) {
  const auto list = [](const Ids& ids) {
    std::string text = "(";
    for (const PeerId id : ids) {
      if (text.size() > 1) text += ' ';
      text += std::to_string(id.value());
    }
    return text + ")";
  };
  std::string text = list(conf.voters);
  if (conf.joint()) text += "&" + list(conf.voters_outgoing);
  if (!conf.learners.empty()) text += " learners" + list(conf.learners);
  return text;
}

Configurations::Configurations(Index base_index, ConfState base, std::vector<ConfAt> rest)
    : latest_{base_index, std::move(base)} {
  older_.reserve(rest.size());
  for (ConfAt& at : rest) Append(at.index, std::move(at.conf));
}

ConfState Configurations::previous() const {
  return older_.empty() ? latest_.conf : *DecodeConfState(older_.back().conf);
}

ConfState Configurations::At(Index index) const {
  INVARIANT(index >= base_index());
  if (index >= latest_.index) return latest_.conf;
  auto at = older_.rbegin();
  while (at->index > index) ++at;
  return *DecodeConfState(at->conf);
}

void Configurations::Append(Index index, ConfState conf) {
  INVARIANT(index > latest_index());
  older_.push_back({latest_.index, EncodeConfState(latest_.conf)});
  latest_ = {index, std::move(conf)};
}

void Configurations::TruncateFrom(Index from) {
  INVARIANT(from > base_index());
  while (latest_.index >= from) {
    latest_ = {older_.back().index, *DecodeConfState(older_.back().conf)};
    older_.pop_back();
  }
}

void Configurations::CompactTo(Index index) {
  INVARIANT(index >= base_index());
  if (index >= latest_.index) {
    latest_.index = index;
    older_ = std::vector<Encoded>();
    return;
  }
  auto keep = older_.end() - 1;
  while (keep->index > index) --keep;
  older_.erase(older_.begin(), keep);
  older_.front().index = index;
}

void Configurations::Reset(Index index, ConfState conf) {
  older_ = std::vector<Encoded>();
  latest_ = {index, std::move(conf)};
}

void Configurations::HashInto(Hasher* hasher) const {
  hasher->Add(older_.size() + 1);
  for (const Encoded& at : older_) hasher->Add(at.index).Add(at.conf);
  hasher->Add(latest_.index).Add(EncodeConfState(latest_.conf));
}

}  // namespace flaredb::raft
