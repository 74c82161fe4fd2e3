// SPDX-License-Identifier: Apache-2.0
// How runs end.
#include "sim/simulation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "sim/world/event_log.h"
#include "sim/world/record.h"

namespace flaredb::sim {
namespace {

std::optional<Instant> BeginOf(const Record& record, const std::string& phase) {
  const auto found = std::find_if(record.phases.begin(), record.phases.end(),
                                  [&](const Record::Phase& p) { return p.name == phase; });
  if (found == record.phases.end()) return std::nullopt;
  return found->from;
}

TEST(Simulation, ARunThatIsStoppedDidTheSameUntilThen) {
  EventLog whole;
  EventLog part;
  RunOptions options;
  options.event_log = &whole;
  const RunResult to_the_end = RunSeed(3, options);
  options.event_log = &part;
  options.stop_after = Duration::Seconds(1);
  const RunResult stopped = RunSeed(3, options);
  ASSERT_GT(to_the_end.simulated, Duration::Seconds(2));
  EXPECT_EQ(stopped.failure.kind, FailureKind::kNone);
  EXPECT_GT(stopped.simulated, Duration::Seconds(1));
  EXPECT_LT(stopped.simulated, Duration::Milliseconds(1100));
  ASSERT_GT(part.entries.size(), 100u);
  ASSERT_LT(part.entries.size(), whole.entries.size());
  const size_t last = part.entries.size() - 1;
  EXPECT_EQ(part.entries[last].hash, whole.entries[last].hash);
}

// Some links stay cut, clients are answered all the same, and then the cluster is watched.
TEST(Simulation, SomeRunsHealInPart) {
  int healed_in_part = 0;
  int cut_for_good = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Record record;
    RunOptions options;
    options.record = &record;
    ASSERT_EQ(RunSeed(seed, options).failure.sentence, "") << "seed " << seed;
    const std::optional<Instant> calm = BeginOf(record, "calm");
    if (!calm) continue;
    ++healed_in_part;
    EXPECT_TRUE(BeginOf(record, "audit"));
    EXPECT_FALSE(BeginOf(record, "settle")) << "nobody is asked to have everything";
    // Twelve election timeouts, the shortest of which is 50 ms.
    EXPECT_GE(*BeginOf(record, "over") - *calm, Duration::Milliseconds(600));
    cut_for_good += std::any_of(
        record.messages.begin(), record.messages.end(), [&](const Record::Message& message) {
          return message.fate == Record::Fate::kCut && message.sent >= *calm;
        });
  }
  EXPECT_GT(healed_in_part, 3);
  EXPECT_GT(cut_for_good, 1);
}

}  // namespace
}  // namespace flaredb::sim
