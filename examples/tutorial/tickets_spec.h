// SPDX-License-Identifier: Apache-2.0
#ifndef TICKETS_SPEC_H_
#define TICKETS_SPEC_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "sim/machine_spec.h"

namespace sim = flaredb::sim;

// The model: one object, as simply as it can be said.
struct TicketsModel {
  std::string Execute(std::string_view) { return std::to_string(++last); }
  std::string Query(std::string_view) const { return std::to_string(last); }
  std::string State() const { return std::to_string(last); }

  int last = 0;
};

class TicketsSpec : public sim::MachineSpec {
 public:
  explicit TicketsSpec(const flaredb::StateMachine* machine) : machine_(machine) {}

  const flaredb::StateMachine& machine() const override { return *machine_; }
  sim::ObjectModel NewModel() const override { return TicketsModel(); }

  // The workload: two objects, three numbers taken for each look.
  sim::MachineOp NextOperation(sim::ClientChoices* choices) override {
    const std::string object = choices->Chance(50) ? "red" : "blue";
    return {object, "take", /*query=*/choices->Chance(25)};
  }

  // The invariant: no number is given twice.
  std::optional<std::string> Check(const sim::Executed& executed,
                                   const flaredb::ObjectRows&) override {
    if (given_.insert({executed.object, executed.answer}).second) return std::nullopt;
    return "this number was given before.";
  }

 private:
  const flaredb::StateMachine* machine_;
  std::set<std::pair<std::string, std::string>> given_;
};

inline sim::Subject About(const flaredb::StateMachine* machine, std::string command) {
  return {[machine] { return std::make_unique<TicketsSpec>(machine); }, std::move(command)};
}

#endif  // TICKETS_SPEC_H_
