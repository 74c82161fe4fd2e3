// SPDX-License-Identifier: Apache-2.0
// Logs of a string map, one event per line:
//   {:process 0, :type :invoke, :f :append, :key "0", :value "x 0 0 y"}
// with :type :invoke, :ok, :fail or :info, and :f :get, :put or :append.
#ifndef FLAREDB_SIM_HISTORY_KV_PARSER_H_
#define FLAREDB_SIM_HISTORY_KV_PARSER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/history/kv_model.h"
#include "sim/history/wgl.h"

namespace flaredb::sim {

struct KvHistory {
  StringTable strings;            // Numbers the values.
  std::vector<std::string> keys;  // By number.
  std::vector<TimedOp<KvOp>> ops;
};

// The operations of the log `text`, with line numbers for event numbers. :ok took effect, with the
// answer given; :fail had no effect; :info or nothing: unknown.
// `file` stands in errors only: InvalidArgument "FILE:LINE: what is wrong".
absl::StatusOr<KvHistory> ParseKvLog(std::string_view file, std::string_view text);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_KV_PARSER_H_
