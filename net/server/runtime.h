// SPDX-License-Identifier: Apache-2.0
// Turns a store on an event loop: collects events, calls Store::Turn, carries out its effects.
#ifndef FLAREDB_NET_SERVER_RUNTIME_H_
#define FLAREDB_NET_SERVER_RUNTIME_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/base/time.h"
#include "core/store/effects.h"
#include "core/store/event.h"
#include "core/store/recovery.h"
#include "core/store/store.h"
#include "net/event_loop.h"
#include "net/server/disk.h"
#include "net/server/figures.h"
#include "net/server/transport.h"

namespace flaredb::net {

// One thread, that of the loop. Each iteration is
//   step 2  sockets are read and decoded; Call, Abandon and Deliver collect events
//   step 3  Turn: one Store::Turn over all of them, then Perform
//   step 4  what was sent leaves, in one write for each socket
class Runtime {
 public:
  explicit Runtime(EventLoop* loop) : loop_(loop) {}
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Starts the store. `disk` and `transport` are borrowed until this object's end.
  void Start(const store::Options& options, store::RecoveredStore recovered, Disk* disk,
             Transport* transport);

  // Passes a client's request to the store. `done` is called once, in a turn or by GiveUpCalls,
  // unless the call is abandoned first.
  using Done = std::function<void(store::Reply reply)>;
  store::CallId Call(store::Request request, Done done);
  // The client went away; its operation may still take effect.
  void Abandon(store::CallId id);
  // Ends the calls that have no answer: the store stops.
  void GiveUpCalls();

  // Collects an event for the next turn.
  void Deliver(store::Event event);

  // Keeps calls, those of other stores too, from the store until Release: while it hands leadership
  // over it would refuse them, and afterwards it passes them on.
  void Hold() { holding_ = true; }
  void Release();

  // Until when the loop may wait.
  Instant next_deadline() const;
  // Not OK: the store has stopped for good.
  const absl::Status& failure() const { return failure_; }
  size_t open_calls() const { return calls_.size(); }
  const RuntimeFigures& figures() const { return figures_; }
  // Valid after Start.
  const store::Store& store() const { return *store_; }

 private:
  void Add(store::Event event);
  void Turn(Instant now);
  // Carries out what a turn decided, each kind in one place.
  void Perform();

  EventLoop* const loop_;
  Disk* disk_ = nullptr;
  Transport* transport_ = nullptr;
  std::unique_ptr<store::Store> store_;
  std::vector<store::Event> events_;
  bool holding_ = false;
  std::vector<store::Event> held_;
  store::Effects effects_;
  absl::Status failure_;
  store::CallId last_call_;
  struct OpenCall {
    bool is_write;
    Done done;
  };
  std::map<store::CallId, OpenCall> calls_;
  RuntimeFigures figures_;
  // Group commits under way and when they were handed to the disk.
  std::deque<std::pair<IoToken, Instant>> commits_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_RUNTIME_H_
