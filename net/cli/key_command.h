// SPDX-License-Identifier: Apache-2.0
// What the commands on keys have in common, whatever the mode of their namespace.
#ifndef FLAREDB_NET_CLI_KEY_COMMAND_H_
#define FLAREDB_NET_CLI_KEY_COMMAND_H_

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "net/cli/command_context.h"
#include "net/client/client.h"

namespace flaredb::net {

struct KeyArguments {
  ClusterOptions cluster;
  std::string key;
  std::string value;
  uint64_t expect = 0;
  std::string request_id;
  bool with_version = false;
  std::string prefix;
  std::string start;
  std::string end;
  bool keys_only = false;
  uint64_t limit = 0;
};

// One run of one command.
struct KeyRun {
  const KeyArguments& arguments;
  const CommandContext& context;
  client::Client* client;

  OutputStyle style() const { return arguments.cluster.style(); }
  std::string Key() const { return TakeBytes(arguments.cluster, "KEY", arguments.key); }
  absl::StatusOr<std::string> Value() const {
    return TakeValue(arguments.cluster, context, arguments.value);
  }
  client::CallOptions Options() const {
    return {.ns = arguments.cluster.ns, .timeout = arguments.cluster.timeout()};
  }
};

// Tells that the key does not exist.
ExitCode NotFound(const KeyRun& run, const std::string& key);
// Tells that nobody knows, and what to do.
ExitCode Unknown(const KeyRun& run, const client::Unknown& unknown, const std::string& advice);

// Prints rows page by page.
//   next    (range, prefix, options) -> client::Result of a page, whose range is that of `prefix`
//           unless it is empty
//   format  a row as text
template <typename Next, typename Format>
ExitCode PrintPages(const KeyRun& run, const Next& next, const Format& format) {
  const KeyArguments& arguments = run.arguments;
  const auto bytes = [&](const char* name, const std::string& text) {
    return TakeBytes(arguments.cluster, name, text);
  };
  const std::string prefix = bytes("PREFIX", arguments.prefix);
  const client::KeyRange range{bytes("--start", arguments.start), bytes("--end", arguments.end)};
  client::ScanOptions options{.ns = arguments.cluster.ns,
                              .timeout = arguments.cluster.timeout(),
                              .keys_only = arguments.keys_only};
  uint64_t left = arguments.limit == 0 ? std::numeric_limits<uint64_t>::max() : arguments.limit;
  do {
    options.limit =
        static_cast<uint32_t>(std::min<uint64_t>(left, std::numeric_limits<uint32_t>::max()));
    auto result = next(range, prefix, options);
    if (const auto* error = std::get_if<client::Error>(&result)) return Fail(*error);
    auto& page = std::get<0>(result);
    for (const auto& row : page.rows) Print(format(row));
    left -= std::min<uint64_t>(left, page.rows.size());
    options.page_token = std::move(page.next_page_token);
  } while (left > 0 && !options.page_token.empty() && std::ferror(stdout) == 0);
  return kExitOk;
}

// One command with arguments of its own: the library sets options from the environment in commands
// that were not chosen, too.
class KeyCommand {
 public:
  // Adds it to `group`; `operation` runs when it is chosen.
  KeyCommand(CLI::App* group, const char* name, const char* help, CommandContext* context,
             ExitCode (*operation)(const KeyRun&));

  CLI::App* operator->() const { return command_; }
  KeyArguments* arguments() const { return arguments_.get(); }

  // Arguments and options. Each returns the command itself.
  const KeyCommand& Key() const;
  const KeyCommand& Value() const;
  const KeyCommand& Expect(uint64_t first, const char* help) const;  // And --request-id.
  const KeyCommand& Range() const;                                   // What to scan.

 private:
  CLI::App* const command_;
  const std::shared_ptr<KeyArguments> arguments_ = std::make_shared<KeyArguments>();
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_KEY_COMMAND_H_
