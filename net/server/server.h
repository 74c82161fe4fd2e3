// SPDX-License-Identifier: Apache-2.0
// One store as a process: from flags to a running server, and to an orderly end.
#ifndef FLAREDB_NET_SERVER_SERVER_H_
#define FLAREDB_NET_SERVER_SERVER_H_

#include "absl/status/status.h"
#include "net/server/disk.h"
#include "net/server/start_plan.h"

namespace flaredb::net {

// Runs the store that `flags` describe until SIGINT or SIGTERM, then answers the calls that can be
// answered within a few seconds, finishes the disk's writes and returns OK. A second signal skips
// the waiting. Call it before the process has other threads.
// Errors are one sentence:
//   INVALID_ARGUMENT     the flags make no sense
//   FAILED_PRECONDITION  the data folder is in use, or belongs to another store or cluster
//   DATA_LOSS            the data folder is damaged
//   others               the address, the folder or the disk can't be used; the disk failed
absl::Status RunServer(const StartFlags& flags, const OpenDisk& open_disk);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_SERVER_H_
