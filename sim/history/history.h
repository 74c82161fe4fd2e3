// SPDX-License-Identifier: Apache-2.0
// What clients saw: one record per operation, in the words of the key-value service.
//
// Time is the order in which events entered the history, so no two events tie. An operation takes
// effect at one point strictly between its two events, if it takes effect.
#ifndef FLAREDB_SIM_HISTORY_HISTORY_H_
#define FLAREDB_SIM_HISTORY_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace flaredb::sim {

// Position of an event in its history. The first event is 1.
using EventNumber = uint64_t;
// The completion of an operation that has none: it may take effect at any later time.
inline constexpr EventNumber kNever = std::numeric_limits<EventNumber>::max();

// Names a written value. Unique over all writes of a history, so that a read names its writer.
using ValueId = uint64_t;

// What a checker found. `why` is one sentence for a person, empty if linearizable.
struct Verdict {
  bool linearizable = true;
  std::string why;
};

enum class OpKind : uint8_t { kGet, kCas, kCasDelete };

enum class Outcome : uint8_t {
  kUnknown,     // No answer: a write took effect at most once, after `invoke`, or never will.
  kOk,          // Answered. For a write: took effect once, within the interval.
  kMismatch,    // Answered with the live version, which was not the expected one. No effect.
  kNotApplied,  // Refused: certainly without effect, and nothing was learnt.
};

// One operation on one key. Retries under the same request id are one operation.
struct VersionedOp {
  OpKind kind = OpKind::kGet;
  Outcome outcome = Outcome::kUnknown;
  uint32_t client = 0;            // For the reader of a report.
  EventNumber invoke = 0;         // >= 1
  EventNumber complete = kNever;  // > invoke; kNever exactly if the outcome is unknown.
  uint64_t expected = 0;          // kCas, kCasDelete: the live version asked for; 0: "not live".
  // kOk: of a get, the live version or 0 if not found; of a CAS, the version that it produced.
  // kMismatch: the live version, 0 if the key was not live. Otherwise unused.
  uint64_t version = 0;
  ValueId value = 0;   // A CAS's new value; what a successful get of a live version returned.
  uint32_t group = 0;  // The operation on several keys that it is a part of; 0: it stands alone.
};

// "client 3's CAS(expected 4, value 17) -> version 5 [events 12..20]"
std::string Describe(const VersionedOp& op);

// Records a history, operation by operation, and numbers its events. Each operation is completed at
// most once; one that never is has an unknown outcome.
class VersionedHistory {
 public:
  // Names an operation of this history.
  struct OpRef {
    uint32_t key = 0;
    uint32_t op = 0;
  };

  // Starts an operation on several keys and returns its number, >= 1. Its parts are invoked with
  // that number, in one go, and completed in one go; they take effect at one point or not at all.
  // A part that is completed with Fail is not one: the page of a scan did not get there.
  // `what` names the operation for the reader of a report: "Scan from k1".
  uint32_t StartGroup(std::string what);
  // Adds to that name what the answer told: "cut at k3".
  void Remark(uint32_t group, std::string_view remark);

  OpRef InvokeGet(uint32_t client, std::string_view key, uint32_t group = 0);
  OpRef InvokeCas(uint32_t client, std::string_view key, uint64_t expected, ValueId value,
                  uint32_t group = 0);
  OpRef InvokeCasDelete(uint32_t client, std::string_view key, uint64_t expected,
                        uint32_t group = 0);

  // Completions. Each requires an operation of the right kind that is not complete.
  void OkFound(OpRef get, uint64_t version, ValueId value);  // version >= 1
  void OkNotFound(OpRef get);
  void OkCas(OpRef cas, uint64_t version);
  void OkCasDelete(OpRef cas_delete);
  void Mismatch(OpRef write, uint64_t current_version);
  void Fail(OpRef op);  // Certainly not applied.
  void Info(OpRef op);  // The client stopped waiting: the outcome stays unknown, for ever open.

  size_t keys() const { return keys_.size(); }
  const std::string& key(size_t i) const { return keys_[i]; }
  // The operations on one key, in the order of their invocations.
  const std::vector<VersionedOp>& ops(size_t i) const { return ops_[i]; }
  // Parts of an operation on several keys count one by one.
  size_t operations() const { return operations_; }
  uint32_t groups() const { return static_cast<uint32_t>(groups_.size()); }
  // The name of the operation on several keys with number `i` in [1, groups()].
  const std::string& group(uint32_t i) const { return groups_[i - 1]; }
  // No event of the history is later.
  EventNumber last_event() const { return last_event_; }

 private:
  OpRef Invoke(std::string_view key, const VersionedOp& op);
  VersionedOp& Complete(OpRef ref, Outcome outcome);

  EventNumber last_event_ = 0;
  size_t operations_ = 0;
  std::map<std::string, uint32_t, std::less<>> key_numbers_;
  std::vector<std::string> keys_;
  std::vector<std::vector<VersionedOp>> ops_;
  std::vector<std::string> groups_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_HISTORY_H_
