// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/saved_run.h"

#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "sim/campaign/arguments.h"
#include "sim/world/choices.h"

namespace flaredb::sim {
namespace {

constexpr std::string_view kMagic = "flaredb-trace 1";
// Without it a part of a file would be another run, which passes.
constexpr std::string_view kEnd = "end";
// In one stream; a run makes some ten thousand in all.
constexpr uint64_t kChoicesMax = 10000000;

// "7 7 7 0" is written as "7*3 0": most streams repeat themselves.
void WriteValues(const std::vector<uint64_t>& values, std::ostream& out) {
  for (size_t i = 0; i < values.size();) {
    size_t end = i;
    while (end < values.size() && values[end] == values[i]) ++end;
    out << ' ' << values[i];
    if (end - i > 1) out << '*' << end - i;
    i = end;
  }
}

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t space = line.find(' ');
    if (space != 0) words.push_back(line.substr(0, space));
    line = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  }
  return words;
}

// "name:number", or what else stands on both sides of `mark`.
std::optional<std::pair<std::string_view, uint64_t>> NamedNumber(std::string_view word, char mark) {
  const size_t at = word.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::optional<uint64_t> number = ParseNumber(word.substr(at + 1));
  if (!number) return std::nullopt;
  return std::pair(word.substr(0, at), *number);
}

// Whether the words after the first one could be read into `run`.
bool ReadLine(const std::vector<std::string_view>& words, SavedRun* run) {
  const std::string_view what = words[0];
  if (what == "seed" || what == "ops" || what == "milliseconds" || what == "faults-max") {
    const std::optional<uint64_t> number = words.size() == 2 ? ParseNumber(words[1]) : std::nullopt;
    if (!number) return false;
    if (what == "seed") run->tape.seed = *number;
    if (what == "milliseconds") {
      run->faults_max = Duration::Milliseconds(static_cast<int64_t>(*number));
    }
    if (what == "ops") run->operations_max = static_cast<uint32_t>(*number);
    if (what == "faults-max") run->reduction.faults_max = static_cast<uint32_t>(*number);
    return true;
  }
  if (what == "without") {
    for (size_t i = 1; i < words.size(); ++i) {
      const std::optional<Fault> fault = FaultNamed(words[i]);
      if (!fault) return false;
      run->reduction.without.set(static_cast<size_t>(*fault));
    }
    return true;
  }
  if (what == "faults") {
    run->reduction.faults.emplace();
    for (size_t i = 1; i < words.size(); ++i) {
      const auto name = NamedNumber(words[i], ':');
      const std::optional<Fault> fault = name ? FaultNamed(name->first) : std::nullopt;
      if (!fault) return false;
      run->reduction.faults->insert({*fault, static_cast<uint32_t>(name->second)});
    }
    return true;
  }
  if (what == "operations") {
    run->reduction.operations.emplace();
    for (size_t i = 1; i < words.size(); ++i) {
      const std::optional<uint64_t> number = ParseNumber(words[i]);
      if (!number) return false;
      run->reduction.operations->insert(static_cast<uint32_t>(*number));
    }
    return true;
  }
  if (what != "choices" || words.size() < 2) return false;
  const auto stream = NamedNumber(words[1], '/');
  const std::optional<Choice> choice = stream ? ChoiceNamed(stream->first) : std::nullopt;
  if (!choice || stream->second >= Choices::kOwnersMax) return false;
  std::vector<uint64_t>& values =
      run->tape.streams[{*choice, static_cast<uint32_t>(stream->second)}];
  for (size_t i = 2; i < words.size(); ++i) {
    const size_t star = words[i].find('*');
    const std::optional<uint64_t> value = ParseNumber(words[i].substr(0, star));
    const std::optional<uint64_t> times =
        star == std::string_view::npos ? 1 : ParseNumber(words[i].substr(star + 1));
    if (!value || !times || *times > kChoicesMax) return false;
    values.insert(values.end(), *times, *value);
    if (values.size() > kChoicesMax) return false;
  }
  return true;
}

}  // namespace

SavedRun Record(uint64_t seed, const RunOptions& options) {
  SavedRun run;
  run.operations_max = options.operations_max;
  run.faults_max = options.faults_max;
  run.reduction = options.reduction;
  run.tape.seed = seed;
  RunOptions recording = options;
  recording.record_on = &run.tape;
  const RunResult result = RunSeed(seed, recording);
  run.invariant = result.failure.invariant;
  run.sentence = result.failure.sentence;
  return run;
}

RunOptions ReplayOptions(const SavedRun& run) {
  RunOptions options;
  options.operations_max = run.operations_max;
  options.faults_max = run.faults_max;
  options.reduction = run.reduction;
  return options;
}

RunResult Replay(const SavedRun& run, const RunOptions& options) {
  RunOptions replay = ReplayOptions(run);
  replay.subject = options.subject;
  replay.stop_after = options.stop_after;
  replay.trace_out = options.trace_out;
  replay.record_on = options.record_on;
  replay.record = options.record;
  return Run(Choices(run.tape), replay);
}

std::string EncodeSavedRun(const SavedRun& run) {
  std::ostringstream out;
  out << kMagic << '\n';
  if (!run.invariant.empty()) {
    // One line: the sentence of a stuck run has a list below it.
    out << "# " << run.invariant << ": " << run.sentence.substr(0, run.sentence.find('\n')) << '\n';
    out << "expect " << run.invariant << '\n';
  }
  out << "seed " << run.tape.seed << "\nops " << run.operations_max << "\nmilliseconds "
      << run.faults_max.milliseconds() << '\n';
  const Reduction& left_out = run.reduction;
  if (left_out.without.any()) {
    out << "without";
    for (size_t kind = 0; kind < kFaults; ++kind) {
      if (left_out.without[kind]) out << ' ' << NameOf(static_cast<Fault>(kind));
    }
    out << '\n';
  }
  if (left_out.faults_max) out << "faults-max " << *left_out.faults_max << '\n';
  if (left_out.faults) {
    out << "faults";
    for (const FaultName& name : *left_out.faults) {
      out << ' ' << NameOf(name.kind) << ':' << name.number;
    }
    out << '\n';
  }
  if (left_out.operations) {
    out << "operations";
    for (const uint32_t operation : *left_out.operations) out << ' ' << operation;
    out << '\n';
  }
  for (const auto& [stream, values] : run.tape.streams) {
    out << "choices " << NameOf(stream.first) << '/' << stream.second;
    WriteValues(values, out);
    out << '\n';
  }
  out << kEnd << '\n';
  return out.str();
}

absl::StatusOr<SavedRun> DecodeSavedRun(std::string_view text) {
  SavedRun run;
  size_t number = 0;
  bool ended = false;
  while (!text.empty() && !ended) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++number;
    if (number == 1) {
      if (line == kMagic) continue;
      return absl::InvalidArgumentError(
          "line 1 is not \"" + std::string(kMagic) +
          "\": this is no saved run, or one of another version; record it anew from its seed.");
    }
    const std::vector<std::string_view> words = Words(line);
    if (words.empty() || words[0] == "#") continue;
    if ((ended = line == kEnd)) continue;
    if (words[0] == "expect" && words.size() == 2) {
      run.invariant = std::string(words[1]);
      continue;
    }
    if (!ReadLine(words, &run)) {
      return absl::InvalidArgumentError("line " + std::to_string(number) +
                                        " of the saved run can't be understood; it begins with \"" +
                                        std::string(line.substr(0, 40)) + "\".");
    }
  }
  if (number == 0) return absl::InvalidArgumentError("the saved run is empty.");
  if (!ended || !text.empty()) {
    return absl::InvalidArgumentError(
        "the last line of the saved run is not \"end\": a part of the file is missing, or there is "
        "more than one run in it.");
  }
  return run;
}

}  // namespace flaredb::sim
