// SPDX-License-Identifier: Apache-2.0
// Fills a Record while a run goes on. A run that nobody wants to see has none: World::recorder.
#ifndef FLAREDB_SIM_WORLD_RECORDER_H_
#define FLAREDB_SIM_WORLD_RECORDER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "core/raft/view.h"
#include "core/store/effects.h"
#include "core/store/request.h"
#include "sim/history/history.h"
#include "sim/invariants/names.h"
#include "sim/world/event_queue.h"
#include "sim/world/failure.h"
#include "sim/world/record.h"

namespace flaredb::sim {

struct Packet;

// Every function notes something that happens now. Observes only: makes no choice, touches no hash.
class Recorder {
 public:
  // Both outlive this object.
  Recorder(const EventQueue* queue, Record* record) : queue_(queue), record_(record) {}
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // A packet leaves its sender, and gets the number under which its fate is told.
  void Sent(Packet* packet);
  // Its fate. One that arrives again is the second copy.
  void Fared(const Packet& packet, Record::Fate fate);

  enum class Process : uint8_t { kDown, kPaused, kRuns };
  // What the node's process does now, and how its replica stood last; `view` is null without one.
  // Elections show in it.
  void NodeIs(uint32_t node, Process process, const raft::View* view, Index applied);
  // Something worth a stop happens on the node.
  void NodeEvent(uint32_t node, std::string_view kind, std::string_view text);
  // A turn took the node's replica from one view to the other.
  void Turned(uint32_t node, const raft::View& before, const raft::View& after, const Names& names);
  // The node hands this to its disk.
  void Wrote(uint32_t node, const env::GroupCommit& commit);

  // A fault begins; `nodes` is sorted here. Its number is for FaultEnded.
  size_t FaultBegan(std::string_view kind, std::vector<uint32_t> nodes);
  void FaultEnded(size_t fault);
  // A fault that is over at once.
  void Chance(std::string_view kind, std::optional<uint32_t> endpoint);
  // A fault that ends by itself.
  void FaultFor(std::string_view kind, uint32_t node, Duration length);
  // All faults are over.
  void Healed();
  void Phase(std::string name);

  // An attempt by the client in `slot`; invokes an operation if none is in progress there. `refs`
  // are the operation's names in the history.
  void Attempted(uint32_t slot, uint32_t client, uint64_t attempt, const store::Request& request,
                 const std::vector<VersionedHistory::OpRef>& refs);
  // An answer to that operation, which ends it unless the client tries again.
  void Answered(uint32_t slot, const store::Reply& reply);
  // It ended without a final answer.
  void GaveUp(uint32_t slot, bool maybe_applied);

  // Names in the history of operations so far mean nothing in the one that begins now.
  void HistoryBeginsAnew();

  // The failure of the run is about the operation of this attempt.
  void Accuse(uint64_t attempt);
  // A voter's promise that a lease rested on which it should not.
  void Promised(uint32_t node, Instant from, Instant until);

  // The run is over.
  void Finish(const Failure& failure, const VersionedHistory& history);

 private:
  Record::Operation* InProgress(uint32_t slot);
  void Complete(uint32_t slot, Record::Outcome outcome);
  void AccuseNamed(std::string_view sentence, const VersionedHistory& history);

  const EventQueue* queue_;
  Record* record_;
  std::map<uint32_t, size_t> in_progress_;                  // Slot -> its operation.
  std::map<uint64_t, size_t> attempts_;                     // Attempt -> its operation.
  std::vector<std::vector<VersionedHistory::OpRef>> refs_;  // By operation.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_RECORDER_H_
