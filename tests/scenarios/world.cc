// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/world.h"

#include <algorithm>
#include <memory>
#include <sstream>

#include "core/raft/unsafe_recovery.h"
#include "tests/scenarios/describe.h"

namespace flaredb::raft {
namespace {

Incarnation FirstLife(PeerId id) { return Incarnation(100 * id.value()); }

// The state machine of the scenarios remembers every entry; its state as bytes.
std::string StateAsBytes(const std::vector<StoredEntry>& committed, Index upto) {
  std::ostringstream out;
  for (size_t i = 0; i < upto.value(); ++i) {
    out << committed[i].term << ":" << committed[i].payload << "\n";
  }
  return out.str();
}

}  // namespace

// --- Replicas.

void World::Found(ConfState conf, bool met) {
  for (const PeerId id : conf.Everybody()) {
    if (met) conf.members.push_back({id, StoreId(), FirstLife(id)});
  }
  checks_.OnFounded(conf);
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
  std::optional<Recovered> recovered = replica.disk.Recover();
  if (!recovered) return Fail("an unreadable configuration on the disk");
  replica.applied_index = replica.disk.applied_index;
  const Rng rng(Mix64(id.value() * 1000 + ++replica.lives));
  replica.raft = std::make_unique<Raft>(config_, id, *std::move(recovered), rng, replica.clock);
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
         *disk.At(kept.next()) == checks_.committed()[kept.value()]) {
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
  checks_.OnWiped();
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

Replica* World::Find(PeerId id) {
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

void World::Deliver(const Selection& selection) {
  const std::vector<Message> messages = links_.Take(selection);
  if (messages.empty()) return Fail("no such message is under way");
  for (const Message& message : messages) Receive(message);
}

void World::Drop(const Selection& selection) {
  if (links_.Take(selection).empty()) Fail("no such message is under way");
}

void World::Corrupt(const Selection& selection) {
  if (links_.Corrupt(selection) == 0) Fail("no such message is under way");
}

void World::SetAside(const Selection& selection, const std::string& name, bool copy) {
  aside_[name] = copy ? links_.Copy(selection) : links_.Take(selection);
  if (aside_[name].empty()) Fail("no such message is under way");
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
  const bool lost = links_.cut(message.from, message.to);
  if (!running_ || verbose || !IsRoutine(message)) {
    Tell(Told(message, verbose) + (lost ? "  (lost)" : ""));
  }
  if (!lost) links_.Add(std::move(message));
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
    Write(id, replica->writes.front());
    replica->writes.pop_front();
  }
  CompleteWrite(id);
}

void World::CompleteWrite(PeerId id) {
  Replica& replica = replicas_.at(id);
  const Persist persist = std::move(replica.writes.front());
  replica.writes.pop_front();
  Write(id, persist);
  Call(id, [&](Raft& raft, Instant now, Effects* effects) {
    raft.OnPersisted(now, persist.token, effects);
  });
}

void World::Write(PeerId id, const Persist& persist) {
  const std::string wrong = replicas_.at(id).disk.Write(persist);
  if (!wrong.empty()) Fail(wrong + " of replica " + Text(id));
  checks_.OnWritten();
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

void World::Answer(PeerId id, const Question& question) {
  Replica& replica = replicas_.at(id);
  if (const auto* fetch = std::get_if<Fetch>(&question)) {
    EntrySlices entries = replica.disk.Read(*fetch);
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
    const std::string bytes = StateAsBytes(checks_.committed(), index);
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
    if (const auto* not_leader = std::get_if<NotLeader>(&result)) Refuse(Told(*not_leader));
    if (std::holds_alternative<Busy>(result)) Refuse("busy");
  });
}

void World::Read(PeerId id, ReadMode mode) {
  Call(id, [&](Raft& raft, Instant now, Effects* effects) {
    const ReadResult result = raft.Read(now, effects, mode);
    if (const auto* not_leader = std::get_if<NotLeader>(&result)) {
      Refuse(Told(*not_leader));
    } else {
      replicas_.at(id).asked[std::get<ReadId>(result)] = {++last_read_,
                                                          Index(checks_.committed().size())};
    }
  });
}

void World::Campaign(PeerId id) {
  Call(id, [](Raft& raft, Instant now, Effects* effects) { raft.Campaign(now, effects); });
}

void World::ChangeMembers(PeerId id, const std::vector<MemberChange>& changes) {
  Call(id, [&](Raft& raft, Instant now, Effects* effects) {
    const ChangeResult result = raft.ChangeMembers(now, changes, effects);
    if (const auto* not_leader = std::get_if<NotLeader>(&result)) Refuse(Told(*not_leader));
    if (const auto* refusal = std::get_if<ChangeRefusal>(&result)) {
      Refuse(Told(*refusal));
    }
  });
}

void World::Transfer(PeerId id, PeerId target) {
  Call(id, [&](Raft& raft, Instant now, Effects* effects) {
    if (const auto refusal = raft.TransferLeadership(now, target, effects)) {
      Refuse(Told(*refusal));
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
    return Refuse(Told(*none));
  }
  const auto& recovery = std::get<RecoveryPlan>(plan);
  std::istringstream lines(recovery.Describe());
  for (std::string line; std::getline(lines, line);) Tell("plan: " + line);
  Call(recovery.chosen, [&](Raft& raft, Instant now, Effects* effects) {
    if (!raft.Recover(now, recovery, effects)) Refuse("not as planned");
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
    for (const EntrySlice& slice : apply.entries) {
      for (uint32_t i = 0; i < slice.size(); ++i) {
        checks_.OnApplied(id, slice.at(i));
        replica->applied_index = slice.at(i).index;
      }
    }
  }
  TellChanges(id, replica, effects);
  checks_.OnView(id, before, replica->seen);
  for (const SnapshotEffect& effect : effects.snapshots) CarryOut(id, effect);
  for (Persist& persist : effects.persists) {
    Tell(Text(id) + ": write " + Told(persist, verbose));
    if (persist.base != nullptr) {
      checks_.OnBase(id, *persist.base);
      const Index base = persist.base->last.index;
      if (persist.install) {
        if (replica->staged != StateAsBytes(checks_.committed(), base))
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
    checks_.OnSent(id, message);
    Send(std::move(message));
  }
  for (const ReadOutcome& read : effects.reads) OnRead(id, read);
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

void World::OnRead(PeerId id, const ReadOutcome& outcome) {
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
  for (const StoredEntry& entry : checks_.committed()) {
    if (entry.kind == EntryKind::kCommand) commands.push_back(entry.payload);
  }
  return commands;
}

}  // namespace flaredb::raft
