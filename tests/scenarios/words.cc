// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/words.h"

#include <algorithm>
#include <charconv>

#include "tests/scenarios/describe.h"

namespace flaredb::raft {
namespace {

// Scripts are about a few replicas, a few entries and some minutes. More is a slip of the pen, and
// the group would be busy with it for hours.
constexpr uint64_t kReplicaMax = 1000;
constexpr uint64_t kSpanMsMax = 3600 * 1000;

std::optional<PeerId> Id(std::string_view text) {
  const auto number = Number(text);
  if (!number || *number == 0 || *number > kReplicaMax) return std::nullopt;
  return PeerId(*number);
}

std::optional<std::vector<PeerId>> Ids(std::string_view text) {
  std::vector<PeerId> ids;
  if (text == "none") return ids;
  for (const std::string& part : Split(text, ',')) {
    const auto id = Id(part);
    if (!id) return std::nullopt;
    ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::optional<Duration> Span(std::string_view text) {
  const auto unit = [&](std::string_view suffix) -> std::optional<uint64_t> {
    if (!text.ends_with(suffix)) return std::nullopt;
    return Number(text.substr(0, text.size() - suffix.size()));
  };
  const auto ms = unit("ms");
  const auto s = unit("s");
  if (ms && *ms <= kSpanMsMax) return Duration::Milliseconds(static_cast<int64_t>(*ms));
  if (s && *s <= kSpanMsMax / 1000) return Duration::Seconds(static_cast<int64_t>(*s));
  return std::nullopt;
}

Words::Words(std::string_view line) {
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line.empty()) return;
    const bool quoted = line.front() == '"';
    const size_t end = std::min(quoted ? line.find('"', 1) : line.find(' '), line.size());
    words_.push_back({std::string(line.substr(quoted ? 1 : 0, end - (quoted ? 1 : 0))), quoted});
    line.remove_prefix(std::min(line.size(), end + (quoted ? 1 : 0)));
  }
}

bool Words::TakeIf(std::string_view word) {
  if (!NextIs(word)) return false;
  ++next_;
  return true;
}

std::string Words::Take(std::string_view what) {
  if (more()) return words_[next_++].text;
  Error("needs " + std::string(what));
  return "";
}

PeerId Words::TakeId() {
  const auto id = Id(Take("a replica"));
  if (!id) Error("needs the number of a replica, from 1 to 1000");
  return id.value_or(PeerId(1));
}

std::vector<PeerId> Words::TakeIds() {
  const auto ids = Ids(Take("replicas"));
  if (!ids) Error("needs replicas, as in 1,2,3");
  return ids.value_or(std::vector<PeerId>());
}

uint64_t Words::TakeNumber(std::string_view what) {
  const auto number = Number(Take(what));
  if (!number) Error("needs " + std::string(what));
  return number.value_or(0);
}

Duration Words::TakeDuration() {
  const auto duration = Span(Take("a duration"));
  if (!duration) Error("needs a duration, as in 200ms or 2s, of an hour at most");
  return duration.value_or(Duration());
}

ConfState Words::TakeConf() {
  ConfState conf;
  for (; more(); ++next_) {
    const auto [key, value] = KeyValue(words_[next_].text);
    const auto ids = Ids(value);
    if (key == "voters" && ids) {
      conf.voters = *ids;
    } else if (key == "outgoing" && ids) {
      conf.voters_outgoing = *ids;
    } else if (key == "learners" && ids) {
      conf.learners = *ids;
    } else {
      break;
    }
  }
  return conf;
}

Selection Words::TakeSelection() {
  Selection selection;
  const std::string link = Take("a link, as in 1->2, or all");
  if (link != "all") {
    const size_t arrow = link.find("->");
    const auto from = Number(link.substr(0, std::min(arrow, link.size())));
    const auto to = arrow == std::string::npos ? std::nullopt : Number(link.substr(arrow + 2));
    if (!from && !to) Error("needs a link, as in 1->2, 1-> or ->2, or all");
    if (from) selection.from = PeerId(*from);
    if (to) selection.to = PeerId(*to);
  }
  if (more() && IsKindName(words_[next_].text)) selection.kind = words_[next_++].text;
  if (TakeIf("first")) {
    selection.which = Selection::kFirst;
  } else if (TakeIf("last")) {
    selection.which = Selection::kLast;
  }
  return selection;
}

std::pair<std::string, std::string> Words::KeyValue(const std::string& word) {
  const size_t equals = std::min(word.find('='), word.size());
  return {word.substr(0, equals), word.substr(std::min(equals + 1, word.size()))};
}

bool Words::Done() {
  if (more()) Error("does not know what \"" + words_[next_].text + "\" means here");
  return error_.empty();
}

}  // namespace flaredb::raft
