// SPDX-License-Identifier: Apache-2.0
// SOMETIMES, BUGGIFY and SABOTAGED: what production code tells the simulator, and lets it decide.
// Outside of the simulator they do nothing. After the coverage marks of TigerBeetle and
// FoundationDB's BUGGIFY.
#ifndef FLAREDB_CORE_BASE_PROBE_H_
#define FLAREDB_CORE_BASE_PROBE_H_

#include <utility>

#include "core/base/probes.h"

namespace flaredb {

// Who listens, while somebody does.
class ProbeSink {
 public:
  virtual void Hit(Probe probe) = 0;
  // Whether the code takes the alternative this time.
  virtual bool Takes(BuggifyPoint point) = 0;
  // Whether an invariant breaks here, whatever it says.
  virtual bool Sabotages() = 0;

 protected:
  ~ProbeSink() = default;
};

namespace internal {

// Null, but within a ProbeScope. Initialised at compile time, so that no other initialisation can
// come before it; a server never writes it, so that its threads may read it.
inline constinit ProbeSink* probe_sink = nullptr;

}  // namespace internal

// Makes `sink`, which is borrowed, the listener until the end of the scope. For programs of one
// thread.
class ProbeScope {
 public:
  explicit ProbeScope(ProbeSink* sink) : before_(std::exchange(internal::probe_sink, sink)) {}
  ~ProbeScope() { internal::probe_sink = before_; }
  ProbeScope(const ProbeScope&) = delete;
  ProbeScope& operator=(const ProbeScope&) = delete;

 private:
  ProbeSink* const before_;
};

}  // namespace flaredb

// SOMETIMES(kWindowFull, in_flight == max);
// A campaign should see the condition true at least once. It is evaluated only if somebody listens
// and has no side effects. Costs one load and one predictable branch.
#define SOMETIMES(probe, condition)                                                   \
  (__builtin_expect(::flaredb::internal::probe_sink != nullptr, false) && (condition) \
       ? ::flaredb::internal::probe_sink->Hit(::flaredb::Probe::probe)                \
       : static_cast<void>(0))

// A campaign should come here at least once.
#define REACHED(probe) SOMETIMES(probe, true)

// if (full || BUGGIFY(kRefuseProposal)) ...
// True at random, in the simulator only. Ask where the alternative would be taken, and only for one
// that every caller has to live with anyway. Costs as much as SOMETIMES.
#define BUGGIFY(point)                                                    \
  (__builtin_expect(::flaredb::internal::probe_sink != nullptr, false) && \
   ::flaredb::internal::probe_sink->Takes(::flaredb::BuggifyPoint::point))

// INVARIANT(!SABOTAGED());
// In a place that survives a broken invariant: lets the simulator see what becomes of that. True in
// the simulator only, and there when it is told to.
#define SABOTAGED()                                                       \
  (__builtin_expect(::flaredb::internal::probe_sink != nullptr, false) && \
   ::flaredb::internal::probe_sink->Sabotages())

#endif  // FLAREDB_CORE_BASE_PROBE_H_
