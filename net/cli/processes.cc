// SPDX-License-Identifier: Apache-2.0
#include "net/cli/processes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace flaredb::net {
namespace {

absl::Status SystemError(const std::string& action) {
  return absl::UnavailableError(absl::StrCat("cannot ", action, ": ", std::strerror(errno)));
}

// A socket bound to the port (0: any free one), or -1.
int Bind(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  // Listening as well: a bound socket alone does not collide with a listening one of SO_REUSEADDR.
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 && listen(fd, 1) == 0) {
    return fd;
  }
  close(fd);
  return -1;
}

uint16_t PortOf(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// Where a child's input and output go; none: where ours do, and it is of our process group.
using LogFd = std::optional<int>;

// In the child, between fork and exec: async-signal-safe calls only.
[[noreturn]] void BecomeChild(char* const* arguments, char* const* environment, LogFd log_fd,
                              pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(0);  // It ended before the request above.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (log_fd.has_value()) {
    setpgid(0, 0);
    const int input = open("/dev/null", O_RDONLY);
    dup2(input, STDIN_FILENO);
    dup2(*log_fd, STDOUT_FILENO);
    dup2(*log_fd, STDERR_FILENO);
  }
  execve(arguments[0], arguments, environment);
  _exit(127);
}

absl::StatusOr<pid_t> Start(const std::vector<std::string>& arguments, LogFd log_fd) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("FLAREDB_")) variables.push_back(*variable);
  }
  variables.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) BecomeChild(argv.data(), variables.data(), log_fd, parent);
  if (pid < 0) return SystemError("start a process");
  return pid;
}

}  // namespace

std::string OwnExecutable() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& arguments,
                            const std::string& log_path) {
  const int log_fd = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log_fd < 0) return SystemError("create " + log_path);
  absl::StatusOr<pid_t> pid = Start(arguments, log_fd);
  close(log_fd);
  return pid;
}

absl::StatusOr<pid_t> SpawnOnTerminal(const std::vector<std::string>& arguments) {
  return Start(arguments, std::nullopt);
}

absl::StatusOr<std::vector<uint16_t>> FreePorts(uint16_t first, int count) {
  for (const bool preferred : {true, false}) {
    // All are held until all are found, so that none is found twice.
    std::vector<int> sockets;
    std::vector<uint16_t> ports;
    for (int i = 0; i < count; ++i) {
      const int fd = Bind(preferred ? static_cast<uint16_t>(first + i) : 0);
      if (fd < 0) break;
      sockets.push_back(fd);
      ports.push_back(PortOf(fd));
    }
    for (const int fd : sockets) close(fd);
    if (ports.size() == static_cast<size_t>(count)) return ports;
  }
  return SystemError("find free ports on 127.0.0.1");
}

pid_t LockHolder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return 0;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool asked = fcntl(fd, F_GETLK, &lock) == 0;
  close(fd);
  return asked && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

std::string LastLine(const std::string& path) {
  std::ifstream file(path);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace flaredb::net
