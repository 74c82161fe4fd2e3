// SPDX-License-Identifier: Apache-2.0
#include "net/cli/man_page.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "core/base/strings.h"

namespace flaredb::net {
namespace {

constexpr char kExitStatus[] =
    R"(.SH EXIT STATUS
.TP
0
Done.
.TP
1
Not found, or the version is not the expected one.
.TP
2
The command line makes no sense.
.TP
3
No store answered, or an address, folder or disk cannot be used.
.TP
4
Refused by a rule or limit, or for load.
.TP
5
Data is damaged.
.TP
6
A write that may or may not have taken effect.
)";

// A text line: hyphens stay hyphens, and neither a dot nor a quote begins a request.
std::string Text(std::string_view text) {
  const std::string escaped =
      absl::StrReplaceAll(ToAbsl(text), {{"\\", "\\e"}, {"-", "\\-"}, {"\n", " "}});
  return escaped.starts_with('.') || escaped.starts_with('\'') ? "\\&" + escaped : escaped;
}

std::string Bold(std::string_view text) { return absl::StrCat("\\fB", Text(text), "\\fR"); }
std::string Italic(std::string_view text) { return absl::StrCat("\\fI", Text(text), "\\fR"); }

std::string Synopsis(const CommandPath& path) {
  std::string line = Bold(path.words);
  for (const OptionInfo& option : path.command->options) {
    if (!option.required) continue;
    absl::StrAppend(&line, " ", Bold(option.names.back()), " ", Italic(option.value));
  }
  line += " [" + Italic("OPTIONS") + "]";
  if (!path.command->commands.empty()) line += " " + Italic("COMMAND");
  for (const ArgumentInfo& argument : path.command->arguments) {
    const std::string name = Italic(argument.name) + (argument.repeated ? " ..." : "");
    absl::StrAppend(&line, " ", argument.required ? name : "[" + name + "]");
  }
  return line;
}

std::string OptionEntry(const OptionInfo& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) {
    names.push_back(Bold(name) + (option.value.empty() ? "" : " " + Italic(option.value)));
  }
  std::string entry = absl::StrCat(".TP\n", absl::StrJoin(names, ", "), "\n", Text(option.help));
  if (!option.help.ends_with('.')) entry += '.';
  if (option.required) entry += " Required.";
  if (!option.default_value.empty()) {
    absl::StrAppend(&entry, " Default: ", Text(option.default_value), ".");
  }
  if (!option.environment.empty()) {
    absl::StrAppend(&entry, " Environment: ", Bold(option.environment), ".");
  }
  return entry + "\n";
}

}  // namespace

std::string ManPageName(const CommandPath& path) {
  return absl::StrReplaceAll(path.words, {{" ", "-"}});
}

std::string ManPage(const CommandPath& path, std::string_view version) {
  const CommandInfo& command = *path.command;
  const std::string name = ManPageName(path);
  std::string page = absl::StrCat(".TH ", absl::AsciiStrToUpper(name), " 1 \"\" \"",
                                  ToAbsl(version), "\"\n.SH NAME\n", Text(name), " \\- ",
                                  Text(command.help), "\n.SH SYNOPSIS\n", Synopsis(path), "\n");
  if (!command.footer.empty()) {
    absl::StrAppend(&page, ".SH DESCRIPTION\n", Text(command.footer), "\n");
  }
  if (!command.commands.empty()) page += ".SH COMMANDS\n";
  for (const CommandInfo& below : command.commands) {
    absl::StrAppend(&page, ".TP\n", Bold(below.name), "\n", Text(below.help), ". See ",
                    Bold(name + "-" + below.name), "(1).\n");
  }
  if (!command.arguments.empty()) page += ".SH ARGUMENTS\n";
  for (const ArgumentInfo& argument : command.arguments) {
    absl::StrAppend(&page, ".TP\n", Italic(argument.name), "\n", Text(argument.help), ".\n");
  }
  page += ".SH OPTIONS\n";
  for (const OptionInfo& option : command.options) page += OptionEntry(option);
  page += kExitStatus;
  if (const size_t parent = path.words.rfind(' '); parent != std::string::npos) {
    absl::StrAppend(&page, ".SH SEE ALSO\n",
                    Bold(ManPageName({path.words.substr(0, parent), nullptr})), "(1)\n");
  }
  return page;
}

}  // namespace flaredb::net
