// SPDX-License-Identifier: Apache-2.0
// What scripts expect of replicas.
#ifndef FLAREDB_TESTS_SCENARIOS_EXPECTATIONS_H_
#define FLAREDB_TESTS_SCENARIOS_EXPECTATIONS_H_

#include "tests/scenarios/words.h"
#include "tests/scenarios/world.h"

namespace flaredb::raft {

// Carries out the command "expect", whose other words are `words`: what does not hold fails in
// `world`.
void Expect(World* world, Words* words);

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_SCENARIOS_EXPECTATIONS_H_
