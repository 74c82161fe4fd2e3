// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/scenario.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <sstream>

#include "tests/scenarios/describe.h"
#include "tests/scenarios/world.h"

namespace flaredb::raft {
namespace {

template <typename T>
std::string Text(const T& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

// Scripts are about a few replicas, a few entries and some minutes. More is a slip of the pen, and
// the group would be busy with it for hours.
constexpr uint64_t kReplicaMax = 1000;
constexpr uint64_t kVotersMax = 100;
constexpr uint64_t kSpanMsMax = 3600 * 1000;
constexpr uint64_t kPayloadBytesMax = 16 << 20;

// "200ms", "2s".
std::optional<Duration> Span(std::string_view text) {
  const auto unit = [&](std::string_view suffix) -> std::optional<uint64_t> {
    if (!text.ends_with(suffix)) return std::nullopt;
    return Number(text.substr(0, text.size() - suffix.size()));
  };
  const auto ms = unit("ms");
  const auto s = unit("s");
  if (ms && *ms <= kSpanMsMax) return Duration::Milliseconds(static_cast<int64_t>(*ms));
  if (s && *s <= kSpanMsMax / 1000) return Duration::Seconds(static_cast<int64_t>(*s));
  return std::nullopt;
}

std::optional<PeerId> Id(std::string_view text) {
  const auto number = Number(text);
  if (!number || *number == 0 || *number > kReplicaMax) return std::nullopt;
  return PeerId(*number);
}

std::optional<std::vector<PeerId>> Ids(std::string_view text) {
  std::vector<PeerId> ids;
  if (text == "none") return ids;
  for (const std::string& part : Split(text, ',')) {
    const auto id = Id(part);
    if (!id) return std::nullopt;
    ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

// The words of one command line, read from the left. Reading past the end or something else than
// what is there notes an error and gives a value of no importance.
class Words {
 public:
  explicit Words(std::string_view line) {
    while (true) {
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      if (line.empty()) return;
      const bool quoted = line.front() == '"';
      const size_t end = std::min(quoted ? line.find('"', 1) : line.find(' '), line.size());
      words_.push_back({std::string(line.substr(quoted ? 1 : 0, end - (quoted ? 1 : 0))), quoted});
      line.remove_prefix(std::min(line.size(), end + (quoted ? 1 : 0)));
    }
  }

  bool more() const { return next_ < words_.size(); }
  bool NextIs(std::string_view word) const {
    return more() && !words_[next_].quoted && words_[next_].text == word;
  }
  bool NextIsQuoted() const { return more() && words_[next_].quoted; }
  bool TakeIf(std::string_view word) {
    if (!NextIs(word)) return false;
    ++next_;
    return true;
  }
  std::string Take(std::string_view what) {
    if (more()) return words_[next_++].text;
    Error("needs " + std::string(what));
    return "";
  }
  PeerId TakeId() {
    const auto id = Id(Take("a replica"));
    if (!id) Error("needs the number of a replica, from 1 to 1000");
    return id.value_or(PeerId(1));
  }
  std::vector<PeerId> TakeIds() {
    const auto ids = Ids(Take("replicas"));
    if (!ids) Error("needs replicas, as in 1,2,3");
    return ids.value_or(std::vector<PeerId>());
  }
  uint64_t TakeNumber(std::string_view what) {
    const auto number = Number(Take(what));
    if (!number) Error("needs " + std::string(what));
    return number.value_or(0);
  }
  Duration TakeDuration() {
    const auto duration = Span(Take("a duration"));
    if (!duration) Error("needs a duration, as in 200ms or 2s, of an hour at most");
    return duration.value_or(Duration());
  }
  // "voters=1,2 outgoing=1 learners=3", as far as there is something of it.
  ConfState TakeConf() {
    ConfState conf;
    for (; more(); ++next_) {
      const auto [key, value] = KeyValue(words_[next_].text);
      const auto ids = Ids(value);
      if (key == "voters" && ids) {
        conf.voters = *ids;
      } else if (key == "outgoing" && ids) {
        conf.voters_outgoing = *ids;
      } else if (key == "learners" && ids) {
        conf.learners = *ids;
      } else {
        break;
      }
    }
    return conf;
  }
  // "1->2", "1->", "->2" or "all"; then a kind of message; then "first" or "last".
  Selection TakeSelection() {
    Selection selection;
    const std::string link = Take("a link, as in 1->2, or all");
    if (link != "all") {
      const size_t arrow = link.find("->");
      const auto from = Number(link.substr(0, std::min(arrow, link.size())));
      const auto to = arrow == std::string::npos ? std::nullopt : Number(link.substr(arrow + 2));
      if (!from && !to) Error("needs a link, as in 1->2, 1-> or ->2, or all");
      if (from) selection.from = PeerId(*from);
      if (to) selection.to = PeerId(*to);
    }
    if (more() && IsKindName(words_[next_].text)) selection.kind = words_[next_++].text;
    if (TakeIf("first")) {
      selection.which = Selection::kFirst;
    } else if (TakeIf("last")) {
      selection.which = Selection::kLast;
    }
    return selection;
  }
  static std::pair<std::string, std::string> KeyValue(const std::string& word) {
    const size_t equals = std::min(word.find('='), word.size());
    return {word.substr(0, equals), word.substr(std::min(equals + 1, word.size()))};
  }

  void Error(std::string text) {
    if (error_.empty()) error_ = std::move(text);
  }
  // To be asked before anything is done: whether all words were read and made sense.
  bool Done() {
    if (more()) Error("does not know what \"" + words_[next_].text + "\" means here");
    return error_.empty();
  }
  const std::string& error() const { return error_; }

 private:
  struct Word {
    std::string text;
    bool quoted;
  };
  std::vector<Word> words_;
  size_t next_ = 0;
  std::string error_;
};

// Sets the value of Config that `key` names. False: no such value, or not a good one.
bool Configure(const std::string& key, const std::string& value, Config* config) {
  const std::map<std::string, Duration Config::*> durations = {
      {"election_timeout", &Config::election_timeout},
      {"heartbeat_interval", &Config::heartbeat_interval},
      {"disk_stall_timeout", &Config::disk_stall_timeout},
      {"snapshot_stall_timeout", &Config::snapshot_stall_timeout},
      {"snapshot_hold_timeout", &Config::snapshot_hold_timeout},
      {"rest_after", &Config::rest_after}};
  const std::map<std::string, size_t Config::*> sizes = {
      {"append_bytes_max", &Config::append_bytes_max},
      {"inflight_bytes_max", &Config::inflight_bytes_max},
      {"uncommitted_bytes_max", &Config::uncommitted_bytes_max},
      {"window_bytes_max", &Config::window_bytes_max},
      {"fetch_bytes_max", &Config::fetch_bytes_max},
      {"snapshot_chunk_bytes", &Config::snapshot_chunk_bytes},
      {"snapshot_hold_entries_max", &Config::snapshot_hold_entries_max},
      {"compact_retain_entries_max", &Config::compact_retain_entries_max}};
  const std::map<std::string, uint32_t Config::*> counts = {
      {"inflight_appends_max", &Config::inflight_appends_max},
      {"clock_drift_ppm_max", &Config::clock_drift_ppm_max}};
  if (const auto at = durations.find(key); at != durations.end()) {
    const auto duration = Span(value);
    if (!duration || *duration == Duration()) return false;
    config->*at->second = *duration;
    return true;
  }
  const auto number = Number(value);
  if (!number) return false;
  if (const auto at = sizes.find(key); at != sizes.end()) {
    config->*at->second = *number;
    return true;
  }
  if (const auto at = counts.find(key); at != counts.end() && *number <= UINT32_MAX) {
    config->*at->second = static_cast<uint32_t>(*number);
    return true;
  }
  return false;
}

// Carries out one command line after the other.
class Interpreter {
 public:
  // The lines that the command gave.
  std::vector<std::string> Run(std::string_view line);

 private:
  using Command = void (Interpreter::*)(Words*);
  static const std::map<std::string, Command, std::less<>>& commands();

  World& world() { return *world_; }
  const Raft* Running(PeerId id);

  // For commands that take replicas and nothing else.
  template <void (World::*method)(PeerId)>
  void ForEach(Words* words) {
    const std::vector<PeerId> ids = words->TakeIds();
    if (!words->Done()) return;
    for (const PeerId id : ids) (world().*method)(id);
  }
  template <void (World::*method)(const Selection&)>
  void OnMessages(Words* words) {
    const Selection selection = words->TakeSelection();
    if (words->Done()) (world().*method)(selection);
  }
  template <bool copy>
  void SetAside(Words* words);

  void Cluster(Words* words);
  void Start(Words* words);
  void SetDisk(Words* words);
  void Wipe(Words* words);
  void AllowPoison(Words* words);
  void Wait(Words* words);
  void Deadline(Words* words);
  void RunFor(Words* words);
  void Settle(Words* words);
  void Give(Words* words);
  void Cut(Words* words);
  void Isolate(Words* words);
  void Heal(Words* words);
  void Persist(Words* words);
  void Elect(Words* words);
  void Propose(Words* words);
  void Read(Words* words);
  void Change(Words* words);
  void Transfer(Words* words);
  void Compact(Words* words);
  void Recover(Words* words);
  void Verbose(Words* words);
  void State(Words* words);
  void Log(Words* words);
  void Expect(Words* words);

  void ExpectLeader(Words* words, bool any);
  void ExpectCommitted(Words* words);
  void ExpectRead(Words* words);
  void ExpectOf(PeerId id, const std::vector<std::string>& facts);
  // What the replica says to one fact; nullopt when there is no such fact. "yes" for what holds
  // and has no value.
  std::optional<std::string> Fact(PeerId id, const std::string& key) const;

  Config config_;
  std::unique_ptr<World> world_;
};

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

// --- Expectations.

void Interpreter::Expect(Words* words) {
  if (words->TakeIf("no")) return ExpectLeader(words, false);
  if (words->TakeIf("one")) return ExpectLeader(words, true);
  if (words->TakeIf("committed")) return ExpectCommitted(words);
  if (words->TakeIf("read")) return ExpectRead(words);
  if (words->TakeIf("quiet")) {
    if (words->Done() && world().messages_waiting() != 0) world().Fail("messages are under way");
    return;
  }
  const bool all = words->TakeIf("all");
  const std::vector<PeerId> ids = all ? world().ids() : words->TakeIds();
  std::vector<std::string> facts;
  while (words->more()) facts.push_back(words->Take("a fact"));
  if (facts.empty()) words->Error("needs a fact");
  if (!words->Done()) return;
  for (const PeerId id : ids) {
    if (!world().exists(id)) return world().Fail("there is no replica " + Text(id));
    ExpectOf(id, facts);
  }
}

void Interpreter::ExpectLeader(Words* words, bool any) {
  if (!words->TakeIf("leader")) words->Error("needs \"leader\" after no and one");
  if (!words->Done()) return;
  size_t leaders = 0;
  for (const PeerId id : world().ids()) {
    const Raft* raft = world().raft(id);
    leaders += raft != nullptr && raft->is_leader() ? 1 : 0;
  }
  if (leaders != (any ? 1U : 0U)) world().Fail(Text(leaders) + " replicas lead");
}

void Interpreter::ExpectCommitted(Words* words) {
  std::string expected;
  while (words->more()) expected += "\"" + words->Take("a payload") + "\" ";
  if (!words->Done()) return;
  std::string actual;
  for (const std::string& payload : world().committed_commands()) actual += "\"" + payload + "\" ";
  if (actual != expected) world().Fail("committed is " + (actual.empty() ? "nothing" : actual));
}

void Interpreter::ExpectRead(Words* words) {
  const uint64_t number = words->TakeNumber("the number of a read");
  const std::string fate = words->Take("granted, lost or waiting");
  if (!words->Done()) return;
  const std::string actual = world().FateOfRead(number);
  if (actual.empty()) return world().Fail("there is no read " + Text(number));
  if (actual != fate) world().Fail("read " + Text(number) + " is " + actual + ", not " + fate);
}

void Interpreter::ExpectOf(PeerId id, const std::vector<std::string>& facts) {
  for (const std::string& fact : facts) {
    const auto [word, value] = Words::KeyValue(fact);
    const std::string expected = value.empty() ? "yes" : value;
    // "leader" is a role, "leader=2" whom the replica takes for the leader.
    const std::string key = fact == "leader" ? "leads" : word;
    const auto actual = Fact(id, key);
    if (!actual) {
      world().Fail("there is no fact \"" + key + "\"");
    } else if (*actual != expected) {
      world().Fail("replica " + Text(id) + ": " + key + " is " + *actual + ", not " + expected);
    }
  }
}

std::optional<std::string> Interpreter::Fact(PeerId id, const std::string& key) const {
  const auto yes = [](bool holds) -> std::string { return holds ? "yes" : "no"; };
  const auto or_none = [](PeerId peer) { return peer ? Text(peer) : "none"; };
  const ScenarioDisk& disk = world_->disk(id);
  if (key == "base") return Told(disk.base.last);
  if (key == "applied") return Text(world_->applied_index(id));
  if (key == "log") {
    std::string terms;
    for (const StoredEntry& entry : disk.log)
      terms += (terms.empty() ? "" : ",") + Text(entry.term);
    return terms.empty() ? "none" : terms;
  }
  const Raft* raft = world_->raft(id);
  if (key == "stopped") return yes(raft == nullptr);
  if (raft == nullptr) return "unknown, for it does not run";
  const View view = raft->view();
  for (const Role role : {Role::kFollower, Role::kPreCandidate, Role::kCandidate}) {
    if (key == Told(role)) return yes(view.role == role);
  }
  if (key == "leads") return yes(view.role == Role::kLeader);
  if (key == "leader") return or_none(view.leader);
  if (key == "term") return Text(view.term);
  if (key == "vote") return or_none(view.vote);
  if (key == "commit") return Text(view.commit_index);
  if (key == "durable") return Text(view.durable_index);
  if (key == "last") return Told(view.last_log);
  if (key == "voters") return Join(view.conf.voters);
  if (key == "outgoing") return Join(view.conf.voters_outgoing);
  if (key == "learners") return Join(view.conf.learners);
  if (key == "transferee") return or_none(view.transferee);
  if (key == "resting") return yes(view.resting);
  if (key == "awake") return yes(!view.resting);
  if (key == "lease") return yes(world_->HoldsLease(id));
  if (key == "no-lease") return yes(!world_->HoldsLease(id));
  if (key == "poisoned") return yes(!raft->poison().empty());
  if (key == "asleep") return yes(raft->next_deadline() == Instant::Max());
  return std::nullopt;
}

// The lines at the top of a script: the sentence that it proves, and where that comes from.
std::string CheckHeader(const std::vector<std::string>& lines) {
  size_t end = 0;
  while (end < lines.size() && lines[end].starts_with("# ")) ++end;
  if (end < 2 || !lines[end - 2].ends_with(".") || !lines[end - 1].starts_with("# Source: ")) {
    return "line 1: a script begins with the sentence that it proves, and a line \"# Source: ...\"";
  }
  return "";
}

}  // namespace

ScenarioRun RunScenario(std::string_view script) {
  ScenarioRun run;
  std::vector<std::string> lines = Split(script, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (std::string error = CheckHeader(lines); !error.empty()) run.failures.push_back(error);
  Interpreter interpreter;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (line.starts_with(" ")) continue;  // The output of an earlier run.
    run.transcript += line + "\n";
    if (line.empty() || line.starts_with("#")) continue;
    for (const std::string& output : interpreter.Run(line)) {
      run.transcript += "  " + output + "\n";
      if (output.starts_with("FAILURE: ")) {
        run.failures.push_back("line " + std::to_string(i + 1) + ", " + line + ": " +
                               output.substr(9));
      }
    }
  }
  return run;
}

std::string FirstDifference(std::string_view expected, std::string_view actual) {
  if (expected == actual) return "";
  const std::vector<std::string> want = Split(expected, '\n');
  const std::vector<std::string> got = Split(actual, '\n');
  size_t i = 0;
  while (i < want.size() && i < got.size() && want[i] == got[i]) ++i;
  const auto at = [i](const std::vector<std::string>& lines) {
    return i < lines.size() ? lines[i] : std::string("(the end)");
  };
  std::string command;
  for (size_t c = i; c-- > 0 && command.empty();) {
    if (!got[c].empty() && !got[c].starts_with(" ") && !got[c].starts_with("#")) command = got[c];
  }
  return "line " + std::to_string(i + 1) + ", after \"" + command + "\"\n  expected: " + at(want) +
         "\n  came:     " + at(got);
}

}  // namespace flaredb::raft
