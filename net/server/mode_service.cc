// SPDX-License-Identifier: Apache-2.0
#include "net/server/mode_service.h"

#include <memory>
#include <string>
#include <utility>

#include "net/server/mode_update.h"
#include "net/server/reply_room.h"
#include "net/server/unary.h"
#include "net/wire/pd_codec.h"
#include "proto/modes.pb.h"

namespace flaredb::net {
namespace {

// Asks for one page after the other.
struct Listing {
  const GrpcServer* server;
  PdCaller* pd;
  Duration budget;
  pd::ListNamespaces query;
  raftpb::ListNamespaceModesResponse response;
  UnaryCall call;
};

void NextPage(const std::shared_ptr<Listing>& listing) {
  listing->pd->Ask<pd::NamespacePage>(listing->query, listing->budget,
                                      [listing](PdResult<pd::NamespacePage> result) {
                                        if (const auto* status = std::get_if<GrpcStatus>(&result)) {
                                          return listing->call.Fail(*status);
                                        }
                                        const auto& page = std::get<pd::NamespacePage>(result);
                                        for (const pd::Namespace& ns : page.namespaces) {
                                          EncodeNamespace(ns, listing->response.add_namespaces());
                                        }
                                        if (!page.more || page.namespaces.empty()) {
                                          return ReplyIfRoom(*listing->server, &listing->call,
                                                             listing->response.SerializeAsString());
                                        }
                                        listing->query.after = page.namespaces.back().name;
                                        NextPage(listing);
                                      });
}

void Get(const GrpcServer* server, PdCaller* pd, UnaryCall unary, std::string_view message) {
  raftpb::GetModeRequest in;
  if (!ParseOrFail(message, &in, &unary)) return;
  const Duration budget = TimeFor(unary, server->loop()->now());
  auto call = std::make_shared<UnaryCall>(std::move(unary));
  pd->Ask<pd::Namespace>(pd::GetNamespace{NamespaceName(in.namespace_())}, budget,
                         [call](PdResult<pd::Namespace> result) {
                           if (const auto* status = std::get_if<GrpcStatus>(&result)) {
                             return call->Fail(*status);
                           }
                           raftpb::NamespaceInfo mode;
                           EncodeNamespace(std::get<pd::Namespace>(result), &mode);
                           raftpb::GetModeResponse out;
                           out.set_mode(mode.mode());
                           out.set_from_default(mode.from_default());
                           out.set_namespace_(mode.namespace_());
                           out.set_mode_epoch(mode.mode_epoch());
                           out.set_state(mode.state());
                           out.set_namespace_id(mode.namespace_id());
                           call->Reply(out.SerializeAsString());
                         });
}

void List(const GrpcServer* server, PdCaller* pd, UnaryCall unary, std::string_view message) {
  raftpb::ListNamespaceModesRequest in;
  if (!ParseOrFail(message, &in, &unary)) return;
  auto listing = std::make_shared<Listing>();
  listing->server = server;
  listing->pd = pd;
  listing->budget = TimeFor(unary, server->loop()->now());
  listing->query.prefix = in.prefix();
  listing->response.set_default_mode(std::string(NameOf(pd::Mode::kStrong)));
  listing->call = std::move(unary);
  NextPage(listing);
}

}  // namespace

void RegisterModeService(GrpcServer* server, PdCaller* pd, Waiting waiting) {
  const auto add = [&](const char* method, auto* handler) {
    server->RegisterUnary(std::string("/raftpb.RaftService/") + method,
                          [server, pd, handler](UnaryCall call, std::string_view message) {
                            handler(server, pd, std::move(call), message);
                          });
  };
  add("GetMode", Get);
  add("ListNamespaceModes", List);
  server->RegisterUnary("/raftpb.RaftService/UpdateNamespaceMode",
                        [loop = server->loop(), pd, waiting = std::move(waiting)](
                            UnaryCall call, std::string_view message) {
                          raftpb::UpdateNamespaceModeRequest in;
                          if (ParseOrFail(message, &in, &call))
                            UpdateMode(loop, pd, waiting, in, std::move(call));
                        });
}

}  // namespace flaredb::net
