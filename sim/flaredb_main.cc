// SPDX-License-Identifier: Apache-2.0
// Campaigns about FlareDB itself.
#include "sim/campaign/sim_main.h"

int main(int argc, char** argv) { return flaredb::sim::SimMain({}, argc, argv); }
