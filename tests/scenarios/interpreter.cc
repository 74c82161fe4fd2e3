// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/interpreter.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "tests/scenarios/describe.h"
#include "tests/scenarios/settings.h"

namespace flaredb::raft {
namespace {

// As in words.cc: more is a slip of the pen.
constexpr uint64_t kVotersMax = 100;
constexpr uint64_t kPayloadBytesMax = 16 << 20;

}  // namespace

const std::map<std::string, Interpreter::Command, std::less<>>& Interpreter::commands() {
  using I = Interpreter;
  static const auto* const commands = new std::map<std::string, Command, std::less<>>{
      {"cluster", &I::Cluster},
      {"start", &I::Start},
      {"disk", &I::SetDisk},
      {"crash", &I::ForEach<&World::Crash>},
      {"restart", &I::ForEach<&World::Restart>},
      {"wipe", &I::Wipe},
      {"may-poison", &I::AllowPoison},
      {"wait", &I::Wait},
      {"deadline", &I::Deadline},
      {"run", &I::RunFor},
      {"settle", &I::Settle},
      {"deliver", &I::OnMessages<&World::Deliver>},
      {"drop", &I::OnMessages<&World::Drop>},
      {"corrupt", &I::OnMessages<&World::Corrupt>},
      {"delay", &I::SetAside<false>},
      {"copy", &I::SetAside<true>},
      {"give", &I::Give},
      {"cut", &I::Cut},
      {"isolate", &I::Isolate},
      {"heal", &I::Heal},
      {"hold-disk", &I::ForEach<&World::HoldDisk>},
      {"free-disk", &I::ForEach<&World::FreeDisk>},
      {"persist", &I::Persist},
      {"fail-disk", &I::ForEach<&World::FailDisk>},
      {"hold-answers", &I::ForEach<&World::HoldAnswers>},
      {"free-answers", &I::ForEach<&World::FreeAnswers>},
      {"answer", &I::ForEach<&World::AnswerNext>},
      {"fail-answer", &I::ForEach<&World::FailAnswer>},
      {"elect", &I::Elect},
      {"campaign", &I::ForEach<&World::Campaign>},
      {"propose", &I::Propose},
      {"read", &I::Read},
      {"change", &I::Change},
      {"transfer", &I::Transfer},
      {"compact", &I::Compact},
      {"wake", &I::ForEach<&World::Wake>},
      {"recover", &I::Recover},
      {"verbose", &I::Verbose},
      {"state", &I::State},
      {"log", &I::Log},
      {"expect", &I::Expect},
  };
  return *commands;
}

std::vector<std::string> Interpreter::Run(std::string_view line) {
  Words words(line);
  const bool silently = words.TakeIf("silently");
  const std::string name = words.Take("a command");
  const auto command = commands().find(name);
  if (command == commands().end()) return {"FAILURE: there is no command \"" + name + "\""};
  if (world_ == nullptr && name != "cluster") return {"FAILURE: the first command is cluster"};
  if (world_ != nullptr) world().telling = !silently;
  (this->*command->second)(&words);
  if (!words.error().empty()) return {"FAILURE: " + name + " " + words.error()};
  return world().TakeLines();
}

const Raft* Interpreter::Running(PeerId id) {
  const Raft* raft = world().exists(id) ? world().raft(id) : nullptr;
  if (raft == nullptr) world().Fail("replica " + Text(id) + " does not run");
  return raft;
}

// --- Replicas.

void Interpreter::Cluster(Words* words) {
  ConfState conf;
  if (words->more()) {
    Words copy = *words;
    conf = copy.TakeConf();
    if (!conf.voters.empty()) {
      *words = copy;
    } else {
      const uint64_t voters = words->TakeNumber("a number of voters");
      if (voters > kVotersMax) words->Error("takes 100 voters at most");
      for (uint64_t id = 1; id <= std::min(voters, kVotersMax); ++id) {
        conf.voters.push_back(PeerId(id));
      }
      const ConfState rest = words->TakeConf();
      conf.voters_outgoing = rest.voters_outgoing;
      conf.learners = rest.learners;
    }
  }
  const bool met = !words->TakeIf("unmet");
  while (words->more()) {
    const auto [key, value] = Words::KeyValue(words->Take("a setting"));
    if (!Configure(key, value, &config_)) words->Error("does not know the setting " + key);
  }
  if (world_ != nullptr) words->Error("comes once");
  // Even a bad command leaves a world, so that those after it can complain.
  if (world_ == nullptr) world_ = std::make_unique<World>(config_);
  if (!words->Done()) return;
  world().Found(std::move(conf), met);
}

void Interpreter::Start(Words* words) {
  const std::vector<PeerId> ids = words->TakeIds();
  if (!words->Done()) return;
  for (const PeerId id : ids) world().Join(id);
}

void Interpreter::SetDisk(Words* words) {
  const PeerId id = words->TakeId();
  std::vector<Term> terms;
  HardState hard_state;
  while (words->more()) {
    const std::string word = words->Take("terms");
    const auto [key, value] = Words::KeyValue(word);
    const auto number = Number(value.empty() ? word : value);
    if (!number) {
      words->Error("needs terms of entries, term=N or vote=N");
    } else if (key == "term") {
      hard_state.term = Term(*number);
    } else if (key == "vote") {
      hard_state.vote = PeerId(*number);
    } else {
      terms.push_back(Term(*number));
    }
  }
  if (words->Done()) world().SetDisk(id, terms, hard_state);
}

void Interpreter::Wipe(Words* words) {
  const PeerId id = words->TakeId();
  const ConfState conf = words->TakeConf();
  if (words->Done()) world().Wipe(id, conf);
}

void Interpreter::AllowPoison(Words* words) {
  const std::vector<PeerId> ids = words->TakeIds();
  if (!words->Done()) return;
  for (const PeerId id : ids) world().AllowPoison(id);
}

// --- Time.

void Interpreter::Wait(Words* words) {
  const Duration duration = words->TakeDuration();
  const std::vector<PeerId> ids = words->TakeIf("at") ? words->TakeIds() : world().ids();
  if (words->Done()) world().Pass(duration, ids);
}

void Interpreter::Deadline(Words* words) {
  const PeerId id = words->TakeId();
  if (words->Done()) world().ReachDeadline(id);
}

void Interpreter::RunFor(Words* words) {
  const Duration duration = words->TakeDuration();
  if (words->Done()) world().Run(duration);
}

void Interpreter::Settle(Words* words) {
  if (words->Done()) world().Settle();
}

// --- Network.

template <bool copy>
void Interpreter::SetAside(Words* words) {
  const Selection selection = words->TakeSelection();
  if (!words->TakeIf("as")) words->Error("needs \"as\" and a name");
  const std::string name = words->Take("a name");
  if (words->Done()) world().SetAside(selection, name, copy);
}

void Interpreter::Give(Words* words) {
  const std::string name = words->Take("a name");
  if (words->Done()) world().Give(name);
}

void Interpreter::Cut(Words* words) {
  if (words->more()) {
    Words copy = *words;
    const Selection one_way = copy.TakeSelection();
    if (copy.error().empty() && one_way.from && one_way.to) {
      *words = copy;
      if (words->Done()) world().Cut(*one_way.from, *one_way.to);
      return;
    }
  }
  const std::vector<PeerId> these = words->TakeIds();
  const std::vector<PeerId> those = words->TakeIds();
  if (!words->Done()) return;
  for (const PeerId a : these) {
    for (const PeerId b : those) {
      world().Cut(a, b);
      world().Cut(b, a);
    }
  }
}

void Interpreter::Isolate(Words* words) {
  const std::vector<PeerId> ids = words->TakeIds();
  if (!words->Done()) return;
  for (const PeerId id : ids) {
    for (const PeerId other : world().ids()) {
      if (other == id) continue;
      world().Cut(id, other);
      world().Cut(other, id);
    }
  }
}

void Interpreter::Heal(Words* words) {
  if (words->Done()) world().Heal();
}

// --- Disk.

void Interpreter::Persist(Words* words) {
  const PeerId id = words->TakeId();
  const bool first = words->TakeIf("first");
  if (words->Done()) world().PersistWrites(id, !first);
}

// --- Clients and operators.

void Interpreter::Elect(Words* words) {
  const PeerId id = words->TakeId();
  if (!words->Done()) return;
  world().telling = false;
  world().Settle();
  world().Pass(config_.election_timeout, world().ids());
  world().Campaign(id);
  world().Settle();
  const Raft* raft = Running(id);
  if (raft != nullptr && !raft->is_leader()) world().Fail("replica " + Text(id) + " lost");
}

void Interpreter::Propose(Words* words) {
  const PeerId id = words->TakeId();
  std::vector<std::string> payloads;
  while (words->more()) {
    const bool quoted = words->NextIsQuoted();
    std::string payload = words->Take("a payload");
    if (!quoted) {
      const auto bytes = payload.ends_with("b")
                             ? Number(std::string_view(payload).substr(0, payload.size() - 1))
                             : std::nullopt;
      if (!bytes || *bytes > kPayloadBytesMax) {
        words->Error("needs payloads, as in \"a\" or 1000b, of 16 MiB at most");
      }
      payload.assign(std::min(bytes.value_or(0), kPayloadBytesMax), '.');
    }
    payloads.push_back(std::move(payload));
  }
  if (payloads.empty()) words->Error("needs a payload");
  if (words->Done()) world().Propose(id, payloads);
}

void Interpreter::Read(Words* words) {
  const PeerId id = words->TakeId();
  const ReadMode mode = words->TakeIf("lease") ? ReadMode::kLease : ReadMode::kReadIndex;
  if (words->Done()) world().Read(id, mode);
}

void Interpreter::Change(Words* words) {
  using Kind = MemberChange::Kind;
  const std::map<std::string, Kind> kinds = {{"add", Kind::kAddLearner},
                                             {"promote", Kind::kPromote},
                                             {"demote", Kind::kDemote},
                                             {"remove", Kind::kRemove}};
  const PeerId id = words->TakeId();
  std::vector<MemberChange> changes;
  while (words->more()) {
    const auto kind = kinds.find(words->Take("a change"));
    if (kind == kinds.end()) {
      words->Error("needs add, promote, demote or remove");
      break;
    }
    for (const PeerId member : words->TakeIds()) changes.push_back({kind->second, member, {}});
  }
  if (words->Done()) world().ChangeMembers(id, changes);
}

void Interpreter::Transfer(Words* words) {
  const PeerId id = words->TakeId();
  if (!words->TakeIf("to")) words->Error("needs \"to\" and a replica");
  const PeerId target = words->TakeId();
  if (words->Done()) world().Transfer(id, target);
}

void Interpreter::Compact(Words* words) {
  const PeerId id = words->TakeId();
  if (!words->TakeIf("to")) words->Error("needs \"to\" and an index");
  const Index upto(words->TakeNumber("an index"));
  if (words->Done()) world().Compact(id, upto);
}

void Interpreter::Recover(Words* words) {
  const std::vector<PeerId> survivors = words->TakeIds();
  if (words->Done()) world().Recover(survivors);
}

// --- Looking.

void Interpreter::Verbose(Words* words) {
  const bool off = words->TakeIf("off");
  if (words->Done()) world().verbose = !off;
}

void Interpreter::State(Words* words) {
  const std::vector<PeerId> ids = words->more() ? words->TakeIds() : world().ids();
  if (!words->Done()) return;
  for (const PeerId id : ids) {
    if (!world().exists(id)) return world().Fail("there is no replica " + Text(id));
    const Raft* raft = world().raft(id);
    if (raft == nullptr) {
      world().Tell(Text(id) + ": stopped");
      continue;
    }
    const View view = raft->view();
    world().Tell(Text(id) + ": " + Told(view) + " last=" + Told(view.last_log) +
                 " commit=" + Text(view.commit_index) + " " + Told(view.conf));
    for (const ProgressView& progress : view.progress) {
      const char* const state = progress.state == ProgressState::kProbe       ? "probe"
                                : progress.state == ProgressState::kReplicate ? "replicate"
                                                                              : "snapshot";
      world().Tell("   " + Text(progress.peer) + " " + state +
                   " match=" + Text(progress.match_index) + " next=" + Text(progress.next_index) +
                   (progress.recently_active ? "" : " silent"));
    }
  }
}

void Interpreter::Log(Words* words) {
  const std::vector<PeerId> ids = words->TakeIds();
  if (!words->Done()) return;
  for (const PeerId id : ids) {
    if (!world().exists(id)) return world().Fail("there is no replica " + Text(id));
    const ScenarioDisk& disk = world().disk(id);
    std::string line = Text(id) + ":";
    if (disk.base.last.index) line += " (after " + Told(disk.base.last) + ")";
    for (Index i = disk.base.last.index.next(); i <= disk.last_index(); ++i) {
      const StoredEntry& entry = *disk.At(i);
      line += " " + Told(EntryView{i, entry.term, entry.kind, entry.payload}) +
              (i == disk.last_index() ? "" : ",");
    }
    world().Tell(line);
  }
}

}  // namespace flaredb::raft
