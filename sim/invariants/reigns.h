// SPDX-License-Identifier: Apache-2.0
// What a leader owes its group for as long as it leads: REIGN.
#ifndef FLAREDB_SIM_INVARIANTS_REIGNS_H_
#define FLAREDB_SIM_INVARIANTS_REIGNS_H_

#include <deque>
#include <map>
#include <string>
#include <utility>

#include "absl/types/span.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/config.h"
#include "core/raft/view.h"
#include "core/store/effects.h"
#include "core/store/event.h"
#include "sim/invariants/names.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

// Of one region. None of these rules guards what is committed: a leader that breaks them costs its
// group time, and mostly so little that no client could tell. So the leader itself is watched.
class Reigns {
 public:
  // `names` and `report` outlive this object.
  Reigns(const raft::Config& config, const Names* names, FailureReport* report)
      : election_timeout_(config.election_timeout),
        heartbeat_interval_(config.heartbeat_interval),
        lease_(config.election_timeout -
               config.election_timeout * config.clock_drift_ppm_max / 1000000),
        disk_stall_timeout_(config.disk_stall_timeout),
        may_rest_(config.rest_after != Duration::Max()),
        names_(names),
        report_(report) {}

  // A store turned at `now` by its own clock, to `events`, and its replica of the region went from
  // `before` to `after`, of the same life; `effects` is what leaves. REIGN:
  //   It does not lead on for an election timeout after one in which it heard no quorum
  //   (thesis 6.2), if nobody may rest, or after its disk has stalled. Of a time in which its
  //   process stood still little counts: what it finds when it wakes may come before its own look
  //   round.
  //   It does not resign, unless it hears of a later term, has heard no quorum for an election
  //   timeout, or since it woke, its disk has stalled, or it is no voter of a committed
  //   configuration (thesis 4.2.2). For the last two reasons it goes on to tell a voter that it
  //   hears to campaign in its place.
  //   It takes in no command while it hands leadership over, tells nobody to campaign at once who
  //   has not acknowledged its whole log (thesis 3.10), and tells him once.
  //   It makes nobody a voter who lacks what its own log had three election timeouts before
  //   (thesis 4.2.1: a round that was short, one that is not over, and a sign of life).
  //   It holds a lease while a round of contact that a quorum has answered is younger than one
  //   lasts, once it has committed an entry of its own and until it has handed over (thesis 6.4.1).
  //   It takes note when somebody who lacks nothing answers twice within an election timeout: that
  //   is a round of the catch-up test (thesis 4.2.1).
  //   It sends a piece of a snapshot again when it has gone unanswered for an election timeout, not
  //   before, and not much later; and knows that a transfer moves when it comes to another piece.
  void OnTurn(Instant now, absl::Span<const store::Event> events, const raft::View& before,
              const raft::View& after, const store::Effects& effects);
  // The same turn. REIGN: it does not delete from its log what somebody in contact lacks, or what
  // follows a snapshot on its way, as far as `config`, the store's own, spares it: they would need
  // a snapshot, or another one.
  void AfterTurn(Instant now, const raft::View& before, const raft::View& after,
                 const raft::Config& config);
  // The disk of the store has failed, which stops for that; `last` is what its replica was, and
  // `effects` what still leaves. REIGN: a leader tells a voter that it hears to campaign.
  void OnDiskFailed(Instant now, const raft::View& last, const store::Effects& effects);

 private:
  struct Piece {
    raft::SnapshotId id;
    uint64_t number = 0;
    Instant sent;
    Index base;     // The snapshot's end,
    Instant began;  // and when its first piece was sent.
  };
  struct Reign {
    Term term;
    Index own_entry;                  // One of this term: the end of its log when it was elected.
    std::map<PeerId, Instant> heard;  // Or since when it is followed.
    Duration overdue;                 // How long it has led on without a quorum, or without a disk.
    Instant last_turn;
    std::deque<std::pair<Instant, Index>> ends;       // Of its log, since when.
    std::map<PeerId, Piece> pieces;                   // That it sent last to each.
    std::deque<std::pair<uint64_t, Instant>> rounds;  // Of contact, and when they began.
    uint64_t last_round = 0;
    Index conf_index;                    // Of the configuration under which those rounds began.
    bool handed_over = false;            // Somebody was told to campaign at once.
    Instant hands_over_since;            // To the same one, for an election timeout at most,
    bool told = false;                   // who has been told to campaign.
    std::map<PeerId, Instant> whole_at;  // Since when the answers were that all is there.
  };

  void Hear(Instant now, absl::Span<const store::Event> events, const raft::View& before);
  void CheckResignation(Instant now, const raft::View& before, const raft::View& after,
                        const store::Effects& effects);
  void CheckFarewell(Instant now, const raft::View& before, const raft::View& after,
                     const store::Effects& effects);
  void CheckRight(Instant now, const raft::View& before, const raft::View& after);
  void CheckCommands(const raft::View& before, const raft::View& after,
                     const store::Effects& effects);
  void CheckHandOver(Instant now, const raft::View& before, const raft::View& after,
                     const store::Effects& effects);
  void CheckPieces(Instant now, const raft::View& before, const raft::View& after,
                   const store::Effects& effects);
  void NotePiece(PeerId leader, PeerId to, const Piece& piece);
  void CheckLease(Instant now, const raft::View& after, const store::Effects& effects);
  void CheckCatchUp(Instant now, const raft::View& before, const raft::View& after);
  void CheckPromotions(Instant now, const raft::View& before, const raft::View& after);
  bool DiskStalls(Instant now, const raft::View& view) const;
  bool HearsQuorum(const raft::ConfState& conf, PeerId leader, Instant since) const;
  void Fail(PeerId leader, const std::string& what);

  const Duration election_timeout_;
  const Duration heartbeat_interval_;
  const Duration lease_;
  const Duration disk_stall_timeout_;
  const bool may_rest_;
  const Names* names_;
  FailureReport* report_;
  std::map<PeerId, Reign> reigns_;           // The latest of each.
  std::map<PeerId, Instant> disk_moved_at_;  // When a write ended, or began with none under way.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_REIGNS_H_
