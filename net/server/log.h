// SPDX-License-Identifier: Apache-2.0
// The log of a process: lines for people on a terminal, JSON otherwise. Values of users never go
// into it, their keys only as LoggedKey shows them.
#ifndef FLAREDB_NET_SERVER_LOG_H_
#define FLAREDB_NET_SERVER_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/types.h"

namespace flaredb::net {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : uint8_t { kAuto, kHuman, kJson };  // kAuto: by where standard error leads.

struct LogOptions {
  LogFormat format = LogFormat::kAuto;
  LogLevel least = LogLevel::kInfo;  // Less important lines are left out.
  bool plain_keys = false;           // Show the users' keys instead of hiding them.
};

// Call it before there are other threads.
void SetLogOptions(const LogOptions& options);

// A named fact of a line. Names are lower case words.
struct LogField {
  LogField(std::string_view n, std::string v) : name(n), value(std::move(v)) {}
  LogField(std::string_view n, uint64_t v) : name(n), value(std::to_string(v)) {}
  template <typename Tag>
  LogField(std::string_view n, Ordinal<Tag> v) : LogField(n, v.value()) {}

  std::string_view name;
  std::string value;
};

// A key as the log may show it: "(12 bytes)", or the key itself if the operator wants it so. Keys
// tell of people (mail addresses, names of customers), and logs travel further than databases.
class LoggedKey {
 public:
  explicit LoggedKey(std::string_view key);
  std::string Text() const;

 private:
  size_t size_;
  std::string plain_;  // Empty unless plain_keys.
};

// Writes one line to standard error with one system call. Thread-safe.
//   people     12:03:04.123 info  listening  address=127.0.0.1:50051
//   JSON       {"time":"2026-01-31T12:03:04.123Z","level":"info","message":"listening",...}
void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

// The two formats, without the time's source: exposed for tests. `ms` counts from 1970, UTC.
std::string FormatHuman(int64_t ms, LogLevel level, std::string_view message,
                        std::initializer_list<LogField> fields);
std::string FormatJson(int64_t ms, LogLevel level, std::string_view message,
                       std::initializer_list<LogField> fields);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_LOG_H_
