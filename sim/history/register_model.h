// SPDX-License-Identifier: Apache-2.0
// A compare-and-swap register, initially nil: the model of the jepsen etcd logs.
#ifndef FLAREDB_SIM_HISTORY_REGISTER_MODEL_H_
#define FLAREDB_SIM_HISTORY_REGISTER_MODEL_H_

#include <cstdint>
#include <optional>

namespace flaredb::sim {

struct RegisterOp {
  enum class Kind : uint8_t {
    kRead,         // Returned `value`.
    kWrite,        // Wrote `value`.
    kCas,          // Found `from` and wrote `value`.
    kCasMismatch,  // Found something other than `from`.
  };
  Kind kind = Kind::kRead;
  std::optional<int64_t> value;  // Nothing: nil.
  int64_t from = 0;

  friend bool operator==(const RegisterOp&, const RegisterOp&) = default;
};

// Satisfies SequentialModel.
struct RegisterModel {
  using Op = RegisterOp;
  using State = std::optional<int64_t>;

  State Initial() const { return std::nullopt; }
  bool Step(const Op& op, State* state) const;
  bool ReadOnly(const Op& op) const;
  uint64_t Hash(const State& state) const;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_REGISTER_MODEL_H_
