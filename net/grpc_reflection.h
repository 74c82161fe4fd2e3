// SPDX-License-Identifier: Apache-2.0
// grpc.reflection.v1 and v1alpha: tells clients such as grpcurl which services and messages exist.
#ifndef FLAREDB_NET_GRPC_REFLECTION_H_
#define FLAREDB_NET_GRPC_REFLECTION_H_

#include <functional>

#include "net/grpc_server.h"

namespace google::protobuf {
class FileDescriptorProto;
}  // namespace google::protobuf

namespace flaredb::net {

// Changes a file on its way to the client, such as bytes fields shown as strings. Served text
// only: what the server parses stays as compiled.
using DescriptorView = std::function<void(google::protobuf::FileDescriptorProto* file)>;

struct ReflectionOptions {
  // Applied to every file that is served in the view "text". May be empty.
  DescriptorView text_view;
  // The view of requests that do not choose one, by the header "x-flaredb-view: text" or
  // "x-flaredb-view: canonical", in which files are as compiled.
  bool text_by_default = true;
};

// Registers ServerReflectionInfo of both versions. Lists the services registered with `server` at
// the time of the question and serves any file compiled into the binary: by file name, by symbol,
// by extension. Each file comes with the files that it imports.
void RegisterReflection(GrpcServer* server, const ReflectionOptions& options = {});

}  // namespace flaredb::net

#endif  // FLAREDB_NET_GRPC_REFLECTION_H_
