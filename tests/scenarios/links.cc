// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/links.h"

#include <memory>
#include <variant>

#include "tests/scenarios/describe.h"

namespace flaredb::raft {

void Links::Add(Message message) {
  queues_[{message.from, message.to}].push_back(std::move(message));
}

size_t Links::size() const {
  size_t waiting = 0;
  for (const auto& [link, queue] : queues_) waiting += queue.size();
  return waiting;
}

std::vector<Links::Place> Links::Find(const Selection& selection) {
  std::vector<Place> meant;
  for (auto& [link, queue] : queues_) {
    if (selection.from && link.first != *selection.from) continue;
    if (selection.to && link.second != *selection.to) continue;
    for (size_t i = 0; i < queue.size(); ++i) {
      if (selection.kind.empty() || KindName(queue[i]) == selection.kind) {
        meant.push_back({&queue, i});
      }
    }
  }
  if (meant.empty()) return meant;
  if (selection.which == Selection::kFirst) meant.resize(1);
  if (selection.which == Selection::kLast) meant.erase(meant.begin(), meant.end() - 1);
  return meant;
}

std::vector<Message> Links::Copy(const Selection& selection) {
  std::vector<Message> messages;
  for (const Place& place : Find(selection)) messages.push_back((*place.queue)[place.at]);
  return messages;
}

std::vector<Message> Links::Take(const Selection& selection) {
  std::vector<Message> messages = Copy(selection);
  const std::vector<Place> meant = Find(selection);
  for (size_t m = meant.size(); m-- > 0;) {
    meant[m].queue->erase(meant[m].queue->begin() + static_cast<ptrdiff_t>(meant[m].at));
  }
  return messages;
}

size_t Links::Corrupt(const Selection& selection) {
  const std::vector<Place> meant = Find(selection);
  for (const Place& place : meant) {
    auto* request = std::get_if<SnapshotRequest>(&(*place.queue)[place.at].body);
    if (request == nullptr) continue;
    SnapshotChunk chunk = *request->chunk;
    chunk.data.front() ^= 1;
    request->chunk = std::make_shared<const SnapshotChunk>(std::move(chunk));
  }
  return meant.size();
}

}  // namespace flaredb::raft
