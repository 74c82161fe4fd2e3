// SPDX-License-Identifier: Apache-2.0
// The shell that a playground opens for a person.
#ifndef FLAREDB_NET_CLI_PLAYGROUND_SHELL_H_
#define FLAREDB_NET_CLI_PLAYGROUND_SHELL_H_

#include <sys/types.h>
#include <termios.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace flaredb::net {

// `flaredb shell` on the terminal of this process, as a child.
class PlaygroundShell {
 public:
  // Whether a person is there: standard input and output are a terminal.
  static bool HasTerminal();
  // `addresses` are what --addr takes. SIGCHLD tells the caller to look whether it has ended.
  static absl::StatusOr<std::unique_ptr<PlaygroundShell>> Start(const std::string& executable,
                                                                const std::string& addresses);
  // Ends it, and gives the terminal its settings back, if nobody has left it.
  ~PlaygroundShell();
  PlaygroundShell(const PlaygroundShell&) = delete;
  PlaygroundShell& operator=(const PlaygroundShell&) = delete;

  // Does not wait.
  bool HasEnded();

 private:
  PlaygroundShell(pid_t pid, const termios& settings) : pid_(pid), settings_(settings) {}

  pid_t pid_;  // 0 when it has ended.
  const termios settings_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_PLAYGROUND_SHELL_H_
