// SPDX-License-Identifier: Apache-2.0
// What is between the replicas of a scenario: messages that wait for their delivery.
#ifndef FLAREDB_TESTS_SCENARIOS_LINKS_H_
#define FLAREDB_TESTS_SCENARIOS_LINKS_H_

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/types.h"
#include "core/raft/message.h"

namespace flaredb::raft {

// Which waiting messages a command means, in the order of links and then of sending.
struct Selection {
  std::optional<PeerId> from;  // Absent: all.
  std::optional<PeerId> to;
  std::string kind;  // Empty: all. See KindName.
  enum { kAll, kFirst, kLast } which = kAll;
};

class Links {
 public:
  // Messages of a cut link are for the caller to lose; what waits on it stays.
  void Cut(PeerId from, PeerId to) { cut_.insert({from, to}); }
  void Heal() { cut_.clear(); }
  bool cut(PeerId from, PeerId to) const { return cut_.contains({from, to}); }

  void Add(Message message);
  // Messages that wait.
  size_t size() const;

  // The messages meant leave their links.
  std::vector<Message> Take(const Selection& selection);
  std::vector<Message> Copy(const Selection& selection);
  // Changes a byte of the data in the pieces of snapshots meant. How many messages were meant.
  size_t Corrupt(const Selection& selection);

 private:
  using Link = std::pair<PeerId, PeerId>;
  struct Place {
    std::deque<Message>* queue;
    size_t at;
  };
  std::vector<Place> Find(const Selection& selection);

  std::map<Link, std::deque<Message>> queues_;
  std::set<Link> cut_;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_SCENARIOS_LINKS_H_
