// SPDX-License-Identifier: Apache-2.0
// What the operating system says of this process and of its disk's room.
#ifndef FLAREDB_NET_ADMIN_PROCESS_FIGURES_H_
#define FLAREDB_NET_ADMIN_PROCESS_FIGURES_H_

#include <cstdint>
#include <string>

namespace flaredb::net {

struct ProcessFigures {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // Since 1970.
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t open_fds = 0;
  uint64_t max_fds = 0;
  uint64_t threads = 0;
  uint64_t disk_free_bytes = 0;  // Of the file system that holds the data folder, for this user.
  uint64_t disk_size_bytes = 0;
};

// What can't be read stays 0. About 50 us. Thread-safe.
ProcessFigures ReadProcessFigures(const std::string& data_dir);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_ADMIN_PROCESS_FIGURES_H_
