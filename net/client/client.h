// SPDX-License-Identifier: Apache-2.0
// The client library: reads and writes keys of a FlareDB cluster.
//
//   auto client = Client::Create({.endpoints = {"127.0.0.1:50051", "127.0.0.1:50052"}});
//   CasResult result = (*client)->Cas("colour", "red", 0);
//   if (const auto* applied = std::get_if<Applied>(&result)) Use(applied->version);
#ifndef FLAREDB_NET_CLIENT_CLIENT_H_
#define FLAREDB_NET_CLIENT_CLIENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/time.h"
#include "net/client/result.h"
#include "net/tls/tls_context.h"

namespace flaredb::client {

class Attempts;

struct ClientOptions {
  // "host:port" of some stores of the cluster; at least one. Any store serves any call. Several, so
  // that one can be down. Calls that need a leader go to whomever a store of the cluster names.
  std::vector<std::string> endpoints = {};
  std::shared_ptr<const net::TlsContext> tls = nullptr;  // nullptr: plain TCP.
  // Shown with every call; empty: none. Needs TLS, as whoever sees it may use it.
  std::string token = "";
  // Of an operation with all its attempts, unless its own options say otherwise.
  Duration timeout = Duration::Seconds(5);
};

// Of Get, Put and Delete.
struct CallOptions {
  std::string ns = "";  // The namespace; "": "default".
  std::optional<Duration> timeout = std::nullopt;
};
// Of Cas and CasDelete.
struct WriteOptions {
  std::string ns = "";
  std::optional<Duration> timeout = std::nullopt;
  // The id of an Unknown: this is that write once more, with the same arguments, made by this
  // client or any other. If it took effect, it is answered as it would have been; otherwise it may
  // now.
  std::optional<WriteId> repeat = std::nullopt;
};
struct ScanOptions {
  std::string ns = "";
  std::optional<Duration> timeout = std::nullopt;
  uint32_t limit = 0;  // Rows of this page; 0: as many as a store sends at once.
  bool keys_only = false;
  // next_page_token of the page before, with everything else as it was then; "": the first page.
  std::string page_token = "";
};

// Keys in [begin, end); an empty `end` is the end of the namespace.
struct KeyRange {
  std::string begin = "";
  std::string end = "";
};

// Every operation blocks its thread until it is answered or its time is over, and hides changes of
// leader and stores that fail. Reads are linearizable: they reflect every write that was
// acknowledged before they began, whoever wrote it. Writes have a request id, so that all attempts
// of one together take effect at most once; if none was answered, the result is Unknown, which is
// never told as a failure.
//
// Thread-safe. Make one client for a process and share it: its threads then share a connection to
// each store, and a thread of the client's own, which serves these. It must not be used in a child
// of fork. Nothing may be in progress in it when it is destroyed.
//
// Limits are in docs/USING.md.
class Client {
 public:
  // Connects when needed. Fails if an endpoint is no "host:port", there is none, a token would
  // travel without TLS, or the process is out of descriptors; the error is one sentence.
  static absl::StatusOr<std::unique_ptr<Client>> Create(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // nullopt: the key does not exist.
  Result<std::optional<VersionedValue>> Get(std::string_view key, const CallOptions& options = {});

  // Writes `value` if the key is at version `expected`; 0: if it does not exist.
  CasResult Cas(std::string_view key, std::string_view value, uint64_t expected,
                const WriteOptions& options = {});
  // Deletes the key if it is at version `expected`, which is at least 1.
  CasResult CasDelete(std::string_view key, uint64_t expected, const WriteOptions& options = {});

  // Writes `value` whatever is there: a Cas that goes on from the version it meets, so other
  // writers may make it wait. The id of an Unknown is of no use here: read, or put again.
  PutResult Put(std::string_view key, std::string_view value, const CallOptions& options = {});
  // Deletes the key, if it exists, in the same way.
  PutResult Delete(std::string_view key, const CallOptions& options = {});

  // One page of the rows in `range`, in the order of keys. A page is one point in time, a scan of
  // several is not.
  Result<Page> Scan(const KeyRange& range, const ScanOptions& options = {});
  // One page of the rows whose keys begin with `prefix`; with "", of all.
  Result<Page> ScanPrefix(std::string_view prefix, const ScanOptions& options = {});

  // --- Namespaces in eventual mode. What is above is for those in strong mode, and neither takes
  // the other's.

  // Any store accepts a write by itself. After an attempt that may have been accepted the result is
  // Unknown: to write again is for the caller to decide, as it would win over what others wrote
  // since.
  RawResult RawPut(std::string_view key, std::string_view value, const CallOptions& options = {});
  // Whether or not there is such a key.
  RawResult RawDelete(std::string_view key, const CallOptions& options = {});
  // What one store knows: all that it accepted, and what has reached it of the others'. The client
  // stays with a store as long as that answers, and so finds its own writes.
  Result<std::optional<RawValue>> RawGet(std::string_view key, const CallOptions& options = {});
  Result<RawPage> RawScan(const KeyRange& range, const ScanOptions& options = {});
  Result<RawPage> RawScanPrefix(std::string_view prefix, const ScanOptions& options = {});

 private:
  Client(Duration timeout, std::unique_ptr<Attempts> attempts);
  const Duration timeout_;
  const std::unique_ptr<Attempts> attempts_;
};

}  // namespace flaredb::client

#endif  // FLAREDB_NET_CLIENT_CLIENT_H_
