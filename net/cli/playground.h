// SPDX-License-Identifier: Apache-2.0
// A cluster of three stores on this machine, for trying things out.
#ifndef FLAREDB_NET_CLI_PLAYGROUND_H_
#define FLAREDB_NET_CLI_PLAYGROUND_H_

#include <cstdint>

#include "absl/status/status.h"

namespace flaredb::net {

enum class PlaygroundUse : uint8_t { kShell, kWait };

// Starts three stores as processes of their own, in a temporary folder and on free ports (50051 to
// 50053 if these are), tells on standard output how to use them, and stays: with kShell as long as
// its user stays in a shell that it opens, with kWait until SIGINT; and until SIGTERM or SIGHUP. A
// store that ends meanwhile is reported and not started again. At the end, also at one by SIGKILL,
// the stores and the folder are gone. Errors are one sentence.
absl::Status RunPlayground(PlaygroundUse use);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_PLAYGROUND_H_
