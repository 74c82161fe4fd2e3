// SPDX-License-Identifier: Apache-2.0
#include "net/cli/key_command.h"

#include <optional>

#include "net/cli/option_checks.h"
#include "net/cli/text.h"

namespace flaredb::net {
namespace {

ExitCode RunOne(const KeyArguments& arguments, CommandContext* context,
                ExitCode (*operation)(const KeyRun&)) {
  const absl::StatusOr<client::Client*> client = context->ClientOf(arguments.cluster);
  if (!client.ok()) return Fail(client.status());
  return Flushed(operation({arguments, *context, *client}));
}

CLI::Validator IsRequestId() {
  return CLI::Validator(
      [](const std::string& text) {
        return client::ParseWriteId(text).has_value()
                   ? std::string()
                   : "\"" + text + "\" is no id that this program printed";
      },
      "");
}

}  // namespace

ExitCode NotFound(const KeyRun& run, const std::string& key) {
  Print(FormatNotFound(run.style(), key));
  std::fprintf(stderr, "not found: %s\n", Escape(run.arguments.key).c_str());
  return kExitNegative;
}

ExitCode Unknown(const KeyRun& run, const client::Unknown& unknown, const std::string& advice) {
  Print(FormatUnknown(run.style(), unknown));
  PrintError(unknown.message + "; read the key, or " + advice);
  return kExitUnknown;
}

KeyCommand::KeyCommand(CLI::App* group, const char* name, const char* help, CommandContext* context,
                       ExitCode (*operation)(const KeyRun&))
    : command_(group->add_subcommand(name, help)) {
  if (context->shell.has_value()) arguments_->cluster = *context->shell;
  AddClusterOptions(command_, *context, &arguments_->cluster);
  command_->callback([arguments = arguments_, context, operation] {
    context->exit_code = RunOne(*arguments, context, operation);
  });
}

const KeyCommand& KeyCommand::Key() const {
  command_->add_option("KEY", arguments_->key, "The key")->required()->type_name("");
  return *this;
}

const KeyCommand& KeyCommand::Value() const {
  command_->add_option("VALUE", arguments_->value, "The value; \"-\" reads standard input")
      ->required()
      ->type_name("");
  return *this;
}

const KeyCommand& KeyCommand::Expect(uint64_t first, const char* help) const {
  command_->add_option("--expect", arguments_->expect, help)
      ->required()
      ->check(NumberFrom(first))
      ->type_name("VERSION");
  command_
      ->add_option("--request-id", arguments_->request_id,
                   "Repeat a write whose outcome was unknown, under the id that was printed")
      ->check(IsRequestId())
      ->type_name("ID");
  return *this;
}

const KeyCommand& KeyCommand::Range() const {
  CLI::Option* prefix =
      command_->add_option("PREFIX", arguments_->prefix, "Only keys that begin so")->type_name("");
  command_->add_option("--start", arguments_->start, "First key")
      ->excludes(prefix)
      ->type_name("KEY");
  command_->add_option("--end", arguments_->end, "Stop before this key")
      ->excludes(prefix)
      ->type_name("KEY");
  command_->add_option("--limit", arguments_->limit, "Print at most so many")
      ->check(NumberFrom(1))
      ->type_name("N");
  command_->add_flag("--keys-only", arguments_->keys_only, "Print the keys alone");
  return *this;
}

}  // namespace flaredb::net
