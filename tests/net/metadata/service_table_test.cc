// SPDX-License-Identifier: Apache-2.0
#include "net/metadata/service_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "net/metadata/connect.h"

namespace flaredb::metadata {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kEndpoints[] = "endpoints = [\"127.0.0.1:50051\"]\n";
constexpr char kDns[] =
    "[services.dns]\nnamespace = \"default\"\nprefix = \"dns/\"\nmode = \"strong\"\n";

std::string ErrorOf(const std::string& text) {
  const auto table = ParseServiceTable(text, "x.toml");
  return table.ok() ? "" : std::string(table.status().message());
}

TEST(ServiceTable, TheExampleHasEveryService) {
  const auto table = ReadServiceTable("examples/metadata/services.toml");
  ASSERT_TRUE(table.ok()) << table.status();
  std::vector<std::string> names;
  for (const auto& [name, service] : table->services) {
    names.push_back(name);
    EXPECT_EQ(service.prefix, name + "/");
    EXPECT_EQ(service.ns, "default");
  }
  EXPECT_THAT(names, ElementsAre("fiberlb", "flashdns", "lightningstor", "plasmavmc", "prismnet"));
  EXPECT_EQ(table->endpoints.size(), 3u);
}

TEST(ServiceTable, SettingsAreRead) {
  const auto table = ParseServiceTable(
      std::string("timeout_ms = 250\n") + kEndpoints + kDns +
          "[services.lb]\nnamespace = \"lb\"\nprefix = \"dns/\"\nmode = \"strong\"\n",
      "x.toml");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->timeout, Duration::Milliseconds(250));
  EXPECT_THAT(table->endpoints, ElementsAre("127.0.0.1:50051"));
  // The same prefix in another namespace is another place.
  EXPECT_EQ(table->Find("lb")->ns, "lb");
  EXPECT_EQ(table->Find("dns")->prefix, "dns/");
  EXPECT_THAT(std::string(table->Find("nobody").status().message()), HasSubstr("dns, lb"));
}

TEST(ServiceTable, FilesForTlsAndTheTokenAreNamedAsOnTheCommandLine) {
  auto table = ParseServiceTable(std::string(kEndpoints) + kDns, "x.toml");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_TRUE(table->tls.empty());
  EXPECT_EQ(table->token_file, "");
  table = ParseServiceTable(
      std::string(kEndpoints) +
          "tls_ca = \"ca\"\ntls_cert = \"c\"\ntls_key = \"k\"\ntoken_file = \"t\"\n" + kDns,
      "x.toml");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->tls.ca, "ca");
  EXPECT_EQ(table->tls.cert, "c");
  EXPECT_EQ(table->tls.key, "k");
  EXPECT_EQ(table->token_file, "t");
  EXPECT_EQ(ErrorOf(std::string(kEndpoints) + "tls_ca = \"ca\"\n" + kDns), "");
}

TEST(ServiceTable, AFileThatTheTableNamesMustBeThere) {
  auto table = ParseServiceTable(std::string(kEndpoints) + kDns, "x.toml");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_TRUE(Connect(*table).ok());
  table->tls.ca = "no/such/ca.crt";
  EXPECT_THAT(std::string(Connect(*table).status().message()), HasSubstr("no/such/ca.crt"));
  table->tls.ca = "";
  table->token_file = "no/such/token";
  EXPECT_THAT(std::string(Connect(*table).status().message()), HasSubstr("no/such/token"));
}

TEST(ServiceTable, EachMistakeIsToldWithItsPlace) {
  const std::string head = kEndpoints;
  struct {
    std::string text;
    std::string place;
    std::string what;
  } const mistakes[] = {
      {"endpoints = [", "x.toml:1:", ""},
      {kDns, "x.toml:1:", "endpoints"},
      {"endpoints = []\n" + std::string(kDns), "x.toml:1:13", "endpoints"},
      {"endpoints = [\"nonsense\"]\n" + std::string(kDns), "x.toml:1:14", "nonsense"},
      {"endpoints = [5]\n" + std::string(kDns), "x.toml:1:14", "HOST:PORT"},
      {head, "x.toml:", "no services"},
      {head + "services = 5", "x.toml:", "no services"},
      {head + "services.dns = 5", "x.toml:2:", "must be a table"},
      {head + "timeout_ms = 0\n" + kDns, "x.toml:2:14", "timeout_ms"},
      {head + "timeout_ms = \"5\"\n" + kDns, "x.toml:2:14", "timeout_ms"},
      {head + "timeout = 5\n" + kDns, "x.toml:2:11", "\"timeout\""},
      {head + "tls_ca = \"\"\n" + kDns, "x.toml:2:10", "tls_ca"},
      {head + "token_file = 5\n" + kDns, "x.toml:2:14", "token_file"},
      {head + "tls_ca = \"a\"\ntls_cert = \"c\"\n" + kDns, "x.toml:3:12", "belong together"},
      {head + "tls_ca = \"a\"\ntls_key = \"k\"\n" + kDns, "x.toml:3:11", "belong together"},
      {head + "tls_cert = \"c\"\ntls_key = \"k\"\n" + kDns, "x.toml:2:12", "tls_ca is missing"},
      {head + "token_file = \"t\"\n" + kDns, "x.toml:2:14", "needs TLS"},
      {head + kDns + "mod = 1\n", "x.toml:6:", "\"mod\""},
      {head + "[services.dns]\nprefix = \"d\"\nmode = \"strong\"\n", "x.toml:2:", "namespace"},
      {head + "[services.dns]\nnamespace = \"d\"\nmode = \"strong\"\n", "x.toml:2:", "prefix"},
      {head + "[services.dns]\nnamespace = \"d\"\nprefix = \"\"\nmode = \"strong\"\n",
       "x.toml:4:10", "prefix"},
      {head + "[services.dns]\nnamespace = \"d\"\nprefix = \"d\"\n", "x.toml:2:", "mode"},
      {head + "[services.dns]\nnamespace = \"d\"\nprefix = \"d\"\nmode = \"eventual\"\n",
       "x.toml:5:8", "eventual"},
      {head + kDns +
           "[services.zone]\nnamespace = \"default\"\nprefix = \"dns/z/\"\nmode = \"strong\"\n",
       "x.toml:8:", "share keys"},
      {head + kDns + "[services.any]\nnamespace = \"default\"\nprefix = \"d\"\nmode = \"strong\"\n",
       "x.toml:", "share keys"},
      {head + kDns +
           "[services.zone]\nnamespace = \"default\"\nprefix = \"d\"\nmode = \"strong\"\n",
       "x.toml:", "share keys"},
  };
  for (const auto& mistake : mistakes) {
    const std::string error = ErrorOf(mistake.text);
    EXPECT_THAT(error, StartsWith(mistake.place)) << mistake.text;
    EXPECT_THAT(error, HasSubstr(mistake.what)) << mistake.text;
  }
}

TEST(ServiceTable, AFileThatIsNotThereIsTold) {
  const auto table = ReadServiceTable("no/such/file.toml");
  EXPECT_THAT(std::string(table.status().message()), HasSubstr("no/such/file.toml"));
}

TEST(ServiceTable, AFolderIsNoFile) {
  const auto table = ReadServiceTable(testing::TempDir());
  EXPECT_EQ(table.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(table.status().message()), HasSubstr("s a directory"));
}

}  // namespace
}  // namespace flaredb::metadata
