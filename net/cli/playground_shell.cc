// SPDX-License-Identifier: Apache-2.0
#include "net/cli/playground_shell.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "net/cli/processes.h"

namespace flaredb::net {

bool PlaygroundShell::HasTerminal() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

absl::StatusOr<std::unique_ptr<PlaygroundShell>> PlaygroundShell::Start(
    const std::string& executable, const std::string& addresses) {
  termios settings{};
  tcgetattr(STDIN_FILENO, &settings);
  absl::StatusOr<pid_t> pid = SpawnOnTerminal({executable, "shell", "--addr", addresses});
  if (!pid.ok()) return pid.status();
  return std::unique_ptr<PlaygroundShell>(new PlaygroundShell(*pid, settings));
}

PlaygroundShell::~PlaygroundShell() {
  if (pid_ == 0) return;
  kill(pid_, SIGTERM);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  tcsetattr(STDIN_FILENO, TCSANOW, &settings_);
}

bool PlaygroundShell::HasEnded() {
  if (pid_ != 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
  return pid_ == 0;
}

}  // namespace flaredb::net
