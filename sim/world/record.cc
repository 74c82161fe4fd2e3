// SPDX-License-Identifier: Apache-2.0
#include "sim/world/record.h"

#include <charconv>
#include <set>

namespace flaredb::sim {
namespace {

bool SayTheSame(const Record::State& a, const Record::State& b) {
  return a.status == b.status && a.term == b.term && a.commit_index == b.commit_index &&
         a.last_index == b.last_index && a.durable_index == b.durable_index &&
         a.applied_index == b.applied_index;
}

}  // namespace

uint64_t Record::Add(Message message) {
  messages.push_back(std::move(message));
  if (messages.size() > kMessagesMax) {
    messages.pop_front();
    ++messages_left_out;
  }
  return messages_left_out + messages.size() - 1;
}

Record::Message* Record::Find(uint64_t number) {
  return number < messages_left_out ? nullptr : &messages[number - messages_left_out];
}

void Record::Add(const State& state) {
  if (state.node >= latest_.size()) latest_.resize(state.node + 1);
  State& latest = latest_[state.node];
  if (SayTheSame(latest, state)) return;
  latest = state;
  states.push_back(state);
}

Record::State Record::StateOf(uint32_t node) const {
  if (node < latest_.size()) return latest_[node];
  State none;
  none.node = node;
  return none;
}

std::vector<uint32_t> NodesNamedIn(std::string_view sentence, uint32_t nodes) {
  constexpr std::string_view kWord = "store";
  std::set<uint32_t> found;
  for (size_t at = sentence.find(kWord); at != std::string_view::npos;
       at = sentence.find(kWord, at + 1)) {
    std::string_view rest = sentence.substr(at + kWord.size());
    if (rest.starts_with('s')) rest.remove_prefix(1);
    if (!rest.starts_with(' ')) continue;
    rest.remove_prefix(1);
    uint32_t number = 0;
    const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (parsed.ec == std::errc() && number >= 1 && number <= nodes) found.insert(number - 1);
  }
  return {found.begin(), found.end()};
}

}  // namespace flaredb::sim
