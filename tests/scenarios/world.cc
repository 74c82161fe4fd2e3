// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/world.h"

#include <algorithm>
#include <sstream>

#include "core/raft/quorum.h"
#include "core/raft/unsafe_recovery.h"
#include "tests/scenarios/describe.h"

namespace flaredb::raft {
namespace {

template <typename T>
std::string Text(const T& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

Incarnation FirstLife(PeerId id) { return Incarnation(100 * id.value()); }

EntrySlice SliceOf(const StoredEntry& entry, Index index) {
  const NewEntry new_entry{entry.kind, entry.payload};
  return EntrySlice(EntryBlock::Create(entry.term, index, {&new_entry, 1}));
}

StoredEntry Stored(const EntryView& entry) {
  return {entry.term, entry.kind, std::string(entry.payload)};
}

// The state machine of the scenarios remembers every entry; its state as bytes.
std::string StateAsBytes(const std::vector<StoredEntry>& committed, Index upto) {
  std::ostringstream out;
  for (size_t i = 0; i < upto.value(); ++i) {
    out << committed[i].term << ":" << committed[i].payload << "\n";
  }
  return out.str();
}

template <typename Visit>
void ForEachEntry(const EntrySlices& slices, Visit visit) {
  for (const EntrySlice& slice : slices) {
    for (uint32_t i = 0; i < slice.size(); ++i) visit(slice.at(i));
  }
}

std::string_view Reason(ChangeRefusal refusal) {
  switch (refusal) {
    case ChangeRefusal::kChangeInProgress:
      return "a change is in progress";
    case ChangeRefusal::kLeaderIsNew:
      return "the leader is new";
    case ChangeRefusal::kTransferInProgress:
      return "a transfer is in progress";
    case ChangeRefusal::kNoChange:
      return "no change";
    case ChangeRefusal::kAlreadyMember:
      return "already a member";
    case ChangeRefusal::kNotMember:
      return "not a member";
    case ChangeRefusal::kNotLearner:
      return "not a learner";
    case ChangeRefusal::kNotVoter:
      return "not a voter";
    case ChangeRefusal::kNotCaughtUp:
      return "not caught up";
    case ChangeRefusal::kNoVoterLeft:
      return "no voter would be left";
  }
  return "";
}

std::string_view Reason(TransferRefusal refusal) {
  switch (refusal) {
    case TransferRefusal::kNotLeader:
      return "not the leader";
    case TransferRefusal::kInProgress:
      return "another transfer is in progress";
    case TransferRefusal::kNotVoter:
      return "not a voter";
    case TransferRefusal::kIsLeader:
      return "leads already";
  }
  return "";
}

std::string_view Reason(NoPlan no_plan) {
  switch (no_plan) {
    case NoPlan::kNoSurvivor:
      return "no voter survives";
    case NoPlan::kNotNeeded:
      return "the survivors are a quorum";
    case NoPlan::kDisagree:
      return "the survivors disagree about what is committed";
  }
  return "";
}

std::string Refused(NotLeader not_leader) {
  if (!not_leader.leader) return "refused: not the leader";
  return "refused: not the leader, " + Text(not_leader.leader) + " is";
}

}  // namespace

const StoredEntry* ScenarioDisk::At(Index index) const {
  if (index <= base.last.index || index > last_index()) return nullptr;
  return &log[index - base.last.index - 1];
}

// --- Replicas.

void World::Found(ConfState conf, bool met) {
  for (const PeerId id : conf.Everybody()) {
    if (met) conf.members.push_back({id, StoreId(), FirstLife(id)});
  }
  founding_conf_ = conf;
  for (const PeerId id : conf.Everybody()) Create(id, conf);
}

void World::Create(PeerId id, const ConfState& conf) {
  if (exists(id)) return Fail("replica " + Text(id) + " exists");
  Replica& replica = replicas_[id];
  replica.disk.incarnation = FirstLife(id);
  replica.disk.base.conf = conf;
  // Clocks of different machines have nothing in common.
  replica.clock = Instant::FromNanoseconds(1) + Duration::Seconds(3600) * id.value();
  Start(id);
}

void World::Start(PeerId id) {
  Replica& replica = replicas_.at(id);
  const ScenarioDisk& disk = replica.disk;
  Recovered recovered;
  recovered.incarnation = disk.incarnation;
  recovered.hard_state = disk.hard_state;
  recovered.base = disk.base.last;
  recovered.conf = disk.base.conf;
  recovered.last_index = disk.last_index();
  recovered.applied_index = disk.applied_index;
  Index index = disk.base.last.index;
  for (const StoredEntry& entry : disk.log) {
    ++index;
    if (recovered.terms.empty() || recovered.terms.back().term != entry.term) {
      recovered.terms.push_back({index, entry.term});
    }
    if (entry.kind != EntryKind::kConf) continue;
    const auto conf = DecodeConfState(entry.payload);
    if (!conf.ok()) return Fail("an unreadable configuration on the disk");
    recovered.confs.push_back({index, *conf});
  }
  replica.applied_index = disk.applied_index;
  const Rng rng(Mix64(id.value() * 1000 + ++replica.lives));
  replica.raft = std::make_unique<Raft>(config_, id, std::move(recovered), rng, replica.clock);
  replica.seen = replica.raft->view();
}

void World::Stop(Replica* replica) {
  replica->raft.reset();
  replica->writes.clear();
  replica->questions.clear();
  replica->views.clear();
  replica->staged.clear();
  replica->asked.clear();
  // The state machine's changes became durable no earlier than the entries that caused them.
  ScenarioDisk& disk = replica->disk;
  Index kept = disk.base.last.index;
  while (kept < replica->applied_index && disk.At(kept.next()) != nullptr &&
         *disk.At(kept.next()) == committed_[kept.value()]) {
    ++kept;
  }
  disk.applied_index = kept;
}

void World::SetDisk(PeerId id, const std::vector<Term>& terms, HardState hard_state) {
  if (!exists(id)) return Fail("there is no replica " + Text(id));
  Replica& replica = replicas_.at(id);
  replica.applied_index = Index();
  Stop(&replica);
  replica.disk.hard_state = hard_state;
  replica.disk.hard_state.term = std::max(hard_state.term, replica.disk.base.last.term);
  replica.disk.log.clear();
  for (const Term term : terms) {
    const std::string payload = "e" + Text(replica.disk.log.size() + 1);
    replica.disk.log.push_back({term, EntryKind::kCommand, payload});
    replica.disk.hard_state.term = std::max(replica.disk.hard_state.term, term);
  }
  Start(id);
}

void World::Crash(PeerId id) {
  if (Replica* replica = Find(id)) Stop(replica);
}

void World::Restart(PeerId id) {
  if (!exists(id)) return Fail("there is no replica " + Text(id));
  if (replicas_.at(id).raft != nullptr) Stop(&replicas_.at(id));
  Start(id);
  Call(id, [](Raft&, Instant, Effects*) {});
}

void World::Wipe(PeerId id, const ConfState& conf) {
  if (!exists(id)) return Fail("there is no replica " + Text(id));
  Replica& replica = replicas_.at(id);
  Stop(&replica);
  const Incarnation next = replica.disk.incarnation.next();
  replica.disk = ScenarioDisk{next, {}, {{}, conf}, {}, {}};
  wiped_ = true;
  Start(id);
}

std::vector<PeerId> World::ids() const {
  std::vector<PeerId> ids;
  for (const auto& [id, replica] : replicas_) ids.push_back(id);
  return ids;
}

const Raft* World::raft(PeerId id) const { return replicas_.at(id).raft.get(); }

bool World::HoldsLease(PeerId id) const {
  const Replica& replica = replicas_.at(id);
  return replica.raft != nullptr && replica.raft->HoldsLease(replica.clock);
}

std::string World::FateOfRead(uint64_t number) const {
  const auto answered = answered_reads_.find(number);
  if (answered != answered_reads_.end()) return answered->second ? "granted" : "lost";
  return number >= 1 && number <= last_read_ ? "waiting" : "";
}

World::Replica* World::Find(PeerId id) {
  const auto at = replicas_.find(id);
  if (at == replicas_.end()) {
    Fail("there is no replica " + Text(id));
    return nullptr;
  }
  if (at->second.raft == nullptr) {
    Fail("replica " + Text(id) + " does not run");
    return nullptr;
  }
  return &at->second;
}

// --- Time.

void World::Pass(Duration duration, const std::vector<PeerId>& ids) {
  for (const PeerId id : ids) {
    if (!exists(id)) return Fail("there is no replica " + Text(id));
    replicas_.at(id).clock = replicas_.at(id).clock + duration;
  }
}

void World::ReachDeadline(PeerId id) {
  const Replica* replica = Find(id);
  if (replica == nullptr) return;
  const Instant due = replica->raft->next_deadline();
  if (due == Instant::Max()) return Fail("replica " + Text(id) + " has no deadline");
  if (due > replica->clock) Pass(due - replica->clock, ids());
  Call(id, [](Raft& raft, Instant now, Effects* effects) { raft.OnDeadline(now, effects); });
}

bool World::FireDue() {
  bool fired = false;
  for (const PeerId id : ids()) {
    const Replica& replica = replicas_.at(id);
    if (replica.raft == nullptr || replica.raft->next_deadline() > replica.clock) continue;
    Call(id, [](Raft& raft, Instant now, Effects* effects) { raft.OnDeadline(now, effects); });
    fired = true;
  }
  return fired;
}

void World::Run(Duration duration) {
  running_ = true;
  Settle();
  for (int round = 0;; ++round) {
    if (round == 10000) {
      Fail("more happens in this time than a script can tell");
      break;
    }
    Duration step = duration;
    for (const auto& [id, replica] : replicas_) {
      if (replica.raft == nullptr || replica.raft->next_deadline() == Instant::Max()) continue;
      step = std::min(step, std::max(Duration(), replica.raft->next_deadline() - replica.clock));
    }
    Pass(step, ids());
    duration = duration - step;
    if (!FireDue()) break;
    Settle();
  }
  running_ = false;
}

void World::Settle() {
  for (int round = 0; messages_waiting() > 0; ++round) {
    if (round == 1000) return Fail("the group never becomes quiet");
    Deliver(Selection());
  }
}

// --- Network.

size_t World::messages_waiting() const {
  size_t waiting = 0;
  for (const auto& [key, link] : links_) waiting += link.size();
  return waiting;
}

size_t World::Select(const Selection& selection, absl::FunctionRef<bool(Message&)> visit) {
  std::vector<std::pair<std::deque<Message>*, size_t>> meant;
  for (auto& [key, link] : links_) {
    if (selection.from && key.first != *selection.from) continue;
    if (selection.to && key.second != *selection.to) continue;
    for (size_t i = 0; i < link.size(); ++i) {
      if (selection.kind.empty() || KindName(link[i]) == selection.kind) {
        meant.emplace_back(&link, i);
      }
    }
  }
  if (meant.empty()) return 0;
  if (selection.which == Selection::kFirst) meant.resize(1);
  if (selection.which == Selection::kLast) meant.erase(meant.begin(), meant.end() - 1);
  std::vector<bool> leaves;
  for (const auto& [link, i] : meant) leaves.push_back(visit((*link)[i]));
  for (size_t m = meant.size(); m-- > 0;) {
    if (leaves[m]) meant[m].first->erase(meant[m].first->begin() + meant[m].second);
  }
  return meant.size();
}

void World::Deliver(const Selection& selection) {
  std::vector<Message> messages;
  const size_t n = Select(selection, [&](const Message& message) {
    messages.push_back(message);
    return true;
  });
  if (n == 0) return Fail("no such message is under way");
  for (const Message& message : messages) Receive(message);
}

void World::Drop(const Selection& selection) {
  if (Select(selection, [](const Message&) { return true; }) == 0) {
    Fail("no such message is under way");
  }
}

void World::Corrupt(const Selection& selection) {
  const size_t n = Select(selection, [](Message& message) {
    if (auto* request = std::get_if<SnapshotRequest>(&message.body)) {
      SnapshotChunk chunk = *request->chunk;
      chunk.data.front() ^= 1;
      request->chunk = std::make_shared<const SnapshotChunk>(std::move(chunk));
    }
    return false;
  });
  if (n == 0) Fail("no such message is under way");
}

void World::SetAside(const Selection& selection, const std::string& name, bool copy) {
  std::vector<Message>& kept = aside_[name];
  kept.clear();
  const size_t n = Select(selection, [&](const Message& message) {
    kept.push_back(message);
    return !copy;
  });
  if (n == 0) Fail("no such message is under way");
}

void World::Give(const std::string& name) {
  const auto kept = aside_.find(name);
  if (kept == aside_.end()) return Fail("nothing was set aside as " + name);
  for (const Message& message : kept->second) {
    Tell("(" + Told(message, verbose) + ")");
    Receive(message);
  }
}

void World::Send(Message message) {
  const std::pair<PeerId, PeerId> key(message.from, message.to);
  const bool lost = cut_.contains(key);
  if (!running_ || verbose || !IsRoutine(message)) {
    Tell(Told(message, verbose) + (lost ? "  (lost)" : ""));
  }
  if (!lost) links_[key].push_back(std::move(message));
}

void World::Receive(const Message& message) {
  const auto to = replicas_.find(message.to);
  if (to == replicas_.end() || to->second.raft == nullptr) return;
  Call(message.to, [&](Raft& raft, Instant now, Effects* effects) {
    raft.OnMessage(now, Message(message), effects);
  });
}

// --- Disk.

void World::HoldDisk(PeerId id) {
  if (Replica* replica = Find(id)) replica->disk_held = true;
}

void World::FreeDisk(PeerId id) {
  Replica* replica = Find(id);
  if (replica == nullptr) return;
  replica->disk_held = false;
  CarryOutInstantly(id);
}

void World::PersistWrites(PeerId id, bool all) {
  Replica* replica = Find(id);
  if (replica == nullptr) return;
  if (replica->writes.empty()) return Fail("no write of replica " + Text(id) + " waits");
  if (!all) return CompleteWrite(id);
  // One completion for all of them: a token is a watermark.
  while (replica->writes.size() > 1) {
    CarryOut(id, replica->writes.front());
    replica->writes.pop_front();
  }
  CompleteWrite(id);
}

void World::CompleteWrite(PeerId id) {
  Replica& replica = replicas_.at(id);
  const Persist persist = std::move(replica.writes.front());
  replica.writes.pop_front();
  CarryOut(id, persist);
  Call(id, [&](Raft& raft, Instant now, Effects* effects) {
    raft.OnPersisted(now, persist.token, effects);
  });
}

void World::HoldAnswers(PeerId id) {
  if (Replica* replica = Find(id)) replica->answers_held = true;
}

void World::FreeAnswers(PeerId id) {
  Replica* replica = Find(id);
  if (replica == nullptr) return;
  replica->answers_held = false;
  CarryOutInstantly(id);
}

void World::AnswerNext(PeerId id) {
  Replica* replica = Find(id);
  if (replica == nullptr) return;
  if (replica->questions.empty()) return Fail("replica " + Text(id) + " asked for nothing");
  const Question question = replica->questions.front();
  replica->questions.pop_front();
  Answer(id, question);
}

void World::FailAnswer(PeerId id) {
  Replica* replica = Find(id);
  if (replica == nullptr) return;
  for (auto at = replica->questions.begin(); at != replica->questions.end(); ++at) {
    SnapshotId snapshot;
    if (const auto* take = std::get_if<TakeSnapshot>(&*at)) snapshot = take->id;
    if (const auto* read = std::get_if<ReadSnapshot>(&*at)) snapshot = read->id;
    if (!snapshot) continue;
    replica->questions.erase(at);
    Call(id, [&](Raft& raft, Instant now, Effects* effects) {
      raft.OnSnapshotFailed(now, snapshot, effects);
    });
    return;
  }
  Fail("replica " + Text(id) + " asked for no snapshot");
}

void World::FailDisk(PeerId id) {
  Call(id, [](Raft& raft, Instant now, Effects* effects) { raft.OnDiskFailed(now, effects); });
}

// What one persist changes on the disk.
void World::CarryOut(PeerId id, const Persist& persist) {
  ScenarioDisk& disk = replicas_.at(id).disk;
  if (persist.base != nullptr) {
    const Index index = persist.base->last.index;
    if (persist.install || index >= disk.last_index()) {
      disk.log.clear();
    } else if (index > disk.base.last.index) {
      disk.log.erase(disk.log.begin(), disk.log.begin() + (index - disk.base.last.index));
    }
    disk.base = *persist.base;
    disk.applied_index = std::max(disk.applied_index, index);
  }
  if (persist.truncate_from) {
    if (persist.truncate_from <= disk.base.last.index) return Fail("a truncation of the base");
    if (persist.truncate_from <= disk.last_index()) {
      disk.log.resize(persist.truncate_from - disk.base.last.index - 1);
    }
  }
  ForEachEntry(persist.append, [&](const EntryView& entry) {
    if (entry.index != disk.last_index().next()) Fail("a gap in the log of " + Text(id));
    disk.log.push_back(Stored(entry));
  });
  if (persist.hard_state) disk.hard_state = *persist.hard_state;
  CheckLogMatching();
}

void World::Answer(PeerId id, const Question& question) {
  Replica& replica = replicas_.at(id);
  if (const auto* fetch = std::get_if<Fetch>(&question)) {
    EntrySlices entries;
    size_t bytes = 0;
    for (Index i = fetch->first; i <= fetch->last; ++i) {
      const StoredEntry* entry = replica.disk.At(i);
      if (entry == nullptr) break;
      bytes += entry->payload.size();
      if (!entries.empty() && bytes > fetch->bytes_max) break;
      entries.push_back(SliceOf(*entry, i));
    }
    if (entries.empty()) {
      if (replica.raft->Wants(fetch->id)) Fail("replica " + Text(id) + " fetches what is gone");
      return;
    }
    Call(id, [&](Raft& raft, Instant now, Effects* effects) {
      raft.OnFetched(now, fetch->id, std::move(entries), effects);
    });
  } else if (const auto* take = std::get_if<TakeSnapshot>(&question)) {
    replica.views[take->id] = {replica.applied_index, 0};
    Call(id, [&](Raft& raft, Instant now, Effects* effects) {
      raft.OnSnapshotTaken(now, take->id, replica.applied_index, effects);
    });
  } else {
    const auto& read = std::get<ReadSnapshot>(question);
    const auto view = replica.views.find(read.id);
    if (view == replica.views.end()) return Fail("a piece of a snapshot that was never taken");
    auto& [index, offset] = view->second;
    if (read.number == 0) offset = 0;
    const std::string bytes = StateAsBytes(committed_, index);
    const std::string piece = bytes.substr(offset, std::max<size_t>(1, read.bytes_max));
    offset += piece.size();
    const bool last = offset == bytes.size();
    Call(id, [&](Raft& raft, Instant now, Effects* effects) {
      raft.OnSnapshotRead(now, read.id, read.number, piece, last, effects);
    });
  }
}

void World::CarryOut(PeerId id, const SnapshotEffect& effect) {
  Replica& replica = replicas_.at(id);
  Tell(Text(id) + ": " + Told(effect));
  if (const auto* take = std::get_if<TakeSnapshot>(&effect)) replica.questions.push_back(*take);
  if (const auto* read = std::get_if<ReadSnapshot>(&effect)) replica.questions.push_back(*read);
  if (const auto* drop = std::get_if<DropSnapshot>(&effect)) {
    replica.views.erase(drop->id);
    std::erase_if(replica.questions, [&](const Question& question) {
      const auto* take = std::get_if<TakeSnapshot>(&question);
      const auto* read = std::get_if<ReadSnapshot>(&question);
      return (take != nullptr && take->id == drop->id) || (read != nullptr && read->id == drop->id);
    });
  }
  if (const auto* stage = std::get_if<StageSnapshot>(&effect)) {
    if (stage->chunk->number == 0) replica.staged.clear();
    replica.staged += stage->chunk->data;
  }
  if (std::holds_alternative<UnstageSnapshot>(effect)) replica.staged.clear();
}

// --- Clients and operators.

void World::Propose(PeerId id, const std::vector<std::string>& payloads) {
  std::vector<NewEntry> entries;
  for (const std::string& payload : payloads) entries.push_back({EntryKind::kCommand, payload});
  Call(id, [&](Raft& raft, Instant now, Effects* effects) {
    const ProposeResult result = raft.Propose(now, EntryBlock::Create(entries), effects);
    if (const auto* not_leader = std::get_if<NotLeader>(&result)) Tell(Refused(*not_leader));
    if (std::holds_alternative<Busy>(result)) Tell("refused: busy");
  });
}

void World::Read(PeerId id, ReadMode mode) {
  Call(id, [&](Raft& raft, Instant now, Effects* effects) {
    const ReadResult result = raft.Read(now, effects, mode);
    if (const auto* not_leader = std::get_if<NotLeader>(&result)) {
      Tell(Refused(*not_leader));
    } else {
      replicas_.at(id).asked[std::get<ReadId>(result)] = {++last_read_, Index(committed_.size())};
    }
  });
}

void World::Campaign(PeerId id) {
  Call(id, [](Raft& raft, Instant now, Effects* effects) { raft.Campaign(now, effects); });
}

void World::ChangeMembers(PeerId id, const std::vector<MemberChange>& changes) {
  Call(id, [&](Raft& raft, Instant now, Effects* effects) {
    const ChangeResult result = raft.ChangeMembers(now, changes, effects);
    if (const auto* not_leader = std::get_if<NotLeader>(&result)) Tell(Refused(*not_leader));
    if (const auto* refusal = std::get_if<ChangeRefusal>(&result)) {
      Tell("refused: " + std::string(Reason(*refusal)));
    }
  });
}

void World::Transfer(PeerId id, PeerId target) {
  Call(id, [&](Raft& raft, Instant now, Effects* effects) {
    if (const auto refusal = raft.TransferLeadership(now, target, effects)) {
      Tell("refused: " + std::string(Reason(*refusal)));
    }
  });
}

void World::Compact(PeerId id, Index upto) {
  const Replica* replica = Find(id);
  if (replica == nullptr) return;
  if (upto > replica->applied_index) return Fail("only what is applied can be compacted");
  Call(id, [&](Raft& raft, Instant now, Effects* effects) { raft.Compact(now, upto, effects); });
}

void World::Wake(PeerId id) {
  Call(id, [](Raft& raft, Instant now, Effects* effects) { raft.Wake(now, effects); });
}

void World::Recover(const std::vector<PeerId>& survivors) {
  std::vector<View> views;
  for (const PeerId id : survivors) {
    if (Find(id) == nullptr) return;
    views.push_back(raft(id)->view());
  }
  const auto plan = PlanRecovery(views);
  if (const auto* none = std::get_if<NoPlan>(&plan)) {
    return Tell("refused: " + std::string(Reason(*none)));
  }
  const auto& recovery = std::get<RecoveryPlan>(plan);
  std::istringstream lines(recovery.Describe());
  for (std::string line; std::getline(lines, line);) Tell("plan: " + line);
  Call(recovery.chosen, [&](Raft& raft, Instant now, Effects* effects) {
    if (!raft.Recover(now, recovery, effects)) Tell("refused: not as planned");
  });
}

// --- What a call causes.

void World::Call(PeerId id, absl::FunctionRef<void(Raft&, Instant, Effects*)> body) {
  Replica* replica = Find(id);
  if (replica == nullptr) return;
  body(*replica->raft, replica->clock, &effects_);
  Absorb(id, replica);
  CarryOutInstantly(id);
}

// Calls of the core from here come back here, one level deeper, until nothing waits.
void World::CarryOutInstantly(PeerId id) {
  Replica& replica = replicas_.at(id);
  while (replica.raft != nullptr) {
    if (!replica.disk_held && !replica.writes.empty()) {
      CompleteWrite(id);
    } else if (!replica.answers_held && !replica.questions.empty()) {
      AnswerNext(id);
    } else {
      return;
    }
  }
}

void World::Absorb(PeerId id, Replica* replica) {
  Effects effects = std::exchange(effects_, Effects());
  const View before = replica->seen;
  for (const Apply& apply : effects.applies) {
    ForEachEntry(apply.entries, [&](const EntryView& entry) { CheckApplied(id, entry); });
  }
  TellChanges(id, replica, effects);
  CheckLeader(id, before, replica->seen);
  for (const SnapshotEffect& effect : effects.snapshots) CarryOut(id, effect);
  for (Persist& persist : effects.persists) {
    Tell(Text(id) + ": write " + Told(persist, verbose));
    if (persist.base != nullptr) {
      CheckBase(id, *persist.base);
      const Index base = persist.base->last.index;
      if (persist.install) {
        if (replica->staged != StateAsBytes(committed_, base))
          Fail("a wrong snapshot is installed");
        replica->applied_index = base;
        replica->staged.clear();
      } else if (base > replica->applied_index) {
        Fail("replica " + Text(id) + " compacts what it has not applied");
      }
    }
    replica->writes.push_back(std::move(persist));
  }
  for (const Fetch& fetch : effects.fetches) {
    Tell(Text(id) + ": fetch " + Text(fetch.first) + ".." + Text(fetch.last));
    replica->questions.push_back(fetch);
  }
  for (Message& message : effects.sends) {
    CheckPromise(id, message);
    Send(std::move(message));
  }
  for (const ReadOutcome& read : effects.reads) CheckRead(id, read);
}

void World::TellChanges(PeerId id, Replica* replica, const Effects& effects) {
  const View view = replica->raft->view();
  const View& before = replica->seen;
  const std::string name = Text(id) + ": ";
  const std::string& poison = replica->raft->poison();
  if (!poison.empty() && !poisonable_.contains(id)) {
    poisonable_.insert(id);  // Once is enough.
    Fail("replica " + Text(id) + " is poisoned: " + poison);
  }
  if (Told(view) != Told(before)) Tell(name + Told(view));
  std::string line;
  if (view.commit_index != before.commit_index) line = "commit " + Text(view.commit_index);
  for (const Apply& apply : effects.applies) {
    line += (line.empty() ? "apply " : " ") + Told(apply.entries);
  }
  if (!line.empty()) Tell(name + line);
  if (view.conf != before.conf && Told(view.conf) != Told(before.conf)) {
    Tell(name + "conf " + Told(view.conf));
  }
  if (view.durable_index > before.durable_index && replica->disk_held) {
    Tell(name + "durable up to " + Text(view.durable_index));
  }
  replica->seen = view;
}

// --- Checks.

void World::CheckPromise(PeerId id, const Message& message) {
  const Replica& replica = replicas_.at(id);
  const ScenarioDisk& disk = replica.disk;
  const std::string who = "replica " + Text(id);
  if (disk.hard_state.term < message.term) Fail(who + " shows a volatile term");
  const auto* vote_reply = std::get_if<VoteReply>(&message.body);
  if (vote_reply != nullptr && vote_reply->granted &&
      disk.hard_state != HardState{message.term, message.to}) {
    Fail(who + " grants a volatile vote");
  }
  if (std::holds_alternative<VoteRequest>(message.body) &&
      disk.hard_state != HardState{message.term, id}) {
    Fail(who + " shows a volatile candidacy");
  }
  const auto* reply = std::get_if<AppendReply>(&message.body);
  if (reply == nullptr) return;
  const auto* accept = std::get_if<AppendAccept>(&reply->result);
  if (accept == nullptr) return;
  if (accept->match_index > disk.last_index()) return Fail(who + " accepts a volatile entry");
  const auto leader = replicas_.find(message.to);
  if (leader == replicas_.end()) return;
  for (Index i = disk.base.last.index.next(); i <= accept->match_index; ++i) {
    const StoredEntry* theirs = leader->second.disk.At(i);
    const auto leads = leaders_.find(message.term);
    if (leads == leaders_.end() || leads->second != message.to) return;
    if (leader->second.disk.hard_state.term != message.term) return;
    if (theirs != nullptr && *theirs != *disk.At(i)) {
      // The leader's own write may be under way.
      const bool pending = !leader->second.writes.empty();
      if (!pending) return Fail(who + " accepts a wrong entry at " + Text(i));
    }
  }
}

void World::CheckLeader(PeerId id, const View& before, const View& after) {
  if (after.role != Role::kLeader) return;
  const auto [leader, first] = leaders_.emplace(after.term, id);
  if (leader->second != id) Fail("two leaders in term " + Text(after.term));
  if (wiped_ || before.role != Role::kLeader || after.commit_index <= before.commit_index) return;
  // The entry at the commit index: as the leader's memory has it, and so as it was applied.
  if (after.commit_index.value() > committed_.size()) return;
  const StoredEntry& entry = committed_[after.commit_index.value() - 1];
  const bool held = HasQuorum(after.conf, [&](PeerId voter) {
    if (!exists(voter)) return false;
    const ScenarioDisk& disk = replicas_.at(voter).disk;
    if (after.commit_index <= disk.base.last.index) return true;
    const StoredEntry* theirs = disk.At(after.commit_index);
    return theirs != nullptr && *theirs == entry;
  });
  if (!held) Fail("entry " + Text(after.commit_index) + " is committed without a quorum of disks");
}

void World::CheckApplied(PeerId id, const EntryView& entry) {
  Replica& replica = replicas_.at(id);
  if (entry.index != replica.applied_index.next()) {
    Fail("replica " + Text(id) + " skips or repeats entry " + Text(entry.index));
  }
  replica.applied_index = entry.index;
  const StoredEntry stored = Stored(entry);
  if (entry.index.value() == committed_.size() + 1) {
    committed_.push_back(stored);
  } else if (entry.index.value() > committed_.size()) {
    Fail("replica " + Text(id) + " applies beyond a gap");
  } else if (stored != committed_[entry.index.value() - 1]) {
    Fail("replica " + Text(id) + " applies another entry at " + Text(entry.index));
  }
}

void World::CheckBase(PeerId id, const LogBase& base) {
  if (base.last.index.value() > committed_.size()) {
    return Fail("the base of replica " + Text(id) + " is not committed");
  }
  if (base.last.index && committed_[base.last.index.value() - 1].term != base.last.term) {
    return Fail("the base of replica " + Text(id) + " has a wrong term");
  }
  ConfState conf = founding_conf_;
  for (size_t i = 0; i < base.last.index.value(); ++i) {
    if (committed_[i].kind != EntryKind::kConf) continue;
    const auto decoded = DecodeConfState(committed_[i].payload);
    if (decoded.ok()) conf = *decoded;
  }
  if (conf != base.conf) {
    Fail("the base of replica " + Text(id) + " has the configuration " + Told(base.conf) +
         " instead of " + Told(conf));
  }
}

void World::CheckLogMatching() {
  if (logs_differ_) return;
  for (const auto& [a, one] : replicas_) {
    for (const auto& [b, two] : replicas_) {
      if (a >= b) continue;
      const Index first = std::max(one.disk.base.last.index, two.disk.base.last.index).next();
      bool same = false;  // Whether the entry after is the same in both.
      for (Index i = std::min(one.disk.last_index(), two.disk.last_index()); i >= first;
           i = i.prev()) {
        const StoredEntry& x = *one.disk.At(i);
        const StoredEntry& y = *two.disk.At(i);
        if ((same || x.term == y.term) && x != y) {
          logs_differ_ = true;  // Once is enough.
          return Fail("the logs of " + Text(a) + " and " + Text(b) + " do not match at " + Text(i));
        }
        same = x == y;
      }
    }
  }
}

void World::CheckRead(PeerId id, const ReadOutcome& outcome) {
  Replica& replica = replicas_.at(id);
  const auto asked = replica.asked.extract(outcome.id);
  if (asked.empty()) return Fail("replica " + Text(id) + " answers a read that nobody waits for");
  answered_reads_[asked.mapped().number] = outcome.granted;
  const std::string name = Text(id) + ": read " + Text(asked.mapped().number);
  if (!outcome.granted) return Tell(name + " is lost");
  Tell(name + " is granted at " + Text(outcome.index));
  if (outcome.index < asked.mapped().covers) Fail("a stale read is granted");
}

// --- The account.

void World::Tell(std::string line) {
  if (telling) lines_.push_back(std::move(line));
}

void World::Fail(std::string_view what) {
  failed_ = true;
  lines_.push_back("FAILURE: " + std::string(what));
}

std::vector<std::string> World::committed_commands() const {
  std::vector<std::string> commands;
  for (const StoredEntry& entry : committed_) {
    if (entry.kind == EntryKind::kCommand) commands.push_back(entry.payload);
  }
  return commands;
}

}  // namespace flaredb::raft
