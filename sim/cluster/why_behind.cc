// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <sstream>
#include <string>

#include "sim/cluster/standstill.h"
#include "sim/invariants/quorum.h"
#include "sim/world/describe.h"

namespace flaredb::sim {
namespace {

using Store = Standstill::Store;

std::string Since(Instant then, Instant now) {
  return "for " + std::to_string((now - then).milliseconds()) + " ms";
}

// What the leader does about a follower that lacks entries; the end of a sentence.
std::string Sends(const raft::ProgressView& progress, const raft::View& leader, Instant clock) {
  std::ostringstream out;
  switch (progress.state) {
    case raft::ProgressState::kSnapshot:
      out << "is to get a snapshot, ";
      if (progress.snapshot_step == raft::SnapshotStep::kView) {
        out << "which is not taken";
      } else {
        out << "whose piece " << progress.snapshot_piece << " is "
            << (progress.snapshot_step == raft::SnapshotStep::kRead ? "not read" : "not answered");
      }
      out << " " << Since(progress.snapshot_moved_at, clock);
      return out.str();
    case raft::ProgressState::kProbe:
      out << "is to be asked whether it agrees up to index " << progress.next_index.prev()
          << (progress.may_send ? ", but nothing is on its way"
                                : ", and was, but no answer counted");
      break;
    case raft::ProgressState::kReplicate:
      if (progress.next_index > leader.last_log.index) {
        out << "was sent everything, and has accepted up to " << progress.match_index;
      } else {
        out << "was sent up to " << progress.next_index.prev() << ", "
            << (progress.may_send ? "and may get more" : "and its window is full");
      }
      break;
  }
  if (progress.fetching) out << "; entries are being read for it";
  if (progress.next_index <= leader.base.index) {
    out << "; the log begins behind that, after " << leader.base.index;
  }
  return out.str();
}

// The follower as it stands; the end of a sentence. Empty: it lacks nothing.
std::string Lacks(const Store& store, const raft::View& leader, Index committed) {
  const raft::View& view = store.view;
  std::ostringstream out;
  if (view.last_log < leader.last_log) {
    out << "has a log up to " << Describe(view.last_log);
  } else if (view.durable_index < leader.last_log.index) {
    out << "has it all, but on its disk only up to " << view.durable_index;
  } else if (view.commit_index < committed) {
    out << "has it all, but knows of commits only up to " << view.commit_index;
  } else if (store.applied < committed) {
    out << "knows what is committed, but has applied only up to " << store.applied;
  }
  return out.str();
}

// Why nothing gets there, or what it gets is of no use; empty: it should be.
std::string Obstacle(const Standstill& all, uint32_t node, PeerId follower) {
  const Store& store = all.stores[node];
  const Store& leader = all.stores[*all.leader];
  std::ostringstream out;
  const Incarnation pinned = leader.view.conf.Find(follower).incarnation;
  if (!store.runs) {
    out << "is down";
  } else if (all.cut.count({*all.leader, node}) != 0) {
    out << "does not hear its leader: the link is cut";
  } else if (all.cut.count({node, *all.leader}) != 0) {
    out << "is not heard by its leader: the link is cut";
  } else if (store.view.id != follower) {
    out << WhyNotThere(store, follower);
  } else if (pinned && pinned != store.life) {
    out << "has another life than the one that is a member";
  } else if (store.view.term > leader.view.term) {
    out << "is in term " << store.view.term << ", and takes nothing of term " << leader.view.term;
  } else if (store.disk_failed) {
    out << "has a disk that failed a write, and runs on";
  } else if (store.waits_for_no_write()) {
    out << "waits for a write, but its disk has nothing to do";
  }
  return out.str();
}

std::string Follower(const Standstill& all, const raft::ProgressView& progress) {
  const Store& leader = all.stores[*all.leader];
  const uint32_t node = all.names.NodeOf(progress.peer);
  const Store& store = all.stores[node];
  if (store.left_out) return "";
  const std::string name = all.names.Tell(progress.peer);
  const std::string obstacle = Obstacle(all, node, progress.peer);
  const bool there = store.has_replica() && store.view.id == progress.peer;
  const std::string lacks = there ? Lacks(store, leader.view, all.committed) : "";
  const bool behind = progress.match_index < leader.view.last_log.index;
  std::ostringstream out;
  if (!lacks.empty()) out << "  " << name << " " << lacks << "\n";
  if (!obstacle.empty()) out << "  " << name << " " << obstacle << "\n";
  if (behind) out << "  " << name << " " << Sends(progress, leader.view, leader.clock) << "\n";
  if ((behind || !lacks.empty()) && obstacle.empty() && !progress.recently_active) {
    out << "  " << name << " has not answered its leader for an election timeout\n";
  }
  const bool follows = store.view.leader == leader.view.id && store.view.term == leader.view.term;
  if (there && !follows) out << WhyNotElected(all, node);
  return out.str();
}

// What the leader waits for itself.
std::string Leader(const Standstill& all) {
  const Store& store = all.stores[*all.leader];
  const raft::View& view = store.view;
  const std::string name = all.names.Store(*all.leader);
  std::ostringstream out;
  out << "  " << name << " leads term " << view.term << (view.resting ? ", and rests" : "") << "\n";
  const bool heard = IsQuorum(view.conf, [&](PeerId voter) {
    return voter == view.id ||
           std::any_of(view.progress.begin(), view.progress.end(),
                       [&](const raft::ProgressView& progress) {
                         return progress.peer == voter && progress.recently_active;
                       });
  });
  if (!heard && !view.resting) {
    out << "  " << name << " hears no quorum of " << all.names.Tell(view.conf) << "\n";
  }
  if (view.durable_index < view.last_log.index) {
    out << "  " << name << " has its log on the disk up to " << view.durable_index << " of "
        << view.last_log.index << "\n";
  }
  if (view.commit_index < view.last_log.index) {
    out << "  " << name << " has committed " << view.commit_index << " of " << view.last_log.index
        << " by the configuration " << all.names.Tell(view.conf) << "\n";
  }
  if (store.applied < view.commit_index) {
    out << "  " << name << " has applied " << store.applied << " of " << view.commit_index << "\n";
  }
  if (view.transferee) {
    out << "  " << name << " hands over to " << all.names.Tell(view.transferee)
        << ", and takes no writes\n";
  }
  if (view.conf.joint()) {
    out << "  " << name << " is in the joint phase " << all.names.Tell(view.conf) << " since index "
        << view.conf_index << "\n";
  }
  return out.str();
}

}  // namespace

std::string WhyNotThere(const Standstill::Store& store, PeerId peer) {
  if (store.view.id) return "has another replica of the region";
  if (store.destroyed == peer) return "was destroyed by its store, though it is a member";
  if (store.destroyed > peer) {
    return "can't be created: its store has destroyed a later one, peer " +
           std::to_string(store.destroyed.value());
  }
  return "has no replica of the region";
}

std::string WhyBehind(const Standstill& all) {
  std::string lines = Leader(all);
  const raft::View& leader = all.stores[*all.leader].view;
  for (const raft::ProgressView& progress : leader.progress) lines += Follower(all, progress);
  for (const PeerId peer : leader.conf.Everybody()) {
    const bool followed =
        peer == leader.id || std::any_of(leader.progress.begin(), leader.progress.end(),
                                         [&](const auto& p) { return p.peer == peer; });
    if (!followed) lines += "  " + all.names.Tell(peer) + " is a member whom its leader ignores\n";
  }
  return lines;
}

}  // namespace flaredb::sim
