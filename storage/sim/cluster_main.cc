// SPDX-License-Identifier: Apache-2.0
// Campaigns about FlareDB on the production storage layer.
#include <memory>

#include "sim/campaign/sim_main.h"
#include "storage/sim/store_disk.h"

int main(int argc, char** argv) {
  flaredb::sim::Subject subject;
  subject.command = "./bazelw run //storage/sim:cluster --";
  subject.new_real_disk = [](uint64_t seed) {
    return std::make_unique<flaredb::storage::StoreDisk>(seed);
  };
  return flaredb::sim::SimMain(subject, argc, argv);
}
