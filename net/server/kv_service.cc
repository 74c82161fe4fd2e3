// SPDX-License-Identifier: Apache-2.0
#include "net/server/kv_service.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

namespace flaredb::net {
namespace {

void Answer(UnaryCall* call, const EncodedKvReply& reply) {
  if (const auto* message = std::get_if<std::string>(&reply)) {
    call->Reply(*message);
  } else {
    call->Fail(std::get<GrpcStatus>(reply));
  }
}

}  // namespace

Duration BudgetOf(std::optional<Duration> time_left, std::optional<Duration> wish) {
  if (!time_left.has_value() && !wish.has_value()) return kDefaultBudget;
  Duration budget = wish.value_or(kMaxBudget);
  if (time_left.has_value()) {
    budget = std::min(budget, *time_left - std::min(*time_left / 10, Duration::Milliseconds(20)));
  }
  return std::clamp(budget, Duration(), kMaxBudget);
}

KvService::KvService(GrpcServer* server, Runtime* runtime, AddressOfStore address_of)
    : loop_(server->loop()), runtime_(runtime), address_of_(std::move(address_of)) {
  Register(server, "/kvrpc.KvCas/CompareAndSwap", DecodeCas, EncodeCas);
  Register(server, "/kvrpc.KvCas/Get", DecodeGet, EncodeGet);
  Register(server, "/kvrpc.KvCas/Scan", DecodeScan, EncodeScan);
  Register(server, "/kvrpc.KvCas/CompareAndDelete", DecodeCasDelete, EncodeCasDelete);
}

void KvService::Register(GrpcServer* server, const char* method, Decode* decode, Encode* encode) {
  server->RegisterUnary(method, [=, this](UnaryCall call, std::string_view message) {
    Handle(std::move(call), message, decode, encode);
  });
}

void KvService::Handle(UnaryCall unary, std::string_view message, Decode* decode, Encode* encode) {
  DecodedKvCall decoded = decode(message, runtime_->store().identity());
  if (const auto* refusal = std::get_if<GrpcStatus>(&decoded)) return unary.Fail(*refusal);

  KvCall& call = std::get<KvCall>(decoded);
  std::optional<Duration> time_left;
  if (unary.deadline() != Instant::Max()) time_left = unary.deadline() - loop_->now();
  call.request.budget = BudgetOf(time_left, call.deadline_wish);

  // Shared, because a std::function must be copyable.
  auto waiting = std::make_shared<UnaryCall>(std::move(unary));
  const store::CallId id = runtime_->Call(
      std::move(call.request), [this, waiting, encode, shape = call.shape](store::Reply reply) {
        Answer(waiting.get(), encode(shape, std::move(reply), address_of_));
      });
  waiting->OnCancel([runtime = runtime_, id] { runtime->Abandon(id); });
}

}  // namespace flaredb::net
