// SPDX-License-Identifier: Apache-2.0
// What the simulator needs to know of the lock service: what clients do, a model of one lock, and
// what has to hold.
#ifndef FLAREDB_EXAMPLES_LOCKS_LOCK_SPEC_H_
#define FLAREDB_EXAMPLES_LOCKS_LOCK_SPEC_H_

#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "examples/locks/lock_service.h"
#include "sim/machine_spec.h"

namespace flaredb::examples {

// One lock, as a list of its grants.
class LockModel {
 public:
  std::string Execute(std::string_view command) {
    std::istringstream in{std::string(command)};
    std::string verb;
    std::string owner;
    uint64_t token = 0;
    uint64_t renewals = 0;
    in >> verb;
    if (verb == "expire") {
      in >> token >> renewals;
    } else {
      in >> owner >> token;
    }
    bool ok = false;
    if (verb == "acquire") {
      const uint64_t mine = token + 1;
      if (!held_ && mine == last_ + 1) {
        last_ = mine;
        owner_ = owner;
        held_ = true;
        renewals_ = 0;
      }
      ok = mine == last_ && owner == owner_;
    } else if (token == last_ && verb == "expire") {
      ok = !held_ || renewals == renewals_;
      if (ok) End();
    } else if (token == last_ && owner == owner_) {
      ok = verb == "release" || held_;
      if (verb == "renew" && held_) ++renewals_;
      if (verb == "release") End();
    }
    return (ok ? "ok " : "no ") + State();
  }
  std::string Query(std::string_view) const { return State(); }
  std::string State() const {
    return std::string(held_ ? "held " : "free ") + std::to_string(last_) + " " + owner_ + " " +
           std::to_string(renewals_);
  }

 private:
  void End() {
    held_ = false;
    renewals_ = 0;
  }

  uint64_t last_ = 0;
  std::string owner_ = "-";
  bool held_ = false;
  uint64_t renewals_ = 0;
};

class LockSpec : public sim::MachineSpec {
 public:
  // `service` outlives this object.
  explicit LockSpec(const StateMachine* service) : service_(service) {}

  const StateMachine& machine() const override { return *service_; }
  sim::ObjectModel NewModel() const override { return LockModel(); }

  // Clients take locks, keep them up, give them back, and watch those of others. They know what the
  // last answer to anybody said.
  sim::MachineOp NextOperation(sim::ClientChoices* choices) override {
    const std::string name = "lock" + std::to_string(choices->Pick(3));
    const std::string owner = "client" + std::to_string(choices->client());
    const Lock& known = known_[name];
    const bool mine = known.held && known.owner == owner;
    const uint64_t token = choices->Chance(90) ? known.token : choices->Pick(known.token + 2);
    if (choices->Chance(20)) return {name, "", true};
    if (mine && choices->Chance(40)) return {name, Renew(owner, token)};
    if (mine || choices->Chance(10)) return {name, Release(owner, token)};
    if (known.held && choices->Chance(50)) return {name, Expire(token, known.renewals)};
    return {name, Acquire(owner, token)};
  }
  void OnAnswer(uint32_t, const sim::MachineOp& op, std::string_view answer) override {
    known_[op.object] = DecodeLock(op.query ? answer : answer.substr(3));
  }

  // What a lock service is for, said without the model.
  std::optional<std::string> Check(const sim::Executed& executed, const ObjectRows&) override {
    const Lock now = DecodeLock(executed.answer.substr(3));
    Lock& before = locks_[executed.object];
    std::optional<std::string> broken;
    if (now.token < before.token) {
      broken = "the token went back from " + std::to_string(before.token) + ".";
    } else if (now.token == before.token && now.owner != before.owner && now.token != 0) {
      broken = "the same token was given to " + before.owner + " before.";
    } else if (now.token > before.token && before.held) {
      broken = before.owner + " holds the lock with token " + std::to_string(before.token) + ".";
    } else if (now.token == before.token && now.held && !before.held) {
      broken = "a grant that was over is in force again.";
    }
    before = now;
    return broken;
  }

 private:
  const StateMachine* service_;
  std::map<std::string, Lock> known_;  // To clients.
  std::map<std::string, Lock> locks_;  // By the log.
};

// For a campaign about `service`, which outlives it.
inline sim::Subject AboutLocks(const StateMachine* service) {
  return {[service] { return std::make_unique<LockSpec>(service); },
          "./bazelw run //examples/locks:sim --"};
}

}  // namespace flaredb::examples

#endif  // FLAREDB_EXAMPLES_LOCKS_LOCK_SPEC_H_
