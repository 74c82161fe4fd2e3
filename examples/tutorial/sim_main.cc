// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/sim_main.h"

#include "tickets.h"
#include "tickets_spec.h"

int main(int argc, char** argv) {
  const Tickets tickets;
  return sim::SimMain(About(&tickets, "bazel run :sim --"), argc, argv);
}
