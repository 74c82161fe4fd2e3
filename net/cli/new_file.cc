// SPDX-License-Identifier: Apache-2.0
#include "net/cli/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace flaredb::net {
namespace {

absl::Status SystemError(const char* action, const std::string& path, int error,
                         const char* option) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", action, " ", path, ": ", std::strerror(error), "; check ", option));
}

}  // namespace

absl::Status WriteNewFile(const std::string& path, const std::string& text, mode_t mode,
                          const char* option) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return SystemError("create", path, errno, option);
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (close(fd) == 0 && written) return absl::OkStatus();
  unlink(path.c_str());
  return SystemError("write", path, error, option);
}

}  // namespace flaredb::net
