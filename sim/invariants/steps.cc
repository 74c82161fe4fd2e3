// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/steps.h"

#include "core/raft/membership.h"
#include "sim/world/sentence.h"

namespace flaredb::sim {
namespace {

std::optional<std::string> BrokenProgress(RegionId region, const std::string& store,
                                          const Replica& leader, const raft::ProgressView& progress,
                                          const Names& names,
                                          const std::vector<Replica>& replicas) {
  const uint32_t node = names.NodeOf(progress.peer);
  if (progress.next_index <= progress.match_index) {
    return Sentence(store, " has matched ", names.Store(node), " up to ", progress.match_index,
                    ", and would send index ", progress.next_index, " next.");
  }
  // Somebody else may be there by now.
  const LogImage* const log = DurableLog(replicas[node], progress.peer, region);
  if (log == nullptr) return std::nullopt;
  const LogImage& disk = *log;
  // A base covers everything before it.
  if (progress.match_index < disk.base().last.index ||
      progress.match_index < leader.issued.base().last.index) {
    return std::nullopt;
  }
  // Whoever knows a later term may have truncated for it.
  if (disk.hard_state().term > leader.view.term) return std::nullopt;
  if (disk.last_index() < progress.match_index) {
    return Sentence(store, ", leader of term ", leader.view.term, ", counts ", names.Store(node),
                    " up to index ", progress.match_index, ", but that disk ends at ",
                    disk.last_index(), ".");
  }
  if (disk.TermAt(progress.match_index) != leader.issued.TermAt(progress.match_index)) {
    return Sentence(store, ", leader of term ", leader.view.term, ", counts ", names.Store(node),
                    " up to index ", progress.match_index, ", where it has an entry of term ",
                    leader.issued.TermAt(progress.match_index), " and that disk one of term ",
                    disk.TermAt(progress.match_index), ".");
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> BrokenStep(const std::string& store, const raft::View& before,
                                      const raft::View& after) {
  if (after.term < before.term) {
    return Sentence(store, " was in term ", before.term, ", and is in term ", after.term, ".");
  }
  if (after.term == before.term && before.vote && after.vote != before.vote) {
    return Sentence(store, " voted for peer ", before.vote, " in term ", after.term,
                    ", and now says peer ", after.vote, ".");
  }
  if (after.commit_index < before.commit_index) {
    return Sentence(store, " had committed up to ", before.commit_index, ", and now only up to ",
                    after.commit_index, ".");
  }
  if (after.handed_out_index < before.handed_out_index) {
    return Sentence(store, " had handed out up to ", before.handed_out_index,
                    ", and now only up to ", after.handed_out_index, ".");
  }
  if (after.handed_out_index > after.commit_index || after.commit_index > after.last_log.index) {
    return Sentence(store, " has handed out up to ", after.handed_out_index, ", committed up to ",
                    after.commit_index, ", and its log ends at ", after.last_log.index, ".");
  }
  if (after.durable_index > after.last_log.index || after.durable_token > after.issued_token) {
    return Sentence(store, " takes index ", after.durable_index,
                    " for durable, and its log ends at ", after.last_log.index, ".");
  }
  return std::nullopt;
}

std::optional<std::string> BrokenView(RegionId region, uint32_t node, const Names& names,
                                      const std::vector<Replica>& replicas) {
  const Replica& replica = replicas[node];
  const raft::View& view = replica.view;
  const std::string store = names.Store(node);
  if (view.last_log.index != replica.issued.last_index() ||
      view.last_log.term != replica.issued.TermAt(view.last_log.index)) {
    return Sentence(store, " has a log that ends at ", view.last_log.term, ":", view.last_log.index,
                    ", but what it asked to be written ends at ",
                    replica.issued.TermAt(replica.issued.last_index()), ":",
                    replica.issued.last_index(), ".");
  }
  const raft::HardState& asked = replica.issued.hard_state();
  if (view.term != asked.term || view.vote != asked.vote) {
    return Sentence(store, " is in term ", view.term, " with a vote for peer ", view.vote,
                    ", but asked for term ", asked.term, " and peer ", asked.vote,
                    " to be written.");
  }
  const LogImage& disk = replica.disk->image().log(region);
  if (view.base != replica.issued.base().last) {
    return Sentence(store, " has a log that begins after ", view.base.term, ":", view.base.index,
                    ", but what it asked to be written begins after ",
                    replica.issued.base().last.term, ":", replica.issued.base().last.index, ".");
  }
  if (view.conf != replica.issued.ConfAt(view.last_log.index)) {
    return Sentence(store, " acts by the configuration ", names.Tell(view.conf),
                    ", but its log says ", names.Tell(replica.issued.ConfAt(view.last_log.index)),
                    ".");
  }
  if (const size_t in_log = replica.issued.confs().size(); view.confs != in_log + 1) {
    return Sentence(store, " remembers ", view.confs, " configurations, but its log has ", in_log,
                    " beside that of its base.");
  }
  if (view.durable_index >= replica.issued.base().last.index &&
      view.durable_index >= disk.base().last.index &&
      disk.TermAt(view.durable_index) != replica.issued.TermAt(view.durable_index)) {
    return Sentence(store, " takes index ", view.durable_index, " of term ",
                    replica.issued.TermAt(view.durable_index),
                    " for durable, but its disk holds term ", disk.TermAt(view.durable_index),
                    " there.");
  }
  // The disk may hold the same entry as the log and lose it on the way to what the log is now.
  for (const Replica::Truncation& truncation : replica.truncations) {
    if (view.durable_index < truncation.from) continue;
    return Sentence(store, " takes index ", view.durable_index,
                    " for durable, but a write under way deletes what the disk holds from index ",
                    truncation.from, " on.");
  }
  for (const raft::ProgressView& progress : view.progress) {
    if (progress.peer == view.id) continue;
    if (auto broken = BrokenProgress(region, store, replica, progress, names, replicas)) {
      return broken;
    }
  }
  return std::nullopt;
}

}  // namespace flaredb::sim
