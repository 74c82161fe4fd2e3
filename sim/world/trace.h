// SPDX-License-Identifier: Apache-2.0
// The record of a run: a hash of everything, and on request a line for every event.
#ifndef FLAREDB_SIM_WORLD_TRACE_H_
#define FLAREDB_SIM_WORLD_TRACE_H_

#include <cstdint>
#include <ostream>
#include <string_view>

#include "core/base/hash.h"
#include "core/base/time.h"

namespace flaredb::sim {

// Seconds: "0.012345678".
void PutTime(Instant at, std::ostream& out);

class Trace {
 public:
  // Lines go to `out`; null: none are made. Borrowed.
  explicit Trace(std::ostream* out) : out_(out) {}

  // Part of the hash whether or not lines are written.
  Hasher& hash() { return hash_; }

  // Ask before building the text of a line.
  bool on() const { return out_ != nullptr; }
  // "  0.012345678 n2 text". `who` is "n2" for a node, "c4" for a client, "--" for the run.
  void Line(Instant now, std::string_view who, std::string_view text);

 private:
  std::ostream* out_;
  Hasher hash_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_TRACE_H_
