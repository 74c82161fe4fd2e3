// SPDX-License-Identifier: Apache-2.0
// Campaigns about the placement driver.
#include "core/pd/pd_machine.h"
#include "sim/campaign/sim_main.h"
#include "sim/pd/pd_spec.h"

int main(int argc, char** argv) {
  const flaredb::pd::PdMachine machine;
  return flaredb::sim::SimMain(flaredb::sim::AboutPd(&machine), argc, argv);
}
