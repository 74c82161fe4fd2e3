// SPDX-License-Identifier: Apache-2.0
#include "net/cli/command_tree.h"

#include <algorithm>
#include <utility>

#include "CLI/CLI.hpp"

namespace flaredb::net {
namespace {

OptionInfo DescribeOption(const CLI::Option& option) {
  OptionInfo info;
  for (const std::string& name : option.get_snames()) info.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) info.names.push_back("--" + name);
  // A flag takes no value, though the library gives it a type.
  if (option.get_items_expected_max() > 0) info.value = option.get_type_name();
  info.help = option.get_description();
  info.default_value = option.get_default_str();
  info.environment = option.get_envname();
  info.required = option.get_required();
  return info;
}

ArgumentInfo DescribeArgument(const CLI::Option& option) {
  return {.name = option.get_name(true),
          .value = option.get_type_name(),
          .help = option.get_description(),
          .required = option.get_required(),
          .repeated = option.get_items_expected_max() > 1};
}

void Walk(const CommandInfo& command, const std::string& words, std::vector<CommandPath>* all) {
  all->push_back({words, &command});
  for (const CommandInfo& below : command.commands) Walk(below, words + " " + below.name, all);
}

const OptionInfo* FindOption(const CommandInfo& command, const std::string& name) {
  for (const OptionInfo& option : command.options) {
    if (std::find(option.names.begin(), option.names.end(), name) != option.names.end()) {
      return &option;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> ChoicesOf(const std::string& value) {
  std::vector<std::string> found;
  if (value.find('|') == std::string::npos) return found;
  size_t begin = 0;
  for (size_t end; (end = value.find('|', begin)) != std::string::npos; begin = end + 1) {
    found.push_back(value.substr(begin, end - begin));
  }
  found.push_back(value.substr(begin));
  return found;
}

const CommandInfo* CommandInfo::Find(std::string_view command) const {
  const auto at = std::find_if(commands.begin(), commands.end(),
                               [&](const CommandInfo& below) { return below.name == command; });
  return at == commands.end() ? nullptr : &*at;
}

CommandInfo Describe(const CLI::App& app) {
  CommandInfo info{.name = app.get_name(),
                   .help = app.get_description(),
                   .footer = app.get_footer(),
                   .options = {},
                   .arguments = {},
                   .commands = {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      info.arguments.push_back(DescribeArgument(*option));
    } else {
      info.options.push_back(DescribeOption(*option));
    }
  }
  for (const CLI::App* below : app.get_subcommands([](const CLI::App*) { return true; })) {
    info.commands.push_back(Describe(*below));
  }
  return info;
}

std::vector<CommandPath> AllCommands(const CommandInfo& root) {
  std::vector<CommandPath> all;
  Walk(root, root.name, &all);
  return all;
}

std::vector<std::string> Complete(const CommandInfo& root, const std::vector<std::string>& words) {
  const CommandInfo* command = &root;
  const OptionInfo* pending = nullptr;  // An option that waits for its value.
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (pending != nullptr) {
      pending = nullptr;
    } else if (const OptionInfo* option = FindOption(*command, words[i]); option != nullptr) {
      if (!option->value.empty()) pending = option;
    } else if (const CommandInfo* below = command->Find(words[i]); below != nullptr) {
      command = below;
    }
  }
  const std::string& last = words.back();
  std::vector<std::string> candidates;
  if (pending != nullptr) {
    candidates = ChoicesOf(pending->value);
  } else if (!last.empty() && last.front() == '-') {
    for (const OptionInfo& option : command->options) {
      candidates.insert(candidates.end(), option.names.begin(), option.names.end());
    }
  } else {
    for (const CommandInfo& below : command->commands) candidates.push_back(below.name);
    for (const ArgumentInfo& argument : command->arguments) {
      for (std::string& choice : ChoicesOf(argument.value)) candidates.push_back(std::move(choice));
    }
  }
  std::erase_if(candidates, [&](const std::string& word) { return !word.starts_with(last); });
  return candidates;
}

}  // namespace flaredb::net
