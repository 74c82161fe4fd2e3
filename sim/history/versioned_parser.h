// SPDX-License-Identifier: Apache-2.0
// Logs of strong operations on FlareDB's keys, one event per line, in the order of events:
//   3 invoke get apple
//   3 ok 7 41                 found, at version 7, with value 41
//   3 ok 0                    not found
//   3 invoke cas apple 7 42   expected version, new value
//   3 ok 8                    the version that it produced
//   3 invoke cas_delete apple 8
//   3 ok
//   3 mismatch 9              the version that was there, of either write
// The first word is the client, who has one operation open at a time. Any operation may also end
// with "fail" (certainly without effect) or "info" (nobody knows), or not at all. Keys have no
// white space; values are numbers, each written once.
#ifndef FLAREDB_SIM_HISTORY_VERSIONED_PARSER_H_
#define FLAREDB_SIM_HISTORY_VERSIONED_PARSER_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "sim/history/history.h"

namespace flaredb::sim {

// `file` stands in errors only: InvalidArgument "FILE:LINE: what is wrong".
absl::StatusOr<VersionedHistory> ParseVersionedLog(std::string_view file, std::string_view text);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_VERSIONED_PARSER_H_
