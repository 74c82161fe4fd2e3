// SPDX-License-Identifier: Apache-2.0
// What arrives from another store or a client, before anybody has looked at it. The first byte says
// as what the rest is read.
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "net/wire/kv_codec.h"
#include "net/wire/raft_codec.h"
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

// A request is refused in one sentence with a code, or it is one.
void TryRequest(const DecodedKvCall& decoded) {
  const auto* refusal = std::get_if<GrpcStatus>(&decoded);
  if (refusal == nullptr) return;
  if (refusal->code == absl::StatusCode::kOk) FailFuzzing("a refusal without a code");
  if (refusal->message.empty()) FailFuzzing("a refusal without a word");
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
      TryRequest(DecodeCas(bytes, kSelf));
      break;
    case 'd':
      TryRequest(DecodeCasDelete(bytes, kSelf));
      break;
    case 'g':
      TryRequest(DecodeGet(bytes, kSelf));
      break;
    case 's':
      TryRequest(DecodeScan(bytes, kSelf));
      break;
  }
  return 0;
}
