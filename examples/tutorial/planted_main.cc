// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/sim_main.h"

#include "tickets.h"
#include "tickets_spec.h"

// Remembers the last number instead of reading it.
class HastyTickets : public Tickets {
 public:
  std::string Apply(std::string_view, flaredb::MutableObjectRows* rows) const override {
    const std::string number = std::to_string(++last_);
    rows->Put("last", number);
    return number;
  }

 private:
  mutable int last_ = 0;
};

int main(int argc, char** argv) {
  const HastyTickets tickets;
  return sim::SimMain(About(&tickets, "bazel run :planted --"), argc, argv);
}
