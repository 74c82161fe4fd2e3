// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <variant>

#include "CLI/CLI.hpp"
#include "net/cli/command_context.h"
#include "net/cli/commands.h"
#include "net/cli/key_command.h"
#include "net/client/client.h"

namespace flaredb::net {
namespace {

ExitCode Finish(const KeyRun& run, const client::RawResult& result) {
  if (const auto* accepted = std::get_if<client::Accepted>(&result)) {
    Print(FormatAccepted(run.style(), *accepted));
    return kExitOk;
  }
  if (const auto* unknown = std::get_if<client::Unknown>(&result)) {
    return Unknown(run, *unknown, "repeat this command, which wins over what others wrote since");
  }
  return Fail(std::get<client::Error>(result));
}

ExitCode Put(const KeyRun& run) {
  const auto value = run.Value();
  if (!value.ok()) return Fail(value.status());
  return Finish(run, run.client->RawPut(run.Key(), *value, run.Options()));
}

ExitCode Delete(const KeyRun& run) {
  return Finish(run, run.client->RawDelete(run.Key(), run.Options()));
}

ExitCode Get(const KeyRun& run) {
  const std::string key = run.Key();
  auto result = run.client->RawGet(key, run.Options());
  if (const auto* error = std::get_if<client::Error>(&result)) return Fail(*error);
  auto& found = std::get<0>(result);
  if (!found.has_value()) return NotFound(run, key);
  Print(FormatValue(run.style(), client::RawRow{key, std::move(found->value), found->hlc}));
  return kExitOk;
}

ExitCode Scan(const KeyRun& run) {
  return PrintPages(
      run,
      [&](const client::KeyRange& range, const std::string& prefix,
          const client::ScanOptions& options) {
        return prefix.empty() ? run.client->RawScan(range, options)
                              : run.client->RawScanPrefix(prefix, options);
      },
      [&](const client::RawRow& row) {
        return FormatRow(run.style(), row, run.arguments.keys_only);
      });
}

}  // namespace

void AddRawCommand(CLI::App* app, CommandContext* context) {
  CLI::App* raw = app->add_subcommand("raw", "Read and write keys of an eventual namespace");
  raw->require_subcommand(0, 1);
  raw->callback([raw] { RequireCommand(*raw); });
  raw->footer(
      "The store that is asked answers by itself: it accepts writes whoever it can reach, and\n"
      "shows what has reached it. Exit codes are those of \"flaredb kv\".");
  const auto add = [&](const char* name, const char* help, ExitCode (*operation)(const KeyRun&)) {
    return KeyCommand(raw, name, help, context, operation);
  };
  add("put", "Write a value", Put).Key().Value();
  add("get", "Print the value of a key", Get).Key();
  add("scan", "Print keys in order: KEY and VALUE, with a tab", Scan).Range();
  add("delete", "Delete a key, whether or not it exists", Delete).Key();
}

}  // namespace flaredb::net
