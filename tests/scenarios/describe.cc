// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/describe.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <type_traits>

#include "core/raft/membership.h"

namespace flaredb::raft {
namespace {

// In the order of Body's alternatives.
constexpr std::array<std::string_view, std::variant_size_v<Body::variant>> kKindNames = {
    "PreVote",        "PreVoteReply", "Vote", "VoteReply", "Append",   "AppendReply",  "Heartbeat",
    "HeartbeatReply", "TimeoutNow",   "Read", "ReadReply", "Snapshot", "SnapshotReply"};

std::string Payload(std::string_view payload) {
  constexpr size_t kShort = 24;
  if (payload.size() > kShort) return "<" + std::to_string(payload.size()) + " bytes>";
  return "\"" + std::string(payload) + "\"";
}

// The part of a message after its kind and term.
class Details {
 public:
  Details(std::ostream* out, bool verbose) : out_(*out), verbose_(verbose) {}

  void operator()(const PreVoteRequest& m) {
    out_ << " for t" << m.campaign_term << " last=" << Told(m.last_log);
  }
  void operator()(const PreVoteReply& m) {
    out_ << " for t" << m.campaign_term << (m.granted ? " granted" : " refused");
  }
  void operator()(const VoteRequest& m) {
    out_ << " last=" << Told(m.last_log) << (m.leadership_transfer ? " transfer" : "");
  }
  void operator()(const VoteReply& m) { out_ << (m.granted ? " granted" : " refused"); }
  void operator()(const AppendRequest& m) {
    out_ << " prev=" << Told(m.prev) << " commit=" << m.commit_index;
    if (!m.entries.empty()) out_ << " " << Told(m.entries);
    Contact(m);
    if (verbose_ && m.accept_unanswered) out_ << " unanswered";
  }
  void operator()(const AppendReply& m) {
    if (const auto* accept = std::get_if<AppendAccept>(&m.result)) {
      out_ << " match=" << accept->match_index << " commit=" << accept->commit_index;
    } else {
      const auto& reject = std::get<AppendReject>(m.result);
      out_ << " refused prev=" << reject.prev_index << " hint=" << Told(reject.hint);
    }
    Contact(m);
  }
  void operator()(const HeartbeatRequest& m) {
    if (m.rest_at != LogId()) out_ << " rest=" << Told(m.rest_at);
    Contact(m);
  }
  void operator()(const HeartbeatReply& m) {
    out_ << " commit=" << m.commit_index;
    Contact(m);
  }
  void operator()(const TimeoutNow& m) { out_ << " last=" << Told(m.last_log); }
  void operator()(const ReadRequest& m) {
    if (verbose_) out_ << " request=" << m.request;
  }
  void operator()(const ReadReply& m) {
    if (m.index) {
      out_ << " index=" << m.index;
    } else {
      out_ << " ask again";
    }
    if (verbose_) out_ << " request=" << m.request;
  }
  void operator()(const SnapshotRequest& m) {
    out_ << " of " << Told(m.chunk->base.last) << " piece=" << m.chunk->number
         << (m.chunk->last ? " last" : "");
    Contact(m);
  }
  void operator()(const SnapshotReply& m) {
    out_ << " next=" << m.next_chunk;
    Contact(m);
  }

 private:
  template <typename M>
  void Contact(const M& m) {
    if (verbose_) out_ << " session=" << m.session << " round=" << m.round;
  }

  std::ostream& out_;
  const bool verbose_;
};

}  // namespace

std::string Told(LogId id) {
  if (id == LogId()) return "0";
  std::ostringstream out;
  out << id.index << ":t" << id.term;
  return out.str();
}

std::string Join(const std::vector<PeerId>& ids) {
  if (ids.empty()) return "none";
  std::ostringstream out;
  for (const PeerId id : ids) out << (id == ids.front() ? "" : ",") << id;
  return out.str();
}

std::string Told(const ConfState& conf) {
  std::string text = "voters=" + Join(conf.voters);
  if (conf.joint()) text += " outgoing=" + Join(conf.voters_outgoing);
  if (!conf.learners.empty()) text += " learners=" + Join(conf.learners);
  std::vector<PeerId> unmet = conf.Everybody();
  std::erase_if(unmet, [&](PeerId id) { return static_cast<bool>(conf.Find(id).incarnation); });
  if (!unmet.empty()) text += " unmet=" + Join(unmet);
  return text;
}

std::string Told(Role role) {
  switch (role) {
    case Role::kFollower:
      return "follower";
    case Role::kPreCandidate:
      return "pre-candidate";
    case Role::kCandidate:
      return "candidate";
    case Role::kLeader:
      return "leader";
  }
  return "";
}

std::string Told(const EntryView& entry) {
  const std::string at = Told(LogId{entry.term, entry.index}) + " ";
  switch (entry.kind) {
    case EntryKind::kNoop:
      return at + "noop";
    case EntryKind::kCommand:
      return at + Payload(entry.payload);
    case EntryKind::kConf: {
      const auto conf = DecodeConfState(entry.payload);
      return at + "conf " + (conf.ok() ? Told(*conf) : "(unreadable)");
    }
  }
  return at;
}

std::string Told(const EntrySlices& entries) {
  std::vector<std::string> texts;
  for (const EntrySlice& slice : entries) {
    for (uint32_t i = 0; i < slice.size(); ++i) texts.push_back(Told(slice.at(i)));
  }
  if (texts.empty()) return "";
  if (texts.size() > 8) {
    texts.erase(texts.begin() + 2, texts.end() - 1);
    texts.insert(texts.begin() + 2, "...");
  }
  std::string joined = "[";
  for (const std::string& text : texts) joined += (joined.size() == 1 ? "" : ", ") + text;
  return joined + "]";
}

std::string Told(const Message& message, bool verbose) {
  std::ostringstream out;
  out << message.from << "->" << message.to << " " << KindName(message) << " t" << message.term;
  std::visit(Details(&out, verbose), message.body);
  return out.str();
}

std::string Told(const Persist& persist, bool verbose) {
  std::ostringstream out;
  if (verbose) out << "#" << persist.token << " ";
  if (persist.base != nullptr) {
    out << (persist.install ? "install=" : "base=") << Told(persist.base->last) << " "
        << Told(persist.base->conf) << " ";
  }
  if (persist.hard_state) {
    out << "t" << persist.hard_state->term << " ";
    if (persist.hard_state->vote) out << "vote=" << persist.hard_state->vote << " ";
  }
  if (persist.truncate_from) out << "truncate=" << persist.truncate_from << " ";
  if (!persist.append.empty()) out << "append=" << Told(persist.append) << " ";
  std::string text = out.str();
  if (!text.empty()) text.pop_back();
  return text;
}

std::string Told(const SnapshotEffect& effect) {
  return std::visit(
      [](const auto& e) -> std::string {
        using E = std::decay_t<decltype(e)>;
        if constexpr (std::is_same_v<E, TakeSnapshot>) return "take a snapshot";
        if constexpr (std::is_same_v<E, ReadSnapshot>)
          return "read piece " + std::to_string(e.number) + " of the snapshot";
        if constexpr (std::is_same_v<E, DropSnapshot>) return "drop the snapshot";
        if constexpr (std::is_same_v<E, StageSnapshot>)
          return "stage piece " + std::to_string(e.chunk->number);
        if constexpr (std::is_same_v<E, UnstageSnapshot>) return "throw the staged pieces away";
      },
      effect);
}

std::string Told(const View& view) {
  std::ostringstream out;
  out << Told(view.role) << " t" << view.term;
  if (view.vote) out << " vote=" << view.vote;
  if (view.leader && view.leader != view.id) out << " leader=" << view.leader;
  if (view.transferee) out << " transferee=" << view.transferee;
  if (view.resting) out << " resting";
  return out.str();
}

std::string_view KindName(const Message& message) { return kKindNames[message.body.index()]; }

bool IsKindName(std::string_view name) {
  return std::find(kKindNames.begin(), kKindNames.end(), name) != kKindNames.end();
}

bool IsRoutine(const Message& message) {
  const auto* heartbeat = std::get_if<HeartbeatRequest>(&message.body);
  return (heartbeat != nullptr && heartbeat->rest_at == LogId()) ||
         std::holds_alternative<HeartbeatReply>(message.body);
}

std::string Told(NotLeader not_leader) {
  if (!not_leader.leader) return "not the leader";
  return "not the leader, " + Text(not_leader.leader) + " is";
}

std::string Told(ChangeRefusal refusal) {
  switch (refusal) {
    case ChangeRefusal::kChangeInProgress:
      return "a change is in progress";
    case ChangeRefusal::kLeaderIsNew:
      return "the leader is new";
    case ChangeRefusal::kTransferInProgress:
      return "a transfer is in progress";
    case ChangeRefusal::kNoChange:
      return "no change";
    case ChangeRefusal::kAlreadyMember:
      return "already a member";
    case ChangeRefusal::kNotMember:
      return "not a member";
    case ChangeRefusal::kNotLearner:
      return "not a learner";
    case ChangeRefusal::kNotVoter:
      return "not a voter";
    case ChangeRefusal::kNotCaughtUp:
      return "not caught up";
    case ChangeRefusal::kNoVoterLeft:
      return "no voter would be left";
  }
  return "";
}

std::string Told(TransferRefusal refusal) {
  switch (refusal) {
    case TransferRefusal::kNotLeader:
      return "not the leader";
    case TransferRefusal::kInProgress:
      return "another transfer is in progress";
    case TransferRefusal::kNotVoter:
      return "not a voter";
    case TransferRefusal::kIsLeader:
      return "leads already";
  }
  return "";
}

std::string Told(NoPlan no_plan) {
  switch (no_plan) {
    case NoPlan::kNoSurvivor:
      return "no voter survives";
    case NoPlan::kNotNeeded:
      return "the survivors are a quorum";
    case NoPlan::kDisagree:
      return "the survivors disagree about what is committed";
  }
  return "";
}

}  // namespace flaredb::raft
