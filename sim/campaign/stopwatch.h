// SPDX-License-Identifier: Apache-2.0
// The only file of sim/ that knows the time of day. For mains: they tell how long a campaign took,
// and end what has a time.
#ifndef FLAREDB_SIM_CAMPAIGN_STOPWATCH_H_
#define FLAREDB_SIM_CAMPAIGN_STOPWATCH_H_

#include <chrono>

namespace flaredb::sim {

class Stopwatch {
 public:
  // Wall time since this object was made.
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_STOPWATCH_H_
