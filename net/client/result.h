// SPDX-License-Identifier: Apache-2.0
// What operations on keys answer. The alternatives of a result are the cases that a caller has to
// tell apart: std::visit over one does not compile while a case is missing.
#ifndef FLAREDB_NET_CLIENT_RESULT_H_
#define FLAREDB_NET_CLIENT_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace flaredb::client {

// Names one write for all its attempts, whoever makes them: together they take effect at most
// once (docs/USING.md, "Retries").
struct WriteId {
  uint64_t client_hi = 0;  // Of the client, drawn at random.
  uint64_t client_lo = 0;
  uint64_t seq = 0;  // Counts the client's writes.
  // The highest applied index that the client had been told before the first attempt.
  uint64_t seen_index = 0;
  friend bool operator==(const WriteId&, const WriteId&) = default;
};
// Four hexadecimal numbers with hyphens between them; nullopt for any other text.
std::string ToString(const WriteId& id);
std::optional<WriteId> ParseWriteId(std::string_view text);

// The write took effect, once.
struct Applied {
  uint64_t version = 0;  // Of the key now; 0 after a delete.
  friend bool operator==(const Applied&, const Applied&) = default;
};
// The key is not at the version that the write expects. It took no effect, and never will.
struct Mismatch {
  uint64_t version = 0;  // Of the key now; 0: it does not exist.
  friend bool operator==(const Mismatch&, const Mismatch&) = default;
};
// The write may have taken effect, or may yet: the time ran out before an answer came. Repeating it
// under `id` tells (WriteOptions::repeat); so does reading the key, if nobody else writes it.
struct Unknown {
  WriteId id;
  std::string message;  // One sentence.
};
// Nothing took effect, and nothing will.
struct Error {
  enum Kind : uint8_t {
    kUnavailable,  // Nobody could answer in time.
    kOverloaded,   // Turned away for load, and out of time: ask less, or later.
    kRefused,      // Breaks a rule or limit: the same request will fail again.
    kNotFound,     // The namespace or store that it is about does not exist.
  };
  Kind kind = kUnavailable;
  std::string message;  // One sentence.
};

// Of a read.
template <typename T>
using Result = std::variant<T, Error>;
// Of a write that expects a version.
using CasResult = std::variant<Applied, Mismatch, Unknown, Error>;
// Of a write that does not.
using PutResult = std::variant<Applied, Unknown, Error>;

// A write to a namespace in eventual mode was accepted: a store has it on its disk. Of two writes
// to a key the one with the larger time wins.
struct Accepted {
  uint64_t hlc = 0;  // Milliseconds since 1970 * 65536, and a counter.
  friend bool operator==(const Accepted&, const Accepted&) = default;
};
// Such a write has no id: that of an Unknown is zero.
using RawResult = std::variant<Accepted, Unknown, Error>;

struct VersionedValue {
  std::string value;
  uint64_t version = 0;
  friend bool operator==(const VersionedValue&, const VersionedValue&) = default;
};
struct Row {
  std::string key;
  std::string value;
  uint64_t version = 0;
  friend bool operator==(const Row&, const Row&) = default;
};
struct Page {
  std::vector<Row> rows;  // In the order of keys. May be empty even if it is not the last page.
  std::string next_page_token;  // Empty: this was the last page.
};

// The same of a namespace in eventual mode.
struct RawValue {
  std::string value;
  uint64_t hlc = 0;  // Of the write that won; 0 if that was made in strong mode.
  friend bool operator==(const RawValue&, const RawValue&) = default;
};
struct RawRow {
  std::string key;
  std::string value;
  uint64_t hlc = 0;
  friend bool operator==(const RawRow&, const RawRow&) = default;
};
struct RawPage {
  std::vector<RawRow> rows;
  std::string next_page_token;
};

}  // namespace flaredb::client

#endif  // FLAREDB_NET_CLIENT_RESULT_H_
