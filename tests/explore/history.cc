// SPDX-License-Identifier: Apache-2.0
#include "tests/explore/history.h"

#include <algorithm>
#include <sstream>

#include "absl/functional/function_ref.h"

namespace flaredb::explore {
namespace {

// Counted here once more: the core's own arithmetic is under test.
bool IsOnMajority(const std::vector<PeerId>& voters, absl::FunctionRef<bool(PeerId)> holds) {
  return 2 * static_cast<size_t>(std::count_if(voters.begin(), voters.end(), holds)) >
         voters.size();
}

bool IsOnQuorum(const raft::ConfState& conf, absl::FunctionRef<bool(PeerId)> holds) {
  return IsOnMajority(conf.voters, holds) &&
         (conf.voters_outgoing.empty() || IsOnMajority(conf.voters_outgoing, holds));
}

}  // namespace

std::optional<std::string> Histories::Advance(const std::vector<ReplicaName>& replicas,
                                              uint32_t node, ReplicaName before,
                                              HistoryName* history) {
  if (replicas[node] == before) return std::nullopt;
  const Replica& was = replicas_->at(before);
  const Replica& is = replicas_->at(replicas[node]);
  const bool elected = is.leads() && (!was.leads() || was.view.term != is.view.term);
  const bool committed = is.view.commit_index > was.view.commit_index;
  const bool wrote = is.written().log != was.written().log;
  const bool durable = is.durable.log != was.durable.log;
  if (wrote) {
    for (const ReplicaName other : replicas) {
      if (const auto broken = CompareLogs(is, replicas_->at(other))) return broken;
    }
  }
  if (!elected && !committed && !durable) return std::nullopt;

  History next = histories_[*history];
  if (elected) {
    if (const auto broken = OnElected(is, &next)) return broken;
  }
  if (committed) {
    if (const auto broken = OnCommit(is, &next)) return broken;
  }
  if (const auto broken = CheckDurable(replicas, next)) return broken;
  const auto [at, added] = names_.try_emplace(Key(next.leaders, next.committed, next.committed_in),
                                              static_cast<HistoryName>(histories_.size()));
  if (added) histories_.push_back(next);
  *history = at->second;
  return std::nullopt;
}

std::optional<std::string> Histories::OnElected(const Replica& leader, History* history) const {
  const LogTree& logs = replicas_->logs();
  const Term term = leader.view.term;
  uint8_t& of_term = history->leaders[term.value()];
  std::ostringstream text;
  if (of_term != 0) {
    text << "ES: S" << leader.view.id << " is elected in term " << term << ", but S" << int{of_term}
         << " was";
    return text.str();
  }
  of_term = static_cast<uint8_t>(leader.view.id.value());

  const LogName log = leader.written().log;
  const Index end = std::min(logs.last_index(log), logs.last_index(history->committed));
  for (Index i(1); i <= logs.last_index(history->committed); ++i) {
    const Term committed_in = history->committed_in[i.value() - 1];
    if (committed_in >= term) continue;
    const LogName committed = logs.Prefix(history->committed, i);
    if (i <= end && logs.Prefix(log, i) == committed) continue;
    text << "LC: S" << leader.view.id << " is elected in term " << term << " without entry " << i
         << " of term " << logs.last_term(committed) << ", which was committed in term "
         << committed_in;
    return text.str();
  }
  return std::nullopt;
}

std::optional<std::string> Histories::OnCommit(const Replica& replica, History* history) const {
  const LogTree& logs = replicas_->logs();
  const LogName called = logs.Prefix(replica.written().log, replica.view.commit_index);
  if (logs.IsPrefix(called, history->committed)) return std::nullopt;
  if (!logs.IsPrefix(history->committed, called)) {
    std::ostringstream text;
    text << "SMS: S" << replica.view.id << " calls its log committed up to "
         << replica.view.commit_index << ", but another log was committed up to "
         << logs.last_index(history->committed);
    return text.str();
  }
  history->committed = called;
  history->committed_in.resize(logs.last_index(called).value(), replica.view.term);
  return std::nullopt;
}

std::optional<std::string> Histories::CompareLogs(const Replica& a, const Replica& b) const {
  const LogTree& logs = replicas_->logs();
  LogName x = a.written().log;
  LogName y = b.written().log;
  const Index end = std::min(logs.last_index(x), logs.last_index(y));
  x = logs.Prefix(x, end);
  y = logs.Prefix(y, end);
  while (x != y) {
    if (logs.last_term(x) == logs.last_term(y)) {
      std::ostringstream text;
      text << "LM: the logs of S" << a.view.id << " and S" << b.view.id << " hold entry "
           << logs.last_index(x) << " of term " << logs.last_term(x) << ", but differ up to there";
      return text.str();
    }
    x = logs.Shorter(x);
    y = logs.Shorter(y);
  }
  return std::nullopt;
}

// The configuration to ask is the latest one that is committed, or one that follows it in a log: a
// leader goes by what it appended (thesis 4.1).
std::optional<std::string> Histories::CheckDurable(const std::vector<ReplicaName>& replicas,
                                                   const History& history) const {
  const LogTree& logs = replicas_->logs();
  const auto holds = [&](PeerId id) {
    const Replica& replica = replicas_->at(replicas[id.value() - 1]);
    return logs.IsPrefix(history.committed, replica.durable.log);
  };
  if (IsOnQuorum(replicas_->conf(history.committed), holds)) return std::nullopt;
  for (const ReplicaName name : replicas) {
    const LogName log = replicas_->at(name).written().log;
    if (logs.IsPrefix(history.committed, log) && IsOnQuorum(replicas_->conf(log), holds)) {
      return std::nullopt;
    }
  }
  std::ostringstream text;
  text << "CD: the log is committed up to " << logs.last_index(history.committed)
       << ", but not on a quorum of disks";
  return text.str();
}

}  // namespace flaredb::explore
