// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "net/cli/completion.h"

namespace flaredb::net {
namespace {

std::string Quoted(const std::string& text) {
  return "'" + absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}) + "'";
}

std::string OptionLine(const std::string& condition, const OptionInfo& option) {
  std::string line = condition;
  for (const std::string& name : option.names) {
    const bool is_long = name.starts_with("--");
    absl::StrAppend(&line, is_long ? " -l " : " -s ", name.substr(is_long ? 2 : 1));
  }
  if (const auto choices = ChoicesOf(option.value); !choices.empty()) {
    absl::StrAppend(&line, " -x -a ", Quoted(absl::StrJoin(choices, " ")));
  } else if (option.value == "DIR") {
    absl::StrAppend(&line, " -x -a '(__fish_complete_directories)'");
  } else if (option.value == "FILE") {
    absl::StrAppend(&line, " -r -F");
  } else if (!option.value.empty()) {
    absl::StrAppend(&line, " -x");
  }
  return absl::StrCat(line, " -d ", Quoted(option.help), "\n");
}

}  // namespace

std::string FishCompletion(const CommandInfo& root) {
  const std::string& name = root.name;
  const std::string function = "__" + name + "_command_is";
  std::vector<std::string> known;
  std::string lines;
  for (const CommandPath& path : AllCommands(root)) {
    if (path.command != &root) known.push_back("'" + path.words + "'");
    const std::string condition =
        absl::StrCat("complete -c ", name, " -n '", function, " ", path.words, "'");
    for (const CommandInfo& below : path.command->commands) {
      absl::StrAppend(&lines, condition, " -a ", below.name, " -d ", Quoted(below.help), "\n");
    }
    for (const ArgumentInfo& argument : path.command->arguments) {
      const std::vector<std::string> choices = ChoicesOf(argument.value);
      if (choices.empty()) continue;
      absl::StrAppend(&lines, condition, " -a ", Quoted(absl::StrJoin(choices, " ")), " -d ",
                      Quoted(argument.help), "\n");
    }
    for (const OptionInfo& option : path.command->options) lines += OptionLine(condition, option);
  }
  return absl::StrCat(
      "# Completes ", name, " in fish: save it as ~/.config/fish/completions/", name, ".fish\n",
      "function ", function, "\n    set -l command ", name,
      "\n    set -l words (commandline -opc)\n",
      "    for word in $words[2..]\n        if contains -- \"$command $word\" ",
      absl::StrJoin(known, " "), "\n            set command \"$command $word\"\n        end\n",
      "    end\n    test \"$command\" = \"$argv\"\nend\n", "complete -c ", name, " -f\n", lines);
}

}  // namespace flaredb::net
