// SPDX-License-Identifier: Apache-2.0
#include "net/cli/command_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "CLI/CLI.hpp"

namespace flaredb::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CommandTree : public testing::Test {
 protected:
  CommandTree() {
    CLI::App* kv = app_.add_subcommand("kv", "keys");
    kv->footer("read this");
    CLI::App* get = kv->add_subcommand("get", "one key");
    get->add_option("KEY", text_, "the key")->required()->type_name("");
    get->add_option("-o,--output", text_, "how")->default_str("table")->type_name("table|json");
    get->add_option("--addr", text_, "where")->envname("ADDR")->type_name("HOST:PORT");
    get->add_flag("--hex", flag_, "digits");
    kv->add_subcommand("get-all", "all keys");
    app_.add_subcommand("shell", "lines")->add_option("KIND", text_, "which")->type_name("a|b");
    root_ = Describe(app_);
  }

  CLI::App app_{"a program", "prog"};
  std::string text_;
  bool flag_ = false;
  CommandInfo root_;
};

TEST_F(CommandTree, HasWhatTheParserHas) {
  EXPECT_EQ(root_.name, "prog");
  const CommandInfo* kv = root_.Find("kv");
  ASSERT_NE(kv, nullptr);
  EXPECT_EQ(kv->help, "keys");
  EXPECT_EQ(kv->footer, "read this");
  const CommandInfo* get = kv->Find("get");
  ASSERT_NE(get, nullptr);
  EXPECT_EQ(kv->Find("put"), nullptr);
  ASSERT_EQ(get->arguments.size(), 1u);
  EXPECT_EQ(get->arguments[0].name, "KEY");
  EXPECT_TRUE(get->arguments[0].required);
  ASSERT_EQ(get->options.size(), 4u);
  EXPECT_THAT(get->options[0].names, ElementsAre("-h", "--help"));
  EXPECT_EQ(get->options[0].value, "");
  EXPECT_THAT(get->options[1].names, ElementsAre("-o", "--output"));
  EXPECT_THAT(ChoicesOf(get->options[1].value), ElementsAre("table", "json"));
  EXPECT_EQ(get->options[1].default_value, "table");
  EXPECT_EQ(get->options[2].value, "HOST:PORT");
  EXPECT_EQ(get->options[2].environment, "ADDR");
  EXPECT_THAT(ChoicesOf(get->options[2].value), IsEmpty());
  EXPECT_EQ(get->options[3].value, "");
}

TEST_F(CommandTree, ParentsComeFirst) {
  std::vector<std::string> all;
  for (const CommandPath& path : AllCommands(root_)) all.push_back(path.words);
  EXPECT_THAT(all, ElementsAre("prog", "prog kv", "prog kv get", "prog kv get-all", "prog shell"));
}

TEST_F(CommandTree, TheLastWordIsCompleted) {
  EXPECT_THAT(Complete(root_, {""}), ElementsAre("kv", "shell"));
  EXPECT_THAT(Complete(root_, {"s"}), ElementsAre("shell"));
  EXPECT_THAT(Complete(root_, {"kv", "g"}), ElementsAre("get", "get-all"));
  EXPECT_THAT(Complete(root_, {"kv", "get-"}), ElementsAre("get-all"));
  EXPECT_THAT(Complete(root_, {"kv", "get", "--o"}), ElementsAre("--output"));
  EXPECT_THAT(Complete(root_, {"kv", "get", "-o", ""}), ElementsAre("table", "json"));
  EXPECT_THAT(Complete(root_, {"kv", "get", "-o", "json", "--h"}), ElementsAre("--help", "--hex"));
  EXPECT_THAT(Complete(root_, {"shell", ""}), ElementsAre("a", "b"));
}

TEST_F(CommandTree, WhatNobodyCanKnowIsNotCompleted) {
  EXPECT_THAT(Complete(root_, {"kv", "get", "k"}), IsEmpty());
  EXPECT_THAT(Complete(root_, {"kv", "get", "--addr", ""}), IsEmpty());
  EXPECT_THAT(Complete(root_, {"nothing"}), IsEmpty());
  // The value of an option is no command.
  EXPECT_THAT(Complete(root_, {"kv", "get", "--addr", "kv", "--he"}),
              ElementsAre("--help", "--hex"));
}

}  // namespace
}  // namespace flaredb::net
