// SPDX-License-Identifier: Apache-2.0
// Campaigns about the lock service.
#include "sim/campaign/sim_main.h"

#include "examples/locks/lock_spec.h"

int main(int argc, char** argv) {
  const flaredb::examples::LockService locks;
  return flaredb::sim::SimMain(flaredb::examples::AboutLocks(&locks), argc, argv);
}
