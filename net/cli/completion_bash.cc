// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "net/cli/completion.h"

namespace flaredb::net {
namespace {

// 'flaredb kv get' | 'flaredb kv put'
std::string Pattern(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back("'" + text + "'");
  return absl::StrJoin(quoted, " | ");
}

// The case of the options whose value is next; what to do with it depends on its kind.
void AddValueCase(const CommandPath& path, const OptionInfo& option, std::string* out) {
  if (option.value.empty()) return;
  std::vector<std::string> texts;
  for (const std::string& name : option.names) texts.push_back(path.words + " " + name);
  absl::StrAppend(out, "    ", Pattern(texts), ")\n      ");
  if (const auto choices = ChoicesOf(option.value); !choices.empty()) {
    absl::StrAppend(out, "words='", absl::StrJoin(choices, " "), "'");
  } else if (option.value == "DIR" || option.value == "FILE") {
    absl::StrAppend(out, "mapfile -t COMPREPLY < <(compgen ", option.value == "DIR" ? "-d" : "-f",
                    " -- \"$current\")\n      return");
  } else {
    absl::StrAppend(out, "return");
  }
  absl::StrAppend(out, "\n      ;;\n");
}

void AddWordsCase(const CommandPath& path, std::string* out) {
  std::vector<std::string> words;
  std::vector<std::string> options;
  for (const CommandInfo& below : path.command->commands) words.push_back(below.name);
  for (const ArgumentInfo& argument : path.command->arguments) {
    for (std::string& choice : ChoicesOf(argument.value)) words.push_back(std::move(choice));
  }
  for (const OptionInfo& option : path.command->options) {
    options.insert(options.end(), option.names.begin(), option.names.end());
  }
  absl::StrAppend(out, "    ", Pattern({path.words + " "}), "*)\n");
  absl::StrAppend(out, "      words='", absl::StrJoin(words, " "), "'\n");
  absl::StrAppend(out, "      [[ $current != -* ]] || words='", absl::StrJoin(options, " "),
                  "'\n      ;;\n");
}

}  // namespace

std::string BashCompletion(const CommandInfo& root) {
  const std::vector<CommandPath> all = AllCommands(root);
  const std::string& name = root.name;
  std::vector<std::string> known;
  std::string cases;
  for (const CommandPath& path : all) {
    if (path.command != &root) known.push_back(path.words);
    for (const OptionInfo& option : path.command->options) AddValueCase(path, option, &cases);
  }
  // Longer commands first: the words of a group begin those of its commands.
  for (auto path = all.rbegin(); path != all.rend(); ++path) AddWordsCase(*path, &cases);
  return absl::StrCat(
      "# shellcheck shell=bash\n# Completes ", name, " in bash: source it, or save it as\n# ",
      "~/.local/share/bash-completion/completions/", name, "\n_", name, "() {\n",
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n",
      "  local command=", name, " word words=\n",
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    case \"$command $word\" in\n     "
      " ",
      Pattern(known), ") command=\"$command $word\" ;;\n    esac\n  done\n",
      "  # Only an option says something about the word after it.\n",
      "  [[ $previous == -* ]] || previous=\n", "  case \"$command $previous\" in\n", cases,
      "  esac\n", "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n}\n",
      "complete -F _", name, " ", name, "\n");
}

}  // namespace flaredb::net
