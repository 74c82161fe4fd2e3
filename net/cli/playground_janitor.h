// SPDX-License-Identifier: Apache-2.0
// Sees to it that nothing of a playground outlives it, not even when it is killed.
#ifndef FLAREDB_NET_CLI_PLAYGROUND_JANITOR_H_
#define FLAREDB_NET_CLI_PLAYGROUND_JANITOR_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace flaredb::net {

// A process of its own that waits for the end of the one that made it. Then it ends whoever still
// holds a store's folder, be it a store that somebody started by hand, and removes everything.
class PlaygroundJanitor {
 public:
  // `stores` are the data folders below `folder`. Call it before any thread is started.
  static absl::StatusOr<PlaygroundJanitor> Start(const std::string& folder,
                                                 const std::vector<std::string>& stores);

  // Has it clean up now, and waits until it is done.
  void Finish();

 private:
  PlaygroundJanitor(pid_t pid, int pipe_fd) : pid_(pid), pipe_fd_(pipe_fd) {}

  pid_t pid_;
  int pipe_fd_;  // Its end, by whatever cause, is the signal. Not inherited by other children.
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_PLAYGROUND_JANITOR_H_
