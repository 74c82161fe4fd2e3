// SPDX-License-Identifier: Apache-2.0
#include "sim/world/trace.h"

#include <iomanip>

namespace flaredb::sim {

void PutTime(Instant at, std::ostream& out) {
  const int64_t ns = at.nanoseconds();
  out << ns / 1000000000 << '.' << std::setw(9) << std::setfill('0') << ns % 1000000000
      << std::setfill(' ');
}

void Trace::Line(Instant now, std::string_view who, std::string_view text) {
  if (!on()) return;
  *out_ << std::setw(4);
  PutTime(now, *out_);
  *out_ << ' ' << who << ' ' << text << '\n';
}

}  // namespace flaredb::sim
