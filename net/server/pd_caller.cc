// SPDX-License-Identifier: Apache-2.0
#include "net/server/pd_caller.h"

#include <string_view>

#include "core/pd/cluster.h"
#include "core/pd/explain.h"
#include "net/wire/pd_codec.h"

namespace flaredb::net {
namespace {

// The namespace that a request is about, if any.
template <typename Request>
std::string NamespaceOf(const Request& request) {
  if constexpr (requires { request.name; }) {
    return request.name;
  } else {
    return "";
  }
}

template <typename Variant>
std::function<GrpcStatus(const pd::Refused&)> ExplainerOf(const Variant& request) {
  return [request](const pd::Refused& refused) {
    const auto name = std::visit([](const auto& r) { return NamespaceOf(r); }, request);
    return StatusOf(refused, pd::Explain(request, refused), name);
  };
}

}  // namespace

void PdCaller::Command(const pd::Command& command, Duration budget, PdDone<pd::Reply> done) {
  Call(store::ExecuteRequest{std::string(pd::kObject), pd::EncodeCommand(command)}, budget,
       ExplainerOf(command), std::move(done));
}

void PdCaller::Query(const pd::Query& query, Duration budget, PdDone<pd::Reply> done) {
  Call(store::QueryRequest{std::string(pd::kObject), pd::EncodeQuery(query)}, budget,
       ExplainerOf(query), std::move(done));
}

GrpcStatus PdCaller::NoSuchAnswer() {
  return UnknownOutcome(
      "the placement driver's answer is of another release: run the same version of the program "
      "on all stores");
}

void PdCaller::Call(store::Operation operation, Duration budget,
                    std::function<GrpcStatus(const pd::Refused&)> explain, PdDone<pd::Reply> done) {
  if (refusing_) return done(StoreDraining(refusing_));
  store::Request request;
  request.budget = budget;
  request.operation = std::move(operation);
  call_store_(std::move(request), [address_of = address_of_, explain = std::move(explain),
                                   done = std::move(done)](store::Reply reply) {
    if (const auto* error = std::get_if<store::Error>(&reply.result)) {
      return done(StatusOf(*error, reply.applied_index, address_of));
    }
    const auto* answer = std::get_if<MachineReply>(&reply.result);
    if (answer == nullptr) return done(NoSuchAnswer());
    absl::StatusOr<pd::Reply> decoded = pd::DecodeReply(answer->bytes);
    if (!decoded.ok()) return done(NoSuchAnswer());
    if (const auto* refused = std::get_if<pd::Refused>(&*decoded)) return done(explain(*refused));
    done(*std::move(decoded));
  });
}

}  // namespace flaredb::net
