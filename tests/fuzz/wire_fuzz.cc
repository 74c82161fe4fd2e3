// SPDX-License-Identifier: Apache-2.0
// What arrives from another store or a client, before anybody has looked at it. The first byte says
// as what the rest is read.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "net/access/door.h"
#include "net/wire/kv_codec.h"
#include "net/wire/raft_codec.h"
#include "net/wire/raw_codec.h"
#include "proto/raftpb.pb.h"
#include "tests/fuzz/fuzz.h"

namespace flaredb::net {
namespace {

const store::Identity kSelf{77, StoreId(1)};

std::vector<store::StoreMessage> TakeOrFail(raftpb::RaftBatch* batch) {
  std::vector<store::StoreMessage> messages;
  const absl::Status status = TakeMessages(batch, &messages);
  if (!status.ok()) FailFuzzing("refuses what it encoded itself: " + status.ToString());
  return messages;
}

// A batch in any spelling that protocol buffers allow is refused, or says the same when it is
// encoded and decoded again.
void TryBatch(std::string_view bytes) {
  raftpb::RaftBatch batch;
  if (!batch.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  std::vector<store::StoreMessage> messages;
  if (!TakeMessages(&batch, &messages).ok()) {
    if (!messages.empty()) FailFuzzing("a refused batch leaves messages");
    return;
  }
  for (const store::StoreMessage& message : messages) {
    raftpb::RaftBatch once;
    AppendMessage(message, &once);
    const std::string sent = once.SerializeAsString();
    if (PayloadBytes(message) > sent.size() * 50) FailFuzzing("a small message counts as large");
    const std::vector<store::StoreMessage> again = TakeOrFail(&once);
    if (again.size() != 1 || again[0].index() != message.index()) {
      FailFuzzing("a message comes back as something else");
    }
    raftpb::RaftBatch twice;
    AppendMessage(again[0], &twice);
    if (twice.SerializeAsString() != sent) FailFuzzing("a message comes back changed");
  }
}

const DoorEntry& EntryOf(std::string_view method) {
  for (const DoorEntry& entry : DoorEntries()) {
    if (entry.method == method) return entry;
  }
  FailFuzzing("nobody is at the door of " + std::string(method));
}

// A request is refused in one short sentence with a code, or it is one: then the door judges it by
// the namespace that it is carried out in.
void TryRequest(std::string_view method, std::string_view bytes, const DecodedKvCall& decoded) {
  const std::optional<Target> target = EntryOf(method).target_of(bytes);
  if (const auto* refusal = std::get_if<GrpcStatus>(&decoded)) {
    if (refusal->code == absl::StatusCode::kOk) FailFuzzing("a refusal without a code");
    if (refusal->message.empty()) FailFuzzing("a refusal without a word");
    if (refusal->message.size() > 1000) FailFuzzing("a refusal without an end");
    return;
  }
  if (!target) FailFuzzing("the door does not understand what the handler does");
  if (target->ns != std::get<KvCall>(decoded).shape.ns) FailFuzzing("the door sees another name");
}

}  // namespace
}  // namespace flaredb::net

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flaredb::net;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'b':
      TryBatch(bytes);
      break;
    case 'c':
      TryRequest("/kvrpc.KvCas/CompareAndSwap", bytes, DecodeCas(bytes, kSelf));
      break;
    case 'd':
      TryRequest("/kvrpc.KvCas/CompareAndDelete", bytes, DecodeCasDelete(bytes, kSelf));
      break;
    case 'g':
      TryRequest("/kvrpc.KvCas/Get", bytes, DecodeGet(bytes, kSelf));
      break;
    case 's':
      TryRequest("/kvrpc.KvCas/Scan", bytes, DecodeScan(bytes, kSelf));
      break;
    case 'P':
      TryRequest("/kvrpc.KvRaw/RawPut", bytes, DecodeRawPut(bytes, kSelf));
      break;
    case 'D':
      TryRequest("/kvrpc.KvRaw/RawDelete", bytes, DecodeRawDelete(bytes, kSelf));
      break;
    case 'G':
      TryRequest("/kvrpc.KvRaw/RawGet", bytes, DecodeRawGet(bytes, kSelf));
      break;
    case 'S':
      TryRequest("/kvrpc.KvRaw/RawScan", bytes, DecodeRawScan(bytes, kSelf));
      break;
  }
  return 0;
}
