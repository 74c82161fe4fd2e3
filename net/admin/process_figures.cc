// SPDX-License-Identifier: Apache-2.0
#include "net/admin/process_figures.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <vector>

namespace flaredb::net {
namespace {

// The fields of /proc/self/stat from the third one on: what stands before may hold blanks.
std::vector<std::string> StatFields() {
  std::ifstream file("/proc/self/stat");
  std::string text(std::istreambuf_iterator<char>(file), {});
  std::istringstream rest(text.substr(text.rfind(')') + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

double BootTimeSeconds() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

}  // namespace

ProcessFigures ReadProcessFigures(const std::string& data_dir) {
  ProcessFigures figures;
  // Numbers of proc(5), less the two fields before.
  constexpr size_t kUserTime = 14 - 3, kSystemTime = 15 - 3, kThreads = 20 - 3, kStart = 22 - 3,
                   kVirtual = 23 - 3, kResident = 24 - 3;
  const std::vector<std::string> fields = StatFields();
  if (fields.size() > kResident) {
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    figures.cpu_seconds = (std::stod(fields[kUserTime]) + std::stod(fields[kSystemTime])) / ticks;
    figures.start_time_seconds = BootTimeSeconds() + std::stod(fields[kStart]) / ticks;
    figures.threads = std::stoull(fields[kThreads]);
    figures.virtual_bytes = std::stoull(fields[kVirtual]);
    figures.resident_bytes =
        std::stoull(fields[kResident]) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  }
  std::error_code error;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++figures.open_fds;
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.max_fds = limit.rlim_cur;
  struct statvfs room {};
  if (statvfs(data_dir.c_str(), &room) == 0) {
    figures.disk_free_bytes = uint64_t{room.f_bavail} * room.f_frsize;
    figures.disk_size_bytes = uint64_t{room.f_blocks} * room.f_frsize;
  }
  return figures;
}

}  // namespace flaredb::net
