// SPDX-License-Identifier: Apache-2.0
// flaredb token: what clients show to stores that have a tokens file.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/strings.h"
#include "core/pd/namespaces.h"
#include "net/access/tokens.h"
#include "net/cli/command_context.h"
#include "net/cli/commands.h"
#include "net/cli/new_file.h"
#include "net/cli/option_checks.h"
#include "net/cli/text.h"

namespace flaredb::net {
namespace {

struct NewToken {
  std::string name;
  std::vector<std::string> read;
  std::vector<std::string> write;
  bool admin = false;
  std::string append;
  std::string out;
};

CLI::Validator IsNamespaceOrAll() {
  return CLI::Validator(
      [](const std::string& text) {
        return pd::IsNamespaceName(text)
                   ? std::string()
                   : "\"" + text + "\" is no name of a namespace, nor \"*\", which stands for all";
      },
      "");
}

absl::Status MakeToken(const NewToken& wanted) {
  const auto secret = DrawToken();
  if (!secret.ok()) return secret.status();
  Token token{.name = wanted.name, .sha256 = Sha256Of(*secret), .rights = {}};
  token.rights.read.insert(wanted.read.begin(), wanted.read.end());
  token.rights.write.insert(wanted.write.begin(), wanted.write.end());
  token.rights.admin = wanted.admin;
  const std::string entry = FormatToken(token);
  // What the stores would not take must not become a token.
  if (const auto parsed = TokenTable::Parse("the entry", entry); !parsed.ok()) {
    return parsed.status();
  }
  if (!wanted.out.empty()) {
    if (absl::Status s = WriteNewFile(wanted.out, *secret + "\n", 0600, "--out"); !s.ok()) return s;
  }
  if (wanted.append.empty()) {
    std::printf("%s", entry.c_str());
  } else if (absl::Status s = TokenTable::Append(wanted.append, token); !s.ok()) {
    if (!wanted.out.empty()) unlink(wanted.out.c_str());
    return s;
  }
  if (wanted.out.empty()) {
    std::fprintf(stderr, "the token, which is not shown again: %s\n", secret->c_str());
  }
  return absl::OkStatus();
}

absl::Status CheckTokens(const std::string& path) {
  const auto tokens = TokenTable::Read(path);
  if (!tokens.ok()) return tokens.status();
  std::printf("%s: %zu token%s, no mistakes\n", Escape(path).c_str(), tokens->size(),
              tokens->size() == 1 ? "" : "s");
  return absl::OkStatus();
}

void AddNew(CLI::App* parent, CommandContext* context) {
  CLI::App* const command = parent->add_subcommand(
      "new", "Make a token, and print the entry that the tokens file of the stores needs");
  auto wanted = std::make_shared<NewToken>();
  command->add_option("--name", wanted->name, "Whose it is, for logs and errors")
      ->required()
      ->check(CLI::Validator(
          [](const std::string& text) {
            return IsTokenName(text) ? std::string()
                                     : "\"" + text +
                                           "\" is no name of a token: it has 1 to 64 letters, "
                                           "digits, \".\", \"_\" and \"-\"";
          },
          ""))
      ->type_name("NAME");
  const auto namespaces = [&](const char* flag, std::vector<std::string>* names, const char* help) {
    command->add_option(flag, *names, help)
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(IsNamespaceOrAll())
        ->type_name("NAMESPACE,...");
  };
  namespaces("--read", &wanted->read, "Namespaces that it may read; \"*\" is all");
  namespaces("--write", &wanted->write, "Namespaces that it may write; \"*\" is all");
  command->add_flag("--admin", wanted->admin, "It may look after stores, regions and modes");
  command
      ->add_option("--append", wanted->append,
                   "Write the entry to the end of this tokens file, and not to standard output")
      ->check(NotEmpty())
      ->type_name("FILE");
  command
      ->add_option("--out", wanted->out,
                   "Write the token to this new file, and not to standard error")
      ->check(NotEmpty())
      ->type_name("FILE");
  command->callback([wanted, context] {
    if (wanted->read.empty() && wanted->write.empty() && !wanted->admin) {
      throw CLI::RequiredError("--read, --write or --admin");
    }
    const absl::Status status = MakeToken(*wanted);
    context->exit_code = status.ok() ? Flushed(kExitOk) : Fail(status);
  });
}

void AddCheck(CLI::App* parent, CommandContext* context) {
  CLI::App* const command =
      parent->add_subcommand("check", "Say what is wrong in a tokens file, if anything is");
  auto path = std::make_shared<std::string>();
  command->add_option("FILE", *path, "The tokens file")->required()->type_name("FILE");
  command->callback([path, context] {
    const absl::Status status = CheckTokens(*path);
    context->exit_code = status.ok() ? Flushed(kExitOk) : Fail(status);
  });
}

}  // namespace

void AddTokenCommand(CLI::App* app, CommandContext* context) {
  CLI::App* const command = app->add_subcommand("token", "Make tokens for clients");
  command->callback([command] { RequireCommand(*command); });
  AddNew(command, context);
  AddCheck(command, context);
}

}  // namespace flaredb::net
