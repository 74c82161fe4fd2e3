// SPDX-License-Identifier: Apache-2.0
// How command lines of scenario scripts are read.
#ifndef FLAREDB_TESTS_SCENARIOS_WORDS_H_
#define FLAREDB_TESTS_SCENARIOS_WORDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/types.h"
#include "tests/scenarios/links.h"

namespace flaredb::raft {

// The parts between the separators, one more than there are of these.
std::vector<std::string> Split(std::string_view text, char separator);
// "42". Nullopt for anything else, also below.
std::optional<uint64_t> Number(std::string_view text);
// "200ms", "2s", up to an hour.
std::optional<Duration> Span(std::string_view text);

// The words of one command line, read from the left. Reading past the end or something else than
// what is there notes an error and gives a value of no importance.
class Words {
 public:
  explicit Words(std::string_view line);

  bool more() const { return next_ < words_.size(); }
  bool NextIs(std::string_view word) const {
    return more() && !words_[next_].quoted && words_[next_].text == word;
  }
  bool NextIsQuoted() const { return more() && words_[next_].quoted; }
  bool TakeIf(std::string_view word);
  std::string Take(std::string_view what);
  PeerId TakeId();
  std::vector<PeerId> TakeIds();
  uint64_t TakeNumber(std::string_view what);
  Duration TakeDuration();
  // "voters=1,2 outgoing=1 learners=3", as far as there is something of it.
  ConfState TakeConf();
  // "1->2", "1->", "->2" or "all"; then a kind of message; then "first" or "last".
  Selection TakeSelection();
  static std::pair<std::string, std::string> KeyValue(const std::string& word);

  void Error(std::string text) {
    if (error_.empty()) error_ = std::move(text);
  }
  // To be asked before anything is done: whether all words were read and made sense.
  bool Done();
  const std::string& error() const { return error_; }

 private:
  struct Word {
    std::string text;
    bool quoted;
  };
  std::vector<Word> words_;
  size_t next_ = 0;
  std::string error_;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_SCENARIOS_WORDS_H_
