// SPDX-License-Identifier: Apache-2.0
#include "net/server/log.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <ctime>

#include "net/utf8.h"

namespace flaredb::net {
namespace {

LogOptions g_options;

const char* NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "";
}

std::string FormatTime(const char* format, int64_t ms) {
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  const size_t size = std::strftime(text, sizeof(text), format, &utc);
  char fraction[8];
  std::snprintf(fraction, sizeof(fraction), ".%03d", static_cast<int>(ms % 1000));
  return std::string(text, size) + fraction;
}

// Escapes what would break a line or a JSON string.
void AppendEscaped(std::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    const size_t length = PrintableBeyondAscii(text.substr(i));
    if (length > 0) {
      out->append(text.substr(i, length));
      i += length - 1;
    } else if (c == '"' || c == '\\') {
      *out += '\\';
      *out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      char code[8];
      std::snprintf(code, sizeof(code), "\\u%04x", byte);
      *out += code;
    } else {
      *out += c;
    }
  }
}

void AppendMember(std::string_view name, std::string_view value, std::string* out) {
  *out += out->size() > 1 ? ",\"" : "\"";
  AppendEscaped(name, out);
  *out += "\":\"";
  AppendEscaped(value, out);
  *out += '"';
}

}  // namespace

std::string FormatHuman(int64_t ms, LogLevel level, std::string_view message,
                        std::initializer_list<LogField> fields) {
  std::string line = FormatTime("%H:%M:%S", ms);
  line += ' ';
  line += NameOf(level);
  line.append(6 - std::string_view(NameOf(level)).size(), ' ');
  AppendEscaped(message, &line);
  const char* separator = "  ";
  for (const LogField& field : fields) {
    line.append(separator).append(field.name);
    line += '=';
    const bool quote = field.value.empty() || field.value.find(' ') != std::string::npos;
    if (quote) line += '"';
    AppendEscaped(field.value, &line);
    if (quote) line += '"';
    separator = " ";
  }
  line += '\n';
  return line;
}

std::string FormatJson(int64_t ms, LogLevel level, std::string_view message,
                       std::initializer_list<LogField> fields) {
  std::string line = "{";
  AppendMember("time", FormatTime("%Y-%m-%dT%H:%M:%S", ms) + "Z", &line);
  AppendMember("level", NameOf(level), &line);
  AppendMember("message", message, &line);
  for (const LogField& field : fields) AppendMember(field.name, field.value, &line);
  line += "}\n";
  return line;
}

void SetLogOptions(const LogOptions& options) { g_options = options; }

LoggedKey::LoggedKey(std::string_view key)
    : size_(key.size()), plain_(g_options.plain_keys ? key : "") {}

std::string LoggedKey::Text() const {
  return g_options.plain_keys ? plain_ : "(" + std::to_string(size_) + " bytes)";
}

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (level < g_options.least) return;
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  const bool human =
      g_options.format == LogFormat::kAuto ? terminal : g_options.format == LogFormat::kHuman;
  // The time of day is for readers of the log; nothing is decided by it.
  const int64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
  const std::string line =
      human ? FormatHuman(ms, level, message, fields) : FormatJson(ms, level, message, fields);
  // A log that cannot be written is not worth stopping for.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace flaredb::net
