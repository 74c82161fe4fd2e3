// SPDX-License-Identifier: Apache-2.0
// Who campaigns, and who helps: STICKY and PREVOTE.
#ifndef FLAREDB_SIM_INVARIANTS_CAMPAIGNS_H_
#define FLAREDB_SIM_INVARIANTS_CAMPAIGNS_H_

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/types/span.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/view.h"
#include "core/store/effects.h"
#include "core/store/event.h"
#include "sim/invariants/names.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

// Of one region. An election that breaks these rules may well end well: what they forbid is a term
// that nobody needed, and a vote that a lease relied on not being given. So they are checked where
// they are broken, not by what comes of it.
class Campaigns {
 public:
  // `names` and `report` outlive this object.
  Campaigns(Duration election_timeout, const Names* names, FailureReport* report)
      : election_timeout_(election_timeout), names_(names), report_(report) {}

  // A replica, in the view that it starts with. One that needs nobody's vote owes nobody a promise.
  void OnStart(const raft::View& view);
  // The replica was told that its leader is lost for ever: it owes it nothing any more.
  void OnRecovery(PeerId peer) { promised_until_.erase(peer); }

  // A store turned at `now` by its own clock, to `events` in this order, and its replica of the
  // region went from `before` to `after`; `effects` is what leaves. Both are views of one replica,
  // whose durable life is `life`; what was meant for another one it does not hear.
  //   STICKY   for an election timeout after it heard from its leader, a replica neither campaigns
  //            nor helps others, nor follows them to their term; a leader never does
  //            (thesis 4.2.3). Unless the leader itself asked for the election; nobody says so of
  //            whom no leader asked.
  //   PREVOTE  it says that it would vote for a log as good as its own at least, and campaigns when
  //            a quorum has said so (thesis 9.6).
  //   LEASE    a leader that asked somebody to campaign holds no lease in that term.
  void OnTurn(Instant now, absl::Span<const store::Event> events, const raft::View& before,
              const raft::View& after, Incarnation life, const store::Effects& effects);
  // What leaves from `peer`, of a turn that nothing else is known of.
  void OnSends(PeerId peer, const store::Effects& effects);

 private:
  struct Heard;

  void CheckPreVotes(const Heard& heard, const raft::View& before, const raft::View& after,
                     const store::Effects& effects, bool promised);
  void CheckVote(const Heard& heard, const raft::View& before, const raft::View& after,
                 bool promised);
  void CheckInvitation(const raft::Message& vote_request);
  void CheckTerm(const Heard& heard, const raft::View& before, const raft::View& after,
                 bool promised);
  std::string Tell(PeerId peer) const { return names_->Tell(peer); }
  void Fail(const char* invariant, std::string sentence);

  const Duration election_timeout_;
  const Names* names_;
  FailureReport* report_;
  std::map<PeerId, Instant> promised_until_;  // By its own clock, over crashes.
  // Who said that it would vote for whom in which term.
  std::set<std::tuple<Term, PeerId, PeerId>> pre_votes_;  // Term, candidate, voter.
  std::map<PeerId, Term> invited_;  // The latest campaign that a leader asked it for.
  // By this leader: in which term, and whom last.
  std::map<PeerId, std::pair<Term, PeerId>> asked_to_campaign_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_CAMPAIGNS_H_
