// SPDX-License-Identifier: Apache-2.0
#include "net/cli/command_context.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "core/base/strings.h"
#include "net/cli/option_checks.h"
#include "net/cli/text.h"
#include "net/cli/tls_flags.h"
#include "net/cli/token_flag.h"

namespace flaredb::net {
namespace {

// One byte more than a value may have.
constexpr size_t kInputBytesMax = (1 << 20) + 1;

absl::StatusOr<std::string> ReadStandardInput() {
  std::string bytes(kInputBytesMax, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), stdin));
  if (std::ferror(stdin) == 0) return bytes;
  return absl::UnavailableError(
      absl::StrCat("cannot read the value from standard input: ", std::strerror(errno),
                   "; check the file or pipe behind it"));
}

}  // namespace

OutputStyle ClusterOptions::style() const {
  return {format == "json"  ? Format::kJson
          : format == "raw" ? Format::kRaw
                            : Format::kTable,
          hex      ? Encoding::kHex
          : base64 ? Encoding::kBase64
                   : Encoding::kNone};
}

template <typename T>
absl::StatusOr<T*> CommandContext::Connect(const ClusterOptions& options, Connected<T>* connected) {
  std::vector<std::string> key = options.endpoints;
  key.insert(key.end(), {options.tls.ca, options.tls.cert, options.tls.key, options.token_file});
  std::unique_ptr<T>& client = (*connected)[key];
  if (client == nullptr) {
    auto tls = ClientTls(options.tls);
    if (!tls.ok()) return tls.status();
    auto token = ClientToken(options.token_file);
    if (!token.ok()) return token.status();
    auto created = T::Create(
        {.endpoints = options.endpoints, .tls = *std::move(tls), .token = *std::move(token)});
    if (!created.ok()) return created.status();
    client = *std::move(created);
  }
  return client.get();
}

absl::StatusOr<client::Client*> CommandContext::ClientOf(const ClusterOptions& options) {
  return Connect(options, &clients_);
}

absl::StatusOr<client::Cluster*> CommandContext::ClusterOf(const ClusterOptions& options) {
  return Connect(options, &clusters_);
}

void AddConnectionOptions(CLI::App* command, const CommandContext& context,
                          ClusterOptions* options) {
  std::string stores;
  for (const std::string& endpoint : options->endpoints) {
    stores += (stores.empty() ? "" : ",") + endpoint;
  }
  CLI::Option* addr = command->add_option("--addr", options->endpoints, "Stores to ask")
                          ->delimiter(',')
                          ->allow_extra_args(false)
                          ->default_str(stores)
                          ->type_name("HOST:PORT,...");
  AddTlsFlags(command, /*with_environment=*/!context.shell.has_value(), &options->tls);
  AddTokenFlag(command, /*with_environment=*/!context.shell.has_value(), &options->token_file);
  // FLAREDB_ADDR is a server's own.
  if (!context.shell.has_value()) addr->envname("FLAREDB_CLIENT_ADDR");
  command
      ->add_option("--timeout", options->timeout_seconds,
                   "Time for an operation with all its attempts, in seconds")
      ->check(SecondsFrom(0.001, 3600))
      ->capture_default_str()
      ->type_name("SECONDS");
  command
      ->add_option("-o,--output", options->format,
                   "table: lines for people; json: an object a line; raw: bytes as they are")
      ->check(OneOf({"table", "json", "raw"}))
      ->capture_default_str()
      ->type_name("table|json|raw");
}

void AddClusterOptions(CLI::App* command, const CommandContext& context, ClusterOptions* options) {
  AddConnectionOptions(command, context, options);
  CLI::Option* ns = command->add_option("--namespace", options->ns, "Namespace of the keys")
                        ->capture_default_str()
                        ->type_name("NAME");
  if (!context.shell.has_value()) ns->envname("FLAREDB_NAMESPACE");
  CLI::Option* hex = command->add_flag("--hex", options->hex,
                                       "Keys and values are hexadecimal, as arguments and printed");
  command->add_flag("--base64", options->base64, "The same in base64")->excludes(hex);
}

std::string TakeBytes(const ClusterOptions& options, std::string_view argument,
                      const std::string& text) {
  const Encoding encoding = options.style().encoding;
  std::optional<std::string> bytes = Decode(encoding, text);
  if (!bytes.has_value()) {
    throw CLI::ValidationError(
        std::string(argument),
        "\"" + text + "\" is no " +
            (encoding == Encoding::kHex ? "hexadecimal text of whole bytes" : "base64 text"));
  }
  return *std::move(bytes);
}

absl::StatusOr<std::string> TakeValue(const ClusterOptions& options, const CommandContext& context,
                                      const std::string& text) {
  if (text != "-") return TakeBytes(options, "VALUE", text);
  if (context.shell.has_value()) {
    throw CLI::ValidationError("VALUE",
                               "\"-\" is standard input, from which the shell reads its commands");
  }
  return ReadStandardInput();
}

ExitCode Flushed(ExitCode code) {
  // What was too large for the buffer may have failed before.
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written || code != kExitOk) return code;
  PrintError("cannot write to standard output: check the disk or pipe behind it");
  return kExitUnavailable;
}

void Print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

ExitCode Fail(const client::Error& error) {
  PrintError(error.message);
  return error.kind == client::Error::kUnavailable ? kExitUnavailable : kExitRefused;
}

ExitCode Fail(const absl::Status& status) {
  PrintError(FromAbsl(status.message()));
  return ExitCodeOf(status);
}

}  // namespace flaredb::net
