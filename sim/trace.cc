// SPDX-License-Identifier: Apache-2.0
#include "sim/trace.h"

#include <iomanip>

namespace flaredb::sim {

void Trace::Line(Instant now, std::string_view who, std::string_view text) {
  if (!on()) return;
  const int64_t ns = now.nanoseconds();
  *out_ << std::setw(4) << ns / 1000000000 << '.' << std::setw(9) << std::setfill('0')
        << ns % 1000000000 << std::setfill(' ') << ' ' << who << ' ' << text << '\n';
}

}  // namespace flaredb::sim
