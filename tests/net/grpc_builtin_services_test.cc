// SPDX-License-Identifier: Apache-2.0
// Health and reflection as grpc++ clients see them.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "gtest/gtest.h"
#include "tests/net/echo_service.h"

namespace flaredb::net {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptorProto;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// A streaming call of grpc++ used step by step.
template <typename Request, typename Response>
class Call {
 public:
  Call(const std::string& address, const std::string& method,
       const std::vector<std::pair<std::string, std::string>>& metadata = {})
      : stub_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    for (const auto& [name, value] : metadata) context_.AddMetadata(name, value);
    call_ = stub_.PrepareCall(&context_, method, &queue_);
    call_->StartCall(nullptr);
    Wait();
  }
  ~Call() { context_.TryCancel(); }
  bool Write(const Request& request) {
    call_->Write(request, nullptr);
    return Wait();
  }
  bool Read(Response* response) {
    call_->Read(response, nullptr);
    return Wait();
  }
  grpc::Status Finish() {
    call_->WritesDone(nullptr);
    Wait();
    grpc::Status status;
    call_->Finish(&status, nullptr);
    Wait();
    return status;
  }

 private:
  bool Wait() {
    void* tag;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }
  grpc::TemplatedGenericStub<Request, Response> stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<Request, Response>> call_;
};

class HealthTest : public testing::Test {
 protected:
  using HealthCall = Call<HealthCheckRequest, HealthCheckResponse>;
  static HealthCheckRequest Ask(const std::string& service) {
    HealthCheckRequest request;
    request.set_service(service);
    return request;
  }
  void Set(const std::string& service, bool serving) {
    server_.Run([&] { server_.health()->SetServing(service, serving); });
  }
  EchoServerThread server_;
};

TEST_F(HealthTest, CheckTellsTheStateOfKnownServices) {
  Set("a", false);
  for (const auto& [service, state] :
       {std::pair<std::string, int>{"", HealthCheckResponse::SERVING},
        std::pair<std::string, int>{"a", HealthCheckResponse::NOT_SERVING}}) {
    HealthCall call(server_.address(), "/grpc.health.v1.Health/Check");
    ASSERT_TRUE(call.Write(Ask(service)));
    HealthCheckResponse response;
    ASSERT_TRUE(call.Read(&response));
    EXPECT_EQ(response.status(), state) << service;
  }
}

TEST_F(HealthTest, CheckOfAnUnknownServiceIsNotFound) {
  HealthCall call(server_.address(), "/grpc.health.v1.Health/Check");
  ASSERT_TRUE(call.Write(Ask("nobody")));
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(HealthTest, WatchTellsEveryChangeAndOnlyChanges) {
  HealthCall call(server_.address(), "/grpc.health.v1.Health/Watch");
  ASSERT_TRUE(call.Write(Ask("a")));
  HealthCheckResponse response;
  ASSERT_TRUE(call.Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  Set("a", false);
  ASSERT_TRUE(call.Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  Set("a", false);
  Set("b", true);
  Set("a", true);
  ASSERT_TRUE(call.Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
}

struct V1 {
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;
  static constexpr char kService[] = "grpc.reflection.v1.ServerReflection";
};
struct V1Alpha {
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
  static constexpr char kService[] = "grpc.reflection.v1alpha.ServerReflection";
};

template <typename Version>
class ReflectionTest : public testing::Test {
 protected:
  using Request = typename Version::Request;
  using Response = typename Version::Response;

  Response Ask(const Request& request) {
    EXPECT_TRUE(call_.Write(request));
    Response response;
    EXPECT_TRUE(call_.Read(&response));
    return response;
  }
  // Builds a pool from nothing but what the server tells of `symbol`.
  void Load(const std::string& symbol, DescriptorPool* pool) {
    Request request;
    request.set_file_containing_symbol(symbol);
    const Response response = Ask(request);
    ASSERT_TRUE(response.has_file_descriptor_response()) << response.DebugString();
    const auto& files = response.file_descriptor_response().file_descriptor_proto();
    // Imports come after their users.
    for (auto it = files.rbegin(); it != files.rend(); ++it) {
      FileDescriptorProto file;
      ASSERT_TRUE(file.ParseFromString(*it));
      ASSERT_NE(pool->BuildFile(file), nullptr) << file.name();
    }
  }

  EchoServerThread server_;
  Call<Request, Response> call_{server_.address(),
                                std::string("/") + Version::kService + "/ServerReflectionInfo"};
};

using Versions = testing::Types<V1, V1Alpha>;
TYPED_TEST_SUITE(ReflectionTest, Versions);

TYPED_TEST(ReflectionTest, ListsEveryServiceItselfIncluded) {
  typename TypeParam::Request request;
  request.set_list_services("*");
  const auto response = this->Ask(request);
  std::set<std::string> names;
  for (const auto& service : response.list_services_response().service()) {
    names.insert(service.name());
  }
  EXPECT_EQ(names,
            (std::set<std::string>{"flaredb.test.Echo", "flaredb.test.Raw", "grpc.health.v1.Health",
                                   V1::kService, V1Alpha::kService}));
}

TYPED_TEST(ReflectionTest, ServesFilesFromWhichAPoolCanBeBuilt) {
  for (const std::string service :
       {"flaredb.test.Echo", "grpc.health.v1.Health", TypeParam::kService}) {
    DescriptorPool pool;
    this->Load(service, &pool);
    const auto* descriptor = pool.FindServiceByName(service);
    ASSERT_NE(descriptor, nullptr);
    EXPECT_GT(descriptor->method_count(), 0);
  }
  DescriptorPool pool;
  this->Load("flaredb.test.Echo.Unary", &pool);
  EXPECT_NE(pool.FindMessageTypeByName("flaredb.test.EchoRequest"), nullptr);
}

TYPED_TEST(ReflectionTest, ServesFilesByName) {
  typename TypeParam::Request request;
  request.set_file_by_filename("tests/net/echo.proto");
  const auto response = this->Ask(request);
  ASSERT_EQ(response.file_descriptor_response().file_descriptor_proto_size(), 1);
  FileDescriptorProto file;
  ASSERT_TRUE(file.ParseFromString(response.file_descriptor_response().file_descriptor_proto(0)));
  EXPECT_EQ(file.name(), "tests/net/echo.proto");
  EXPECT_EQ(response.original_request().file_by_filename(), "tests/net/echo.proto");
}

TYPED_TEST(ReflectionTest, UnknownNamesAreErrorsWithinTheStream) {
  typename TypeParam::Request request;
  for (int kind = 0; kind < 5; ++kind) {
    request.Clear();
    if (kind == 0) request.set_file_by_filename("none.proto");
    if (kind == 1) request.set_file_containing_symbol("no.such.Symbol");
    if (kind == 2) request.mutable_file_containing_extension()->set_containing_type("no.Type");
    if (kind == 3) request.set_all_extension_numbers_of_type("no.Type");
    const auto response = this->Ask(request);
    EXPECT_EQ(response.error_response().error_code(),
              kind == 4 ? grpc::StatusCode::INVALID_ARGUMENT : grpc::StatusCode::NOT_FOUND);
    EXPECT_FALSE(response.error_response().error_message().empty());
  }
  EXPECT_TRUE(this->call_.Finish().ok());
}

}  // namespace
}  // namespace flaredb::net
