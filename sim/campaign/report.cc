// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/report.h"

#include <iomanip>
#include <sstream>
#include <utility>
#include <vector>

namespace flaredb::sim {
namespace {

constexpr size_t kColumns = 3;

template <typename Value>
using Rows = std::vector<std::pair<std::string_view, Value>>;

// The counters of Features, by the names that the summary and the JSON give them.
Rows<uint64_t> FeatureRows(const Features& features) {
  return {{"changes", features.changes},     {"joint_phases", features.joint_phases},
          {"created", features.created},     {"destroyed", features.destroyed},
          {"snapshots", features.snapshots}, {"compactions", features.compactions},
          {"transfers", features.transfers}, {"leases", features.leases},
          {"rests", features.rests}};
}

// Everything that JSON does not take as it is. Bytes outside of ASCII stand for Latin-1, so that
// whatever a sentence quotes makes valid JSON.
std::string Quoted(std::string_view text) {
  std::ostringstream out;
  out << '"' << std::hex << std::setfill('0');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out << '\\' << c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      out << "\\u" << std::setw(4) << static_cast<unsigned>(byte);
    } else {
      out << c;
    }
  }
  out << '"';
  return out.str();
}

// Writes `{"name": value, ...}`; `put` writes a value.
template <typename Value, typename Put>
void PutObject(const Rows<Value>& rows, std::ostream& out, Put put) {
  out << "{";
  for (size_t i = 0; i < rows.size(); ++i) {
    out << (i == 0 ? "\n    " : ",\n    ") << Quoted(rows[i].first) << ": ";
    put(rows[i].second);
  }
  out << "\n  }";
}

void PutObject(const Rows<uint64_t>& rows, std::ostream& out) {
  PutObject(rows, out, [&](uint64_t value) { out << value; });
}

std::string HashText(uint64_t hash) {
  std::ostringstream out;
  out << std::hex << hash;
  return out.str();
}

}  // namespace

std::string_view NameOf(FailureKind kind) {
  switch (kind) {
    case FailureKind::kNone:
      return "none";
    case FailureKind::kSafety:
      return "safety";
    case FailureKind::kLiveness:
      return "liveness";
    case FailureKind::kNondeterminism:
      return "nondeterminism";
    case FailureKind::kChecker:
      return "checker";
    case FailureKind::kDied:
      return "died";
  }
  return "unknown";
}

std::string ReplayLine(const Flags& flags, uint64_t seed) {
  std::string line = flags.subject.command + " --seed=" + std::to_string(seed);
  if (flags.operations_max != 0) line += " --ops=" + std::to_string(flags.operations_max);
  if (flags.seconds != Flags().seconds) line += " --seconds=" + std::to_string(flags.seconds);
  if (flags.without.any()) line += " " + FaultFlag(flags.without);
  return line;
}

void PrintFailure(const Flags& flags, const FailedSeed& failed, std::ostream& out) {
  out << failed.failure.invariant << ": " << failed.failure.sentence << "\n"
      << "replay: " << ReplayLine(flags, failed.seed) << std::endl;
}

std::string ProgressLine(const Flags& flags, const CampaignResult& so_far, double wall_seconds) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(0) << "seeds " << so_far.seeds;
  if (flags.minutes == 0) out << "/" << flags.seeds.last - flags.seeds.first + 1;
  const double simulated = static_cast<double>(so_far.simulated.milliseconds()) / 1000;
  if (wall_seconds > 0) {
    out << "  " << static_cast<double>(so_far.seeds) / wall_seconds << "/s";
  }
  out << "  sim " << simulated / 60 << " min";
  if (wall_seconds > 0) out << "  " << simulated / wall_seconds << "x";
  out << "  probes " << so_far.counts.probes.probes_hit() << "/" << kProbes << "  failures "
      << so_far.failures.size();
  return out.str();
}

void PrintFaults(const FaultCounts& counts, std::ostream& out) {
  const size_t rows = (kFaults + kColumns - 1) / kColumns;
  const auto cell = [&out](std::string_view name, const auto& fired, const auto& mattered) {
    out << std::left << std::setw(15) << name << std::right << std::setw(9) << fired << std::setw(9)
        << mattered;
  };
  const auto gap = [&out](size_t column) { out << (column + 1 < kColumns ? "   " : "\n"); };
  for (size_t column = 0; column < kColumns; ++column) {
    cell("fault", "fired", "mattered");
    gap(column);
  }
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < kColumns; ++column) {
      const size_t kind = column * rows + row;
      if (kind >= kFaults) {
        out << "\n";
        break;
      }
      const auto fault = static_cast<Fault>(kind);
      cell(NameOf(fault), counts[fault].fired, counts[fault].mattered);
      gap(column);
    }
  }
}

void PrintProbes(const ProbeCounts& counts, bool list, std::ostream& out) {
  out << "probes=" << kProbes << " hit=" << counts.probes_hit() << " buggify=" << kBuggifyPoints
      << " taken=" << counts.points_taken() << "\n";
  if (!list) return;
  for (size_t i = 0; i < kProbes; ++i) {
    if (counts.hit[i] == 0) out << "never hit: " << TextOf(static_cast<Probe>(i)) << "\n";
  }
  for (size_t i = 0; i < kBuggifyPoints; ++i) {
    if (counts.taken[i] == 0)
      out << "never taken: " << NameOf(static_cast<BuggifyPoint>(i)) << "\n";
  }
}

void PrintSummary(const Flags& flags, const CampaignResult& campaign, double wall_seconds,
                  std::ostream& out) {
  const RunCounts& counts = campaign.counts;
  const Features& features = counts.features;
  PrintFaults(counts.faults, out);
  // One run reaches few of them; only what many never reach says something.
  PrintProbes(counts.probes, flags.seeds.first != flags.seeds.last, out);
  out << "operations=" << counts.operations << " unknown=" << counts.unknown
      << " committed=" << counts.committed << " terms=" << counts.terms
      << " repeated=" << counts.repeated << " crashes=" << counts.crashes
      << " turns=" << counts.turns << " changes=" << features.changes
      << " snapshots=" << features.snapshots << " transfers=" << features.transfers
      << " leases=" << features.leases << "\n"
      << "seeds=" << campaign.seeds << " failed=" << campaign.failures.size()
      << " events=" << counts.events << " sim_seconds=" << campaign.simulated.milliseconds() / 1000
      << " wall_seconds=" << wall_seconds << " hash=" << HashText(campaign.hash.value())
      << std::endl;
}

void WriteJson(const Flags& flags, const CampaignResult& campaign, double wall_seconds,
               std::ostream& out) {
  const RunCounts& counts = campaign.counts;
  out << "{\n  \"exit_code\": " << static_cast<int>(campaign.first_failure())
      << ",\n  \"first_seed\": " << flags.seeds.first << ",\n  \"seeds\": " << campaign.seeds
      << ",\n  \"failed\": " << campaign.failures.size() << ",\n  \"events\": " << counts.events
      << ",\n  \"sim_seconds\": " << campaign.simulated.milliseconds() / 1000
      << ",\n  \"wall_seconds\": " << wall_seconds
      << ",\n  \"hash\": " << Quoted(HashText(campaign.hash.value())) << ",\n  \"counts\": ";
  PutObject(Rows<uint64_t>{{"operations", counts.operations},
                           {"unknown", counts.unknown},
                           {"committed", counts.committed},
                           {"terms", counts.terms},
                           {"repeated", counts.repeated},
                           {"crashes", counts.crashes},
                           {"turns", counts.turns}},
            out);
  out << ",\n  \"features\": ";
  PutObject(FeatureRows(counts.features), out);
  out << ",\n  \"faults\": ";
  Rows<FaultCounts::Count> faults;
  for (size_t i = 0; i < kFaults; ++i) {
    faults.emplace_back(NameOf(static_cast<Fault>(i)), counts.faults.kinds[i]);
  }
  PutObject(faults, out, [&](const FaultCounts::Count& count) {
    out << "{\"fired\": " << count.fired << ", \"mattered\": " << count.mattered << "}";
  });
  out << ",\n  \"probes\": ";
  Rows<uint64_t> probes;
  for (size_t i = 0; i < kProbes; ++i) {
    probes.emplace_back(TextOf(static_cast<Probe>(i)), counts.probes.hit[i]);
  }
  PutObject(probes, out);
  out << ",\n  \"buggify\": ";
  Rows<uint64_t> points;
  for (size_t i = 0; i < kBuggifyPoints; ++i) {
    points.emplace_back(NameOf(static_cast<BuggifyPoint>(i)), counts.probes.taken[i]);
  }
  PutObject(points, out);
  out << ",\n  \"failures\": [";
  for (size_t i = 0; i < campaign.failures.size(); ++i) {
    const auto& [seed, failure] = campaign.failures[i];
    out << (i == 0 ? "\n    {" : ",\n    {") << "\"seed\": " << seed
        << ", \"kind\": " << Quoted(NameOf(failure.kind))
        << ", \"code\": " << Quoted(failure.invariant)
        << ",\n     \"sentence\": " << Quoted(failure.sentence)
        << ",\n     \"replay\": " << Quoted(ReplayLine(flags, seed)) << "}";
  }
  out << (campaign.failures.empty() ? "]" : "\n  ]") << "\n}\n";
}

}  // namespace flaredb::sim
