// SPDX-License-Identifier: Apache-2.0
#include "net/config/server_config.h"

#include <gtest/gtest.h>

#include <fstream>

namespace flaredb::net {
namespace {

class ServerConfigTest : public testing::Test {
 protected:
  absl::StatusOr<ServerConfig> Resolve() {
    const auto environment = [this](const std::string& variable) -> std::optional<std::string> {
      const auto it = environment_.find(variable);
      if (it == environment_.end()) return std::nullopt;
      return it->second;
    };
    return ServerConfig::Resolve(flags_, environment, file_);
  }
  void WriteFile(std::string_view content) {
    file_ = testing::TempDir() + "/server.toml";
    std::ofstream(file_) << content;
  }
  std::string Error() { return std::string(Resolve().status().message()); }

  GivenFlags flags_;
  std::map<std::string, std::string> environment_;
  std::string file_;
};

TEST_F(ServerConfigTest, ADefaultHoldsWhereNothingIsSaid) {
  const auto config = Resolve();
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->at("addr").text, "127.0.0.1:50051");
  EXPECT_EQ(config->at("addr").origin, "default");
  EXPECT_EQ(config->number("store-id"), std::nullopt);
}

TEST_F(ServerConfigTest, TheFileComesBeforeTheDefault) {
  WriteFile("\naddr = 'file:1'");
  const auto config = Resolve();
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->at("addr").text, "file:1");
  EXPECT_EQ(config->at("addr").origin, file_ + ":2:1");
}

TEST_F(ServerConfigTest, TheEnvironmentComesBeforeTheFile) {
  WriteFile("addr = 'file:1'");
  environment_["FLAREDB_ADDR"] = "environment:1";
  const auto config = Resolve();
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->at("addr").text, "environment:1");
  EXPECT_EQ(config->at("addr").origin, "environment FLAREDB_ADDR");
}

TEST_F(ServerConfigTest, AnEmptyVariableIsNotSetWhereThereIsADefault) {
  WriteFile("addr = 'file:1'");
  environment_["FLAREDB_ADDR"] = "";
  EXPECT_EQ(Resolve()->text("addr"), "file:1");
}

// It would found a cluster of one store, or speak in plain text.
TEST_F(ServerConfigTest, AnEmptyVariableIsRefusedWhereThereIsNoDefault) {
  for (const char* variable : {"FLAREDB_PEER", "FLAREDB_CLUSTER_ID", "FLAREDB_TLS_CA",
                               "FLAREDB_TLS_CERT", "FLAREDB_TLS_KEY"}) {
    environment_ = {{variable, ""}};
    EXPECT_EQ(Error(), std::string(variable) + " \"\" is empty: give a value, or leave it out");
  }
}

TEST_F(ServerConfigTest, AFlagComesBeforeAll) {
  WriteFile("addr = 'file:1'");
  environment_["FLAREDB_ADDR"] = "environment:1";
  flags_["addr"] = "flag:1";
  const auto config = Resolve();
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->at("addr").text, "flag:1");
  EXPECT_EQ(config->at("addr").origin, "flag");
}

TEST_F(ServerConfigTest, AWrongValueIsToldWithItsPlace) {
  environment_["FLAREDB_STORE_ID"] = "one";
  EXPECT_EQ(Error(), "FLAREDB_STORE_ID \"one\" is not a whole number from 1 up");
  flags_["store-id"] = "-1";
  EXPECT_EQ(Error(), "--store-id \"-1\" is not a whole number from 1 up");
  WriteFile("\nstore-id = 0");
  EXPECT_EQ(Error(), file_ + ":2:1: store-id \"0\" is not a whole number from 1 up");
}

TEST_F(ServerConfigTest, ANumberFits) {
  flags_["store-id"] = "18446744073709551615";
  EXPECT_EQ(Resolve()->number("store-id"), ~uint64_t{0});
  flags_["store-id"] = "18446744073709551616";
  EXPECT_FALSE(Resolve().ok());
}

TEST_F(ServerConfigTest, ANumberKeepsToItsRange) {
  flags_["max-value-bytes"] = "2097152";
  EXPECT_EQ(Resolve()->number("max-value-bytes"), 2097152u);
  flags_["max-value-bytes"] = "2097153";
  EXPECT_EQ(Error(), "--max-value-bytes \"2097153\" is not a whole number from 1 to 2097152");
  flags_.clear();
  WriteFile("max-streams = 99");
  EXPECT_EQ(Error(), file_ + ":1:1: max-streams \"99\" is not a whole number from 100 to 1000000");
}

TEST(Settings, EveryNameMakesAFlagAndAVariable) {
  for (const Setting& setting : ServerSettings()) {
    EXPECT_EQ(FlagOf(setting), "--" + std::string(setting.name));
    EXPECT_FALSE(setting.help.empty()) << setting.name;
    if (!setting.default_value.empty()) {
      EXPECT_EQ(WhyNoValue(setting, setting.default_value), "") << setting.name;
    }
  }
}

}  // namespace
}  // namespace flaredb::net
