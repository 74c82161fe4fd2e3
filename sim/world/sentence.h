// SPDX-License-Identifier: Apache-2.0
#ifndef FLAREDB_SIM_WORLD_SENTENCE_H_
#define FLAREDB_SIM_WORLD_SENTENCE_H_

#include <sstream>
#include <string>

namespace flaredb::sim {

// One text of all parts, as `<<` prints them.
template <typename... Parts>
std::string Sentence(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_SENTENCE_H_
