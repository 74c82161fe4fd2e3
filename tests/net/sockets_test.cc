// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/address.h"
#include "net/connector.h"
#include "net/event_loop.h"
#include "net/listener.h"

namespace flaredb::net {
namespace {

using testing::HasSubstr;

TEST(HostPort, TakesNamesNumbersAndBracketedIpv6) {
  EXPECT_EQ(ParseHostPort("localhost:80")->host, "localhost");
  EXPECT_EQ(ParseHostPort("127.0.0.1:65535")->port, 65535);
  EXPECT_EQ(ParseHostPort("[::1]:0")->host, "::1");
}

TEST(HostPort, RefusesWithASentenceThatQuotesTheText) {
  for (const char* text :
       {"", ":", "a", "a:", ":1", "[]:1", "a:65536", "a:-1", "a:1x", "::1", "[::1]", "[::1:1"}) {
    const auto parsed = ParseHostPort(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("\"" + std::string(text) + "\""));
  }
}

class SocketsTest : public testing::Test {
 protected:
  std::unique_ptr<EventLoop> loop_ = EventLoop::Create().value();
};

TEST_F(SocketsTest, BusyPortIsNamed) {
  const auto ignore = [](int fd, std::string) { close(fd); };
  const auto first = Listener::Create(loop_.get(), "127.0.0.1:0", ListenerOptions(), ignore);
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string address = "127.0.0.1:" + std::to_string((*first)->port());
  const auto second = Listener::Create(loop_.get(), address, ListenerOptions(), ignore);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("cannot listen on " + address + ": Address already in use"));
}

TEST_F(SocketsTest, ConnectorMeetsListenerOnBothFamilies) {
  for (const std::string host : {"127.0.0.1", "[::1]"}) {
    int accepted = -1;
    std::string peer;
    const auto listener =
        Listener::Create(loop_.get(), host + ":0", ListenerOptions(), [&](int fd, std::string p) {
          accepted = fd;
          peer = std::move(p);
        });
    if (host == "[::1]" && !listener.ok()) GTEST_SKIP() << "no IPv6 here";
    ASSERT_TRUE(listener.ok()) << listener.status();
    const auto target = ParseHostPort(host + ":" + std::to_string((*listener)->port()));
    std::optional<absl::StatusOr<int>> connected;
    Connector connector(loop_.get(), *target, Duration::Seconds(5),
                        [&](absl::StatusOr<int> fd) { connected = std::move(fd); });
    EXPECT_FALSE(connected.has_value());  // Never from inside the constructor.
    while (!connected.has_value() || accepted < 0) loop_->RunOnce(Instant::Max());
    ASSERT_TRUE(connected->ok()) << connected->status();
    EXPECT_THAT(peer, HasSubstr(host + ":"));
    close(**connected);
    close(accepted);
  }
}

TEST_F(SocketsTest, UnknownNameIsAnError) {
  std::optional<absl::StatusOr<int>> connected;
  Connector connector(loop_.get(), HostPort{"no-such-host.invalid", 1}, Duration::Seconds(8),
                      [&](absl::StatusOr<int> fd) { connected = std::move(fd); });
  while (!connected.has_value()) loop_->RunOnce(Instant::Max());
  EXPECT_FALSE(connected->ok());
}

}  // namespace
}  // namespace flaredb::net
