// SPDX-License-Identifier: Apache-2.0
// What the commands about the cluster itself have in common.
#ifndef FLAREDB_NET_CLI_OPERATOR_COMMAND_H_
#define FLAREDB_NET_CLI_OPERATOR_COMMAND_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "CLI/CLI.hpp"
#include "net/cli/command_context.h"
#include "net/cli/output.h"
#include "net/client/cluster.h"

namespace flaredb::net {

struct OperatorArguments {
  ClusterOptions cluster;
  std::string name;
  std::string mode;
  uint64_t store = 0;
  uint64_t with = 0;
  bool cancel = false;
  bool lost = false;
  bool force = false;
  bool dry_run = false;
  double wait = 0;
};

struct OperatorRun {
  const OperatorArguments& arguments;
  client::Cluster* cluster;

  OutputStyle style() const { return arguments.cluster.style(); }
  Duration timeout() const { return arguments.cluster.timeout(); }
};

// Tells what went wrong with a change.
ExitCode FailUnknown(const client::Unknown& unknown);
template <typename T>
ExitCode FailChange(const client::ChangeResult<T>& result) {
  if (const auto* error = std::get_if<client::Error>(&result)) return Fail(*error);
  return FailUnknown(std::get<client::Unknown>(result));
}
// As Fail; what does not exist ends with kExitNegative.
ExitCode FailLook(const client::Error& error);

class OperatorCommand {
 public:
  // Adds it to `group`; `operation` runs when it is chosen.
  OperatorCommand(CLI::App* group, const char* name, const char* help, CommandContext* context,
                  ExitCode (*operation)(const OperatorRun&));

  CLI::App* operator->() const { return command_; }
  OperatorArguments* arguments() const { return arguments_.get(); }

  // --wait, and how long the command waits without it.
  const OperatorCommand& Wait(double seconds) const;

 private:
  CLI::App* const command_;
  const std::shared_ptr<OperatorArguments> arguments_ = std::make_shared<OperatorArguments>();
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_OPERATOR_COMMAND_H_
