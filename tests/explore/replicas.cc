// SPDX-License-Identifier: Apache-2.0
#include "tests/explore/replicas.h"

#include <algorithm>
#include <sstream>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/rng.h"
#include "core/raft/membership.h"

namespace flaredb::explore {
namespace {

using raft::AppendAccept;
using raft::AppendReply;
using raft::EntryBlock;
using raft::EntrySlice;
using raft::NewEntry;
using raft::VoteReply;
using raft::VoteRequest;

constexpr Duration kForgotten = Duration::Seconds(3600);

// Nothing but the deadlines of elections and heartbeats ever passes, and compaction spares nobody.
raft::Config ConfigForExploration() {
  constexpr Duration kNever = Duration::Seconds(1'000'000'000);
  raft::Config config;
  config.election_timeout = Duration::Seconds(60);
  config.heartbeat_interval = Duration::Milliseconds(1);
  config.disk_stall_timeout = kNever;
  config.snapshot_stall_timeout = kNever;
  config.snapshot_hold_timeout = kNever;
  config.compact_retain_entries_max = 0;
  return config;
}

Incarnation LifeOf(PeerId id) { return Incarnation(100 + id.value()); }

// With all lives pinned, as a group that has met is.
raft::ConfState FirstConf(uint32_t nodes, uint32_t voters) {
  raft::ConfState conf;
  for (uint32_t i = 0; i < nodes; ++i) {
    const PeerId id(i + 1);
    (i < voters ? conf.voters : conf.learners).push_back(id);
    conf.members.push_back({id, StoreId(), LifeOf(id)});
  }
  return conf;
}

// The wishes that make the nodes of `mask` the voters.
std::vector<raft::MemberChange> Changes(const raft::ConfState& conf, uint32_t mask) {
  std::vector<raft::MemberChange> changes;
  const auto chosen = [&](PeerId id) { return (mask >> (id.value() - 1) & 1) != 0; };
  for (const PeerId id : conf.voters) {
    if (!chosen(id)) changes.push_back({raft::MemberChange::Kind::kRemove, id, StoreId()});
  }
  for (const PeerId id : conf.learners) {
    if (chosen(id)) changes.push_back({raft::MemberChange::Kind::kPromote, id, StoreId()});
  }
  return changes;
}

}  // namespace

Replicas::Replicas(uint32_t nodes, uint32_t voters, bool forgetful_disks)
    : forgetful_disks_(forgetful_disks),
      config_(ConfigForExploration()),
      first_conf_(FirstConf(nodes, voters)) {
  for (uint32_t i = 0; i < nodes; ++i) {
    initial_.push_back(Name(Start(PeerId(i + 1), DiskImage(), Instant())));
  }
}

const raft::ConfState& Replicas::conf(LogName log) const {
  while (log != 0 && logs_.last_kind(log) != raft::EntryKind::kConf) log = logs_.Shorter(log);
  if (log == 0) return first_conf_;
  const auto [at, added] = confs_.try_emplace(log);
  if (added) {
    auto conf = raft::DecodeConfState(logs_.last_payload(log));
    INVARIANT(conf.ok()) << conf.status().message();
    at->second = *std::move(conf);
  }
  return at->second;
}

// The state machine is not durable beyond the base: what follows is applied again.
std::unique_ptr<Replica> Replicas::Start(PeerId id, const DiskImage& image, Instant clock) const {
  raft::Recovered recovered;
  recovered.incarnation = LifeOf(id);
  recovered.hard_state = {image.term, image.vote};
  const LogName base = logs_.Prefix(image.log, image.base);
  recovered.base = {logs_.last_term(base), image.base};
  recovered.conf = conf(base);
  recovered.applied_index = image.base;
  recovered.last_index = logs_.last_index(image.log);
  for (Index i = image.base.next(); i <= recovered.last_index; ++i) {
    const LogName log = logs_.Prefix(image.log, i);
    if (recovered.terms.empty() || recovered.terms.back().term != logs_.last_term(log)) {
      recovered.terms.push_back({i, logs_.last_term(log)});
    }
    if (logs_.last_kind(log) == raft::EntryKind::kConf) recovered.confs.push_back({i, conf(log)});
  }
  auto replica = std::make_unique<Replica>();
  replica->raft =
      std::make_unique<raft::Raft>(config_, id, std::move(recovered), Rng(id.value()), clock);
  replica->clock = clock;
  replica->durable = image;
  return replica;
}

const Outcome& Replicas::Step(ReplicaName name, Event event) {
  const uint64_t key =
      uint64_t{name} << 32 | uint64_t{static_cast<uint8_t>(event.kind)} << 28 | event.argument;
  const auto [at, added] = known_.try_emplace(key, static_cast<uint32_t>(outcomes_.size()));
  if (added) {
    Outcome outcome;
    try {
      outcome = Compute(*replicas_[name], event);
    } catch (const InvariantViolation& violation) {
      // The core asked for what can't be done.
      outcome.replica = name;
      outcome.violation = std::string("INVARIANT: ") + violation.what();
    }
    outcomes_.push_back(std::make_unique<const Outcome>(std::move(outcome)));
  }
  return *outcomes_[at->second];
}

Outcome Replicas::Compute(const Replica& before, Event event) {
  Outcome outcome;
  if (event.kind == Event::Kind::kCrash) {
    const DiskImage image = forgetful_disks_ ? DiskImage() : before.durable;
    outcome.replica = Name(Start(before.view.id, image, before.clock + kForgotten));
    return outcome;
  }
  auto after = std::make_unique<Replica>();
  std::unique_ptr<raft::Raft> raft = before.raft->Clone();
  after->durable = before.durable;
  after->writes = before.writes;
  after->clock = before.clock;
  after->view = before.view;
  if (!before.leads() || event.kind == Event::Kind::kLoseContact) {
    after->clock = after->clock + kForgotten;
  } else if (event.kind == Event::Kind::kHeartbeat) {
    after->clock = raft->next_deadline();
  }

  raft::Effects effects;
  switch (event.kind) {
    case Event::Kind::kDeliver:
      raft->OnMessage(after->clock, raft::Message(messages_.at(event.argument)), &effects);
      break;
    case Event::Kind::kPersisted: {
      const Replica::Write done = after->writes.front();
      after->writes.erase(after->writes.begin());
      after->durable = done.after;
      raft->OnPersisted(after->clock, done.token, &effects);
      break;
    }
    case Event::Kind::kTimeout:
    case Event::Kind::kHeartbeat:
    case Event::Kind::kLoseContact:
      raft->OnDeadline(after->clock, &effects);
      break;
    case Event::Kind::kPropose: {
      const NewEntry entry{raft::EntryKind::kCommand, "x"};
      raft->Propose(after->clock, EntryBlock::Create({&entry, 1}), &effects);
      break;
    }
    case Event::Kind::kChange:
      raft->ChangeMembers(after->clock, Changes(raft->conf(), event.argument), &effects);
      break;
    case Event::Kind::kTransfer:
      raft->TransferLeadership(after->clock, PeerId(event.argument + 1), &effects);
      break;
    case Event::Kind::kCompact:
      raft->Compact(after->clock, after->view.handed_out_index, &effects);
      break;
    case Event::Kind::kCrash:
      break;
  }
  Absorb(after.get(), raft.get(), &effects, &outcome);
  after->raft = std::move(raft);
  outcome.replica = Name(std::move(after));
  return outcome;
}

// Carries out what the call asked for. The own log and the own state machine answer at once: nobody
// else sees when they do.
void Replicas::Absorb(Replica* replica, raft::Raft* raft, raft::Effects* effects,
                      Outcome* outcome) {
  Index applied = replica->view.handed_out_index;
  std::string staged;
  size_t persists = 0;
  size_t fetches = 0;
  size_t snapshots = 0;
  while (true) {
    if (snapshots < effects->snapshots.size()) {
      const raft::SnapshotEffect effect = effects->snapshots[snapshots++];
      Serve(effect, *replica, raft, effects, &staged);
    } else if (persists < effects->persists.size()) {
      const raft::Persist& persist = effects->persists[persists++];
      Write(persist, staged, replica);
      if (persist.install) applied = persist.base->last.index;
    } else if (fetches < effects->fetches.size()) {
      const raft::Fetch fetch = effects->fetches[fetches++];
      if (!raft->Wants(fetch.id)) continue;
      raft->OnFetched(replica->clock, fetch.id,
                      logs_.Read(replica->written().log, fetch.first, fetch.last), effects);
    } else {
      break;
    }
  }

  replica->view = raft->view();
  if (!raft->poison().empty()) outcome->violation = "INVARIANT: " + raft->poison();
  if (raft->poison().empty() && replica->view.conf != conf(replica->written().log)) {
    outcome->violation = "CFG: a replica goes by another configuration than its log's latest";
  }
  for (const raft::Apply& apply : effects->applies) {
    for (const EntrySlice& slice : apply.entries) {
      for (uint32_t i = 0; i < slice.size(); ++i) {
        const raft::EntryView entry = slice.at(i);
        const LogName own = logs_.Prefix(replica->written().log, entry.index);
        if (logs_.last_term(own) != entry.term || logs_.last_payload(own) != entry.payload ||
            logs_.last_kind(own) != entry.kind) {
          outcome->violation = "SMS: an applied entry is not the one of the own log";
        }
        if (entry.index != applied.next()) outcome->violation = "APPLY: not in order";
        applied = entry.index;
      }
    }
  }
  for (raft::Message& message : effects->sends) {
    if (const auto broken = BrokenPromise(*replica, message)) outcome->violation = *broken;
    outcome->sends.push_back(messages_.Add(std::move(message)));
  }
}

void Replicas::Write(const raft::Persist& persist, const std::string& staged, Replica* replica) {
  DiskImage image = replica->written();
  if (persist.base != nullptr) {
    image.base = persist.base->last.index;
    if (persist.install) image.log = logs_.Prefix(std::stoul(staged), image.base);
    INVARIANT(logs_.last_term(logs_.Prefix(image.log, image.base)) == persist.base->last.term);
  }
  if (persist.truncate_from) image.log = logs_.Prefix(image.log, persist.truncate_from.prev());
  for (const EntrySlice& slice : persist.append) {
    for (uint32_t i = 0; i < slice.size(); ++i) image.log = logs_.Append(image.log, slice.at(i));
  }
  if (persist.hard_state) {
    image.term = persist.hard_state->term;
    image.vote = persist.hard_state->vote;
  }
  replica->writes.push_back({persist.token, image});
}

// A state machine whose state is the log that made it: its snapshots are the log's name, in two
// pieces, of which the first is empty. Who installs one cuts off what was applied since it was
// taken.
void Replicas::Serve(const raft::SnapshotEffect& effect, const Replica& replica, raft::Raft* raft,
                     raft::Effects* effects, std::string* staged) {
  if (const auto* take = std::get_if<raft::TakeSnapshot>(&effect)) {
    raft->OnSnapshotTaken(replica.clock, take->id, raft->view().handed_out_index, effects);
  } else if (const auto* read = std::get_if<raft::ReadSnapshot>(&effect)) {
    const LogName log = logs_.Prefix(replica.written().log, raft->view().handed_out_index);
    const bool last = read->number == 1;
    raft->OnSnapshotRead(replica.clock, read->id, read->number,
                         last ? std::to_string(log) : std::string(), last, effects);
  } else if (const auto* stage = std::get_if<raft::StageSnapshot>(&effect)) {
    *staged = stage->chunk->data;
  }
}

// ACK: nothing that promises durability leaves before it is durable.
std::optional<std::string> Replicas::BrokenPromise(const Replica& replica,
                                                   const raft::Message& message) {
  const DiskImage& disk = replica.durable;
  std::ostringstream text;
  text << "ACK: S" << message.from << " sends \"" << Describe(message) << "\", but its disk ";
  if (message.term > disk.term) {
    text << "knows term " << disk.term << " only";
    return text.str();
  }
  const auto* reply = std::get_if<VoteReply>(&message.body);
  const bool grants = reply != nullptr && reply->granted;
  const bool requests = std::holds_alternative<VoteRequest>(message.body);
  if ((grants || requests) && disk.term == message.term) {
    const PeerId vote = grants ? message.to : message.from;
    if (disk.vote != vote) {
      text << "holds " << (disk.vote ? "another vote" : "no vote");
      return text.str();
    }
  }
  if (const auto* answer = std::get_if<AppendReply>(&message.body)) {
    if (const auto* accept = std::get_if<AppendAccept>(&answer->result)) {
      const Index end = logs_.last_index(disk.log);
      if (accept->match_index > end) {
        text << "ends at " << end;
        return text.str();
      }
      const LogName log = replica.written().log;
      if (logs_.last_index(log) < accept->match_index ||
          logs_.Prefix(disk.log, accept->match_index) != logs_.Prefix(log, accept->match_index)) {
        text << "holds other entries there";
        return text.str();
      }
    }
  }
  return std::nullopt;
}

// Two replicas share a name when their cores have equal hashes (64 bits of everything that decides
// what they do; a chance collision among the few hundred thousand of a run has odds below 1e-8)
// and their disks and writes are equal.
ReplicaName Replicas::Name(std::unique_ptr<Replica> replica) {
  replica->view = replica->raft->view();
  Hasher hasher;
  hasher.Add(replica->raft->state_hash());
  const auto add = [&](const DiskImage& image) {
    hasher.Add(image.term).Add(image.vote).Add(uint64_t{image.log}).Add(image.base);
  };
  add(replica->durable);
  hasher.Add(replica->writes.size());
  for (const Replica::Write& write : replica->writes) add(write.after);
  // What waits for the writes, in full.
  if (!replica->writes.empty()) {
    raft::Effects effects;
    replica->raft->Clone()->OnPersisted(replica->clock, replica->writes.back().token, &effects);
    for (raft::Message& message : effects.sends) {
      hasher.Add(uint64_t{messages_.Add(std::move(message))});
    }
  }
  const auto [at, added] =
      names_.try_emplace(hasher.value(), static_cast<ReplicaName>(replicas_.size()));
  if (added) replicas_.push_back(std::move(replica));
  return at->second;
}

}  // namespace flaredb::explore
