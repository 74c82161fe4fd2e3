// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "CLI/CLI.hpp"
#include "core/base/strings.h"
#include "net/cli/commands.h"
#include "net/cli/number_option.h"
#include "net/cli/text.h"
#include "net/cli/tls_flags.h"
#include "net/client/kv_client.h"

namespace flaredb::net {
namespace {

// A put that other writers beat so often gives up.
constexpr int kPutAttempts = 100;

struct KvArguments {
  std::vector<std::string> endpoints = {"127.0.0.1:50051"};
  double timeout_seconds = 5;
  std::string key;
  std::string value;
  uint64_t expect = 0;
  bool with_version = false;
  TlsFiles tls_files;
  std::shared_ptr<const TlsContext> tls;  // Of these files.
  KvScanRange range;
  uint64_t limit = 0;
};

KvClient Connect(const KvArguments& arguments) {
  return KvClient(
      {.endpoints = arguments.endpoints,
       .tls = arguments.tls,
       .budget = Duration::Milliseconds(static_cast<int64_t>(arguments.timeout_seconds * 1000))});
}

// "-" stands for everything on standard input.
std::string ReadValue(const std::string& argument) {
  if (argument != "-") return argument;
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

ExitCode Fail(const KvError& error) {
  PrintError(error.message);
  switch (error.kind) {
    case KvError::kUnavailable:
      return kExitUnavailable;
    case KvError::kBusy:
    case KvError::kRefused:
      return kExitRefused;
    case KvError::kUnknown:
      return kExitUnknown;
  }
  return kExitUnavailable;
}

ExitCode NotFound(const std::string& key) {
  std::fprintf(stderr, "not found: %s\n", Escape(key).c_str());
  return kExitNegative;
}

ExitCode Mismatch(const KvArguments& arguments, const KvWrite& write) {
  const std::string key = Escape(arguments.key);
  if (write.current_version == 0) {
    std::fprintf(stderr, "mismatch: %s does not exist\n", key.c_str());
  } else {
    std::fprintf(stderr, "mismatch: %s is at version %lu, not %lu\n", key.c_str(),
                 write.current_version, arguments.expect);
  }
  return kExitNegative;
}

void PrintVersion(uint64_t version) { std::printf("version %lu\n", version); }

ExitCode Put(const KvArguments& arguments) {
  KvClient client = Connect(arguments);
  const std::string value = ReadValue(arguments.value);
  // A mismatch tells the version to expect next; nobody's write is overwritten unseen by a version.
  uint64_t expected = 0;
  for (int attempt = 0; attempt < kPutAttempts; ++attempt) {
    auto result = client.CompareAndSwap(arguments.key, value, expected);
    if (const auto* error = std::get_if<KvError>(&result)) return Fail(*error);
    const auto& write = std::get<KvWrite>(result);
    if (write.success) {
      PrintVersion(write.current_version);
      return kExitOk;
    }
    expected = write.current_version;
  }
  return Fail({KvError::kBusy, "other writers changed the key faster than this put, " +
                                   std::to_string(kPutAttempts) + " times: try again"});
}

ExitCode Get(const KvArguments& arguments) {
  KvClient client = Connect(arguments);
  auto result = client.Get(arguments.key);
  if (const auto* error = std::get_if<KvError>(&result)) return Fail(*error);
  const auto& got = std::get<KvGet>(result);
  if (!got.found) return NotFound(arguments.key);
  if (arguments.with_version) std::printf("%lu\t", got.version);
  std::fwrite(got.value.data(), 1, got.value.size(), stdout);
  std::putchar('\n');
  return kExitOk;
}

ExitCode Cas(const KvArguments& arguments) {
  KvClient client = Connect(arguments);
  auto result = client.CompareAndSwap(arguments.key, ReadValue(arguments.value), arguments.expect);
  if (const auto* error = std::get_if<KvError>(&result)) return Fail(*error);
  const auto& write = std::get<KvWrite>(result);
  if (!write.success) return Mismatch(arguments, write);
  PrintVersion(write.current_version);
  return kExitOk;
}

ExitCode CasDelete(const KvArguments& arguments) {
  KvClient client = Connect(arguments);
  auto result = client.CompareAndDelete(arguments.key, arguments.expect);
  if (const auto* error = std::get_if<KvError>(&result)) return Fail(*error);
  const auto& write = std::get<KvWrite>(result);
  if (!write.success) return Mismatch(arguments, write);
  std::puts("deleted");
  return kExitOk;
}

ExitCode Scan(const KvArguments& arguments) {
  KvClient client = Connect(arguments);
  uint64_t left = arguments.limit == 0 ? std::numeric_limits<uint64_t>::max() : arguments.limit;
  std::string page_token;
  do {
    const uint64_t page_limit = std::min<uint64_t>(left, std::numeric_limits<uint32_t>::max());
    auto result = client.Scan(arguments.range, static_cast<uint32_t>(page_limit), page_token);
    if (const auto* error = std::get_if<KvError>(&result)) return Fail(*error);
    auto& page = std::get<KvPage>(result);
    for (const KvRow& row : page.rows) {
      if (arguments.range.keys_only) {
        std::printf("%s\n", Escape(row.key).c_str());
      } else {
        std::printf("%s\t%lu\t%s\n", Escape(row.key).c_str(), row.version,
                    Escape(row.value).c_str());
      }
    }
    left -= page.rows.size();
    page_token = std::move(page.next_page_token);
  } while (left > 0 && !page_token.empty());
  return kExitOk;
}

CLI::App* AddOperation(CLI::App* kv, const char* name, const char* help,
                       const std::shared_ptr<KvArguments>& arguments, ExitCode* exit_code,
                       ExitCode (*run)(const KvArguments&)) {
  CLI::App* command = kv->add_subcommand(name, help);
  command->add_option("--addr", arguments->endpoints, "Stores to ask, in this order")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->default_str("127.0.0.1:50051")
      ->type_name("HOST:PORT,...");
  command->add_option("--timeout", arguments->timeout_seconds, "Time for everything, in seconds")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str()
      ->type_name("SECONDS");
  AddTlsFlags(command, &arguments->tls_files);
  command->callback([arguments, exit_code, run] {
    auto tls = ClientTls(arguments->tls_files);
    if (!tls.ok()) {
      PrintError(FromAbsl(tls.status().message()));
      *exit_code = ExitCodeOf(tls.status());
      return;
    }
    arguments->tls = *std::move(tls);
    *exit_code = run(*arguments);
    if (std::fflush(stdout) != 0 && *exit_code == kExitOk) {
      PrintError("cannot write to standard output: check the disk or pipe behind it");
      *exit_code = kExitUnavailable;
    }
  });
  return command;
}

}  // namespace

void AddKvCommand(CLI::App* app, ExitCode* exit_code) {
  CLI::App* kv = app->add_subcommand("kv", "Read and write keys");
  kv->require_subcommand(0, 1);
  kv->callback([kv] { RequireCommand(*kv); });
  kv->footer(
      "Exit codes: 0 done, 1 not found or mismatch, 2 usage, 3 no answer, 4 refused or "
      "overloaded,\n"
      "6 unknown: the write may have taken effect. A value of \"-\" is read from standard input.");
  auto arguments = std::make_shared<KvArguments>();
  const auto add = [&](const char* name, const char* help, ExitCode (*run)(const KvArguments&)) {
    return AddOperation(kv, name, help, arguments, exit_code, run);
  };
  const auto add_key = [&](CLI::App* command) {
    command->add_option("KEY", arguments->key, "The key")->required()->type_name("");
  };
  const auto add_value = [&](CLI::App* command) {
    command->add_option("VALUE", arguments->value, "The value; \"-\" reads standard input")
        ->required()
        ->type_name("");
  };
  const auto add_expect = [&](CLI::App* command, uint64_t first, const char* help) {
    command->add_option("--expect", arguments->expect, help)
        ->required()
        ->check(NumberFrom(first))
        ->type_name("VERSION");
  };

  CLI::App* put = add("put", "Write a value, whatever is there; prints its version", Put);
  add_key(put);
  add_value(put);

  CLI::App* get = add("get", "Print the value of a key", Get);
  add_key(get);
  get->add_flag("--with-version", arguments->with_version, "Print VERSION, a tab and the value");

  CLI::App* cas = add("cas", "Write a value if the key is at a version; prints the new one", Cas);
  add_key(cas);
  add_value(cas);
  add_expect(cas, 0, "Version that the key must have; 0: it must not exist");

  CLI::App* cas_delete = add("cas-delete", "Delete a key if it is at a version", CasDelete);
  add_key(cas_delete);
  add_expect(cas_delete, 1, "Version that the key must have");

  CLI::App* scan = add("scan", "Print keys in order: KEY, VERSION and VALUE, with tabs", Scan);
  CLI::Option* prefix =
      scan->add_option("PREFIX", arguments->range.prefix, "Only keys that begin so")->type_name("");
  scan->add_option("--start", arguments->range.start, "First key")
      ->excludes(prefix)
      ->type_name("KEY");
  scan->add_option("--end", arguments->range.end, "Stop before this key")
      ->excludes(prefix)
      ->type_name("KEY");
  scan->add_option("--limit", arguments->limit, "Print at most so many")
      ->check(NumberFrom(1))
      ->type_name("N");
  scan->add_flag("--keys-only", arguments->range.keys_only, "Print the keys alone");
}

}  // namespace flaredb::net
