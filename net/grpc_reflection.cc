// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"

namespace flaredb::net {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;

// The two versions of the protocol differ in their package only.
struct V1 {
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;
  static constexpr char kMethod[] = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
};
struct V1Alpha {
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
  static constexpr char kMethod[] =
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
};

// Every file after those that it imports.
void CollectWithImports(const FileDescriptor* file, std::set<const FileDescriptor*>* seen,
                        std::vector<const FileDescriptor*>* files) {
  if (!seen->insert(file).second) return;
  for (int i = 0; i < file->dependency_count(); ++i) {
    CollectWithImports(file->dependency(i), seen, files);
  }
  files->push_back(file);
}

template <typename Version>
class ReflectionStream : public StreamReader {
 public:
  using Request = typename Version::Request;
  using Response = typename Version::Response;

  ReflectionStream(const GrpcServer* server, const ReflectionOptions& options, ServerStream stream)
      : server_(server), view_(ViewOf(stream, options)), stream_(std::move(stream)) {}

  void OnMessage(std::string_view message) override {
    Request request;
    if (!request.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
      return stream_.Finish(
          GrpcStatus(absl::StatusCode::kInvalidArgument, "malformed ServerReflectionRequest"));
    }
    Response response;
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    Answer(request, &response);
    stream_.Send(response.SerializeAsString());
  }

  void OnHalfClose() override { stream_.Finish(GrpcStatus()); }

 private:
  static DescriptorView ViewOf(const ServerStream& stream, const ReflectionOptions& options) {
    const std::string_view wish = stream.header("x-flaredb-view");
    const bool text = wish == "text" || (options.text_by_default && wish != "canonical");
    return text ? options.text_view : DescriptorView();
  }

  void Answer(const Request& request, Response* response) const {
    const DescriptorPool* pool = DescriptorPool::generated_pool();
    switch (request.message_request_case()) {
      case Request::kListServices:
        for (std::string& name : server_->services()) {
          response->mutable_list_services_response()->add_service()->set_name(std::move(name));
        }
        return;
      case Request::kFileByFilename:
        return AnswerFile(pool->FindFileByName(request.file_by_filename()), response);
      case Request::kFileContainingSymbol:
        return AnswerFile(pool->FindFileContainingSymbol(request.file_containing_symbol()),
                          response);
      case Request::kFileContainingExtension: {
        const auto& wanted = request.file_containing_extension();
        const Descriptor* type = pool->FindMessageTypeByName(wanted.containing_type());
        const FieldDescriptor* field =
            type == nullptr ? nullptr
                            : pool->FindExtensionByNumber(type, wanted.extension_number());
        return AnswerFile(field == nullptr ? nullptr : field->file(), response);
      }
      case Request::kAllExtensionNumbersOfType:
        return AnswerExtensions(request.all_extension_numbers_of_type(), response);
      case Request::MESSAGE_REQUEST_NOT_SET:
        return Error(absl::StatusCode::kInvalidArgument, "the request asks for nothing", response);
    }
  }

  void AnswerFile(const FileDescriptor* file, Response* response) const {
    if (file == nullptr) {
      return Error(absl::StatusCode::kNotFound, "no such file, symbol or extension", response);
    }
    std::set<const FileDescriptor*> seen;
    std::vector<const FileDescriptor*> files;
    CollectWithImports(file, &seen, &files);
    // The file that was asked for comes first.
    for (auto it = files.rbegin(); it != files.rend(); ++it) {
      FileDescriptorProto proto;
      (*it)->CopyTo(&proto);
      if (view_) view_(&proto);
      response->mutable_file_descriptor_response()->add_file_descriptor_proto(
          proto.SerializeAsString());
    }
  }

  void AnswerExtensions(const std::string& type_name, Response* response) const {
    const DescriptorPool* pool = DescriptorPool::generated_pool();
    const Descriptor* type = pool->FindMessageTypeByName(type_name);
    if (type == nullptr) {
      return Error(absl::StatusCode::kNotFound, "no such message type", response);
    }
    auto* answer = response->mutable_all_extension_numbers_response();
    answer->set_base_type_name(type_name);
    std::vector<const FieldDescriptor*> extensions;
    pool->FindAllExtensions(type, &extensions);
    for (const FieldDescriptor* field : extensions) answer->add_extension_number(field->number());
  }

  static void Error(absl::StatusCode code, const char* message, Response* response) {
    auto* error = response->mutable_error_response();
    error->set_error_code(static_cast<int>(code));
    error->set_error_message(message);
  }

  const GrpcServer* const server_;
  const DescriptorView view_;
  ServerStream stream_;
};

template <typename Version>
void Register(GrpcServer* server, const ReflectionOptions& options) {
  server->RegisterStream(Version::kMethod, [server, options](ServerStream stream) {
    return std::make_unique<ReflectionStream<Version>>(server, options, std::move(stream));
  });
}

}  // namespace

void RegisterReflection(GrpcServer* server, const ReflectionOptions& options) {
  Register<V1>(server, options);
  Register<V1Alpha>(server, options);
}

}  // namespace flaredb::net
