// SPDX-License-Identifier: Apache-2.0
// gRPC over TLS, both sides ours, on one loop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "net/event_loop.h"
#include "net/grpc_client.h"
#include "net/grpc_server.h"
#include "net/system_clock.h"
#include "net/tls/certificates.h"
#include "net/tls/tls_context.h"

namespace flaredb::net {
namespace {

using testing::HasSubstr;
using Tls = std::shared_ptr<const TlsContext>;

// Of no certificate; the passphrase does not matter.
constexpr char kEncryptedKey[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhC+gZXpurp5gICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEKtsKQkiEftpJMbOWF0aQ5wEgZCL\n"
    "FjCrueeAA1uiubuTpHXTPt008QuoiIRg7GWSstXzhoi1RQjIgj3vMFa39HjpmHNv\n"
    "0HkvKIskvxcW6Cj03JrDQg2GqdOo9Nlnz2KoAQTpVDEQvShGhxl4/FhpxorHMuch\n"
    "HwFMCsY/ZoO1G9VCHecCWKVKR5cmLndnfaBwei9184aTBdHTFbzMOaL3jyaDGUI=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

// Files in a folder of the test's.
class Authority {
 public:
  explicit Authority(const std::string& name) : name_(name), pair_(*MakeAuthority(name, 1)) {
    Write(name + ".crt", pair_.cert);
  }
  // Without hosts a client's certificate.
  TlsFiles Issue(const std::string& name, std::vector<std::string> hosts) {
    const auto pair = MakeCertificate(pair_, {name, std::move(hosts), 1});
    EXPECT_TRUE(pair.ok()) << pair.status();
    return {Path(name_ + ".crt"), Write(name + ".crt", pair->cert),
            Write(name + ".key", pair->key)};
  }
  TlsFiles NoCertificate() const { return {Path(name_ + ".crt"), "", ""}; }

  static std::string Path(const std::string& file) { return testing::TempDir() + "/" + file; }
  static std::string Write(const std::string& file, const std::string& text) {
    std::ofstream(Path(file)) << text;
    return Path(file);
  }

 private:
  const std::string name_;
  const KeyPair pair_;
};

class TlsTest : public testing::Test {
 protected:
  TlsTest() : loop_(*EventLoop::Create()) {}

  void StartServer(Tls tls) {
    GrpcServerOptions options;
    options.tls = std::move(tls);
    server_ = std::make_unique<GrpcServer>(loop_.get(), options);
    server_->RegisterUnary("/t.T/Echo", [this](UnaryCall call, std::string_view request) {
      certificate_ = call.certificate();
      call.Reply(request);
    });
    port_ = *server_->Listen("127.0.0.1:0");
  }
  UnaryResult Call(Tls tls, const std::string& message = "hello",
                   const std::string& host = "127.0.0.1") {
    GrpcChannelOptions options;
    options.tls = std::move(tls);
    GrpcChannel channel(loop_.get(), host + ":" + std::to_string(port_), options);
    std::optional<UnaryResult> result;
    channel.Unary("/t.T/Echo", message, CallOptions(),
                  [&result](UnaryResult r) { result = std::move(r); });
    const Instant deadline = MonotonicNow() + Duration::Seconds(20);
    while (!result.has_value() && MonotonicNow() < deadline) loop_->RunOnce(deadline);
    return result.value_or(UnaryResult{{absl::StatusCode::kUnknown, "no end"}, "", Sent::kNo});
  }
  // That the call failed, and why.
  std::string Failure(const UnaryResult& result) {
    EXPECT_EQ(result.status.code, absl::StatusCode::kUnavailable) << result.status;
    return result.status.message;
  }

  Authority ours_{"ours"};
  Authority others_{"others"};
  const TlsFiles server_files_ = ours_.Issue("store", {"127.0.0.1", "localhost"});
  const std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<GrpcServer> server_;
  uint16_t port_ = 0;
  std::optional<PeerCertificate> certificate_;  // That the last call's client showed.
};

Tls ServerTls(const TlsFiles& files, ClientCertificates clients = ClientCertificates::kRequired) {
  auto tls = TlsContext::ForServer(files, clients);
  EXPECT_TRUE(tls.ok()) << tls.status();
  return *tls;
}
Tls ClientTls(const TlsFiles& files) {
  auto tls = TlsContext::ForClient(files);
  EXPECT_TRUE(tls.ok()) << tls.status();
  return *tls;
}

TEST_F(TlsTest, BothSidesProveWhoTheyAre) {
  StartServer(ServerTls(server_files_));
  const UnaryResult result = Call(ClientTls(ours_.Issue("alice", {})));
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.message, "hello");
  ASSERT_TRUE(certificate_.has_value());
  EXPECT_EQ(certificate_->name, "alice");
  EXPECT_FALSE(certificate_->of_server);
}

TEST_F(TlsTest, AStoresCertificateIsKnownAsSuch) {
  StartServer(ServerTls(server_files_));
  EXPECT_TRUE(Call(ClientTls(server_files_)).status.ok());
  ASSERT_TRUE(certificate_.has_value());
  EXPECT_TRUE(certificate_->of_server);
}

TEST_F(TlsTest, LargeMessagesPassThroughManyRecords) {
  StartServer(ServerTls(server_files_));
  const Tls tls = ClientTls(ours_.Issue("alice", {}));
  // Around a record, around what is read at once, and much more.
  for (const size_t size : {16'383u, 16'384u, 16'385u, 65'536u, 65'537u, 4'000'000u}) {
    std::string message(size, 'x');
    for (size_t i = 0; i < size; i += 1000) message[i] = static_cast<char>(i);
    const UnaryResult result = Call(tls, message);
    ASSERT_TRUE(result.status.ok()) << result.status;
    EXPECT_TRUE(result.message == message) << size;
  }
}

TEST_F(TlsTest, AHostMayBeKnownByName) {
  StartServer(ServerTls(server_files_));
  EXPECT_TRUE(Call(ClientTls(ours_.Issue("alice", {})), "m", "localhost").status.ok());
}

TEST_F(TlsTest, AClientWithoutCertificateIsRefusedOrNotAsTheServerWants) {
  StartServer(ServerTls(server_files_, ClientCertificates::kRequired));
  EXPECT_NE(Failure(Call(ClientTls(ours_.NoCertificate()))).find("certificate required"),
            std::string::npos);
  StartServer(ServerTls(server_files_, ClientCertificates::kOptional));
  EXPECT_TRUE(Call(ClientTls(ours_.NoCertificate())).status.ok());
  EXPECT_EQ(certificate_, std::nullopt);
}

TEST_F(TlsTest, ACertificateOfAnotherAuthorityIsRefusedWhateverTheServerWants) {
  TlsFiles stranger = others_.Issue("mallory", {});
  stranger.ca = server_files_.ca;
  for (const auto clients : {ClientCertificates::kRequired, ClientCertificates::kOptional}) {
    StartServer(ServerTls(server_files_, clients));
    EXPECT_NE(Failure(Call(ClientTls(stranger))).find("TLS: "), std::string::npos);
    EXPECT_EQ(certificate_, std::nullopt);
  }
}

TEST_F(TlsTest, AServerOfAnotherAuthorityIsNotTrusted) {
  StartServer(ServerTls(others_.Issue("store", {"127.0.0.1"})));
  EXPECT_NE(Failure(Call(ClientTls(ours_.Issue("alice", {})))).find("certificate verify failed"),
            std::string::npos);
}

TEST_F(TlsTest, AServerThatIsNotTheOneCalledIsNotTrusted) {
  StartServer(ServerTls(ours_.Issue("elsewhere", {"10.1.2.3", "elsewhere.example"})));
  const Tls tls = ClientTls(ours_.Issue("alice", {}));
  EXPECT_NE(Failure(Call(tls)).find("IP address mismatch"), std::string::npos);
  EXPECT_NE(Failure(Call(tls, "m", "localhost")).find("ostname mismatch"), std::string::npos);
}

TEST_F(TlsTest, AClientsCertificateDoesNotMakeAServer) {
  StartServer(ServerTls(ours_.Issue("alice", {})));
  // And not for want of the server's address in it.
  EXPECT_THAT(Failure(Call(ClientTls(ours_.Issue("bob", {})))), HasSubstr("certificate purpose"));
}

TEST_F(TlsTest, WhomACertificateIsForIsNoHostName) {
  StartServer(ServerTls(ours_.Issue("localhost", {"127.0.0.1"})));
  EXPECT_THAT(Failure(Call(ClientTls(ours_.NoCertificate()), "m", "localhost")),
              HasSubstr("ostname mismatch"));
}

TEST_F(TlsTest, WhoDoesNotSpeakTlsIsToldApart) {
  StartServer(nullptr);
  EXPECT_NE(Failure(Call(ClientTls(server_files_))).find("does not speak TLS"), std::string::npos);
  StartServer(ServerTls(server_files_));
  Failure(Call(nullptr));
  // And the server goes on.
  EXPECT_TRUE(Call(ClientTls(server_files_)).status.ok());
}

TEST_F(TlsTest, FilesThatAreNoneAreNamed) {
  const auto message = [](const TlsFiles& files) {
    const auto tls = TlsContext::ForServer(files, ClientCertificates::kRequired);
    EXPECT_EQ(tls.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(tls.status().message());
  };
  TlsFiles files = server_files_;
  files.ca = "/no/such/ca";
  EXPECT_NE(message(files).find("/no/such/ca"), std::string::npos);
  files = server_files_;
  files.cert = files.key;
  EXPECT_NE(message(files).find(files.key), std::string::npos);
  files = server_files_;
  files.key = Authority::Write("empty.key", "");
  EXPECT_NE(message(files).find("empty.key"), std::string::npos);
  files = server_files_;
  files.key = ours_.Issue("another", {"h"}).key;
  EXPECT_NE(message(files).find("does not belong to"), std::string::npos);
  files = server_files_;
  files.key = Authority::Write("encrypted.key", kEncryptedKey);
  EXPECT_THAT(message(files), HasSubstr("encrypted.key is encrypted"));
}

TEST_F(TlsTest, FilesThatAreMissingAreSaidToBe) {
  for (std::string TlsFiles::*const file : {&TlsFiles::ca, &TlsFiles::cert, &TlsFiles::key}) {
    TlsFiles files = server_files_;
    files.*file = "/no/such/file";
    const auto tls = TlsContext::ForServer(files, ClientCertificates::kRequired);
    EXPECT_THAT(std::string(tls.status().message()), HasSubstr("/no/such/file as "))
        << tls.status();
    EXPECT_THAT(std::string(tls.status().message()), HasSubstr(": No such file or directory;"));
  }
}

TEST_F(TlsTest, AStoreIsToldThatNobodyWouldTakeItsCertificate) {
  const auto message = [](const TlsFiles& files) {
    const absl::Status status =
        ServerTls(files, ClientCertificates::kRequired)->CheckStoreCertificate(files);
    return std::string(status.message());
  };
  EXPECT_EQ(message(server_files_), "");
  EXPECT_THAT(message(ours_.Issue("alice", {})), HasSubstr("alice.crt is not a store's"));
  TlsFiles stranger = others_.Issue("stranger", {"127.0.0.1"});
  EXPECT_EQ(message(stranger), "");
  stranger.ca = server_files_.ca;
  EXPECT_THAT(message(stranger), HasSubstr("does not trust the certificate"));
}

TEST(Certificates, NamesThatAreNoneAreRefused) {
  const KeyPair authority = *MakeAuthority("ca", 1);
  for (const char* host : {"", "a b", "host:1", "[::1]", "10.0.0.1/8", "a,DNS:b"}) {
    EXPECT_FALSE(MakeCertificate(authority, {"n", {host}, 1}).ok()) << host;
  }
  for (const char* host : {"a.example", "*.example", "10.0.0.1", "::1"}) {
    EXPECT_TRUE(MakeCertificate(authority, {"n", {host}, 1}).ok()) << host;
  }
  EXPECT_FALSE(MakeCertificate(authority, {"", {}, 1}).ok());
  EXPECT_FALSE(MakeCertificate(authority, {std::string(65, 'n'), {}, 1}).ok());
  EXPECT_FALSE(MakeCertificate({authority.cert, "no key"}, {"n", {}, 1}).ok());
  EXPECT_FALSE(MakeCertificate({authority.cert, MakeAuthority("x", 1)->key}, {"n", {}, 1}).ok());
}

TEST(Certificates, AnAuthoritySigns) {
  const auto error = [](const KeyPair& authority) {
    return std::string(MakeCertificate(authority, {"n", {}, 1}).status().message());
  };
  const KeyPair authority = *MakeAuthority("ca", 1);
  EXPECT_EQ(error(authority), "");
  EXPECT_THAT(error(*MakeCertificate(authority, {"store", {"h"}, 1})),
              HasSubstr("is no authority"));
  EXPECT_THAT(error({authority.cert, kEncryptedKey}), HasSubstr("is encrypted"));
}

}  // namespace
}  // namespace flaredb::net
