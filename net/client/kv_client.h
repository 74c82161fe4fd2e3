// SPDX-License-Identifier: Apache-2.0
// A blocking client of kvrpc.KvCas that hides changes of leader, and nothing else.
#ifndef FLAREDB_NET_CLIENT_KV_CLIENT_H_
#define FLAREDB_NET_CLIENT_KV_CLIENT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "core/base/rng.h"
#include "core/base/time.h"
#include "net/grpc_sync.h"

namespace flaredb::net {

struct KvClientOptions {
  std::vector<std::string> endpoints;               // "host:port" of some stores; at least one.
  std::shared_ptr<const TlsContext> tls = nullptr;  // nullptr: plain TCP.
  // For one operation with all its attempts.
  Duration budget = Duration::Seconds(5);
};

struct KvError {
  enum Kind : uint8_t {
    kUnavailable,  // Not applied: nobody could answer in time.
    kBusy,         // Not applied: refused for load until the time ran out.
    kRefused,      // Not applied: the request breaks a rule or limit.
    kUnknown,      // A write that may or may not have taken effect, or may yet.
  };
  Kind kind = kUnavailable;
  std::string message;  // One sentence.
};
template <typename T>
using KvResult = std::variant<T, KvError>;

struct KvGet {
  bool found = false;
  std::string value;
  uint64_t version = 0;  // 0 when not found.
};
struct KvWrite {
  bool success = false;          // False: a decided mismatch.
  uint64_t current_version = 0;  // Of the key now; 0 when it does not exist.
};
struct KvRow {
  std::string key;
  std::string value;
  uint64_t version = 0;
};
struct KvScanRange {
  std::string start;
  std::string end;     // Empty: the end of the namespace.
  std::string prefix;  // Instead of start and end.
  bool keys_only = false;
};
struct KvPage {
  std::vector<KvRow> rows;
  std::string next_page_token;  // Empty: this was the last page.
};

// Every write carries a request id, so that its attempts take effect at most once together. Not
// thread-safe.
class KvClient {
 public:
  // Connects when needed.
  explicit KvClient(KvClientOptions options);
  ~KvClient();
  KvClient(const KvClient&) = delete;
  KvClient& operator=(const KvClient&) = delete;

  KvResult<KvGet> Get(std::string_view key);
  // Writes `value` if the key's version is `expected`; 0: if the key does not exist.
  KvResult<KvWrite> CompareAndSwap(std::string_view key, std::string_view value, uint64_t expected);
  KvResult<KvWrite> CompareAndDelete(std::string_view key, uint64_t expected);
  // At most `limit` rows (0: as many as the server sends at once) from the beginning of the range,
  // or from where `page_token` says. Each page is one point in time, the whole scan is not.
  KvResult<KvPage> Scan(const KvScanRange& range, uint32_t limit, std::string_view page_token);

 private:
  struct WriteId {
    uint64_t seq = 0;
    uint64_t seen_index = 0;
  };
  // Serializes an attempt; `id` is that of the write, and of no meaning for reads.
  using MakeRequest = std::function<std::string(const WriteId& id)>;

  // The serialized reply. Tries until it has one, or a final error, or the budget is spent.
  KvResult<std::string> Call(const std::string& method, bool writes, const MakeRequest& make);
  // Keeps the connections of all addresses ever used.
  UnaryResult CallOnce(const std::string& address, const std::string& method,
                       const std::string& request, Duration timeout);
  WriteId NewWriteId() { return {++last_seq_, seen_index_}; }
  void Pause(Duration at_least, uint32_t attempt, Instant deadline);
  KvError OutOfTime(bool maybe_applied, bool busy, const GrpcStatus& last) const;

  const KvClientOptions options_;
  Rng rng_;  // Of the client's id and the pauses.
  const uint64_t client_hi_;
  const uint64_t client_lo_;
  uint64_t last_seq_ = 0;
  uint64_t seen_index_ = 0;  // The highest applied index in any reply.
  size_t endpoint_ = 0;      // That answered last.
  std::map<std::string, std::unique_ptr<GrpcSyncClient>> connections_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLIENT_KV_CLIENT_H_
