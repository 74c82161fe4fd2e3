// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/flow.h"

#include <cstddef>
#include <initializer_list>

namespace flaredb::sim {
namespace {

struct Held {
  size_t number;
  const char* what;
};

std::optional<std::string> First(std::initializer_list<Held> all) {
  for (const Held& held : all) {
    if (held.number != 0) return std::to_string(held.number) + " " + held.what;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> HeldAtRest(const store::Store& store, const DiskImage& image) {
  return First({{store.waiting_calls(), "calls"},
                {store.forwarded_calls(), "forwarded calls"},
                {store.parked_calls(), "parked calls"},
                {store.rows_in_flight(), "rows on their way to the disk"},
                {image.pinned(), "views of its data"}});
}

std::optional<std::string> HeldAtRest(const store::PeerView& replica,
                                      absl::FunctionRef<bool(PeerId)> answers) {
  size_t appends = 0;
  size_t append_bytes = 0;
  for (const raft::ProgressView& follower : replica.raft.progress) {
    if (!answers(follower.peer)) continue;
    appends += follower.inflight_appends;
    append_bytes += follower.inflight_bytes;
  }
  const raft::Backlog& backlog = replica.raft.backlog;
  return First({{backlog.proposals, "uncommitted proposals"},
                {backlog.proposal_bytes, "bytes of uncommitted proposals"},
                {appends, "unanswered appends"},
                {append_bytes, "bytes of unanswered appends"},
                {backlog.gated_messages, "messages that wait for the disk"},
                {backlog.reads, "reads that wait for a point in time"},
                {backlog.fetches, "reads of the log"},
                {backlog.snapshots, "snapshots on their way"},
                {backlog.entry_bytes, "bytes of entries in memory, which it may not"},
                {replica.waiting_writes, "waiting writes"},
                {replica.waiting_reads, "waiting reads"}});
}

}  // namespace flaredb::sim
