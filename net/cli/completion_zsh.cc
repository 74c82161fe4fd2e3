// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "net/cli/completion.h"

namespace flaredb::net {
namespace {

// Inside single quotes, with the characters escaped that _arguments and _describe take for theirs.
std::string Quoted(const std::string& text) {
  return absl::StrReplaceAll(
      text, {{"\\", "\\\\"}, {":", "\\:"}, {"[", "\\["}, {"]", "\\]"}, {"'", "'\\''"}});
}

std::string FunctionOf(const CommandPath& path) {
  return "_" + absl::StrReplaceAll(path.words, {{" ", "_"}, {"-", "_"}});
}

std::string Action(const std::string& value) {
  if (const auto choices = ChoicesOf(value); !choices.empty()) {
    return "(" + absl::StrJoin(choices, " ") + ")";
  }
  if (value == "DIR") return "_files -/";
  return value == "FILE" ? "_files" : " ";
}

// '(-o --output)'{-o,--output}'[help]:VALUE:(a b)'
std::string Specification(const OptionInfo& option) {
  std::string spec;
  if (option.names.size() > 1) {
    spec = absl::StrCat("'(", absl::StrJoin(option.names, " "), ")'{",
                        absl::StrJoin(option.names, ","), "}");
  } else {
    spec = absl::StrJoin(option.names, "");
  }
  absl::StrAppend(&spec, "'[", Quoted(option.help), "]");
  if (!option.value.empty()) {
    absl::StrAppend(&spec, ":", Quoted(option.value), ":", Action(option.value));
  }
  return spec + "'";
}

std::string Function(const CommandPath& path) {
  const CommandInfo& command = *path.command;
  std::string text = FunctionOf(path) + "() {\n";
  std::string specs;
  for (const OptionInfo& option : command.options) {
    absl::StrAppend(&specs, " \\\n    ", Specification(option));
  }
  if (command.commands.empty()) {
    for (const ArgumentInfo& argument : command.arguments) {
      absl::StrAppend(&specs, " \\\n    '", argument.repeated ? "*" : "", ":",
                      Quoted(argument.name), ":", Action(argument.value), "'");
    }
    return absl::StrCat(text, "  _arguments", specs, "\n}\n");
  }
  std::string names;
  std::string cases;
  for (const CommandInfo& below : command.commands) {
    absl::StrAppend(&names, "\n    '", below.name, ":", Quoted(below.help), "'");
    absl::StrAppend(&cases, "        ", below.name, ") ",
                    FunctionOf({path.words + " " + below.name, &below}), " ;;\n");
  }
  return absl::StrCat(text, "  local line state\n  local -a commands=(", names, "\n  )\n",
                      "  _arguments -C", specs, " \\\n    '1: :->command' \\\n",
                      "    '*:: :->rest'\n  case $state in\n",
                      "    command) _describe command commands ;;\n    rest)\n",
                      "      case $line[1] in\n", cases, "      esac\n      ;;\n  esac\n}\n");
}

}  // namespace

std::string ZshCompletion(const CommandInfo& root) {
  const std::string& name = root.name;
  std::string text =
      absl::StrCat("#compdef ", name, "\n# Completes ", name, " in zsh: save it as _", name,
                   " in a folder of $fpath, or source it after compinit.\n");
  for (const CommandPath& path : AllCommands(root)) text += Function(path);
  // Loaded from $fpath the file is the function's body; sourced, it only defines it.
  return absl::StrCat(text, "if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then\n  _", name,
                      " \"$@\"\nelse\n  compdef _", name, " ", name, "\nfi\n");
}

}  // namespace flaredb::net
