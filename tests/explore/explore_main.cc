// SPDX-License-Identifier: Apache-2.0
// The explorer as a program.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

#include "tests/explore/flags.h"
#include "tests/explore/model.h"
#include "tests/explore/search.h"

namespace flaredb::explore {
namespace {

constexpr int kUsageError = 2;

// One line that is written over and over, on a terminal only.
class ProgressLine {
 public:
  void Show(const Scope& scope, uint64_t states, uint32_t depth) {
    const auto now = std::chrono::steady_clock::now();
    if (!on_terminal_ || now < next_) return;
    next_ = now + std::chrono::milliseconds(200);
    std::cerr << "\r" << scope.name << ": " << states << " states, depth " << depth << "\033[K"
              << std::flush;
    shown_ = true;
  }
  void Clear() {
    if (shown_) std::cerr << "\r\033[K" << std::flush;
    shown_ = false;
  }

 private:
  const bool on_terminal_ = isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now();
};

int Main(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Flags> flags = ParseFlags(arguments);
  if (!flags.ok()) {
    std::cerr << flags.status().message() << "\n";
    return kUsageError;
  }
  if (flags->help) {
    std::cout << Usage();
    return 0;
  }

  const auto begin = std::chrono::steady_clock::now();
  ProgressLine progress;
  uint64_t states = 0;
  uint32_t depth = 0;
  bool violated = false;
  uint64_t shares = 0;
  for (const Scope& scope : flags->scopes) shares += scope.share;
  for (const Scope& scope : flags->scopes) {
    // What an exhausted scope leaves over is for those that follow.
    const uint64_t states_max = (flags->states_max - states) * scope.share / shares;
    shares -= scope.share;
    Model model(scope);
    const Found found = Search(&model, states_max,
                               [&](uint64_t met, uint32_t at) { progress.Show(scope, met, at); });
    progress.Clear();
    states += found.states;
    depth = std::max(depth, found.depth);
    violated = !found.violation.empty();
    std::cout << std::left << std::setw(12) << scope.name << std::right << std::setw(9)
              << found.states << " states, depth " << std::setw(2) << found.depth
              << (found.exhausted ? ", all:  " : ", nearest: ") << scope.about << std::endl;
    if (!violated) continue;
    std::cout << "\nA shortest way to a violation, in a log: x an entry, c a configuration, "
                 "? not durable yet.\n"
              << Describe(&model, found) << "\n"
              << found.violation << "\n\n";
    break;
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  std::cout << "states=" << states << " depth=" << depth << " violations=" << violated
            << " states_per_s=" << static_cast<uint64_t>(states / wall.count()) << std::endl;
  return violated ? 1 : 0;
}

}  // namespace
}  // namespace flaredb::explore

int main(int argc, char** argv) {
  return flaredb::explore::Main(std::vector<std::string>(argv + 1, argv + argc));
}
