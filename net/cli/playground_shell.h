// SPDX-License-Identifier: Apache-2.0
// The shell that a playground opens for a person.
#ifndef FLAREDB_NET_CLI_PLAYGROUND_SHELL_H_
#define FLAREDB_NET_CLI_PLAYGROUND_SHELL_H_

#include <sys/types.h>
#include <termios.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace flaredb::net {

// `flaredb shell` on the terminal of this process, as a child.
class PlaygroundShell {
 public:
  // Whether a person is there: standard input and output are a terminal, which listens to us.
  static bool HasTerminal();
  // `addresses` are what --addr takes. SIGCHLD tells the caller to look whether it has ended.
  static absl::StatusOr<std::unique_ptr<PlaygroundShell>> Start(const std::string& executable,
                                                                const std::string& addresses);
  // Ends it, if nobody has left it, and gives the terminal its settings back: whoever dies while a
  // line is edited does not.
  ~PlaygroundShell();
  PlaygroundShell(const PlaygroundShell&) = delete;
  PlaygroundShell& operator=(const PlaygroundShell&) = delete;

  // Its end, as waitpid tells it; nullopt when it has not ended. Does not wait.
  std::optional<int> Ended();

 private:
  PlaygroundShell(pid_t pid, const termios& settings) : pid_(pid), settings_(settings) {}
  bool EndsWithin(int milliseconds);

  const pid_t pid_;
  const termios settings_;
  std::optional<int> ended_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_PLAYGROUND_SHELL_H_
