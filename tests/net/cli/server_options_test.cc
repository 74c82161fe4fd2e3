// SPDX-License-Identifier: Apache-2.0
#include "net/cli/server_options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "core/store/store.h"

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

}  // namespace
}  // namespace flaredb::net
