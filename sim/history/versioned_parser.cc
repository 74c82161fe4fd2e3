// SPDX-License-Identifier: Apache-2.0
#include "sim/history/versioned_parser.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "sim/history/text_lines.h"

namespace flaredb::sim {
namespace {

using Words = std::vector<std::string_view>;

class LogReader {
 public:
  // Empty if the event is well formed and fits the history so far; otherwise what is wrong.
  std::string_view Add(const Words& words) {
    const std::optional<uint64_t> client = Number(words[0]);
    if (!client || *client > UINT32_MAX) return "the client must be a number";
    if (words.size() < 2) return "expected: CLIENT EVENT ...";
    const auto client_number = static_cast<uint32_t>(*client);
    return words[1] == "invoke" ? Invoke(client_number, words) : Complete(client_number, words);
  }

  VersionedHistory Take() { return std::move(history_); }

 private:
  struct Open {
    OpKind kind;
    VersionedHistory::OpRef ref;
  };

  static std::optional<uint64_t> Number(std::string_view word) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    return number;
  }
  // The words from `first` on, all of which must be numbers, and so many.
  static std::optional<std::vector<uint64_t>> Numbers(const Words& words, size_t first,
                                                      size_t count) {
    if (words.size() != first + count) return std::nullopt;
    std::vector<uint64_t> numbers;
    for (size_t i = first; i < words.size(); ++i) {
      const std::optional<uint64_t> number = Number(words[i]);
      if (!number) return std::nullopt;
      numbers.push_back(*number);
    }
    return numbers;
  }

  std::string_view Invoke(uint32_t client, const Words& words) {
    if (open_.contains(client)) return "the client invokes while its last operation is open";
    if (words.size() < 4) return "expected: CLIENT invoke OPERATION KEY ...";
    const std::string_view key = words[3];
    if (words[2] == "get") {
      if (words.size() != 4) return "expected: CLIENT invoke get KEY";
      open_[client] = {OpKind::kGet, history_.InvokeGet(client, key)};
    } else if (words[2] == "cas") {
      const auto numbers = Numbers(words, 4, 2);
      if (!numbers) return "expected: CLIENT invoke cas KEY EXPECTED VALUE";
      if (!values_.insert((*numbers)[1]).second) return "the value was written before";
      open_[client] = {OpKind::kCas, history_.InvokeCas(client, key, (*numbers)[0], (*numbers)[1])};
    } else if (words[2] == "cas_delete") {
      const auto numbers = Numbers(words, 4, 1);
      if (!numbers) return "expected: CLIENT invoke cas_delete KEY EXPECTED";
      open_[client] = {OpKind::kCasDelete, history_.InvokeCasDelete(client, key, (*numbers)[0])};
    } else {
      return "the operation must be get, cas or cas_delete";
    }
    return "";
  }

  std::string_view Complete(uint32_t client, const Words& words) {
    const auto at = open_.find(client);
    if (at == open_.end()) return "the client completes an operation that it has not invoked";
    const auto [kind, ref] = at->second;
    open_.erase(at);
    const std::string_view event = words[1];
    if (event == "fail" || event == "info") {
      if (words.size() != 2) return "nothing follows fail and info";
      event == "fail" ? history_.Fail(ref) : history_.Info(ref);
      return "";
    }
    if (event == "mismatch") {
      const auto numbers = Numbers(words, 2, 1);
      if (!numbers || kind == OpKind::kGet) return "a write has a mismatch, with one version";
      history_.Mismatch(ref, numbers->front());
      return "";
    }
    if (event != "ok") return "the event must be invoke, ok, mismatch, fail or info";
    switch (kind) {
      case OpKind::kGet:
        return OkGet(ref, words);
      case OpKind::kCas: {
        const auto numbers = Numbers(words, 2, 1);
        if (!numbers || numbers->front() == 0) return "a cas produced a version: CLIENT ok VERSION";
        history_.OkCas(ref, numbers->front());
        return "";
      }
      case OpKind::kCasDelete:
        if (words.size() != 2) return "nothing follows the ok of a cas_delete";
        history_.OkCasDelete(ref);
        return "";
    }
    return "";
  }

  std::string_view OkGet(VersionedHistory::OpRef ref, const Words& words) {
    if (const auto none = Numbers(words, 2, 1); none && none->front() == 0) {
      history_.OkNotFound(ref);
      return "";
    }
    const auto numbers = Numbers(words, 2, 2);
    if (!numbers || numbers->front() == 0) return "a get found: VERSION VALUE, or nothing: 0";
    history_.OkFound(ref, (*numbers)[0], (*numbers)[1]);
    return "";
  }

  VersionedHistory history_;
  std::set<ValueId> values_;       // Written so far.
  std::map<uint32_t, Open> open_;  // By client.
};

}  // namespace

absl::StatusOr<VersionedHistory> ParseVersionedLog(std::string_view file, std::string_view text) {
  LogReader reader;
  size_t number = 0;
  for (const std::string_view line : SplitLines(text)) {
    ++number;
    const Words words = SplitWords(line);
    if (words.empty()) continue;
    const std::string_view wrong = reader.Add(words);
    if (!wrong.empty()) return LineError(file, number, wrong);
  }
  return reader.Take();
}

}  // namespace flaredb::sim
