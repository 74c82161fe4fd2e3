// SPDX-License-Identifier: Apache-2.0
// What has happened for good, and the properties that it must keep.
#ifndef FLAREDB_TESTS_EXPLORE_HISTORY_H_
#define FLAREDB_TESTS_EXPLORE_HISTORY_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/types.h"
#include "tests/explore/log_tree.h"
#include "tests/explore/replicas.h"
#include "tests/explore/scope.h"

namespace flaredb::explore {

// Outlives crashes, so it is part of a state beside the replicas.
struct History {
  std::array<uint8_t, kTermsMax + 1> leaders{};  // By term: who was elected; zero: nobody.
  LogName committed = 0;                         // The longest log that any replica called so.
  std::vector<Term> committed_in;                // Of each entry: the term of who was first.
};

using HistoryName = uint32_t;

// Every history of an exploration, once.
class Histories {
 public:
  explicit Histories(const Replicas* replicas) : replicas_(replicas), histories_(1) {}

  const History& at(HistoryName name) const { return histories_[name]; }

  // Replica number `node` of `replicas` has just become what it is there from `before`; moves
  // *history on. The first broken property, in one sentence:
  //   ES   at most one replica is elected in a term, hence at most one commits in it
  //   LC   who is elected has what was committed in earlier terms (thesis 3.6.3)
  //   LM   logs that hold an entry of the same index and term are equal up to it
  //   SMS  nobody calls another entry committed where one is
  //   CD   what is committed is on a quorum of durable images
  std::optional<std::string> Advance(const std::vector<ReplicaName>& replicas, uint32_t node,
                                     ReplicaName before, HistoryName* history);

 private:
  using Key = std::tuple<std::array<uint8_t, kTermsMax + 1>, LogName, std::vector<Term>>;

  std::optional<std::string> OnElected(const Replica& leader, History* history) const;
  std::optional<std::string> OnCommit(const Replica& replica, History* history) const;
  std::optional<std::string> CompareLogs(const Replica& a, const Replica& b) const;
  std::optional<std::string> CheckDurable(const std::vector<ReplicaName>& replicas,
                                          const History& history) const;

  const Replicas* replicas_;
  std::vector<History> histories_;
  std::map<Key, HistoryName> names_;
};

}  // namespace flaredb::explore

#endif  // FLAREDB_TESTS_EXPLORE_HISTORY_H_
