// SPDX-License-Identifier: Apache-2.0
#include "net/server/replace_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "core/base/strings.h"

namespace flaredb::net {
namespace {

absl::Status SystemError(std::string_view action, const std::string& path, int error) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", ToAbsl(action), " ", path, ": ", std::strerror(error),
                   "; check that the data folder exists, is writable and has space"));
}

// Writes and syncs a new file.
absl::Status WriteSynced(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return SystemError("create", path, errno);
  const bool ok =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  const int error = errno;
  close(fd);
  return ok ? absl::OkStatus() : SystemError("write", path, error);
}

absl::Status SyncFolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SystemError("open", folder, errno);
  const bool ok = fsync(fd) == 0;
  const int error = errno;
  close(fd);
  return ok ? absl::OkStatus() : SystemError("sync", folder, error);
}

}  // namespace

absl::Status ReplaceFile(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".new";
  if (absl::Status s = WriteSynced(temporary, text); !s.ok()) return s;
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return SystemError("replace", path, errno);
  return SyncFolderOf(path);
}

}  // namespace flaredb::net
