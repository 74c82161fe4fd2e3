// SPDX-License-Identifier: Apache-2.0
#include "net/access/tokens.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

namespace flaredb::net {
namespace {

// The SHA-256 of "abc" (FIPS 180-2, B.1) and of "".
constexpr char kOfAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kOfNothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string Entry(const std::string& name, const std::string& digest, const std::string& rest) {
  return "[[token]]\nname = \"" + name + "\"\nsha256 = \"" + digest + "\"\n" + rest;
}

TEST(Tokens, AreFoundByWhatTheyAreAndHaveTheRightsOfTheirEntry) {
  const auto table = TokenTable::Parse(
      "t", Entry("web", kOfAbc, "read = [\"logs\", \"a \\\"b\\\"\"]\nwrite = [\"*\"]\n") +
               Entry("ops", kOfNothing, "admin = true\n"));
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->size(), 2u);
  const Token* const web = table->Find("abc");
  ASSERT_NE(web, nullptr);
  EXPECT_EQ(web->name, "web");
  EXPECT_TRUE(web->rights.MayRead("logs"));
  EXPECT_TRUE(web->rights.MayRead("a \"b\""));
  EXPECT_FALSE(web->rights.MayRead("log"));
  EXPECT_FALSE(web->rights.MayRead("*"));
  EXPECT_TRUE(web->rights.MayWrite("whatever comes"));
  EXPECT_FALSE(web->rights.admin);
  const Token* const ops = table->Find("");
  ASSERT_NE(ops, nullptr);
  EXPECT_TRUE(ops->rights.admin);
  EXPECT_FALSE(ops->rights.MayRead("logs"));
  EXPECT_FALSE(ops->rights.MayWrite("logs"));
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(table->Find("abc" + std::to_string(i)), nullptr);
  EXPECT_EQ(table->Find(kOfAbc), nullptr);  // Whoever reads the file has no token.
}

TEST(Tokens, EveryDigitOfADigestCounts) {
  ASSERT_NE(TokenTable::Parse("t", Entry("web", kOfAbc, "admin = true\n"))->Find("abc"), nullptr);
  for (size_t i = 0; i < 64; ++i) {
    std::string other = kOfAbc;
    other[i] = other[i] == '0' ? '1' : '0';
    EXPECT_EQ(TokenTable::Parse("t", Entry("web", other, "admin = true\n"))->Find("abc"), nullptr)
        << i;
  }
}

TEST(Tokens, WhatIsPrintedIsReadAgain) {
  const auto secret = DrawToken();
  ASSERT_TRUE(secret.ok());
  EXPECT_EQ(secret->size(), 8 + 64u);
  EXPECT_TRUE(secret->starts_with("flaredb_"));
  EXPECT_NE(*secret, *DrawToken());
  Token token{.name = "a.b-c_1", .sha256 = Sha256Of(*secret), .rights = {}};
  token.rights.read = {"logs", "a\\\"b"};
  token.rights.write = {"*"};
  token.rights.admin = true;
  const std::string text = FormatToken(token);
  EXPECT_EQ(text.find(*secret), std::string::npos);
  const auto table = TokenTable::Parse("t", text);
  ASSERT_TRUE(table.ok()) << table.status() << text;
  const Token* const found = table->Find(*secret);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name, token.name);
  EXPECT_EQ(found->rights.read, token.rights.read);
  EXPECT_EQ(found->rights.write, token.rights.write);
  EXPECT_TRUE(found->rights.admin);
}

TEST(Tokens, AMistakeIsToldWithItsPlace) {
  const std::string good = Entry("web", kOfAbc, "admin = true\n");
  const std::string many(65, 'n');
  for (const auto& [content, place, words] :
       std::initializer_list<std::tuple<std::string, std::string, std::string>>{
           {"", "t has", "no tokens"},
           {"[[token]", "t:1:", ""},
           {"token = 1\n", "t:1:1:", "only [[token]]"},
           {"# two\ntokens = []\n" + good, "t:2:1:", "only [[token]]"},
           {"token = [1]\n", "t:1:10:", "a token is a table"},
           {good + Entry("web", kOfNothing, "admin = true\n"), "t:5:1:", "this name"},
           {good + Entry("two", kOfAbc, "admin = true\n"), "t:5:1:", "\"web\" has the same"},
           {Entry("", kOfAbc, "admin = true\n"), "t:2:8:", "a token's name"},
           {Entry("a b", kOfAbc, "admin = true\n"), "t:2:8:", "a token's name"},
           {Entry(many, kOfAbc, "admin = true\n"), "t:2:8:", "a token's name"},
           {Entry("web", "ba78", "admin = true\n"), "t:3:10:", "64 hexadecimal"},
           {Entry("web", std::string(64, 'g'), "admin = true\n"), "t:3:10:", "64 hexadecimal"},
           {"[[token]]\nname = \"web\"\nadmin = true\n", "t:1:1:", "no sha256"},
           {Entry("web", kOfAbc, ""), "t:1:1:", "no right"},
           {Entry("web", kOfAbc, "read = []\nadmin = false\n"), "t:1:1:", "no right"},
           {Entry("web", kOfAbc, "read = \"logs\"\n"), "t:4:8:", "array of names"},
           {Entry("web", kOfAbc, "read = [1]\n"), "t:4:9:", "no name of a namespace"},
           {Entry("web", kOfAbc, "write = [\"a\", \"a/b\"]\n"),
            "t:4:15:", "no name of a namespace"},
           {Entry("web", kOfAbc, "admin = 1\n"), "t:4:9:", "neither true nor false"},
           {Entry("web", kOfAbc, "admin = true\nexpires = 1\n"), "t:5:1:", "unknown key"},
       }) {
    const auto table = TokenTable::Parse("t", content);
    ASSERT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument) << content;
    const std::string message(table.status().message());
    EXPECT_TRUE(message.starts_with(place)) << message << "\n" << content;
    EXPECT_NE(message.find(words), std::string::npos) << message << "\n" << content;
  }
}

TEST(Tokens, AFileThatOthersMayUseIsRefused) {
  const std::string path = ::testing::TempDir() + "/tokens.toml";
  std::ofstream(path) << Entry("web", kOfAbc, "admin = true\n");
  for (const mode_t mode : {0644, 0640, 0620, 0602, 0604, 0660}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    const auto table = TokenTable::Read(path);
    ASSERT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument) << mode;
    EXPECT_NE(std::string(table.status().message()).find("chmod 600"), std::string::npos);
  }
  for (const mode_t mode : {0600, 0400}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    EXPECT_TRUE(TokenTable::Read(path).ok()) << mode;
  }
}

std::string ContentOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Tokens, AnEntryIsAppendedToAFileThatIsMadeForIt) {
  const std::string path = ::testing::TempDir() + "/new.toml";
  Token token{.name = "one", .sha256 = Sha256Of("one"), .rights = {}};
  token.rights.admin = true;
  ASSERT_TRUE(TokenTable::Append(path, token).ok());
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const std::string one = ContentOf(path);
  EXPECT_FALSE(TokenTable::Append(path, token).ok()) << "the name is taken";
  token.sha256 = Sha256Of("two");
  EXPECT_FALSE(TokenTable::Append(path, token).ok()) << "the name is taken";
  EXPECT_EQ(ContentOf(path), one);
  token.name = "two";
  ASSERT_TRUE(TokenTable::Append(path, token).ok());
  const auto table = TokenTable::Read(path);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->Find("one")->name, "one");
  EXPECT_EQ(table->Find("two")->name, "two");
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  token = {.name = "three", .sha256 = Sha256Of("three"), .rights = token.rights};
  EXPECT_FALSE(TokenTable::Append(path, token).ok()) << "others may read it";
  unlink(path.c_str());
}

TEST(Tokens, WhatIsNoFileIsRefused) {
  for (const std::string path : {"/no/such", "/dev/null", "/"}) {
    const auto table = TokenTable::Read(path);
    ASSERT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument) << path;
    EXPECT_NE(std::string(table.status().message()).find(path + ": "), std::string::npos);
  }
}

}  // namespace
}  // namespace flaredb::net
