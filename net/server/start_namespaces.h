// SPDX-License-Identifier: Apache-2.0
// The namespaces that a store's settings name.
#ifndef FLAREDB_NET_SERVER_START_NAMESPACES_H_
#define FLAREDB_NET_SERVER_START_NAMESPACES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/pd/mode_switch.h"
#include "net/event_loop.h"
#include "net/server/pd_caller.h"

namespace flaredb::net {

struct StartNamespace {
  std::string name;
  pd::Mode mode = pd::Mode::kStrong;
  friend bool operator==(const StartNamespace&, const StartNamespace&) = default;
};

// Reads "logs=eventual,users=strong"; "" is none. INVALID_ARGUMENT, one sentence: no such list, a
// name that none can have, a mode that is none, two modes for one namespace.
absl::StatusOr<std::vector<StartNamespace>> ParseStartNamespaces(std::string_view text);

// Sees to it that they exist. One that is there stays as it is: its mode is the cluster's to
// choose, and the settings may be older than that. What became of each is logged.
class StartNamespaces {
 public:
  // `loop` and `pd` outlive the functions that they are given.
  StartNamespaces(EventLoop* loop, PdCaller* pd, std::vector<StartNamespace> namespaces)
      : loop_(loop), pd_(pd), namespaces_(std::move(namespaces)), left_(namespaces_.size()) {}
  StartNamespaces(const StartNamespaces&) = delete;
  StartNamespaces& operator=(const StartNamespaces&) = delete;

  // Goes on until all are there, which may take until the cluster is founded and has a leader.
  void Begin();
  // Whether each is there, or can't be created.
  bool done() const { return left_ == 0; }

 private:
  void Ensure(size_t which);
  void OnAnswer(size_t which, const PdResult<pd::Namespace>& result);

  EventLoop* const loop_;
  PdCaller* const pd_;
  const std::vector<StartNamespace> namespaces_;
  size_t left_;
  Instant begun_;
  bool told_ = false;  // That it takes time.
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_START_NAMESPACES_H_
