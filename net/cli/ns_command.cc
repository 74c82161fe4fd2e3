// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_join.h"
#include "net/cli/commands.h"
#include "net/cli/operator_command.h"
#include "net/cli/option_checks.h"
#include "net/cli/text.h"
#include "net/cli/waiting.h"

namespace flaredb::net {
namespace {

ExitCode List(const OperatorRun& run) {
  const auto result = run.cluster->ListNamespaces(run.arguments.name, run.timeout());
  if (const auto* error = std::get_if<client::Error>(&result)) return Fail(*error);
  for (const client::NamespaceInfo& ns : std::get<0>(result)) Print(FormatListed(run.style(), ns));
  return kExitOk;
}

ExitCode Get(const OperatorRun& run) {
  const auto result = run.cluster->GetNamespace(run.arguments.name, run.timeout());
  if (const auto* error = std::get_if<client::Error>(&result)) return FailLook(*error);
  Print(FormatNamespace(run.style(), std::get<0>(result)));
  return kExitOk;
}

// What the command says in any case: the epoch that it saw, so that it may be sent again.
std::variant<client::ModeChange, client::Error> ChangeOf(const OperatorRun& run) {
  client::ModeChange change{
      .mode = run.arguments.mode, .seen = 0, .dry_run = run.arguments.dry_run};
  const auto seen = run.cluster->GetNamespace(run.arguments.name, run.timeout());
  if (const auto* error = std::get_if<client::Error>(&seen)) {
    // One that does not exist is created.
    const bool creates = error->kind == client::Error::kNotFound && !run.arguments.cancel;
    if (!creates) return *error;
  } else {
    change.seen = std::get<0>(seen).mode_epoch;
  }
  return change;
}

ExitCode SetMode(const OperatorRun& run) {
  if (run.arguments.mode.empty() && !run.arguments.cancel) throw CLI::RequiredError("MODE");
  const auto change = ChangeOf(run);
  if (const auto* error = std::get_if<client::Error>(&change)) return FailLook(*error);
  Waiting waiting(run.arguments.dry_run ? 0 : run.arguments.wait);
  while (true) {
    const auto result = run.cluster->ChangeMode(
        run.arguments.name, std::get<client::ModeChange>(change), run.timeout());
    if (!std::holds_alternative<client::ModeChanged>(result)) return FailChange(result);
    const auto& changed = std::get<client::ModeChanged>(result);
    const std::string what = absl::StrJoin(changed.waiting_for, "; ");
    if (!run.arguments.dry_run && !what.empty() && waiting.Again(what)) continue;
    Print(FormatChanged(run.style(), changed));
    if (run.arguments.dry_run || what.empty() || run.arguments.wait == 0) return kExitOk;
    PrintError("not through yet: " + what + "; the switch goes on, and \"flaredb ns get " +
               run.arguments.name + "\" tells when it is through");
    return kExitUnavailable;
  }
}

}  // namespace

void AddNsCommand(CLI::App* app, CommandContext* context) {
  CLI::App* ns = app->add_subcommand("ns", "Look at namespaces and choose their modes");
  ns->require_subcommand(0, 1);
  ns->callback([ns] { RequireCommand(*ns); });
  ns->footer(
      "In strong mode reads see every write acknowledged before them, and writes can be\n"
      "conditional (\"flaredb kv\"); in eventual mode any store accepts writes by itself, and the\n"
      "last one wins (\"flaredb raw\"). The first \"flaredb kv\" write creates a namespace, "
      "strong.\n"
      "Exit codes: 0 done, 1 no such namespace, 2 usage, 3 no answer or not through in time,\n"
      "4 refused, 6 unknown: repeat the command.");
  const auto add = [&](const char* name, const char* help,
                       ExitCode (*operation)(const OperatorRun&)) {
    return OperatorCommand(ns, name, help, context, operation);
  };
  const auto name = [](const OperatorCommand& command) {
    command->add_option("NAME", command.arguments()->name, "The namespace")
        ->required()
        ->check(NotEmpty())
        ->type_name("");
  };
  const OperatorCommand list =
      add("list", "Print namespaces: name, mode, state while it is switched, epoch", List);
  list->add_option("PREFIX", list.arguments()->name, "Only names that begin so")->type_name("");
  name(add("get", "Print one namespace", Get));
  const OperatorCommand set = add("set-mode", "Choose the mode of a namespace", SetMode);
  name(set);
  OperatorArguments* const arguments = set.arguments();
  CLI::Option* mode = set->add_option("MODE", arguments->mode, "The mode")
                          ->check(OneOf({"strong", "eventual"}))
                          ->type_name("strong|eventual");
  set->add_flag("--dry-run", arguments->dry_run, "Change nothing: tell what it would wait for");
  set->add_flag("--cancel", arguments->cancel, "Turn back the switch that is under way")
      ->excludes(mode);
  set.Wait(30);
}

}  // namespace flaredb::net
