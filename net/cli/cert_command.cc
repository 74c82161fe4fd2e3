// SPDX-License-Identifier: Apache-2.0
// flaredb cert: an authority of the cluster's own, and certificates that it signs.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "net/cli/command_context.h"
#include "net/cli/commands.h"
#include "net/cli/new_file.h"
#include "net/cli/option_checks.h"
#include "net/cli/text.h"
#include "net/tls/certificates.h"

namespace flaredb::net {
namespace {

// Certificates that are made once and forgotten must not end a cluster soon, nor hold for ever.
constexpr int kAuthorityDays = 3650;
constexpr int kCertificateDays = 825;

constexpr char kNameHelp[] = "Whom it is for; also the name of the files";

struct CertArguments {
  std::string folder = ".";
  std::string name;
  std::vector<std::string> hosts;
  int days = 0;
};

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::UnavailableError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno),
                                               "; \"flaredb cert ca\" makes it"));
  }
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Both files or none. `otherwise` says how to leave a file alone that is in the way.
absl::Status Write(const CertArguments& arguments, const std::string& name, const KeyPair& pair,
                   const char* otherwise) {
  std::error_code error;
  std::filesystem::create_directories(arguments.folder, error);
  const std::string base = arguments.folder + "/" + name;
  const std::string key = base + ".key";
  const std::string cert = base + ".crt";
  for (const std::string& path : {key, cert}) {
    if (!std::filesystem::exists(std::filesystem::symlink_status(path, error))) continue;
    return absl::UnavailableError(
        absl::StrCat("cannot create ", path, ": it exists; move it, or ", otherwise));
  }
  // The key first: a certificate without its key would look as if it were of use.
  if (absl::Status s = WriteNewFile(key, pair.key, 0600, "--dir"); !s.ok()) return s;
  if (absl::Status s = WriteNewFile(cert, pair.cert, 0644, "--dir"); !s.ok()) {
    unlink(key.c_str());
    return s;
  }
  std::printf("%s.crt\n%s.key\n", Escape(base).c_str(), Escape(base).c_str());
  return absl::OkStatus();
}

absl::Status MakeCa(const CertArguments& arguments) {
  const auto pair = MakeAuthority(arguments.name, arguments.days);
  if (!pair.ok()) return pair.status();
  return Write(arguments, "ca", *pair, "give another --dir");
}

absl::Status MakeSigned(const CertArguments& arguments) {
  if (arguments.name.find('/') != std::string::npos) {
    return absl::InvalidArgumentError("--name becomes the name of files: it has no \"/\"");
  }
  const auto cert = ReadFile(arguments.folder + "/ca.crt");
  if (!cert.ok()) return cert.status();
  const auto key = ReadFile(arguments.folder + "/ca.key");
  if (!key.ok()) return key.status();
  const auto pair = MakeCertificate(
      {*cert, *key}, {.name = arguments.name, .hosts = arguments.hosts, .days = arguments.days});
  if (!pair.ok()) return pair.status();
  return Write(arguments, arguments.name, *pair, "choose another --name");
}

std::shared_ptr<CertArguments> Add(CLI::App* parent, const char* word, const char* help,
                                   const char* name, const char* name_help, int days,
                                   CommandContext* context,
                                   absl::Status (*run)(const CertArguments&)) {
  CLI::App* const command = parent->add_subcommand(word, help);
  auto arguments = std::make_shared<CertArguments>();
  arguments->name = name;
  arguments->days = days;
  command->add_option("--dir", arguments->folder, "Folder of the authority and of what is made")
      ->capture_default_str()
      ->type_name("DIR");
  command->add_option("--name", arguments->name, name_help)
      ->capture_default_str()
      ->type_name("NAME");
  command->add_option("--days", arguments->days, "How long it holds")
      ->capture_default_str()
      ->check(NumberFrom(1, 36500))
      ->type_name("N");
  command->callback([arguments, context, run] {
    const absl::Status status = run(*arguments);
    context->exit_code = status.ok() ? kExitOk : Fail(status);
  });
  return arguments;
}

}  // namespace

void AddCertCommand(CLI::App* app, CommandContext* context) {
  CLI::App* command = app->add_subcommand("cert", "Make certificates for mutual TLS");
  command->callback([command] { RequireCommand(*command); });
  Add(command, "ca",
      "Make the authority: ca.crt, which everybody gets, and ca.key, which nobody does",
      "flaredb-ca", "What it calls itself", kAuthorityDays, context, MakeCa);
  const auto server = Add(command, "server", "Make a store's certificate", "server", kNameHelp,
                          kCertificateDays, context, MakeSigned);
  command->get_subcommand("server")
      ->add_option("--host", server->hosts,
                   "Names and IP addresses under which the store is reached; may be repeated")
      ->required()
      ->type_name("HOST");
  Add(command, "client", "Make a client's certificate", "client", kNameHelp, kCertificateDays,
      context, MakeSigned);
}

}  // namespace flaredb::net
