// SPDX-License-Identifier: Apache-2.0
// Child processes, temporary folders and free ports for a cluster on this machine.
#ifndef FLAREDB_NET_CLI_PROCESSES_H_
#define FLAREDB_NET_CLI_PROCESSES_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace flaredb::net {

// The file that this process runs.
std::string OwnExecutable();

// Runs `arguments[0]` with its arguments, and without our FLAREDB_ variables, which would be
// settings of a server as well. Output and errors are appended to `log_path`, input is empty. The
// child has its own process group, so that a Ctrl-C of the terminal does not reach it, and gets
// SIGTERM when this process ends, however it ends.
absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& arguments, const std::string& log_path);

// The same on our terminal: in our process group, with our input and output.
absl::StatusOr<pid_t> SpawnOnTerminal(const std::vector<std::string>& arguments);

// Ports of 127.0.0.1 that are free at this moment: first, first + 1... if these are, any otherwise.
absl::StatusOr<std::vector<uint16_t>> FreePorts(uint16_t first, int count);

// The process that holds a lock on the file, or 0.
pid_t LockHolder(const std::string& path);

// The last line of a file that is not empty; "" when there is none.
std::string LastLine(const std::string& path);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_PROCESSES_H_
