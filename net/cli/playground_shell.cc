// SPDX-License-Identifier: Apache-2.0
#include "net/cli/playground_shell.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "net/cli/processes.h"

namespace flaredb::net {
namespace {

constexpr int kPatienceMs = 2000;
constexpr int kStepMs = 10;

bool IsInForeground() { return tcgetpgrp(STDIN_FILENO) == getpgrp(); }

}  // namespace

bool PlaygroundShell::HasTerminal() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && IsInForeground();
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
  if (!Ended()) {
    kill(pid_, SIGTERM);
    kill(pid_, SIGCONT);
    if (!EndsWithin(kPatienceMs)) {
      kill(pid_, SIGKILL);
      EndsWithin(kPatienceMs);
    }
  }
  // In the background the terminal is somebody else's, and would stop us for it.
  if (IsInForeground()) tcsetattr(STDIN_FILENO, TCSANOW, &settings_);
}

bool PlaygroundShell::EndsWithin(int milliseconds) {
  for (; milliseconds > 0 && !Ended(); milliseconds -= kStepMs) usleep(kStepMs * 1000);
  return ended_.has_value();
}

std::optional<int> PlaygroundShell::Ended() {
  int status = 0;
  if (!ended_ && waitpid(pid_, &status, WNOHANG) == pid_) ended_ = status;
  return ended_;
}

}  // namespace flaredb::net
