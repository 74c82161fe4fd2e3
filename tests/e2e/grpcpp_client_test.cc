// SPDX-License-Identifier: Apache-2.0
// A server process met by gRPC's own C++ library with stubs generated from proto/kvrpc.proto.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "net/cli/processes.h"
#include "net/grpc_status.h"
#include "proto/errorpb.pb.h"
#include "proto/kvrpc.grpc.pb.h"

namespace flaredb::net {
namespace {

class GrpcppClient : public testing::Test {
 protected:
  void SetUp() override {
    const std::string folder = testing::TempDir() + "/store";
    address_ = "127.0.0.1:" + std::to_string(FreePorts(0, 1)->front());
    const auto pid = Spawn(
        {"net/cli/flaredb", "server", "--store-id", "1", "--addr", address_, "--data-dir", folder},
        folder + ".log");
    ASSERT_TRUE(pid.ok()) << pid.status();
    pid_ = *pid;
    auto channel = grpc::CreateChannel(address_, grpc::InsecureChannelCredentials());
    ASSERT_TRUE(
        channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(20)));
    stub_ = kvrpc::KvCas::NewStub(channel);
  }

  void TearDown() override {
    if (pid_ == 0) return;
    kill(pid_, SIGTERM);
    int status = 0;
    waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }

  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (kvrpc::KvCas::Stub::*method)(grpc::ClientContext*, const Request&,
                                                               Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    return (stub_.get()->*method)(&context, request, response);
  }

  std::string address_;
  pid_t pid_ = 0;
  std::unique_ptr<kvrpc::KvCas::Stub> stub_;
};

TEST_F(GrpcppClient, WritesReadsScansAndDeletes) {
  kvrpc::CasRequest cas;
  cas.set_key("k");
  cas.set_value("v");
  kvrpc::CasResponse wrote;
  grpc::Status status = Call(&kvrpc::KvCas::Stub::CompareAndSwap, cas, &wrote);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(wrote.success());
  EXPECT_EQ(wrote.current_version(), 1u);

  // Again: a mismatch is an answer, not an error.
  cas.set_return_current(true);
  ASSERT_TRUE(Call(&kvrpc::KvCas::Stub::CompareAndSwap, cas, &wrote).ok());
  EXPECT_FALSE(wrote.success());
  EXPECT_EQ(wrote.current_value(), "v");

  kvrpc::GetRequest get;
  get.set_key("k");
  kvrpc::GetResponse got;
  ASSERT_TRUE(Call(&kvrpc::KvCas::Stub::Get, get, &got).ok());
  EXPECT_EQ(got.value(), "v");
  EXPECT_GT(got.applied_index(), 0u);

  kvrpc::ScanRequest scan;
  scan.set_prefix("k");
  kvrpc::ScanResponse page;
  ASSERT_TRUE(Call(&kvrpc::KvCas::Stub::Scan, scan, &page).ok());
  ASSERT_EQ(page.kvs_size(), 1);
  EXPECT_FALSE(page.more());

  kvrpc::CasDeleteRequest remove;
  remove.set_key("k");
  remove.set_expected_version(1);
  kvrpc::CasDeleteResponse removed;
  ASSERT_TRUE(Call(&kvrpc::KvCas::Stub::CompareAndDelete, remove, &removed).ok());
  EXPECT_TRUE(removed.success());
  EXPECT_EQ(removed.current_version(), 0u);
  ASSERT_TRUE(Call(&kvrpc::KvCas::Stub::Get, get, &got).ok());
  EXPECT_FALSE(got.found());
}

TEST_F(GrpcppClient, ARetryWithTheSameRequestIdIsAnsweredNotApplied) {
  kvrpc::CasRequest cas;
  cas.set_key("once");
  cas.set_value("v");
  cas.mutable_context()->mutable_request_id()->set_client_hi(1);
  cas.mutable_context()->mutable_request_id()->set_client_lo(2);
  cas.mutable_context()->mutable_request_id()->set_seq(3);
  for (int attempt = 0; attempt < 3; ++attempt) {
    kvrpc::CasResponse wrote;
    ASSERT_TRUE(Call(&kvrpc::KvCas::Stub::CompareAndSwap, cas, &wrote).ok());
    EXPECT_TRUE(wrote.success());
    EXPECT_EQ(wrote.current_version(), 1u);
  }
}

TEST_F(GrpcppClient, AnErrorCarriesItsTypedDetail) {
  kvrpc::GetRequest get;
  get.set_key(std::string(9000, 'k'));
  kvrpc::GetResponse got;
  const grpc::Status status = Call(&kvrpc::KvCas::Stub::Get, get, &got);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const std::optional<std::string> detail =
      FindDetail({absl::StatusCode::kInvalidArgument, "", status.error_details()}, "errorpb.Error");
  errorpb::Error error;
  ASSERT_TRUE(detail.has_value() && error.ParseFromString(*detail));
  EXPECT_EQ(error.outcome(), errorpb::NOT_APPLIED);
  EXPECT_EQ(error.message(), status.error_message());
  EXPECT_NE(error.message().find("8192"), std::string::npos);
}

}  // namespace
}  // namespace flaredb::net
