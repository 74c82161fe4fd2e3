// SPDX-License-Identifier: Apache-2.0
// What the commands of one process share: how they end, where a cluster is, and the way to it.
#ifndef FLAREDB_NET_CLI_COMMAND_CONTEXT_H_
#define FLAREDB_NET_CLI_COMMAND_CONTEXT_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/time.h"
#include "net/cli/exit_code.h"
#include "net/cli/output.h"
#include "net/client/client.h"
#include "net/client/cluster.h"
#include "net/tls/tls_context.h"

namespace CLI {
class App;
}

namespace flaredb::net {

// The options of every command that talks to a cluster.
struct ClusterOptions {
  std::vector<std::string> endpoints = {"127.0.0.1:50051"};
  double timeout_seconds = 5;
  std::string ns = "default";
  std::string format = "table";
  bool hex = false;
  bool base64 = false;
  TlsFiles tls;
  std::string token_file;

  Duration timeout() const {
    return Duration::Milliseconds(static_cast<int64_t>(timeout_seconds * 1000));
  }
  OutputStyle style() const;
};

class CommandContext {
 public:
  // Set by a command that was run.
  ExitCode exit_code = kExitOk;
  // What a shell was started with: its commands begin with that, and not with the environment.
  // Standard input is the shell's then.
  std::optional<ClusterOptions> shell;

  // One client for each list of stores and way to them; lives as long as the context. The error is
  // for the user.
  absl::StatusOr<client::Client*> ClientOf(const ClusterOptions& options);
  // The same for operators.
  absl::StatusOr<client::Cluster*> ClusterOf(const ClusterOptions& options);

 private:
  // By the stores and the files of TLS and token.
  template <typename T>
  using Connected = std::map<std::vector<std::string>, std::unique_ptr<T>>;
  template <typename T>
  static absl::StatusOr<T*> Connect(const ClusterOptions& options, Connected<T>* connected);

  Connected<client::Client> clients_;
  Connected<client::Cluster> clusters_;
};

// Adds the options to `command`. `options` lives as long as it and has its defaults.
//   connection  all but those of keys: where the stores are, and how to print
void AddConnectionOptions(CLI::App* command, const CommandContext& context,
                          ClusterOptions* options);
void AddClusterOptions(CLI::App* command, const CommandContext& context, ClusterOptions* options);

// The bytes that an argument stands for. Throws a CLI::ParseError that names `argument` when `text`
// is not in the encoding that was asked for.
std::string TakeBytes(const ClusterOptions& options, std::string_view argument,
                      const std::string& text);
// The same for a value, where "-" is what standard input holds, as it is: all of it, or enough for
// the store to refuse it as too large. UNAVAILABLE: it cannot be read.
absl::StatusOr<std::string> TakeValue(const ClusterOptions& options, const CommandContext& context,
                                      const std::string& text);

// `code`, or that of a failure to write what was printed.
ExitCode Flushed(ExitCode code);

// Writes to standard output.
void Print(std::string_view text);
// Tells what `error` says and returns the code for it.
ExitCode Fail(const client::Error& error);
ExitCode Fail(const absl::Status& status);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_COMMAND_CONTEXT_H_
