// SPDX-License-Identifier: Apache-2.0
// Clients that break, stretch or ignore the protocol: each is cut off, the others are served.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "net/grpc_client.h"
#include "net/grpc_sync.h"
#include "net/grpc_wire.h"
#include "net/system_clock.h"
#include "tests/net/echo.pb.h"
#include "tests/net/echo_service.h"

namespace flaredb::net {
namespace {

constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// What an attack may leave behind in memory. AddressSanitizer keeps what was freed.
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kMemoryMargin = 512 << 20;
#else
constexpr size_t kMemoryMargin = 64 << 20;
#endif

constexpr uint8_t kDataType = 0;
constexpr uint8_t kHeadersType = 1;
constexpr uint8_t kPriorityType = 2;
constexpr uint8_t kResetType = 3;
constexpr uint8_t kSettingsType = 4;
constexpr uint8_t kPingType = 6;
constexpr uint8_t kGoAwayType = 7;
constexpr uint8_t kWindowUpdateType = 8;
constexpr uint8_t kContinuationType = 9;
constexpr uint8_t kEndHeaders = 4;

std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  const auto n = static_cast<uint32_t>(payload.size());
  std::string frame = {static_cast<char>(n >> 16),
                       static_cast<char>(n >> 8),
                       static_cast<char>(n),
                       static_cast<char>(type),
                       static_cast<char>(flags),
                       static_cast<char>(stream >> 24),
                       static_cast<char>(stream >> 16),
                       static_cast<char>(stream >> 8),
                       static_cast<char>(stream)};
  return frame.append(payload);
}

std::string Settings() { return Frame(kSettingsType, 0, 0, ""); }
// SETTINGS_INITIAL_WINDOW_SIZE.
std::string WindowSettings(uint32_t window) {
  const std::string value = {static_cast<char>(window >> 24), static_cast<char>(window >> 16),
                             static_cast<char>(window >> 8), static_cast<char>(window)};
  return Frame(kSettingsType, 0, 0, std::string("\0\x04", 2) + value);
}

// One HPACK literal without indexing, name and value shorter than 127 bytes.
std::string Literal(std::string_view name, std::string_view value) {
  std::string out(1, '\0');
  out.push_back(static_cast<char>(name.size()));
  out.append(name);
  out.push_back(static_cast<char>(value.size()));
  return out.append(value);
}

std::string RequestHeaders(std::string_view path) {
  return Literal(":method", "POST") + Literal(":scheme", "http") + Literal(":path", path) +
         Literal(":authority", "a") + Literal("te", "trailers") +
         Literal("content-type", "application/grpc");
}

std::string Request(uint32_t stream, std::string_view path, std::string_view message) {
  std::string body;
  AppendFrame(message, &body);
  return Frame(kHeadersType, kEndHeaders, stream, RequestHeaders(path)) +
         Frame(kDataType, 1, stream, body);
}

// A client that speaks bytes.
class RawClient {
 public:
  explicit RawClient(uint16_t port, int receive_buffer = 0) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        fd_ >= 0 && connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    if (fd_ >= 0) fcntl(fd_, F_SETFL, O_NONBLOCK);
  }
  ~RawClient() {
    if (fd_ >= 0) close(fd_);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  // Sends as long as the server takes it within the patience of a test; drops what comes back
  // unless `read` is false. False when the server has closed.
  bool Send(std::string_view bytes, bool read = true) {
    const Instant end = MonotonicNow() + Duration::Seconds(5);
    while (!bytes.empty() && MonotonicNow() < end) {
      if (read && !Drop()) return false;
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n > 0) {
        bytes.remove_prefix(static_cast<size_t>(n));
      } else if (errno == EAGAIN) {
        pollfd p{fd_, static_cast<int16_t>(POLLOUT | (read ? POLLIN : 0)), 0};
        poll(&p, 1, 100);
      } else {
        return false;
      }
    }
    return true;
  }
  // Reads so many bytes more; false when they do not come within the patience of a test.
  bool Read(size_t bytes) {
    const size_t enough = read_ + bytes;
    const Instant end = MonotonicNow() + Duration::Seconds(5);
    while (read_ < enough && MonotonicNow() < end && Drop()) {
      pollfd p{fd_, POLLIN, 0};
      poll(&p, 1, 50);
    }
    return read_ >= enough;
  }
  // The first 64 KiB of what was read.
  const std::string& received() const { return received_; }
  // Reads until the server closes; false when it does not within `patience`.
  bool WaitForEnd(Duration patience = Duration::Seconds(8)) {
    const Instant end = MonotonicNow() + patience;
    while (MonotonicNow() < end) {
      if (!Drop()) return true;
      pollfd p{fd_, POLLIN, 0};
      poll(&p, 1, 50);
    }
    return false;
  }

 private:
  bool Drop() {
    char buffer[65536];
    ssize_t n;
    while ((n = recv(fd_, buffer, sizeof(buffer), 0)) > 0) {
      read_ += static_cast<size_t>(n);
      if (received_.size() < sizeof(buffer)) received_.append(buffer, static_cast<size_t>(n));
    }
    return n < 0 && errno == EAGAIN;
  }

  int fd_;
  bool connected_ = false;
  std::string received_;
  size_t read_ = 0;
};

size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

class AbuseTest : public testing::Test {
 protected:
  void Start(GrpcServerOptions options = {}) {
    server_ = std::make_unique<EchoServerThread>(options);
    honest_ = GrpcSyncClient::Create(server_->address()).value();
    ExpectServed();
  }
  void TearDown() override { ExpectServed(); }
  // An honest client on a connection of its own still gets its answer, and soon.
  void ExpectServed() {
    const UnaryResult result =
        honest_->Call("/flaredb.test.Raw/Echo", "honest", Duration::Seconds(5));
    EXPECT_TRUE(result.status.ok()) << result.status;
    EXPECT_EQ(result.message, "honest");
  }
  template <typename Condition>
  static bool Eventually(Condition condition) {
    for (int i = 0; i < 800; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  std::unique_ptr<EchoServerThread> server_;
  std::unique_ptr<GrpcSyncClient> honest_;
};

TEST_F(AbuseTest, GarbageInsteadOfAPrefaceIsCutOff) {
  Start();
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), std::string(1000, '\0'),
        std::string(1000, '\xff'),
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)}) {
    RawClient client(server_->port());
    client.Send(garbage);
    EXPECT_TRUE(client.WaitForEnd());
  }
}

TEST_F(AbuseTest, RandomFramesNeverHurtOthers) {
  Start();
  Rng rng(20240607);
  for (int round = 0; round < 300; ++round) {
    RawClient client(server_->port());
    std::string bytes = kPreface + Settings();
    for (uint64_t i = rng.Below(20); i > 0; --i) {
      std::string payload;
      for (uint64_t j = rng.Below(40); j > 0; --j) {
        payload.push_back(static_cast<char>(rng.Below(256)));
      }
      bytes +=
          rng.Chance(200000)
              ? Request(static_cast<uint32_t>(2 * i + 1), "/flaredb.test.Raw/Echo", payload)
              : Frame(static_cast<uint8_t>(rng.Below(12)), static_cast<uint8_t>(rng.Below(256)),
                      static_cast<uint32_t>(rng.Below(9)), payload);
    }
    client.Send(bytes);
  }
  EXPECT_TRUE(Eventually([&] { return server_->counters().connections_now <= 1; }));
  EXPECT_EQ(server_->counters().calls_now, 0u);
}

TEST_F(AbuseTest, GarbageWithinAMessageEndsTheCallNotTheConnection) {
  Start();
  RawClient client(server_->port());
  client.Send(kPreface + Settings());
  for (uint32_t stream = 1; stream < 200; stream += 2) {
    ASSERT_TRUE(client.Send(
        Frame(kHeadersType, kEndHeaders, stream, RequestHeaders("/flaredb.test.Raw/Echo")) +
        Frame(kDataType, 1, stream, std::string("\7\1\2\3\4\5\6\7", 8))));
  }
  EXPECT_FALSE(client.WaitForEnd(Duration::Milliseconds(300)));
}

TEST_F(AbuseTest, HalfOpenConnectionsEndAtTheHandshakeTimeout) {
  GrpcServerOptions options;
  options.http2.handshake_timeout = Duration::Milliseconds(300);
  Start(options);
  RawClient silent(server_->port());
  RawClient half(server_->port());
  half.Send(std::string_view(kPreface).substr(0, 10));
  RawClient without_settings(server_->port());
  without_settings.Send(kPreface);
  EXPECT_TRUE(silent.WaitForEnd());
  EXPECT_TRUE(half.WaitForEnd());
  EXPECT_TRUE(without_settings.WaitForEnd());
}

TEST_F(AbuseTest, VanishedPeerIsNoticedByKeepalive) {
  GrpcServerOptions options;
  options.http2.keepalive_interval = Duration::Milliseconds(200);
  options.http2.keepalive_timeout = Duration::Milliseconds(200);
  Start(options);
  RawClient client(server_->port());
  std::string never;
  {
    test::EchoRequest request;
    request.set_never(true);
    never = request.SerializeAsString();
  }
  // It never answers the PING: as good as gone.
  client.Send(kPreface + Settings() + Request(1, "/flaredb.test.Echo/Unary", never));
  EXPECT_TRUE(Eventually([&] { return server_->echo().cancelled() == 1; }));
  EXPECT_TRUE(client.WaitForEnd());
}

TEST_F(AbuseTest, IdleConnectionIsClosedInOrder) {
  GrpcServerOptions options;
  options.http2.idle_timeout = Duration::Milliseconds(200);
  Start(options);
  RawClient client(server_->port());
  client.Send(kPreface + Settings() + Request(1, "/flaredb.test.Raw/Echo", "x"));
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(server_->counters().connections_dropped, 0u);
}

std::string ListRequest(uint32_t repeat, size_t payload) {
  test::EchoRequest request;
  request.set_repeat(repeat);
  request.set_payload(std::string(payload, 'x'));
  return request.SerializeAsString();
}

TEST_F(AbuseTest, ClientThatNeverReadsIsDroppedAtTheBudget) {
  GrpcServerOptions options;
  options.http2.max_output_bytes = 8 << 20;
  Start(options);
  const size_t before = ResidentBytes();
  RawClient client(server_->port(), /*receive_buffer=*/4096);
  client.Send(kPreface + Settings(), /*read=*/false);
  for (uint32_t stream = 1; stream < 400; stream += 2) {
    if (!client.Send(Request(stream, "/flaredb.test.Echo/List", ListRequest(100, 10000)), false)) {
      break;
    }
  }
  EXPECT_TRUE(Eventually([&] { return server_->counters().connections_dropped == 1; }));
  EXPECT_LT(ResidentBytes(), before + kMemoryMargin);
}

TEST_F(AbuseTest, ClientThatOpensNoWindowIsDroppedAfterTheStall) {
  GrpcServerOptions options;
  options.http2.stall_timeout = Duration::Milliseconds(300);
  Start(options);
  RawClient client(server_->port());
  client.Send(kPreface + WindowSettings(0) +
              Request(1, "/flaredb.test.Echo/List", ListRequest(10, 1000)));
  // PINGs show that it lives, and deliver none of the answer.
  for (int i = 0; i < 20; ++i) {
    client.Send(Frame(kPingType, 0, 0, "12345678"));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(server_->counters().connections_dropped, 1u);
}

TEST_F(AbuseTest, SlowReaderWithinTheBudgetIsServed) {
  Start();
  RawClient client(server_->port(), /*receive_buffer=*/4096);
  client.Send(kPreface + WindowSettings(1000) +
              Request(1, "/flaredb.test.Echo/List", ListRequest(10, 1000)));
  EXPECT_FALSE(client.WaitForEnd(Duration::Milliseconds(300)));
}

TEST_F(AbuseTest, RapidResetIsCutOffAndCostsNoMemory) {
  Start();
  const size_t before = ResidentBytes();
  RawClient client(server_->port());
  ASSERT_TRUE(client.Send(kPreface + Settings()));
  bool open = true;
  uint32_t stream = 1;
  for (; open && stream < 100000; stream += 2) {
    open = client.Send(
        Frame(kHeadersType, kEndHeaders, stream, RequestHeaders("/flaredb.test.Echo/Chat")) +
        Frame(kResetType, 0, stream, std::string("\0\0\0\x08", 4)));
  }
  EXPECT_FALSE(open && !client.WaitForEnd()) << "still connected after " << stream / 2;
  EXPECT_EQ(server_->counters().connections_dropped, 1u);
  EXPECT_EQ(server_->counters().calls_now, 0u);
  EXPECT_LT(ResidentBytes(), before + kMemoryMargin);
}

TEST_F(AbuseTest, ControlFrameFloodsAreCutOff) {
  Start();
  const std::vector<std::string> floods = {
      Frame(kPingType, 0, 0, "12345678"),
      Settings(),
      Frame(kPriorityType, 0, 3, std::string("\0\0\0\0\1", 5)),
  };
  for (const std::string& frame : floods) {
    RawClient client(server_->port());
    client.Send(kPreface + Settings());
    std::string burst;
    for (int i = 0; i < 1000; ++i) burst += frame;
    bool open = true;
    for (int i = 0; i < 50 && open; ++i) open = client.Send(burst);
    EXPECT_TRUE(!open || client.WaitForEnd()) << "frame type " << int{frame[3]};
  }
  EXPECT_EQ(server_->counters().connections_dropped, floods.size());
}

TEST_F(AbuseTest, EmptyDataFloodIsCutOff) {
  Start();
  RawClient client(server_->port());
  client.Send(kPreface + Settings() +
              Frame(kHeadersType, kEndHeaders, 1, RequestHeaders("/flaredb.test.Echo/Chat")));
  std::string burst;
  for (int i = 0; i < 5000; ++i) burst += Frame(kDataType, 0, 1, "");
  client.Send(burst);
  EXPECT_TRUE(client.WaitForEnd());
}

TEST_F(AbuseTest, ContinuationFloodIsCutOff) {
  Start();
  RawClient client(server_->port());
  client.Send(kPreface + Settings() + Frame(kHeadersType, 0, 1, RequestHeaders("/a/b")));
  std::string piece;
  while (piece.size() < 16000) piece += Literal("x", std::string(100, 'y'));
  bool open = true;
  for (int i = 0; i < 200 && open; ++i) open = client.Send(Frame(kContinuationType, 0, 1, piece));
  EXPECT_TRUE(!open || client.WaitForEnd());
}

TEST_F(AbuseTest, OversizedHeadersEndTheCallOnly) {
  Start();
  auto client = GrpcSyncClient::Create(server_->address()).value();
  std::optional<UnaryResult> result;
  CallOptions options;
  options.deadline = MonotonicNow() + Duration::Seconds(5);
  options.metadata = {{"x-large", std::string(40000, 'x')}};
  client->channel()->Unary("/flaredb.test.Raw/Echo", "", options,
                           [&](UnaryResult r) { result = std::move(r); });
  while (!result.has_value()) client->loop()->RunOnce(Instant::Max());
  EXPECT_EQ(result->status.code, absl::StatusCode::kResourceExhausted) << result->status;
  EXPECT_TRUE(client->Call("/flaredb.test.Raw/Echo", "", Duration::Seconds(5)).status.ok());
  EXPECT_EQ(server_->counters().connections_now, 2u);
}

TEST_F(AbuseTest, ClaimedLengthsCostNothing) {
  Start();
  const size_t before = ResidentBytes();
  RawClient client(server_->port());
  client.Send(kPreface + Settings());
  for (uint32_t stream = 1; stream < 1000; stream += 2) {
    client.Send(
        Frame(kHeadersType, kEndHeaders, stream, RequestHeaders("/flaredb.test.Raw/Echo")) +
        Frame(kDataType, 0, stream, std::string("\0\0\x3f\xff\xff", 5)));  // 4 MiB - 1 to come.
  }
  EXPECT_TRUE(Eventually([&] { return server_->counters().calls_now == 500; }));
  EXPECT_LT(ResidentBytes(), before + kMemoryMargin);
}

TEST_F(AbuseTest, IncompleteMessagesOfOneConnectionAreBounded) {
  GrpcServerOptions options;
  options.max_partial_bytes_per_connection = 1 << 20;
  Start(options);
  const size_t before = ResidentBytes();
  RawClient client(server_->port());
  client.Send(kPreface + Settings());
  const std::string claim("\0\0\x3f\xff\xff", 5);
  for (uint32_t stream = 1; stream < 1000; stream += 2) {
    client.Send(Frame(kHeadersType, kEndHeaders, stream, RequestHeaders("/flaredb.test.Raw/Echo")) +
                Frame(kDataType, 0, stream, claim + std::string(16000, 'x')));
  }
  EXPECT_TRUE(Eventually([&] { return server_->counters().calls_total == 501; }));
  EXPECT_LT(server_->counters().calls_now, 100u);
  EXPECT_LT(ResidentBytes(), before + kMemoryMargin);
}

// Each holds less than one connection may.
TEST_F(AbuseTest, WhoHoldsMostPaysWhenTooMuchIsHeldForAll) {
  GrpcServerOptions options;
  options.max_held_bytes = 4 << 20;
  Start(options);
  const std::string claim("\0\0\x3f\xff\xff", 5);
  const std::string headers = RequestHeaders("/flaredb.test.Raw/Echo");
  std::string metadata = headers;
  while (metadata.size() < 12000) metadata += Literal("x", std::string(100, 'y'));
  // Of messages, of headers, of calls.
  for (const auto& [calls, block, part] :
       {std::tuple(20, headers, claim + std::string(16000, 'x')), std::tuple(20, metadata, claim),
        std::tuple(150, headers, std::string())}) {
    const uint64_t dropped = server_->counters().connections_dropped;
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 40; ++i) {
      clients.push_back(std::make_unique<RawClient>(server_->port()));
      std::string bytes = kPreface + Settings();
      for (int call = 0; call < (i == 0 ? calls / 4 : calls); ++call) {
        const auto stream = static_cast<uint32_t>(2 * call + 1);
        bytes += Frame(kHeadersType, kEndHeaders, stream, block);
        if (!part.empty()) bytes += Frame(kDataType, 0, stream, part);
      }
      clients.back()->Send(bytes);
      ExpectServed();
    }
    EXPECT_GT(server_->counters().connections_dropped, dropped + 20);
    EXPECT_FALSE(clients[0]->WaitForEnd(Duration::Milliseconds(50))) << "it held less";
    clients.clear();
    EXPECT_TRUE(Eventually([&] { return server_->counters().connections_now == 1; }));
  }
  EXPECT_TRUE(Eventually([&] { return server_->counters().calls_now == 0; }));
}

TEST_F(AbuseTest, HeadersThatDoNotEndAreBoundedForAll) {
  GrpcServerOptions options;
  options.max_held_bytes = 1 << 20;
  Start(options);
  const std::string value_of_60000("\0\1x\x7f\xe1\xd3\x03", 7);
  const std::string part(16000, 'y');
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(std::make_unique<RawClient>(server_->port()));
    clients.back()->Send(kPreface + Settings() + Frame(kHeadersType, 0, 1, value_of_60000) +
                         Frame(kContinuationType, 0, 1, part) +
                         Frame(kContinuationType, 0, 1, part));
    ExpectServed();
  }
  EXPECT_TRUE(Eventually([&] { return server_->counters().connections_dropped >= 20; }));
}

TEST_F(AbuseTest, RepliesThatNobodyReadsAreBoundedForAll) {
  GrpcServerOptions options;
  options.max_held_bytes = 16 << 20;
  Start(options);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<RawClient>(server_->port(), /*receive_buffer=*/4096));
    clients.back()->Send(
        kPreface + Settings() + Request(1, "/flaredb.test.Echo/List", ListRequest(100, 10000)),
        /*read=*/false);
    ExpectServed();
  }
  EXPECT_TRUE(Eventually([&] { return server_->counters().connections_dropped >= 20; }));
}

// A buffer that was large once does not stay with a connection.
TEST_F(AbuseTest, ConnectionsThatHadLargeRepliesHoldNothing) {
  Start();
  std::vector<std::unique_ptr<RawClient>> clients;
  const size_t before = ResidentBytes();
  for (int i = 0; i < 500; ++i) {
    clients.push_back(std::make_unique<RawClient>(server_->port()));
    clients.back()->Send(kPreface + WindowSettings(1 << 30) +
                         Frame(kWindowUpdateType, 0, 0, std::string("\x3f\0\0\0", 4)) +
                         Request(1, "/flaredb.test.Echo/List", ListRequest(70, 15000)));
    EXPECT_TRUE(clients.back()->Read(1'000'000));
  }
  EXPECT_EQ(server_->counters().connections_now, 501u);
  EXPECT_LT(ResidentBytes(), before + kMemoryMargin);
}

// One byte for 4 KB: what comes before in the table may be repeated.
TEST_F(AbuseTest, AHeaderBlockThatUnfoldsWithoutEndEndsItsConnection) {
  Start();
  const std::string large = std::string("\x40\x01x\x7f\xa1\x1e", 6) + std::string(4000, 'v');
  RawClient client(server_->port());
  client.Send(kPreface + Settings() +
              Frame(kHeadersType, kEndHeaders, 1,
                    RequestHeaders("/flaredb.test.Raw/Echo") + large + std::string(11000, '\xbe')));
  EXPECT_TRUE(client.WaitForEnd());
  RawClient modest(server_->port());  // Is only refused.
  modest.Send(kPreface + Settings() +
              Frame(kHeadersType, kEndHeaders, 1,
                    RequestHeaders("/flaredb.test.Raw/Echo") + large + std::string(10, '\xbe')));
  EXPECT_FALSE(modest.WaitForEnd(Duration::Milliseconds(100)));
}

TEST_F(AbuseTest, WhoWantsNothingMakesRoom) {
  GrpcServerOptions options;
  options.listener.max_connections = 20;
  Start(options);
  RawClient rests(server_->port());
  ASSERT_TRUE(rests.Send(kPreface + Settings() + Request(1, "/flaredb.test.Raw/Echo", "once")));
  EXPECT_TRUE(Eventually([&] { return server_->counters().calls_total == 2; }));
  std::vector<std::unique_ptr<RawClient>> strangers;
  for (int i = 0; i < 60; ++i) strangers.push_back(std::make_unique<RawClient>(server_->port()));
  EXPECT_TRUE(Eventually([&] { return server_->counters().connections_dropped == 42; }));
  EXPECT_EQ(server_->counters().connections_now, 20u);
  EXPECT_TRUE(strangers[41]->WaitForEnd());
  EXPECT_FALSE(strangers[42]->WaitForEnd(Duration::Milliseconds(50)));
  EXPECT_FALSE(rests.WaitForEnd(Duration::Milliseconds(50)));
  // Those who asked for something go last, and of them who rests for longest.
  for (size_t i = 42; i < 60; ++i) {
    ASSERT_TRUE(
        strangers[i]->Send(kPreface + Settings() + Request(1, "/flaredb.test.Raw/Echo", "now")));
  }
  EXPECT_TRUE(Eventually([&] { return server_->counters().calls_total == 20; }));
  ExpectServed();
  const RawClient late(server_->port());
  EXPECT_TRUE(rests.WaitForEnd());
  EXPECT_FALSE(strangers[42]->WaitForEnd(Duration::Milliseconds(50)));
  EXPECT_EQ(server_->counters().connections_refused, 0u);
  EXPECT_EQ(server_->counters().connections_total, 63u) << "the honest client was not sent away";
}

TEST_F(AbuseTest, ManyOfOneAddressMakeRoomForEachOther) {
  GrpcServerOptions options;
  options.listener.max_connections_per_address = 20;
  Start(options);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 60; ++i) clients.push_back(std::make_unique<RawClient>(server_->port()));
  EXPECT_TRUE(Eventually([&] { return server_->counters().connections_dropped == 41; }));
  EXPECT_EQ(server_->counters().connections_now, 20u);
}

TEST_F(AbuseTest, ConnectionsOverTheLimitAreClosedAndRoomComesBack) {
  GrpcServerOptions options;
  options.listener.max_connections = 20;
  Start(options);
  {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (uint64_t i = 0; i < 20; ++i) {
      clients.push_back(std::make_unique<RawClient>(server_->port()));
      ASSERT_TRUE(clients.back()->Send(
          kPreface + Settings() +
          Frame(kHeadersType, kEndHeaders, 1, RequestHeaders("/flaredb.test.Raw/Echo"))));
      ASSERT_TRUE(Eventually([&] { return server_->counters().calls_now == i + 1; }));
    }
    for (int i = 0; i < 41; ++i) clients.push_back(std::make_unique<RawClient>(server_->port()));
    EXPECT_TRUE(Eventually([&] { return server_->counters().connections_refused == 41; }));
    EXPECT_EQ(server_->counters().connections_now, 20u);
    RawClient refused(server_->port());
    EXPECT_TRUE(refused.WaitForEnd());
    EXPECT_EQ(refused.received(),
              Frame(kSettingsType, 0, 0, "") +
                  Frame(kGoAwayType, 0, 0,
                        std::string("\0\0\0\0\0\0\0\x0b", 8) + "too many connections"));
  }
  EXPECT_TRUE(Eventually([&] { return server_->counters().connections_now == 0; }));
  RawClient late(server_->port());
  EXPECT_FALSE(late.WaitForEnd(Duration::Milliseconds(200)));
}

TEST_F(AbuseTest, RunsOutOfDescriptorsAndRecovers) {
  Start();
  rlimit saved;
  getrlimit(RLIMIT_NOFILE, &saved);
  // Client and server share this process's table: what one opens the other lacks.
  const int lowest = dup(0);
  close(lowest);
  rlimit tight = saved;
  tight.rlim_cur = static_cast<rlim_t>(lowest) + 40;
  setrlimit(RLIMIT_NOFILE, &tight);
  {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 60; ++i) clients.push_back(std::make_unique<RawClient>(server_->port()));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    ExpectServed();  // On its old connection.
  }
  setrlimit(RLIMIT_NOFILE, &saved);
  auto fresh = GrpcSyncClient::Create(server_->address()).value();
  CallOptions options;
  options.wait_for_ready = true;
  options.deadline = MonotonicNow() + Duration::Seconds(5);
  std::optional<UnaryResult> result;
  fresh->channel()->Unary("/flaredb.test.Raw/Echo", "", options,
                          [&](UnaryResult r) { result = std::move(r); });
  while (!result.has_value()) fresh->loop()->RunOnce(Instant::Max());
  EXPECT_TRUE(result->status.ok()) << result->status;
}

TEST_F(AbuseTest, OneByteAtATimeIsServed) {
  Start();
  RawClient client(server_->port());
  const std::string bytes =
      kPreface + Settings() + Request(1, "/flaredb.test.Raw/Echo", "slow but honest");
  for (const char byte : bytes) ASSERT_TRUE(client.Send(std::string_view(&byte, 1)));
  EXPECT_TRUE(Eventually([&] { return server_->counters().calls_total == 2; }));
  EXPECT_FALSE(client.WaitForEnd(Duration::Milliseconds(100)));
}

}  // namespace
}  // namespace flaredb::net
