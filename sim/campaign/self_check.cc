// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/self_check.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "sim/world/event_log.h"
#include "sim/world/trace.h"

namespace flaredb::sim {
namespace {

// Further runs, made to get the lines of both sides.
constexpr int kTracedRunsMax = 6;

struct LoggedRun {
  RunResult result;
  EventLog log;
  std::string text;
};

LoggedRun Repeat(const RunOptions& options, bool traced, RunOnce run) {
  LoggedRun repeated;
  std::ostringstream text;
  RunOptions silent = options;
  silent.trace_out = traced ? &text : nullptr;
  silent.record_on = nullptr;
  silent.record = nullptr;
  silent.states = nullptr;
  silent.event_log = &repeated.log;
  repeated.result = run(silent);
  repeated.text = std::move(text).str();
  return repeated;
}

// The first event that differs; where one log ends if it is the beginning of the other.
size_t FirstDifference(const EventLog& a, const EventLog& b) {
  const auto [end, unused] = std::mismatch(
      a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
      [](const EventLog::Entry& x, const EventLog::Entry& y) { return x.hash == y.hash; });
  return static_cast<size_t>(end - a.entries.begin());
}

// Whether event `i` of both is the same one and had the same consequences.
bool SameAt(const EventLog& a, const EventLog& b, size_t i) {
  const bool has = i < a.entries.size();
  if (has != (i < b.entries.size())) return false;
  return !has || a.entries[i].hash == b.entries[i].hash;
}

std::string InWords(const Event& event) {
  const std::string node = "store " + std::to_string(event.target + 1);
  switch (event.kind) {
    case EventKind::kDeliver:
      return "a packet arrives";
    case EventKind::kTurn:
      return node + " turns";
    case EventKind::kWake:
      return "a deadline of " + node;
    case EventKind::kDiskDone:
      return "a commit of " + node + " is durable";
    case EventKind::kFetchRead:
      return "the disk of " + node + " reads log entries";
    case EventKind::kFetchDone:
      return "log entries from the disk reach " + node;
    case EventKind::kRestart:
      return node + " starts again";
    case EventKind::kResume:
      return node + " goes on after a pause";
    case EventKind::kClient:
      return "a timer of client c" + std::to_string(event.target + 1);
    case EventKind::kFault:
      return "the nemesis acts";
    case EventKind::kOperator:
      return "the operator acts";
    case EventKind::kModes:
      return "modes are switched";
    case EventKind::kAdmin:
      return "the administrator acts";
    case EventKind::kPhase:
      return "the run looks whether its phase is over";
  }
  return "an event of an unknown kind";
}

// What a run had in the place of event `i`.
void Describe(const LoggedRun& run, size_t i, std::ostream& out) {
  if (i >= run.log.entries.size()) {
    const std::string& invariant = run.result.failure.invariant;
    out << "the run is over" << (invariant.empty() ? "" : " with " + invariant);
    return;
  }
  const EventLog::Entry& entry = run.log.entries[i];
  out << "at ";
  PutTime(entry.at, out);
  out << " s " << InWords(entry.event);
}

// The lines of event `i`, indented.
void PutLines(const LoggedRun& run, size_t i, std::ostream& out) {
  if (i >= run.log.entries.size()) return;
  const size_t begin = i == 0 ? 0 : run.log.entries[i - 1].text_end;
  std::istringstream lines(run.text.substr(begin, run.log.entries[i].text_end - begin));
  for (std::string line; std::getline(lines, line);) out << "\n    " << line;
}

std::string Divergence(const RunOptions& options, const LoggedRun& first, const LoggedRun& second,
                       RunOnce run) {
  const size_t i = FirstDifference(first.log, second.log);
  if (SameAt(first.log, second.log, i)) {
    return "two runs of this seed had the same events, but ended differently: " +
           first.result.failure.invariant + " " + first.result.failure.sentence + " | " +
           second.result.failure.invariant + " " + second.result.failure.sentence;
  }
  std::optional<LoggedRun> traced[2];
  for (int n = 0; n < kTracedRunsMax && !(traced[0] && traced[1]); ++n) {
    LoggedRun again = Repeat(options, /*traced=*/true, run);
    if (!traced[0] && SameAt(first.log, again.log, i)) {
      traced[0] = std::move(again);
    } else if (!traced[1] && SameAt(second.log, again.log, i)) {
      traced[1] = std::move(again);
    }
  }
  std::ostringstream out;
  out << "two runs of this seed part at event " << i + 1 << ".";
  const LoggedRun* const runs[] = {&first, &second};
  for (int n = 0; n < 2; ++n) {
    out << "\n  " << (n == 0 ? "one run:   " : "the other: ");
    Describe(*runs[n], i, out);
    if (traced[n]) {
      PutLines(*traced[n], i, out);
    } else {
      out << "\n    (no further run repeated this one)";
    }
  }
  return out.str();
}

}  // namespace

RunResult RunAndCompare(const RunOptions& options, bool always, RunOnce run) {
  LoggedRun first;
  RunOptions logged = options;
  logged.event_log = &first.log;
  first.result = run(logged);
  if (first.result.failure.kind == FailureKind::kNone && !always) return first.result;
  const LoggedRun second = Repeat(options, /*traced=*/false, run);
  first.result.counts.repeated = 1;
  const Failure& failure = first.result.failure;
  const bool same = first.result.hash == second.result.hash &&
                    failure.invariant == second.result.failure.invariant &&
                    failure.sentence == second.result.failure.sentence;
  if (!same) {
    first.result.failure = {FailureKind::kNondeterminism, "DET",
                            Divergence(options, first, second, run)};
  }
  return first.result;
}

}  // namespace flaredb::sim
