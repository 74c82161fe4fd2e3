// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <variant>

#include "CLI/CLI.hpp"
#include "net/cli/command_context.h"
#include "net/cli/commands.h"
#include "net/cli/key_command.h"
#include "net/cli/text.h"
#include "net/client/client.h"

namespace flaredb::net {
namespace {

client::WriteOptions WriteOptionsOf(const KeyRun& run) {
  client::WriteOptions options{.ns = run.Options().ns, .timeout = run.Options().timeout};
  if (!run.arguments.request_id.empty()) {
    options.repeat = client::ParseWriteId(run.arguments.request_id);
  }
  return options;
}

ExitCode Applied(const KeyRun& run, const client::Applied& applied, bool deletes = false) {
  Print(FormatApplied(run.style(), applied, deletes));
  return kExitOk;
}

ExitCode Mismatch(const KeyRun& run, const client::Mismatch& mismatch) {
  Print(FormatMismatch(run.style(), mismatch));
  const std::string key = Escape(run.arguments.key);
  if (mismatch.version == 0) {
    std::fprintf(stderr, "mismatch: %s does not exist\n", key.c_str());
  } else {
    std::fprintf(stderr, "mismatch: %s is at version %lu, not %lu\n", key.c_str(), mismatch.version,
                 run.arguments.expect);
  }
  return kExitNegative;
}

ExitCode Finish(const KeyRun& run, const client::CasResult& result, bool deletes) {
  if (const auto* applied = std::get_if<client::Applied>(&result)) {
    return Applied(run, *applied, deletes);
  }
  if (const auto* mismatch = std::get_if<client::Mismatch>(&result)) {
    return Mismatch(run, *mismatch);
  }
  if (const auto* unknown = std::get_if<client::Unknown>(&result)) {
    return Unknown(run, *unknown,
                   "repeat this command with --request-id " + client::ToString(unknown->id));
  }
  return Fail(std::get<client::Error>(result));
}

ExitCode Put(const KeyRun& run) {
  const auto value = run.Value();
  if (!value.ok()) return Fail(value.status());
  const auto result = run.client->Put(run.Key(), *value, run.Options());
  if (const auto* applied = std::get_if<client::Applied>(&result)) return Applied(run, *applied);
  if (const auto* unknown = std::get_if<client::Unknown>(&result)) {
    return Unknown(run, *unknown, "put again");
  }
  return Fail(std::get<client::Error>(result));
}

ExitCode Get(const KeyRun& run) {
  const std::string key = run.Key();
  auto result = run.client->Get(key, run.Options());
  if (const auto* error = std::get_if<client::Error>(&result)) return Fail(*error);
  auto& found = std::get<0>(result);
  if (!found.has_value()) return NotFound(run, key);
  Print(FormatValue(run.style(), {key, std::move(found->value), found->version},
                    run.arguments.with_version));
  return kExitOk;
}

ExitCode Cas(const KeyRun& run) {
  const auto value = run.Value();
  if (!value.ok()) return Fail(value.status());
  return Finish(run, run.client->Cas(run.Key(), *value, run.arguments.expect, WriteOptionsOf(run)),
                false);
}

ExitCode CasDelete(const KeyRun& run) {
  return Finish(run, run.client->CasDelete(run.Key(), run.arguments.expect, WriteOptionsOf(run)),
                true);
}

ExitCode Scan(const KeyRun& run) {
  return PrintPages(
      run,
      [&](const client::KeyRange& range, const std::string& prefix,
          const client::ScanOptions& options) {
        return prefix.empty() ? run.client->Scan(range, options)
                              : run.client->ScanPrefix(prefix, options);
      },
      [&](const client::Row& row) { return FormatRow(run.style(), row, run.arguments.keys_only); });
}

}  // namespace

void AddKvCommand(CLI::App* app, CommandContext* context) {
  CLI::App* kv = app->add_subcommand("kv", "Read and write keys of a strong namespace");
  kv->require_subcommand(0, 1);
  kv->callback([kv] { RequireCommand(*kv); });
  kv->footer(
      "Exit codes: 0 done, 1 not found or mismatch, 2 usage, 3 no answer, 4 refused or "
      "overloaded,\n"
      "6 unknown: the write may have taken effect. A value of \"-\" is read from standard input.");
  const auto add = [&](const char* name, const char* help, ExitCode (*operation)(const KeyRun&)) {
    return KeyCommand(kv, name, help, context, operation);
  };
  add("put", "Write a value, whatever is there; prints its version", Put).Key().Value();
  const KeyCommand get = add("get", "Print the value of a key", Get);
  get.Key()->add_flag("--with-version", get.arguments()->with_version,
                      "Print VERSION, a tab and the value");
  add("cas", "Write a value if the key is at a version; prints the new one", Cas)
      .Key()
      .Value()
      .Expect(0, "Version that the key must have; 0: it must not exist");
  add("cas-delete", "Delete a key if it is at a version", CasDelete)
      .Key()
      .Expect(1, "Version that the key must have");
  add("scan", "Print keys in order: KEY, VERSION and VALUE, with tabs", Scan).Range();
}

}  // namespace flaredb::net
