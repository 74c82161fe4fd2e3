// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/checkers.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>
#include <variant>

#include "core/cluster/directory.h"
#include "core/kv/key.h"
#include "core/raft/raft.h"
#include "core/region/state_rows.h"
#include "core/store/outbox.h"
#include "sim/invariants/orders.h"
#include "sim/invariants/promises.h"
#include "sim/invariants/rejects.h"
#include "sim/invariants/rows.h"
#include "sim/invariants/steps.h"
#include "sim/invariants/waits.h"

namespace flaredb::sim {

namespace {

// Creates, destroys or replaces a replica.
bool IsTurnover(const env::GroupCommit& commit, RegionId region) {
  return std::any_of(commit.log.begin(), commit.log.end(), [&](const env::LogWrite& write) {
    return write.region == region && (write.create || write.destroy || write.persist.install);
  });
}

// Whether all rows of a store belong to `region`, or to nobody.
bool HoldsEverything(const Region& region) {
  return region.start_key.empty() && region.end_key.empty();
}

// Whether a row is another region's, or the store's own.
bool IsForeign(const Region& region, std::string_view row) {
  if (const std::optional<RegionRow> of = DecodeRegionRowKey(row)) return of->region != region.id;
  if (store::IsOutboxRow(row) || row == cluster::kDirectoryRowKey) return true;
  return kv::DecodeKey(row) && !region.Contains(row);
}

// It is a voter by its own log, or was before a configuration that is not committed
// (thesis 4.2.2).
bool MayLead(const Replica& replica) {
  if (replica.view.conf.IsVoter(replica.peer)) return true;
  const std::vector<raft::ConfAt>& confs = replica.issued.confs();
  return !confs.empty() && confs.back().index > replica.view.commit_index &&
         replica.issued.ConfAt(confs.back().index.prev()).IsVoter(replica.peer);
}

}  // namespace

Checkers::Checkers(const Region& region, const std::vector<const SimDisk*>& disks,
                   const raft::Config& config, bool leases, FailureReport* report, Clocks clocks,
                   MachineSpec* spec)
    : region_(region),
      names_(static_cast<uint32_t>(disks.size()), region_),
      election_timeout_(config.election_timeout),
      leases_(leases),
      clocks_(std::move(clocks)),
      report_(report),
      replicas_(disks.size()),
      elections_(&names_, report),
      campaigns_(config.election_timeout, &names_, report),
      reigns_(config, &names_, report),
      windows_(&names_, report),
      answers_(&names_, report),
      log_matching_(&names_, report),
      commits_(region_.id, region_.epoch, {store::kRegionBirth, ConfStateOf(region_)}, &names_,
               report, spec),
      removals_(region_.id, &commits_) {
  for (size_t node = 0; node < disks.size(); ++node) replicas_[node].disk = disks[node];
}

void Checkers::OnStart(uint32_t node, Instant now, const store::RecoveredRegion* recovered,
                       const store::PeerView* view) {
  Replica& replica = replicas_[node];
  replica.running = true;
  replica.durable_peer = PeerIn(region_.id, replica.disk->image().rows());
  replica.highest_peer = std::max(replica.highest_peer, replica.durable_peer);
  replica.peer = view != nullptr ? view->peer : PeerId();
  replica.issued = replica.disk->image().log(region_.id);
  replica.truncations.clear();
  replica.hard_state_token = IoToken();
  replica.view = view != nullptr ? view->raft : raft::View();
  LearnPeers(replica.view.conf);
  replica.applied = recovered != nullptr ? recovered->applied.index : Index();
  answers_.OnStart(node);
  if (view == nullptr) return;
  campaigns_.OnStart(replica.view);
  Fail("WAIT", NeedlessWaitAtStart(replica.view, now, names_));
  const raft::LogId applied = recovered->applied;
  const bool own = applied.index <= replica.issued.base().last.index ||
                   replica.issued.TermAt(applied.index) == applied.term;
  if (applied.index &&
      (applied.index > commits_.last() || applied.term != commits_.TermAt(applied.index) || !own)) {
    Fail("APPLY", names_.Store(node) + " starts with index " +
                      std::to_string(applied.index.value()) +
                      " applied, which is not a committed entry of its own log.");
  }
  Fail("MONO", BrokenView(region_.id, node, names_, replicas_));
}

void Checkers::OnWipe(uint32_t node) {
  Replica& replica = replicas_[node];
  INVARIANT(!replica.running);
  Replica empty;
  empty.disk = replica.disk;
  empty.lost_peer = replica.durable_peer;
  empty.lost = replica.disk->image().log(region_.id);
  replica = std::move(empty);
}

void Checkers::OnTurn(uint32_t node, const store::Effects& effects, const store::PeerView* view) {
  Replica& replica = replicas_[node];
  const PeerId peer = view != nullptr ? view->peer : PeerId();
  const bool same = peer && peer == replica.peer;
  replica.peer = peer;
  std::swap(replica.before, replica.view);
  const raft::View nothing;
  replica.view = view != nullptr ? view->raft : nothing;
  if (replica.view.conf_index != replica.before.conf_index) LearnPeers(replica.view.conf);
  const raft::View& before = same ? replica.before : nothing;
  const raft::View& after = replica.view;
  const std::string store = names_.Store(node);
  if (view != nullptr && view->poisoned) {
    Fail("INV", store + " found itself in an impossible state: " + view->poison);
    return;
  }
  const bool configured = effects.commit && Issue(node, *effects.commit);
  if (recovery_) Recover(node);
  recovery_.reset();
  if (report_->failed()) return;
  if (view != nullptr) {
    Fail("MONO", BrokenStep(store, before, after));
    Fail("MONO", BrokenView(region_.id, node, names_, replicas_));
    Fail("WAIT", NeedlessWait(after, replica.issued, names_));
    if (report_->failed()) return;

    const bool elected = after.role == raft::Role::kLeader &&
                         (before.role != raft::Role::kLeader || before.term != after.term);
    if (elected) {
      elections_.OnLeader(peer, after.term, after.conf);
      if (!MayLead(replica)) Fail("ES", store + " leads, but is no voter.");
      commits_.OnElected(node, replicas_);
    }
    if (after.commit_index > before.commit_index) {
      commits_.OnCommit(node, before.commit_index, after.commit_index, before.conf, replicas_);
    }
    if (configured) commits_.OnConf(node, replica.issued);
    CheckLease(node);
  }
  CheckEffects(node, effects);
}

void Checkers::OnBroken(uint32_t node, const store::Effects& effects, Index applied) {
  Replica& replica = replicas_[node];
  const raft::View before = replica.view;
  if (effects.commit) Issue(node, *effects.commit);
  replica.view.term = replica.issued.hard_state().term;
  replica.view.conf = replica.issued.ConfAt(replica.issued.last_index());
  if (applied > before.commit_index) {
    commits_.OnCommit(node, before.commit_index, applied, before.conf, replicas_);
  }
  CheckEffects(node, effects);
  campaigns_.OnSends(before.id, effects);
  replica.peer = PeerId();
  replica.before = replica.view = raft::View();
}

void Checkers::CheckEffects(uint32_t node, const store::Effects& effects) {
  if (effects.commit && !report_->failed()) {
    const auto check = IsTurnover(*effects.commit, region_.id) ? BrokenTurnover : BrokenBatch;
    const WriteBatch& batch = effects.commit->data;
    Fail("APPLY", HoldsEverything(region_) ? check(region_.id, names_.Store(node), batch, commits_,
                                                   &replicas_[node].applied)
                                           : check(region_.id, names_.Store(node), OwnRows(batch),
                                                   commits_, &replicas_[node].applied));
  }
  for (const store::Send& send : effects.sends) CheckSend(node, send);
}

void Checkers::OnRecovery(uint32_t node, const raft::RecoveryPlan& plan,
                          const std::set<uint32_t>& lost) {
  recovery_ = plan;
  lost_ = lost;
  log_matching_.Forget(plan.term);
  elections_.Forget(plan.term);
  campaigns_.OnRecovery(replicas_[node].peer);
}

void Checkers::Recover(uint32_t node) {
  if (std::string wrong = WrongRecovery(node); !wrong.empty()) return Fail("REC", std::move(wrong));
  const Index kept =
      commits_.GoBackTo(replicas_[node].issued, recovery_->chosen_log, recovery_->term);
  for (uint32_t other = 0; other < replicas_.size(); ++other) {
    const Replica& survivor = replicas_[other];
    if (lost_.contains(other)) continue;
    // Memory knows more than the disk, if there is one.
    const Index had = survivor.running ? std::max(survivor.applied, survivor.view.commit_index)
                                       : AppliedIn(region_.id, survivor.disk->image().rows());
    if (other == node || had <= kept) continue;
    std::ostringstream out;
    out << names_.Store(other) << " had committed up to " << had << ", but the recovery at "
        << names_.Store(node) << " keeps the history up to " << kept << " only.";
    return Fail("REC", out.str());
  }
}

std::string Checkers::WrongRecovery(uint32_t node) const {
  const raft::RecoveryPlan& plan = *recovery_;
  const LogImage& log = replicas_[node].issued;
  const Index index = plan.chosen_log.index.next();
  const raft::ConfState& conf = log.ConfAt(index);
  std::ostringstream out;
  out << names_.Store(node) << " recovers in term " << plan.term << " ";
  if (plan.chosen != replicas_[node].peer) {
    out << "by a plan that chose " << names_.Tell(plan.chosen) << ".";
    return out.str();
  }
  for (uint32_t other = 0; other < replicas_.size(); ++other) {
    const Replica& survivor = replicas_[other];
    if (other == node || lost_.contains(other)) continue;
    const Term term = survivor.running ? survivor.issued.hard_state().term
                                       : survivor.disk->image().log(region_.id).hard_state().term;
    if (term < plan.term) continue;
    out << "although " << names_.Store(other) << " is in term " << term << ".";
    return out.str();
  }
  if (log.TermAt(plan.chosen_log.index) != plan.chosen_log.term || log.TermAt(index) != plan.term ||
      conf != plan.conf) {
    out << "with an entry of term " << log.TermAt(index) << " at index " << index
        << " and the configuration " << names_.Tell(conf) << " in force there, but was to have "
        << names_.Tell(plan.conf) << " in that term.";
    return out.str();
  }
  for (const PeerId peer : log.ConfAt(plan.chosen_log.index).Everybody()) {
    const bool told = std::find(plan.lost.begin(), plan.lost.end(), peer) != plan.lost.end();
    if (told != conf.IsMember(peer)) continue;
    out << "with " << names_.Tell(conf) << ", but the operator was told that " << names_.Tell(peer)
        << (told ? " goes." : " stays.");
    return out.str();
  }
  const std::vector<PeerId> everybody = conf.Everybody();
  const bool of_survivors = std::none_of(everybody.begin(), everybody.end(), [&](PeerId peer) {
    return lost_.contains(names_.NodeOf(peer)) || replicas_[names_.NodeOf(peer)].peer != peer;
  });
  if (of_survivors && !conf.joint() && conf.IsVoter(plan.chosen)) return {};
  out << "with " << names_.Tell(conf) << ", which is not a configuration of survivors alone.";
  return out.str();
}

void Checkers::AfterEvents(uint32_t node, Instant now, absl::Span<const store::Event> events,
                           const store::Effects& effects, const raft::Config* limits) {
  const raft::View& before = replicas_[node].before;
  const raft::View& after = replicas_[node].view;
  INVARIANT(before.id && before.id == after.id);
  const auto& replicas = replicas_[node].disk->image().replicas();
  const auto there = replicas.find(region_.id);
  const Incarnation life = there != replicas.end() ? there->second.incarnation : Incarnation();
  campaigns_.OnTurn(now, events, before, after, life, effects);
  reigns_.OnTurn(now, events, before, after, effects);
  answers_.OnTurn(node, append_offer_, replicas_[node], life, effects);
  removals_.OnTurn(node, events, replicas_[node]);
  Fail("WAIT", NeedlessSnapshot(before, after, names_));
  if (limits != nullptr && after.role == raft::Role::kLeader) {
    windows_.OnTurn(after.id, events, effects, *limits);
    reigns_.AfterTurn(now, before, after, *limits);
  }
  const LogImage& log = replicas_[node].issued;
  Fail("APPEND", MissingProbe(before, after, effects, names_));
  if (events.size() == 1) {
    CheckOrder(node, now, events[0], before, effects);
    Fail("APPEND", BrokenNextProbe(events[0], before, log, effects, names_));
  }
  if (append_offer_) {
    const std::string store = names_.Store(node);
    Fail("APPEND", BrokenAppend(store, *append_offer_, after, life, log));
    Fail("APPEND", MissingAccept(store, *append_offer_, before, after, life, log,
                                 replicas_[node].hard_state_token, effects));
    Fail("APPEND", BrokenReject(*append_offer_, before, after, log, effects, names_));
  }
}

void Checkers::OnDiskFailed(uint32_t node, Instant now, const store::Effects& effects,
                            const store::PeerView* view) {
  if (view == nullptr) return;
  reigns_.OnDiskFailed(now, replicas_[node].view, effects);
  const bool retired = view->raft.role == raft::Role::kFollower && !view->raft.leader;
  if (retired && view->poison == raft::kDiskFailed) return;
  Fail("STORE", "the disk of " + names_.Store(node) + " has failed, but its replica goes on.");
}

// Of a turn to nothing else, which found the replica in the view `before`.
void Checkers::CheckOrder(uint32_t node, Instant now, const store::Event& event,
                          const raft::View& before, const store::Effects& effects) {
  const auto* order = std::get_if<store::Order>(&event);
  if (order == nullptr || order->region != region_.id || effects.orders.empty()) return;
  INVARIANT(effects.orders.size() == 1 && effects.orders[0].id == order->id);
  const bool own_entry = replicas_[node].issued.TermAt(before.commit_index) == before.term;
  Fail("ORDER",
       BrokenOrder(names_.Store(node), before, own_entry, *order, effects.orders[0].refusal));
  if (!effects.orders[0].refusal.empty()) return;
  if (std::holds_alternative<raft::RecoveryPlan>(order->what)) {
    Fail("WAIT", NeedlessWaitInRecovery(before, replicas_[node].view, now, names_));
  }
  const auto* change = std::get_if<store::ChangePeers>(&order->what);
  if (change == nullptr) return;
  Fail("ORDER", BrokenChange(names_.Store(node), before, replicas_[node].view, *change));
}

std::optional<Instant> Checkers::PromisesEnd(uint32_t node) const {
  if (!leases_) return std::nullopt;
  return sim::PromisesEnd(replicas_[node], names_, replicas_, clocks_.when_reads);
}

void Checkers::OnLeaseBeyondPromises(uint32_t node, Instant then) {
  FailLease(node, LeaseBeyondPromises(node, then, names_, replicas_));
}

void Checkers::FailLease(uint32_t node, const std::string& sentence) {
  if (report_->failed()) return;
  promises_ = PromisesTo(replicas_[node], names_, replicas_, election_timeout_, clocks_.when_reads);
  Fail("LEASE", sentence + " " + Describe(promises_, node));
}

void Checkers::OnOthersElection(uint32_t node, bool holds_lease) {
  replicas_[node].view.lease_valid = holds_lease;
  CheckLease(node);
}

// LEASE: nobody is elected while somebody else may answer reads alone.
void Checkers::CheckLease(uint32_t node) {
  const raft::View& view = replicas_[node].view;
  if (!leases_ || !view.lease_valid) return;
  for (uint32_t other = 0; other < replicas_.size(); ++other) {
    if (other == node || !replicas_[other].leads() || replicas_[other].view.term <= view.term) {
      continue;
    }
    std::ostringstream out;
    out << names_.Store(node) << " leads term " << view.term << " and holds its lease, but "
        << names_.Store(other) << ", elected in term " << replicas_[other].view.term
        << ", leads as well at " << Seconds(clocks_.now()) << ".";
    FailLease(node, out.str());
  }
}

void Checkers::BeforeDurable(uint32_t node, const env::GroupCommit& commit) {
  Replica& replica = replicas_[node];
  turnover_ = IsTurnover(commit, region_.id);
  while (!replica.truncations.empty() && replica.truncations.front().token <= commit.token) {
    replica.truncations.pop_front();
  }
  const LogImage& image = replica.disk->image().log(region_.id);
  raft::HardState from = image.hard_state();
  PeerId peer = replica.durable_peer;
  for (const env::LogWrite& write : commit.log) {
    if (write.region != region_.id) continue;
    if (write.destroy) from = raft::HardState();
    if (write.create) {
      // Its name is in the rows of the same commit, in the last word on it.
      std::map<std::string, std::string, std::less<>> rows;
      for (const Mutation& mutation : commit.data.mutations) {
        if (mutation.value) rows[mutation.key] = *mutation.value;
      }
      peer = PeerIn(region_.id, rows);
      from = raft::HardState();
      CheckNewcomer(node, peer);
    }
    if (write.persist.hard_state) {
      elections_.OnDurable(peer, from, *write.persist.hard_state);
      from = *write.persist.hard_state;
    }
    if (write.persist.truncate_from) {
      commits_.OnTruncate(node, write.persist.truncate_from, replicas_);
    }
  }
}

// Whoever changed the members knows where the new ones are to be.
void Checkers::LearnPeers(const raft::ConfState& conf) {
  for (const raft::Member& member : conf.members) {
    if (member.store) names_.Add(member.id, member.store);
  }
}

// What of a batch concerns this region.
WriteBatch Checkers::OwnRows(const WriteBatch& batch) const {
  WriteBatch own;
  for (const Mutation& mutation : batch.mutations) {
    if (!IsForeign(region_, mutation.key)) own.mutations.push_back(mutation);
  }
  return own;
}

std::optional<std::string> Checkers::BrokenRowsOf(uint32_t node, Index applied) const {
  const DiskImage::Rows& all = replicas_[node].disk->image().rows();
  const std::string store = names_.Store(node);
  if (HoldsEverything(region_)) return BrokenRows(region_.id, store, all, applied, commits_);
  DiskImage::Rows own;
  for (const auto& [row, bytes] : all) {
    if (!IsForeign(region_, row)) own.emplace_hint(own.end(), row, bytes);
  }
  return BrokenRows(region_.id, store, own, applied, commits_);
}

// REG: names of replicas rise, so that nobody comes back who was removed.
void Checkers::CheckNewcomer(uint32_t node, PeerId peer) {
  PeerId& highest = replicas_[node].highest_peer;
  if (peer <= highest) {
    std::ostringstream out;
    out << names_.Store(node) << " creates a replica that is peer " << peer
        << ", but has held peer " << highest << ".";
    Fail("REG", out.str());
  }
  highest = std::max(highest, peer);
}

void Checkers::AfterDurable(uint32_t node) {
  if (!turnover_) return;
  Replica& replica = replicas_[node];
  const auto& rows = replica.disk->image().rows();
  replica.durable_peer = PeerIn(region_.id, rows);
  Fail("SNAP", BrokenRowsOf(node, AppliedIn(region_.id, rows)));
}

void Checkers::AtEnd(const std::set<uint32_t>& left_out) {
  for (uint32_t node = 0; node < replicas_.size(); ++node) {
    if (lost_.contains(node)) continue;
    const Replica& replica = replicas_[node];
    const auto& rows = replica.disk->image().rows();
    const bool member = replica.running && !left_out.contains(node) &&
                        replica.peer != replica.lost_peer &&
                        commits_.confs().back().conf.IsMember(replica.peer);
    const Index applied = member ? commits_.last() : AppliedIn(region_.id, rows);
    Fail("APPLY", BrokenRowsOf(node, applied));
  }
}

bool Checkers::Issue(uint32_t node, const env::GroupCommit& commit) {
  bool configured = false;
  Replica& replica = replicas_[node];
  for (const env::LogWrite& write : commit.log) {
    if (write.region != region_.id) continue;
    if (write.destroy || write.create) {
      replica.issued = LogImage();
      replica.applied = Index();
      replica.hard_state_token = IoToken();
      if (write.destroy) continue;
    }
    const raft::Persist& persist = write.persist;
    if (persist.truncate_from) {
      const Term term = persist.hard_state.value_or(replica.issued.hard_state()).term;
      commits_.OnTruncateIssued(node, term, persist.truncate_from, replica.issued);
      replica.truncations.push_back({commit.token, persist.truncate_from});
    }
    if (persist.hard_state) replica.hard_state_token = persist.token;
    if (persist.install && persist.base != nullptr) commits_.OnInstall(node, *persist.base);
    if (auto refused = replica.issued.Apply(persist)) {
      Fail("STORE", names_.Store(node) + " asks for an impossible write: " + *refused + ".");
      return false;
    }
    for (const raft::EntrySlice& slice : persist.append) {
      Term previous = replica.issued.TermAt(slice.first_index().prev());
      for (uint32_t i = 0; i < slice.size(); ++i) {
        const raft::EntryView entry = slice.at(i);
        log_matching_.OnAppend(node, previous, entry);
        previous = slice.term();
        configured |= entry.kind == raft::EntryKind::kConf;
      }
    }
  }
  return configured;
}

void Checkers::CheckSend(uint32_t node, const store::Send& send) {
  const auto* envelope = std::get_if<store::RaftEnvelope>(&send.message);
  if (envelope == nullptr || envelope->region != region_.id) return;
  const raft::Message& message = envelope->message;
  if (message.from != replicas_[node].durable_peer) return;  // It has nothing to promise by yet.
  Fail("ACK",
       BrokenPromise(message, replicas_[node].disk->image().log(region_.id), names_, replicas_));
  if (const auto* vote = std::get_if<raft::VoteReply>(&message.body); vote && vote->granted) {
    elections_.OnGrant(message.from, message.term, message.to);
  }
}

void Checkers::Fail(const char* invariant, std::optional<std::string> sentence) {
  if (sentence) report_->Fail(FailureKind::kSafety, invariant, *std::move(sentence));
}

}  // namespace flaredb::sim
