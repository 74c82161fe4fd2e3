// SPDX-License-Identifier: Apache-2.0
#include "net/server/members.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "core/base/strings.h"
#include "net/address.h"

namespace flaredb::net {
namespace {

constexpr std::string_view kFileHeader = "flaredb-members 1\n";

absl::Status BadMember(std::string_view part, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", ToAbsl(part), "\" in the list of stores ", ToAbsl(why),
                   ": write ID=HOST:PORT, such as 1=127.0.0.1:50051, separated by commas"));
}

absl::Status AddMember(std::string_view part, Members* members) {
  const size_t equals = part.find('=');
  if (equals == std::string_view::npos) return BadMember(part, "has no \"=\"");
  uint64_t id = 0;
  const char* end = part.data() + equals;
  const auto [parsed, error] = std::from_chars(part.data(), end, id);
  if (error != std::errc() || parsed != end || id == 0) {
    return BadMember(part, "has no id that is a number from 1 up");
  }
  const std::string_view address = part.substr(equals + 1);
  const absl::StatusOr<HostPort> host_port = ParseHostPort(address);
  if (!host_port.ok() || host_port->port == 0) return BadMember(part, "has no usable address");
  for (const auto& [other, other_address] : *members) {
    if (other_address == address) return BadMember(part, "repeats the address of another store");
  }
  if (!members->emplace(StoreId(id), std::string(address)).second) {
    return BadMember(part, "repeats the id of another store");
  }
  return absl::OkStatus();
}

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

absl::StatusOr<Members> ParseMembers(std::string_view text) {
  Members members;
  for (bool more = true; more;) {
    const size_t comma = text.find(',');
    more = comma != std::string_view::npos;
    if (absl::Status s = AddMember(text.substr(0, comma), &members); !s.ok()) return s;
    if (more) text.remove_prefix(comma + 1);
  }
  return members;
}

std::string FormatMembers(const Members& members) {
  std::string text;
  for (const auto& [id, address] : members) {
    absl::StrAppend(&text, text.empty() ? "" : ",", id.value(), "=", address);
  }
  return text;
}

uint64_t DeriveClusterId(const Members& members) {
  // FNV-1a, then scrambled: the text differs in few bits between clusters.
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : FormatMembers(members)) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  hash = Mix64(hash);
  return hash == 0 ? 1 : hash;
}

absl::StatusOr<std::optional<Members>> ReadMembersFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (errno == ENOENT) return std::optional<Members>();
    return SystemError("read", path, errno);
  }
  std::stringstream content;
  content << file.rdbuf();
  const std::string text = content.str();
  if (text.starts_with(kFileHeader) && text.ends_with('\n')) {
    const std::string_view line = std::string_view(text).substr(kFileHeader.size());
    absl::StatusOr<Members> members = ParseMembers(line.substr(0, line.size() - 1));
    if (members.ok()) return std::optional<Members>(*std::move(members));
  }
  return absl::DataLossError(
      absl::StrCat(path, " is damaged: start once with --initial-cluster to write it anew"));
}

absl::Status ReplaceFile(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".new";
  if (absl::Status s = WriteSynced(temporary, text); !s.ok()) return s;
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return SystemError("replace", path, errno);
  return SyncFolderOf(path);
}

absl::Status WriteMembersFile(const std::string& path, const Members& members) {
  return ReplaceFile(path, std::string(kFileHeader) + FormatMembers(members) + "\n");
}

}  // namespace flaredb::net
