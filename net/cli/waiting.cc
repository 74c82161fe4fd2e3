// SPDX-License-Identifier: Apache-2.0
#include "net/cli/waiting.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <thread>

#include "net/system_clock.h"

namespace flaredb::net {
namespace {

constexpr std::chrono::milliseconds kLookAgain{200};
// What passes so soon is not worth a line.
constexpr Duration kQuiet = Duration::Seconds(1);

}  // namespace

Waiting::Waiting(double seconds)
    : quiet_until_(MonotonicNow() + kQuiet),
      until_(MonotonicNow() + Duration::Milliseconds(static_cast<int64_t>(seconds * 1000))) {}

bool Waiting::Again(const std::string& what) {
  if (MonotonicNow() >= until_) return false;
  if (what != told_ && MonotonicNow() >= quiet_until_) {
    std::fprintf(stderr, "%s\n", what.c_str());
    told_ = what;
  }
  std::this_thread::sleep_for(kLookAgain);
  return true;
}

}  // namespace flaredb::net
