// SPDX-License-Identifier: Apache-2.0
#include "net/server/kv_service.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "net/server/reply_room.h"
#include "net/wire/kv_codec.h"
#include "net/wire/raw_codec.h"

namespace flaredb::net {

namespace {

constexpr uint32_t kSlowLinesBurst = 10;
constexpr uint32_t kSlowLinesPerSecond = 1;

std::string_view KeyOf(const store::Operation& operation) {
  struct Visitor {
    std::string_view operator()(const store::GetRequest& get) const { return get.key; }
    std::string_view operator()(const store::ScanRequest& scan) const { return scan.begin; }
    std::string_view operator()(const kv::CompareAndSwap& cas) const { return cas.key; }
    std::string_view operator()(const kv::CompareAndDelete& cas) const { return cas.key; }
    std::string_view operator()(const store::ExecuteRequest& execute) const {
      return execute.object;
    }
    std::string_view operator()(const store::QueryRequest& query) const { return query.object; }
    std::string_view operator()(const store::RawWriteRequest& write) const { return write.key; }
    std::string_view operator()(const kv::NamespaceCommand&) const { return ""; }
  };
  return std::visit(Visitor(), operation);
}

}  // namespace

KvService::KvService(GrpcServer* server, Runtime* runtime, AddressOfStore address_of)
    : server_(server),
      loop_(server->loop()),
      runtime_(runtime),
      address_of_(std::move(address_of)),
      slow_lines_(kSlowLinesBurst, kSlowLinesPerSecond, loop_->now()) {
  Register(server, "/kvrpc.KvCas/CompareAndSwap", DecodeCas, EncodeCas);
  Register(server, "/kvrpc.KvCas/Get", DecodeGet, EncodeGet);
  Register(server, "/kvrpc.KvCas/Scan", DecodeScan, EncodeScan);
  Register(server, "/kvrpc.KvCas/CompareAndDelete", DecodeCasDelete, EncodeCasDelete);
  Register(server, "/kvrpc.KvRaw/RawPut", DecodeRawPut, EncodeRawPut);
  Register(server, "/kvrpc.KvRaw/RawGet", DecodeRawGet, EncodeRawGet);
  Register(server, "/kvrpc.KvRaw/RawScan", DecodeRawScan, EncodeRawScan);
  Register(server, "/kvrpc.KvRaw/RawDelete", DecodeRawDelete, EncodeRawDelete);
}

void KvService::Register(GrpcServer* server, const char* method, Decode* decode, Encode* encode) {
  server->RegisterUnary(method, [=, this](UnaryCall call, std::string_view message) {
    Handle(method, std::move(call), message, decode, encode);
  });
}

void KvService::Handle(const char* method, UnaryCall unary, std::string_view message,
                       Decode* decode, Encode* encode) {
  if (refusing_) return unary.Fail(StoreDraining(refusing_));
  DecodedKvCall decoded = decode(message, runtime_->store().identity());
  if (const auto* refusal = std::get_if<GrpcStatus>(&decoded)) return unary.Fail(*refusal);

  KvCall& call = std::get<KvCall>(decoded);
  // Whoever does not read what he asked for does not get more of it looked up.
  if (unary.connection_output_bytes() > kMaxConnectionOutputBytes &&
      !store::IsWrite(call.request.operation)) {
    return unary.Fail(TooMuchUnread());
  }
  std::shared_ptr<char> slot;
  if (std::holds_alternative<store::ScanRequest>(call.request.operation)) {
    if (static_cast<size_t>(scan_slots_.use_count()) > kMaxOpenScans) {
      return unary.Fail(ServerIsBusy("too many scans at once; scan again later"));
    }
    slot = scan_slots_;
  }
  std::optional<Duration> time_left;
  if (unary.deadline() != Instant::Max()) time_left = unary.deadline() - loop_->now();
  call.request.budget = BudgetOf(time_left, call.deadline_wish);

  const LoggedKey key(KeyOf(call.request.operation));
  // Shared, because a std::function must be copyable.
  auto waiting = std::make_shared<UnaryCall>(std::move(unary));
  const store::CallId id = runtime_->Call(
      std::move(call.request),
      [this, waiting, slot, encode, shape = std::move(call.shape), method, key,
       started = loop_->now()](store::Reply reply) {
        Answer(waiting.get(), encode(shape, std::move(reply), address_of_));
        LogIfSlow(method, started, key);
      });
  waiting->OnCancel([runtime = runtime_, id] { runtime->Abandon(id); });
}

void KvService::Answer(UnaryCall* call, const EncodedKvReply& reply) {
  if (const auto* message = std::get_if<std::string>(&reply)) {
    ReplyIfRoom(*server_, call, *message);
  } else {
    call->Fail(std::get<GrpcStatus>(reply));
  }
}

void KvService::LogIfSlow(const char* method, Instant started, const LoggedKey& key) {
  const Duration took = loop_->now() - started;
  if (took < kSlowCall || !slow_lines_.Take(loop_->now())) return;
  Log(LogLevel::kWarn, "slow call",
      {{"method", method},
       {"ms", static_cast<uint64_t>(took.milliseconds())},
       {"key", key.Text()}});
}

}  // namespace flaredb::net
