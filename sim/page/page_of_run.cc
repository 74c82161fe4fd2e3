// SPDX-License-Identifier: Apache-2.0
#include "sim/page/page_of_run.h"

#include <fstream>
#include <utility>

#include "sim/page/page.h"
#include "sim/world/record.h"

namespace flaredb::sim {

absl::Status WritePageOfRun(Choices choices, RunOptions options, const std::string& name,
                            const std::string& replay, const std::string& file) {
  std::ofstream out(file, std::ios::binary);
  if (out) {
    Record record;
    options.trace_out = nullptr;
    options.record_on = nullptr;
    options.record = &record;
    const RunCounts counts = Run(std::move(choices), options).counts;
    record.name = name;
    record.replay = replay;
    record.counts = {{"events", counts.events},
                     {"turns of stores", counts.turns},
                     {"crashes", counts.crashes},
                     {"operations", counts.operations},
                     {"of unknown outcome", counts.unknown},
                     {"committed entries", counts.committed},
                     {"changes of members", counts.features.changes},
                     {"snapshots installed", counts.features.snapshots}};
    WritePage(record, out);
    out.close();
  }
  if (out) return absl::OkStatus();
  return absl::UnavailableError("this file can't be written.");
}

}  // namespace flaredb::sim
