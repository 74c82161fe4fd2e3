// SPDX-License-Identifier: Apache-2.0
#include "sim/history/kv_parser.h"

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "sim/history/text_lines.h"

namespace flaredb::sim {
namespace {

// A field's value: a word (:invoke, nil, 12) or a quoted string.
struct Value {
  bool quoted = false;
  std::string text;
};
using Fields = std::map<std::string, Value, std::less<>>;

// Reads "{:name value, ...}".
class MapReader {
 public:
  explicit MapReader(std::string_view line) : rest_(line) {}

  // Empty if the line is one map; otherwise what is wrong.
  std::string_view Read(Fields* fields) {
    if (!Take('{')) return "expected a map: {:process 0, :type :invoke, ...}";
    while (!Take('}')) {
      const std::string name = Word();
      if (name.empty() || name[0] != ':') return "expected a field's name such as :process, or }";
      Value value;
      if (Take('"')) {
        value.quoted = true;
        if (!Quoted(&value.text)) return "a string does not end, or has an unknown escape";
      } else {
        value.text = Word();
        if (value.text.empty()) return "a field has no value";
      }
      if (!fields->emplace(name, std::move(value)).second) return "a field stands there twice";
      Take(',');
    }
    SkipWhite();
    return rest_.empty() ? "" : "there is more after the map";
  }

 private:
  void SkipWhite() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) {
      rest_.remove_prefix(1);
    }
  }
  bool Take(char c) {
    SkipWhite();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string Word() {
    SkipWhite();
    const std::string word(rest_.substr(0, rest_.find_first_of(" \t,{}\"")));
    rest_.remove_prefix(word.size());
    return word;
  }
  // The opening quote is taken.
  bool Quoted(std::string* text) {
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\') {
        constexpr std::string_view kEscapes = "\"\\nt";
        constexpr std::string_view kMeanings = "\"\\\n\t";
        const size_t i = rest_.empty() ? std::string_view::npos : kEscapes.find(rest_.front());
        if (i == std::string_view::npos) return false;
        c = kMeanings[i];
        rest_.remove_prefix(1);
      }
      text->push_back(c);
    }
    return false;
  }

  std::string_view rest_;
};

enum class Type { kInvoke, kOk, kFail, kInfo };

class LogReader {
 public:
  // Empty if the event is well formed and fits the history so far; otherwise what is wrong.
  std::string_view Add(const Fields& fields, EventNumber line) {
    for (const std::string_view name : {":process", ":type", ":f", ":key", ":value"}) {
      if (!fields.contains(name)) return "a map needs :process, :type, :f, :key and :value";
    }
    const std::string& process = fields.find(":process")->second.text;
    const Value& key = fields.find(":key")->second;
    const Value& value = fields.find(":value")->second;
    const std::optional<Type> type = ParseType(fields.find(":type")->second.text);
    if (!type) return ":type must be :invoke, :ok, :fail or :info";
    const std::optional<KvOp::Kind> kind = ParseKind(fields.find(":f")->second.text);
    if (!kind) return ":f must be :get, :put or :append";
    if (!key.quoted) return ":key must be a string";

    KvOp op{*kind, KeyNumber(key.text), StringTable::kEmpty};
    // The value of what takes effect, or was answered, has to be there.
    const bool needs_value =
        *kind == KvOp::Kind::kGet ? *type == Type::kOk : *type == Type::kInvoke;
    if (needs_value && !value.quoted) return ":value must be a string here";
    if (value.quoted) op.value = history_.strings.Intern(value.text);
    return *type == Type::kInvoke ? Invoke(process, op, line)
                                  : Complete(process, op, value.quoted, *type, line);
  }

  KvHistory Take() {
    std::vector<TimedOp<KvOp>> kept;
    for (size_t i = 0; i < history_.ops.size(); ++i) {
      if (!dropped_[i]) kept.push_back(history_.ops[i]);
    }
    history_.ops = std::move(kept);
    return std::move(history_);
  }

 private:
  static std::optional<Type> ParseType(std::string_view word) {
    if (word == ":invoke") return Type::kInvoke;
    if (word == ":ok") return Type::kOk;
    if (word == ":fail") return Type::kFail;
    if (word == ":info") return Type::kInfo;
    return std::nullopt;
  }
  static std::optional<KvOp::Kind> ParseKind(std::string_view word) {
    if (word == ":get") return KvOp::Kind::kGet;
    if (word == ":put") return KvOp::Kind::kPut;
    if (word == ":append") return KvOp::Kind::kAppend;
    return std::nullopt;
  }

  std::string_view Invoke(const std::string& process, const KvOp& op, EventNumber line) {
    if (!open_.emplace(process, history_.ops.size()).second) {
      return "the process invokes an operation while its last one is open";
    }
    history_.ops.push_back({op, line, kNever});
    dropped_.push_back(false);
    return "";
  }

  std::string_view Complete(const std::string& process, const KvOp& op, bool has_value, Type type,
                            EventNumber line) {
    const auto it = open_.find(process);
    if (it == open_.end()) return "the process completes an operation that it has not invoked";
    const size_t i = it->second;
    open_.erase(it);
    TimedOp<KvOp>& timed = history_.ops[i];
    const bool get = op.kind == KvOp::Kind::kGet;
    if (op.kind != timed.op.kind || op.key != timed.op.key ||
        (!get && has_value && op.value != timed.op.value)) {
      return "the process completes another operation than it invoked";
    }
    if (type == Type::kInfo) return "";
    timed.complete = line;
    dropped_[i] = type == Type::kFail;
    if (get) timed.op.value = op.value;
    return "";
  }

  uint32_t KeyNumber(const std::string& key) {
    const auto [it, added] = key_numbers_.emplace(key, static_cast<uint32_t>(history_.keys.size()));
    if (added) history_.keys.push_back(key);
    return it->second;
  }

  KvHistory history_;
  std::vector<bool> dropped_;  // Certainly without effect.
  std::map<std::string, uint32_t> key_numbers_;
  std::map<std::string, size_t> open_;  // By process.
};

}  // namespace

absl::StatusOr<KvHistory> ParseKvLog(std::string_view file, std::string_view text) {
  LogReader reader;
  size_t number = 0;
  for (const std::string_view line : SplitLines(text)) {
    ++number;
    if (SplitWords(line).empty()) continue;
    Fields fields;
    std::string_view wrong = MapReader(line).Read(&fields);
    if (wrong.empty()) wrong = reader.Add(fields, number);
    if (!wrong.empty()) return LineError(file, number, wrong);
  }
  return reader.Take();
}

}  // namespace flaredb::sim
