// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "CLI/CLI.hpp"
#include "net/cli/command_context.h"
#include "net/cli/commands.h"
#include "net/cli/option_checks.h"
#include "net/cli/text.h"
#include "net/client/client.h"

namespace flaredb::net {
namespace {

using client::Client;

struct KvArguments {
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
struct Run {
  const KvArguments& arguments;
  const CommandContext& context;
  Client* client;

  OutputStyle style() const { return arguments.cluster.style(); }
  std::string Key() const { return TakeBytes(arguments.cluster, "KEY", arguments.key); }
  absl::StatusOr<std::string> Value() const {
    return TakeValue(arguments.cluster, context, arguments.value);
  }
  client::WriteOptions Options() const {
    client::WriteOptions options{.ns = arguments.cluster.ns,
                                 .timeout = arguments.cluster.timeout()};
    if (!arguments.request_id.empty()) options.repeat = client::ParseWriteId(arguments.request_id);
    return options;
  }
};

ExitCode Applied(const Run& run, const client::Applied& applied, bool deletes = false) {
  Print(FormatApplied(run.style(), applied, deletes));
  return kExitOk;
}

ExitCode Unknown(const Run& run, const client::Unknown& unknown, const std::string& advice) {
  Print(FormatUnknown(run.style(), unknown));
  PrintError(unknown.message + "; read the key, or " + advice);
  return kExitUnknown;
}

ExitCode Mismatch(const Run& run, const client::Mismatch& mismatch) {
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

ExitCode Finish(const Run& run, const client::CasResult& result, bool deletes) {
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

ExitCode Put(const Run& run) {
  const auto value = run.Value();
  if (!value.ok()) return Fail(value.status());
  const auto result = run.client->Put(run.Key(), *value, {run.Options().ns, run.Options().timeout});
  if (const auto* applied = std::get_if<client::Applied>(&result)) return Applied(run, *applied);
  if (const auto* unknown = std::get_if<client::Unknown>(&result)) {
    return Unknown(run, *unknown, "put again");
  }
  return Fail(std::get<client::Error>(result));
}

ExitCode Get(const Run& run) {
  const std::string key = run.Key();
  auto result = run.client->Get(key, {run.Options().ns, run.Options().timeout});
  if (const auto* error = std::get_if<client::Error>(&result)) return Fail(*error);
  auto& found = std::get<0>(result);
  if (!found.has_value()) {
    Print(FormatNotFound(run.style(), key));
    std::fprintf(stderr, "not found: %s\n", Escape(run.arguments.key).c_str());
    return kExitNegative;
  }
  Print(FormatValue(run.style(), {key, std::move(found->value), found->version},
                    run.arguments.with_version));
  return kExitOk;
}

ExitCode Cas(const Run& run) {
  const auto value = run.Value();
  if (!value.ok()) return Fail(value.status());
  return Finish(run, run.client->Cas(run.Key(), *value, run.arguments.expect, run.Options()),
                false);
}

ExitCode CasDelete(const Run& run) {
  return Finish(run, run.client->CasDelete(run.Key(), run.arguments.expect, run.Options()), true);
}

ExitCode Scan(const Run& run) {
  const KvArguments& arguments = run.arguments;
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
    auto result =
        prefix.empty() ? run.client->Scan(range, options) : run.client->ScanPrefix(prefix, options);
    if (const auto* error = std::get_if<client::Error>(&result)) return Fail(*error);
    auto& page = std::get<client::Page>(result);
    for (const client::Row& row : page.rows) {
      Print(FormatRow(run.style(), row, arguments.keys_only));
    }
    left -= std::min<uint64_t>(left, page.rows.size());
    options.page_token = std::move(page.next_page_token);
  } while (left > 0 && !options.page_token.empty() && std::ferror(stdout) == 0);
  return kExitOk;
}

ExitCode RunOne(const KvArguments& arguments, CommandContext* context,
                ExitCode (*operation)(const Run&)) {
  const absl::StatusOr<Client*> client = context->ClientOf(arguments.cluster);
  if (!client.ok()) return Fail(client.status());
  const ExitCode code = operation({arguments, *context, *client});
  // What was too large for the buffer may have failed before.
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written || code != kExitOk) return code;
  PrintError("cannot write to standard output: check the disk or pipe behind it");
  return kExitUnavailable;
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

// One command with arguments of its own: the library sets options from the environment in commands
// that were not chosen, too.
class KvCommand {
 public:
  KvCommand(CLI::App* kv, const char* name, const char* help, CommandContext* context,
            ExitCode (*operation)(const Run&))
      : command_(kv->add_subcommand(name, help)) {
    if (context->shell.has_value()) arguments_->cluster = *context->shell;
    AddClusterOptions(command_, *context, &arguments_->cluster);
    command_->callback([arguments = arguments_, context, operation] {
      context->exit_code = RunOne(*arguments, context, operation);
    });
  }

  CLI::App* operator->() const { return command_; }
  KvArguments* arguments() const { return arguments_.get(); }

  const KvCommand& Key() const {
    command_->add_option("KEY", arguments_->key, "The key")->required()->type_name("");
    return *this;
  }
  const KvCommand& Value() const {
    command_->add_option("VALUE", arguments_->value, "The value; \"-\" reads standard input")
        ->required()
        ->type_name("");
    return *this;
  }
  const KvCommand& Expect(uint64_t first, const char* help) const {
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

 private:
  CLI::App* const command_;
  const std::shared_ptr<KvArguments> arguments_ = std::make_shared<KvArguments>();
};

void AddScan(const KvCommand& scan) {
  KvArguments* const arguments = scan.arguments();
  CLI::Option* prefix =
      scan->add_option("PREFIX", arguments->prefix, "Only keys that begin so")->type_name("");
  scan->add_option("--start", arguments->start, "First key")->excludes(prefix)->type_name("KEY");
  scan->add_option("--end", arguments->end, "Stop before this key")
      ->excludes(prefix)
      ->type_name("KEY");
  scan->add_option("--limit", arguments->limit, "Print at most so many")
      ->check(NumberFrom(1))
      ->type_name("N");
  scan->add_flag("--keys-only", arguments->keys_only, "Print the keys alone");
}

}  // namespace

void AddKvCommand(CLI::App* app, CommandContext* context) {
  CLI::App* kv = app->add_subcommand("kv", "Read and write keys");
  kv->require_subcommand(0, 1);
  kv->callback([kv] { RequireCommand(*kv); });
  kv->footer(
      "Exit codes: 0 done, 1 not found or mismatch, 2 usage, 3 no answer, 4 refused or "
      "overloaded,\n"
      "6 unknown: the write may have taken effect. A value of \"-\" is read from standard input.");
  const auto add = [&](const char* name, const char* help, ExitCode (*operation)(const Run&)) {
    return KvCommand(kv, name, help, context, operation);
  };
  add("put", "Write a value, whatever is there; prints its version", Put).Key().Value();
  const KvCommand get = add("get", "Print the value of a key", Get);
  get.Key()->add_flag("--with-version", get.arguments()->with_version,
                      "Print VERSION, a tab and the value");
  add("cas", "Write a value if the key is at a version; prints the new one", Cas)
      .Key()
      .Value()
      .Expect(0, "Version that the key must have; 0: it must not exist");
  add("cas-delete", "Delete a key if it is at a version", CasDelete)
      .Key()
      .Expect(1, "Version that the key must have");
  AddScan(add("scan", "Print keys in order: KEY, VERSION and VALUE, with tabs", Scan));
}

}  // namespace flaredb::net
