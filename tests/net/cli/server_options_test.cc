// SPDX-License-Identifier: Apache-2.0
#include "net/cli/server_options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/types.h"
#include "core/store/store.h"
#include "net/config/config_file.h"
#include "net/config/settings.h"
#include "net/grpc_server.h"

namespace flaredb::net {
namespace {

ServerConfig ConfigOf(const GivenFlags& flags) {
  return *ServerConfig::Resolve(
      flags, [](const std::string&) { return std::nullopt; }, "");
}

TEST(ServerLimits, TheDefaultsOfTheSettingsAreThoseOfTheLimits) {
  EXPECT_EQ(LimitsOf(ConfigOf({})), Limits());
}

TEST(ServerLimits, TheDefaultsAreThoseOfTheCore) {
  const store::Options core;
  store::Options options;
  Apply(Limits(), &options);
  EXPECT_EQ(options.key_bytes_max, core.key_bytes_max);
  EXPECT_EQ(options.value_bytes_max, core.value_bytes_max);
  EXPECT_EQ(options.scan_rows_max, core.scan_rows_max);
  EXPECT_LT(options.scan_bytes_max, core.scan_bytes_max) << "a page fits into a message";
  EXPECT_EQ(options.waiting_calls_max, core.waiting_calls_max);
  EXPECT_EQ(options.waiting_bytes_max, core.waiting_bytes_max);
  EXPECT_EQ(options.raft.uncommitted_bytes_max, core.raft.uncommitted_bytes_max);
  EXPECT_EQ(options.outbox.bytes_max, core.outbox.bytes_max);
}

TEST(ServerLimits, EverySettingOfOneReachesWhatItLimits) {
  GivenFlags flags;
  for (const Setting& setting : ServerSettings()) {
    if (setting.name.starts_with("max-")) {
      flags[std::string(setting.name)] = std::to_string(setting.first + flags.size());
    }
  }
  const Limits limits = LimitsOf(ConfigOf(flags));
  store::Options store;
  GrpcServerOptions server;
  Apply(limits, &store);
  Apply(limits, &server);
  const std::string listed[] = {
      std::to_string(store.key_bytes_max),
      std::to_string(store.value_bytes_max),
      std::to_string(store.scan_rows_max),
      std::to_string(store.scan_bytes_max),
      std::to_string(store.waiting_calls_max),
      std::to_string(store.waiting_bytes_max),
      std::to_string(store.raft.uncommitted_bytes_max),
      std::to_string(store.outbox.bytes_max),
      std::to_string(server.listener.max_connections),
      std::to_string(server.listener.max_connections_per_address),
      std::to_string(server.http2.max_concurrent_streams),
      std::to_string(server.max_held_bytes),
  };
  ASSERT_EQ(std::size(listed), flags.size());
  // In the order of the table.
  size_t i = 0;
  for (const Setting& setting : ServerSettings()) {
    const auto flag = flags.find(setting.name);
    if (flag == flags.end()) continue;
    EXPECT_EQ(listed[i++], flag->second) << setting.name;
  }
}

// Whatever settings allow has to get through from store to store (GrpcServerOptions).
TEST(ServerLimits, TheGreatestFitIntoAMessage) {
  const auto last = [](std::string_view name) {
    return std::find_if(ServerSettings().begin(), ServerSettings().end(),
                        [&](const Setting& setting) { return setting.name == name; })
        ->last;
  };
  const size_t message = GrpcServerOptions().max_message_bytes;
  EXPECT_LT(last("max-key-bytes") + last("max-value-bytes"), message * 3 / 4);
  constexpr size_t kRowBytes = 40;  // What encoding adds.
  EXPECT_LT(last("max-scan-bytes") + last("max-scan-rows") * kRowBytes + last("max-key-bytes"),
            message);
}

// --- What a server refuses.

std::vector<std::string> Mistakes(std::string_view content) {
  ConfigFile file = ParseConfigFile("f", content);
  Judge(&file);
  std::vector<std::string> texts;
  for (const FileProblem& problem : file.problems) texts.push_back(file.Describe(problem));
  return texts;
}

std::string Refusal(const GivenFlags& flags) {
  const auto options = ServerOptionsOf(ConfigOf(flags));
  return options.ok() ? "" : std::string(options.status().message());
}

struct Case {
  GivenFlags flags;
  const char* toml;
  const char* what;
};

TEST(ServerOptions, AFileIsRefusedForWhatAServerIs) {
  const Case cases[] = {
      {{{"addr", "foo"}}, "addr = 'foo'", "has no port"},
      {{{"addr", "127.0.0.1:99999"}}, "addr = '127.0.0.1:99999'", "not a number from 0 to 65535"},
      {{{"addr", "127.0.0.1:0"}}, "addr = '127.0.0.1:0'", "port 0"},
      {{{"addr", "a:1,b:2"}}, "addr = 'a:1,b:2'", "a:1,b:2"},
      {{{"admin-addr", "x"}}, "admin-addr = 'x'", "has no port"},
      {{{"admin-addr", "127.0.0.1:50051"}}, "admin-addr = '127.0.0.1:50051'", "port of its own"},
      {{{"peer", "zzz"}}, "peer = ['zzz']", "ID=HOST:PORT"},
      {{{"peer", "2=a:1,2=b:1"}}, "peer = ['2=a:1', '2=b:1']", "repeats the id"},
      {{{"peer", "1=a:1"}, {"store-id", "1"}},
       "peer = ['1=a:1']\nstore-id = 1",
       "name another store"},
      {{{"namespace-mode", "x=weird"}}, "namespace-mode = ['x=weird']", "no mode that there is"},
      {{{"namespace-mode", "a/b=strong"}}, "namespace-mode = ['a/b=strong']", "has no name"},
      {{{"tls-key", "k"}}, "tls-key = 'k'", "--tls-ca is missing"},
      {{{"tokens", "t"}}, "tokens = 't'", "tokens need TLS"},
      {{{"addr", "0.0.0.0:1"}}, "addr = '0.0.0.0:1'", "--insecure"},
  };
  for (const auto& [flags, toml, what] : cases) {
    const std::string refusal = Refusal(flags);
    EXPECT_NE(refusal.find(what), std::string::npos) << toml << ": " << refusal;
    EXPECT_EQ(Mistakes(toml), std::vector<std::string>{"f:1:1: " + refusal}) << toml;
  }
}

TEST(ServerOptions, WhatHasNoMistakesIsTaken) {
  EXPECT_EQ(Refusal({}), "");
  EXPECT_TRUE(Mistakes("").empty()) << "the store's number may come from elsewhere";
  const char* const file =
      "store-id = 3\naddr = '0.0.0.0:1'\npeer = ['1=a:1', '2=b:1']\ninsecure = true\n"
      "admin-addr = '127.0.0.1:0'\nnamespace-mode = ['logs=eventual']";
  EXPECT_TRUE(Mistakes(file).empty());
  const auto options = ServerOptionsOf(ServerConfig::OfFile(ParseConfigFile("f", file)));
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->start.store, StoreId(3));
  EXPECT_EQ(options->start.peers.size(), 2u);
  EXPECT_EQ(options->namespaces.size(), 1u);
  EXPECT_TRUE(options->tls.insecure);
}

TEST(ServerOptions, EveryMistakeIsToldInTheOrderOfTheFile) {
  const std::vector<std::string> mistakes =
      Mistakes("peer = ['zzz']\nstore-id = 0\n  addr = 'foo'\ntls-key = 'k'");
  ASSERT_EQ(mistakes.size(), 3u) << "and none of what the key of TLS lacks beside them";
  EXPECT_TRUE(mistakes[0].starts_with("f:1:1: \"zzz\""));
  EXPECT_TRUE(mistakes[1].starts_with("f:2:1: store-id"));
  EXPECT_TRUE(mistakes[2].starts_with("f:3:3: address \"foo\""));
  EXPECT_EQ(Mistakes("tls-key = 'k'\ntokens = 't'").size(), 1u);
  EXPECT_EQ(Mistakes("addr = '[::]:1'\ntokens = 't'").size(), 2u);
}

TEST(ServerOptions, APlaceOtherThanTheCommandLineIsTold) {
  const auto config = ServerConfig::Resolve(
      {},
      [](const std::string& variable) {
        return variable == "FLAREDB_ADDR" ? std::optional<std::string>("a:1,b:2") : std::nullopt;
      },
      "");
  EXPECT_TRUE(ServerOptionsOf(*config).status().message().find("environment FLAREDB_ADDR: ") == 0);
}

}  // namespace
}  // namespace flaredb::net
