// SPDX-License-Identifier: Apache-2.0
// A map of strings, each initially empty, with get, put and append.
#ifndef FLAREDB_SIM_HISTORY_KV_MODEL_H_
#define FLAREDB_SIM_HISTORY_KV_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/history/wgl.h"

namespace flaredb::sim {

// Numbers strings, so that a model's states are small and compare in constant time.
class StringTable {
 public:
  using Id = uint32_t;
  static constexpr Id kEmpty = 0;

  StringTable();

  Id Intern(std::string_view text);
  // The number of text(a) followed by text(b). Remembered: amortized O(log n).
  Id Concatenate(Id a, Id b);
  const std::string& text(Id id) const { return *texts_[id]; }

 private:
  std::map<std::string, Id, std::less<>> ids_;  // Its nodes do not move.
  std::vector<const std::string*> texts_;
  std::map<std::pair<Id, Id>, Id> concatenations_;
};

struct KvOp {
  enum class Kind : uint8_t { kGet, kPut, kAppend };
  Kind kind = Kind::kGet;
  uint32_t key = 0;                             // Number of the key.
  StringTable::Id value = StringTable::kEmpty;  // What was returned, put or appended.

  friend bool operator==(const KvOp&, const KvOp&) = default;
};

// All keys [0, keys) as one object. Satisfies ModelOfObjects: no key affects another.
class KvModel {
 public:
  using Op = KvOp;
  using State = std::vector<StringTable::Id>;  // The value of each key.

  // `strings` numbered the operations' values; the caller's, must outlive the model.
  KvModel(size_t keys, StringTable* strings) : keys_(keys), strings_(strings) {}

  State Initial() const { return State(keys_, StringTable::kEmpty); }
  bool Step(const Op& op, State* state);
  bool ReadOnly(const Op& op) const { return op.kind == Op::Kind::kGet; }
  uint64_t Hash(const State& state) const;
  uint32_t Object(const Op& op) const { return op.key; }

 private:
  size_t keys_;
  StringTable* strings_;
};

// One key as an object of its own. Satisfies ModelOfOneWayStates: if every text that is put or
// appended to a key differs from the others and ends with a character that occurs nowhere else in
// them, a value tells the writes that made it since the last put. It then comes once at most, and
// what led to it is known.
class KvKeyModel {
 public:
  using Op = KvOp;
  using State = StringTable::Id;

  // For operations on any of `keys` keys, one key at a time; `all` are all operations on them.
  KvKeyModel(size_t keys, std::span<const TimedOp<KvOp>> all, StringTable* strings);

  State Initial() const { return StringTable::kEmpty; }
  bool Step(const Op& op, State* state);
  bool ReadOnly(const Op& op) const { return op.kind == Op::Kind::kGet; }
  uint64_t Hash(const State& state) const;
  bool KnowsWays(const Op& op) const { return plain_[op.key]; }
  std::span<const State> Way(const Op& get) const;
  bool GoesOn(const Op& op) const { return op.kind == Op::Kind::kAppend; }

 private:
  // What is written to one key.
  struct Texts {
    char end = 0;                                        // The last character of each.
    std::map<std::string, Op::Kind, std::less<>> kinds;  // Of the writes.
  };
  std::vector<State> FindWay(const Texts& texts, std::string_view value);

  StringTable* strings_;
  std::vector<bool> plain_;  // By key: its texts are as described above.
  std::map<std::pair<uint32_t, StringTable::Id>, std::vector<State>> ways_;  // Of answers, by key.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_KV_MODEL_H_
