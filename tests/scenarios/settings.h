// SPDX-License-Identifier: Apache-2.0
// The settings that a script's first command may give its replicas.
#ifndef FLAREDB_TESTS_SCENARIOS_SETTINGS_H_
#define FLAREDB_TESTS_SCENARIOS_SETTINGS_H_

#include <string>

#include "core/raft/config.h"

namespace flaredb::raft {

// Sets the value of Config that `key` names. False: no such value, or not a good one.
bool Configure(const std::string& key, const std::string& value, Config* config);

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_SCENARIOS_SETTINGS_H_
