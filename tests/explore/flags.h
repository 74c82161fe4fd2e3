// SPDX-License-Identifier: Apache-2.0
// The command line of the explorer.
#ifndef FLAREDB_TESTS_EXPLORE_FLAGS_H_
#define FLAREDB_TESTS_EXPLORE_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/explore/scope.h"

namespace flaredb::explore {

struct Flags {
  bool help = false;
  uint64_t states_max = 1'000'000;  // Of all scopes together.
  std::vector<Scope> scopes;
};

// INVALID_ARGUMENT with one sentence for the user when `arguments` make no sense.
absl::StatusOr<Flags> ParseFlags(const std::vector<std::string>& arguments);

// What --help prints.
std::string Usage();

}  // namespace flaredb::explore

#endif  // FLAREDB_TESTS_EXPLORE_FLAGS_H_
