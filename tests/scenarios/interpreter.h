// SPDX-License-Identifier: Apache-2.0
// The commands of scenario scripts.
#ifndef FLAREDB_TESTS_SCENARIOS_INTERPRETER_H_
#define FLAREDB_TESTS_SCENARIOS_INTERPRETER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/raft/config.h"
#include "tests/scenarios/expectations.h"
#include "tests/scenarios/words.h"
#include "tests/scenarios/world.h"

namespace flaredb::raft {

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
  void Expect(Words* words) { raft::Expect(&world(), words); }

  Config config_;
  std::unique_ptr<World> world_;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_SCENARIOS_INTERPRETER_H_
