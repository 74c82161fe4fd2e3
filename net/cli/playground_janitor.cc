// SPDX-License-Identifier: Apache-2.0
#include "net/cli/playground_janitor.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "net/cli/processes.h"

namespace flaredb::net {
namespace {

constexpr auto kStep = std::chrono::milliseconds(20);
// A store ends by SIGTERM within its own limits; after these steps it is killed.
constexpr int kStepsUntilKill = 250;
constexpr int kStepsMax = 500;

// Signals the holders of the folders' locks; false when there are none any more.
bool SignalHolders(const std::vector<std::string>& stores, int signal) {
  bool any = false;
  for (const std::string& store : stores) {
    const pid_t holder = LockHolder(store + "/db/LOCK");
    if (holder <= 0) continue;
    any = true;
    kill(holder, signal);
  }
  return any;
}

void CleanUp(const std::string& folder, const std::vector<std::string>& stores) {
  std::error_code error;
  for (int step = 0; step < kStepsMax; ++step) {
    // 0 asks only; a store that is ending must not be told again.
    const int signal = step == 0 ? SIGTERM : step < kStepsUntilKill ? 0 : SIGKILL;
    if (!SignalHolders(stores, signal)) {
      std::filesystem::remove_all(folder, error);
      if (!std::filesystem::exists(folder, error)) return;
    }
    std::this_thread::sleep_for(kStep);
  }
}

[[noreturn]] void RunJanitor(int pipe_fd, const std::string& folder,
                             const std::vector<std::string>& stores) {
  // Out of reach of the terminal's signals: it must live longer than its maker.
  setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_IGN);
  char byte;
  while (read(pipe_fd, &byte, 1) < 0 && errno == EINTR) {
  }
  CleanUp(folder, stores);
  _exit(0);
}

}  // namespace

absl::StatusOr<PlaygroundJanitor> PlaygroundJanitor::Start(const std::string& folder,
                                                           const std::vector<std::string>& stores) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot open a pipe: ", std::strerror(errno)));
  }
  const pid_t pid = fork();
  if (pid == 0) {
    close(fds[1]);
    RunJanitor(fds[0], folder, stores);
  }
  close(fds[0]);
  if (pid < 0) {
    close(fds[1]);
    return absl::UnavailableError(absl::StrCat("cannot start a process: ", std::strerror(errno)));
  }
  return PlaygroundJanitor(pid, fds[1]);
}

void PlaygroundJanitor::Finish() {
  close(pipe_fd_);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace flaredb::net
