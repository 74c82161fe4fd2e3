// SPDX-License-Identifier: Apache-2.0
#include "sim/history/jepsen_parser.h"

#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sim/history/text_lines.h"

namespace flaredb::sim {
namespace {

using Words = std::vector<std::string_view>;

std::optional<int64_t> ParseNumber(std::string_view word) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return number;
}

enum class Type { kInvoke, kOk, kFail, kInfo };

// One line. `op` holds what its VALUE tells.
struct Event {
  int64_t process = 0;
  Type type = Type::kInvoke;
  RegisterOp op;
  bool timed_out = false;  // VALUE was :timed-out.
};

// Empty if the VALUE suits the event; otherwise what was expected.
std::string_view ParseValue(const Words& words, Event* event) {
  constexpr size_t kValue = 6;
  const std::string_view value = words[kValue];
  if (value == ":timed-out") {
    event->timed_out = true;
    const bool answer = event->type == Type::kFail || event->type == Type::kInfo;
    return words.size() == kValue + 1 && answer ? "" : "only :fail and :info can be :timed-out";
  }
  if (event->op.kind == RegisterOp::Kind::kCas) {
    constexpr std::string_view kPair = "a :cas needs a value of the form [from to]";
    if (words.size() != kValue + 2 || value.front() != '[' || words[kValue + 1].back() != ']') {
      return kPair;
    }
    const std::string_view to = words[kValue + 1];
    const std::optional<int64_t> from = ParseNumber(value.substr(1));
    event->op.value = ParseNumber(to.substr(0, to.size() - 1));
    if (!from || !event->op.value) return kPair;
    event->op.from = *from;
    return "";
  }
  if (words.size() != kValue + 1) return "there are words after the value";
  if (value == "nil") {
    return event->op.kind == RegisterOp::Kind::kRead ? "" : "a :write needs a number";
  }
  event->op.value = ParseNumber(value);
  return event->op.value ? "" : "the value must be nil, a number, [from to] or :timed-out";
}

// Empty if the line is well formed; otherwise what is wrong.
std::string_view ParseEvent(const Words& words, Event* event) {
  if (words.size() < 7 || words[0] != "INFO" || words[1] != "jepsen.util" || words[2] != "-") {
    return "expected: INFO jepsen.util - PROCESS :TYPE :FUNCTION VALUE";
  }
  const std::optional<int64_t> process = ParseNumber(words[3]);
  if (!process) return "the process must be a number";
  event->process = *process;
  if (words[4] == ":invoke") {
    event->type = Type::kInvoke;
  } else if (words[4] == ":ok") {
    event->type = Type::kOk;
  } else if (words[4] == ":fail") {
    event->type = Type::kFail;
  } else if (words[4] == ":info") {
    event->type = Type::kInfo;
  } else {
    return "the type must be :invoke, :ok, :fail or :info";
  }
  if (words[5] == ":read") {
    event->op.kind = RegisterOp::Kind::kRead;
  } else if (words[5] == ":write") {
    event->op.kind = RegisterOp::Kind::kWrite;
  } else if (words[5] == ":cas") {
    event->op.kind = RegisterOp::Kind::kCas;
  } else {
    return "the function must be :read, :write or :cas";
  }
  return ParseValue(words, event);
}

class LogReader {
 public:
  // Empty if the event fits the history so far; otherwise what is wrong.
  std::string_view Add(const Event& event, EventNumber line) {
    if (event.type == Type::kInvoke) {
      const bool idle = open_.emplace(event.process, ops_.size()).second;
      ops_.push_back({event.op, line, kNever});
      dropped_.push_back(false);
      return idle ? "" : "the process invokes an operation while its last one is open";
    }
    const auto it = open_.find(event.process);
    if (it == open_.end()) return "the process completes an operation that it has not invoked";
    const size_t i = it->second;
    open_.erase(it);
    return Complete(event, line, i);
  }

  std::vector<TimedOp<RegisterOp>> Take() {
    std::vector<TimedOp<RegisterOp>> kept;
    for (size_t i = 0; i < ops_.size(); ++i) {
      if (!dropped_[i]) kept.push_back(ops_[i]);
    }
    return kept;
  }

 private:
  std::string_view Complete(const Event& event, EventNumber line, size_t i) {
    TimedOp<RegisterOp>& timed = ops_[i];
    const RegisterOp& asked = timed.op;
    if (event.op.kind != asked.kind) return "the process completes another kind of operation";
    const bool read = asked.kind == RegisterOp::Kind::kRead;
    if (!read && !event.timed_out && event.op != asked) {
      return "the process completes an operation with other values than it invoked";
    }
    switch (event.type) {
      case Type::kInvoke:
      case Type::kInfo:
        break;
      case Type::kOk:
        timed.complete = line;
        if (read) timed.op.value = event.op.value;
        break;
      case Type::kFail:
        timed.complete = line;
        if (asked.kind == RegisterOp::Kind::kCas && !event.timed_out) {
          timed.op.kind = RegisterOp::Kind::kCasMismatch;
        } else {
          dropped_[i] = true;
        }
        break;
    }
    return "";
  }

  std::vector<TimedOp<RegisterOp>> ops_;
  std::vector<bool> dropped_;       // Certainly without effect, and nothing was learnt.
  std::map<int64_t, size_t> open_;  // By process.
};

}  // namespace

absl::StatusOr<std::vector<TimedOp<RegisterOp>>> ParseJepsenLog(std::string_view file,
                                                                std::string_view text) {
  LogReader reader;
  size_t number = 0;
  for (const std::string_view line : SplitLines(text)) {
    ++number;
    const Words words = SplitWords(line);
    if (words.empty()) continue;
    Event event;
    std::string_view wrong = ParseEvent(words, &event);
    if (wrong.empty()) wrong = reader.Add(event, number);
    if (!wrong.empty()) return LineError(file, number, wrong);
  }
  return reader.Take();
}

}  // namespace flaredb::sim
