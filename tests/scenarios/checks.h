// SPDX-License-Identifier: Apache-2.0
// What must hold at every step of a scenario, whatever the script looks at:
//   - one leader a term (election safety);
//   - the same entry at the same index everywhere it is applied, without gap or repetition (state
//     machine safety);
//   - two disks with an entry of the same index and term have the same entry, and the same terms
//     before it (log matching);
//   - what a leader commits is on the disks of a quorum;
//   - a term, a vote, a candidacy and an accepted entry are shown only when they are on the disk;
//   - the configuration before a log is the one that the committed entries up to there make.
#ifndef FLAREDB_TESTS_SCENARIOS_CHECKS_H_
#define FLAREDB_TESTS_SCENARIOS_CHECKS_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/types.h"
#include "core/raft/entry.h"
#include "core/raft/message.h"
#include "core/raft/types.h"
#include "core/raft/view.h"
#include "tests/scenarios/replica.h"

namespace flaredb::raft {

class Checks {
 public:
  // `replicas` outlives this object. `fail` is told, in a sentence, what does not hold.
  Checks(const std::map<PeerId, Replica>* replicas, std::function<void(std::string_view)> fail)
      : replicas_(*replicas), fail_(std::move(fail)) {}
  Checks(const Checks&) = delete;
  Checks& operator=(const Checks&) = delete;

  // The group begins in this configuration.
  void OnFounded(const ConfState& conf) { founding_conf_ = conf; }
  // A disk was lost: what was on a quorum need not be any more.
  void OnWiped() { wiped_ = true; }
  // The replica is about to apply the entry,
  void OnApplied(PeerId id, const EntryView& entry);
  // sends the message,
  void OnSent(PeerId id, const Message& message);
  // was `before` and is `after`,
  void OnView(PeerId id, const View& before, const View& after);
  // or asks its disk for another base of its log.
  void OnBase(PeerId id, const LogBase& base);
  // A disk has changed.
  void OnWritten();

  // As applied first, anywhere.
  const std::vector<StoredEntry>& committed() const { return committed_; }

 private:
  void Fail(const std::string& what) { fail_(what); }

  const std::map<PeerId, Replica>& replicas_;
  const std::function<void(std::string_view)> fail_;
  std::map<Term, PeerId> leaders_;
  ConfState founding_conf_;
  std::vector<StoredEntry> committed_;
  bool logs_differ_ = false;
  bool wiped_ = false;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_SCENARIOS_CHECKS_H_
