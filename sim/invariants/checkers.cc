// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/checkers.h"

#include <utility>
#include <variant>

#include "sim/invariants/promises.h"
#include "sim/invariants/rows.h"
#include "sim/invariants/steps.h"

namespace flaredb::sim {

Checkers::Checkers(const Region& region, const std::vector<const SimDisk*>& disks,
                   FailureReport* report)
    : region_(region),
      names_(region_),
      report_(report),
      replicas_(disks.size()),
      elections_(&names_, report),
      log_matching_(&names_, report),
      commits_(region_.id, region_.epoch, &names_, report) {
  for (size_t node = 0; node < disks.size(); ++node) replicas_[node].disk = disks[node];
}

void Checkers::OnStart(uint32_t node, const store::RecoveredRegion& recovered,
                       const store::PeerView& view) {
  Replica& replica = replicas_[node];
  replica.running = true;
  replica.issued = replica.disk->image().log(region_.id);
  replica.view = view.raft;
  replica.applied = recovered.applied.index;
  const Index applied = recovered.applied.index;
  if (applied > commits_.last() || recovered.applied.term != commits_.TermAt(applied) ||
      replica.issued.TermAt(applied) != commits_.TermAt(applied)) {
    Fail("APPLY", names_.Store(node) + " starts with index " + std::to_string(applied.value()) +
                      " applied, which is not a committed entry of its own log.");
  }
  Fail("MONO", BrokenView(region_.id, node, names_, replicas_));
}

void Checkers::OnTurn(uint32_t node, const store::Effects& effects, const store::PeerView& view) {
  Replica& replica = replicas_[node];
  const raft::View before = std::exchange(replica.view, view.raft);
  const raft::View& after = replica.view;
  if (view.poisoned) {
    Fail("INV", names_.Store(node) + " found itself in an impossible state: " + view.poison);
    return;
  }
  if (effects.commit) Issue(node, *effects.commit);
  Fail("MONO", BrokenStep(names_.Store(node), before, after));
  Fail("MONO", BrokenView(region_.id, node, names_, replicas_));
  if (report_->failed()) return;

  const bool elected = after.role == raft::Role::kLeader &&
                       (before.role != raft::Role::kLeader || before.term != after.term);
  if (elected) {
    elections_.OnLeader(node, after.term);
    commits_.OnElected(node, replicas_);
  }
  if (after.commit_index > before.commit_index) {
    commits_.OnCommit(node, before.commit_index, after.commit_index, replicas_);
  }
  if (effects.commit && !report_->failed()) {
    Fail("APPLY", BrokenBatch(region_.id, names_.Store(node), effects.commit->data, commits_,
                              &replica.applied));
  }
  for (const store::Send& send : effects.sends) CheckSend(node, send);
}

void Checkers::BeforeDurable(uint32_t node, const env::GroupCommit& commit) {
  const LogImage& image = replicas_[node].disk->image().log(region_.id);
  for (const env::LogWrite& write : commit.log) {
    if (write.region != region_.id) continue;
    if (write.persist.hard_state) {
      elections_.OnDurable(node, image.hard_state(), *write.persist.hard_state);
    }
    if (write.persist.truncate_from) {
      commits_.OnTruncate(node, write.persist.truncate_from, replicas_);
    }
  }
}

void Checkers::AtEnd() {
  for (uint32_t node = 0; node < replicas_.size(); ++node) {
    Fail("APPLY", BrokenRows(names_.Store(node), replicas_[node].disk->image().rows(),
                             commits_.last(), commits_.model()));
  }
}

void Checkers::Issue(uint32_t node, const env::GroupCommit& commit) {
  Replica& replica = replicas_[node];
  for (const env::LogWrite& write : commit.log) {
    if (write.region != region_.id) continue;
    const raft::Persist& persist = write.persist;
    if (persist.truncate_from) {
      const Term term = persist.hard_state.value_or(replica.issued.hard_state()).term;
      commits_.OnTruncateIssued(node, term, persist.truncate_from, replica.issued);
    }
    if (auto refused = replica.issued.Apply(persist)) {
      Fail("STORE", names_.Store(node) + " asks for an impossible write: " + *refused + ".");
      return;
    }
    for (const raft::EntrySlice& slice : persist.append) {
      Term previous = replica.issued.TermAt(slice.first_index().prev());
      for (uint32_t i = 0; i < slice.size(); ++i) {
        log_matching_.OnAppend(node, previous, slice.at(i));
        previous = slice.term();
      }
    }
  }
}

void Checkers::CheckSend(uint32_t node, const store::Send& send) {
  const auto* envelope = std::get_if<store::RaftEnvelope>(&send.message);
  if (envelope == nullptr || envelope->region != region_.id) return;
  const raft::Message& message = envelope->message;
  Fail("ACK",
       BrokenPromise(message, replicas_[node].disk->image().log(region_.id), names_, replicas_));
  if (const auto* vote = std::get_if<raft::VoteReply>(&message.body); vote && vote->granted) {
    elections_.OnGrant(node, message.term, message.to);
  }
}

void Checkers::Fail(const char* invariant, std::optional<std::string> sentence) {
  if (sentence) report_->Fail(FailureKind::kSafety, invariant, *std::move(sentence));
}

}  // namespace flaredb::sim
