// SPDX-License-Identifier: Apache-2.0
#include "tests/explore/search.h"

#include <algorithm>
#include <sstream>

#include "tests/explore/state_set.h"

namespace flaredb::explore {
namespace {

constexpr uint32_t kProgressEvery = 1 << 10;

std::vector<Move> PathTo(const StateSet& states, uint32_t number) {
  std::vector<Move> path;
  for (; number != 0; number = states.parent(number)) path.push_back(states.move(number));
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace

Found Search(Model* model, uint64_t states_max,
             absl::FunctionRef<void(uint64_t states, uint32_t depth)> progress) {
  Found found;
  StateSet states(model->scope().nodes);
  states.Add(model->Initial(), 0, Move());
  uint32_t level_end = 1;  // The states before it are at most `depth` moves away.
  uint32_t number = 0;
  for (; number < states.size() && states.size() < states_max; ++number) {
    if (number == level_end) {
      level_end = states.size();
      ++found.depth;
    }
    if (number % kProgressEvery == 0) progress(states.size(), found.depth);
    model->Expand(states.Get(number),
                  [&](const Move& move, const State& next, const std::string& violation) {
                    if (!violation.empty()) {
                      found.violation = violation;
                      found.path = PathTo(states, number);
                      found.path.push_back(move);
                      return false;
                    }
                    states.Add(next, number, move);
                    return states.size() < states_max;
                  });
    if (!found.violation.empty()) break;
  }
  if (states.size() > level_end) ++found.depth;
  found.states = states.size();
  found.exhausted = found.violation.empty() && number == states.size();
  return found;
}

std::string Describe(Model* model, const Found& found) {
  std::ostringstream out;
  State state = model->Initial();
  int number = 0;
  for (const Move& move : found.path) {
    model->Expand(state, [&](const Move& other, const State& next, const std::string&) {
      if (!(other == move)) return true;
      state = next;
      return false;
    });
    ++number;
    out << (number < 10 ? " " : "") << number << ". " << model->Describe(move) << "\n"
        << model->Describe(state);
  }
  return out.str();
}

}  // namespace flaredb::explore
