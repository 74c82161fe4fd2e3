// SPDX-License-Identifier: Apache-2.0
// Logs of jepsen's etcd test, one event per line:
//   INFO  jepsen.util - PROCESS  :invoke|:ok|:fail|:info  :read|:write|:cas  VALUE
// VALUE is nil, a number, [from to] or :timed-out; words are split at any white space.
#ifndef FLAREDB_SIM_HISTORY_JEPSEN_PARSER_H_
#define FLAREDB_SIM_HISTORY_JEPSEN_PARSER_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/history/register_model.h"
#include "sim/history/wgl.h"

namespace flaredb::sim {

// The operations of the log `text`, with line numbers for event numbers.
//   :ok             took effect, with the answer given
//   :fail           had no effect; a compare-and-swap that names its values found another one
//   :info, nothing  unknown: may take effect at any later time
// `file` stands in errors only: InvalidArgument "FILE:LINE: what is wrong".
absl::StatusOr<std::vector<TimedOp<RegisterOp>>> ParseJepsenLog(std::string_view file,
                                                                std::string_view text);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_JEPSEN_PARSER_H_
