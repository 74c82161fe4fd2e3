// SPDX-License-Identifier: Apache-2.0
#include "net/cli/operator_command.h"

#include "net/cli/option_checks.h"
#include "net/cli/text.h"

namespace flaredb::net {
namespace {

ExitCode RunOne(const OperatorArguments& arguments, CommandContext* context,
                ExitCode (*operation)(const OperatorRun&)) {
  const absl::StatusOr<client::Cluster*> cluster = context->ClusterOf(arguments.cluster);
  if (!cluster.ok()) return Fail(cluster.status());
  return Flushed(operation({arguments, *cluster}));
}

}  // namespace

ExitCode FailUnknown(const client::Unknown& unknown) {
  PrintError(unknown.message + "; repeat this command: what is done already is not done again");
  return kExitUnknown;
}

ExitCode FailLook(const client::Error& error) {
  const ExitCode code = Fail(error);
  return error.kind == client::Error::kNotFound ? kExitNegative : code;
}

OperatorCommand::OperatorCommand(CLI::App* group, const char* name, const char* help,
                                 CommandContext* context, ExitCode (*operation)(const OperatorRun&))
    : command_(group->add_subcommand(name, help)) {
  if (context->shell.has_value()) arguments_->cluster = *context->shell;
  AddConnectionOptions(command_, *context, &arguments_->cluster);
  command_->callback([arguments = arguments_, context, operation] {
    context->exit_code = RunOne(*arguments, context, operation);
  });
}

const OperatorCommand& OperatorCommand::Wait(double seconds) const {
  arguments_->wait = seconds;
  command_->add_option("--wait", arguments_->wait, "Wait at most so long for its end; 0: not")
      ->check(SecondsFrom(0, 86400))
      ->capture_default_str()
      ->type_name("SECONDS");
  return *this;
}

}  // namespace flaredb::net
