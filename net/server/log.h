// SPDX-License-Identifier: Apache-2.0
// The log of a process: lines for people on a terminal, JSON otherwise. Keys and values of users
// never go into it.
#ifndef FLAREDB_NET_SERVER_LOG_H_
#define FLAREDB_NET_SERVER_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/types.h"

namespace flaredb::net {

enum class LogLevel : uint8_t { kInfo, kWarn, kError };

// A named fact of a line. Names are lower case words.
struct LogField {
  LogField(std::string_view n, std::string v) : name(n), value(std::move(v)) {}
  LogField(std::string_view n, uint64_t v) : name(n), value(std::to_string(v)) {}
  template <typename Tag>
  LogField(std::string_view n, Ordinal<Tag> v) : LogField(n, v.value()) {}

  std::string_view name;
  std::string value;
};

// Writes one line to standard error with one system call. Thread-safe.
//   terminal   12:03:04.123 info  listening  address=127.0.0.1:50051
//   otherwise  {"time":"2026-01-31T12:03:04.123Z","level":"info","message":"listening",...}
void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

// The two formats, without the time's source: exposed for tests. `ms` counts from 1970, UTC.
std::string FormatHuman(int64_t ms, LogLevel level, std::string_view message,
                        std::initializer_list<LogField> fields);
std::string FormatJson(int64_t ms, LogLevel level, std::string_view message,
                       std::initializer_list<LogField> fields);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_LOG_H_
