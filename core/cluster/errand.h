// SPDX-License-Identifier: Apache-2.0
// What the driver has its store ask of a region, in the way of any client.
#ifndef FLAREDB_CORE_CLUSTER_ERRAND_H_
#define FLAREDB_CORE_CLUSTER_ERRAND_H_

#include <variant>

#include "core/base/types.h"
#include "core/kv/namespace_command.h"
#include "core/pd/command.h"
#include "core/pd/reply.h"
#include "core/region/region.h"

namespace flaredb::cluster {

// Names an errand within the life of a Driver.
using ErrandId = Ordinal<struct ErrandTag>;

// For the leader of that region, while its epoch is that: a request with a routing context.
struct RegionErrand {
  RegionId region;
  RegionEpoch epoch;
  kv::NamespaceCommand command;

  friend bool operator==(const RegionErrand&, const RegionErrand&) = default;
};

// A pd::Command is for the object pd::kObject: an ExecuteRequest of pd::EncodeCommand.
struct Errand {
  ErrandId id;
  std::variant<pd::Command, RegionErrand> what;
};

// The answer of a pd::Command, of a RegionErrand, or none: refused, lost, nobody leads, its time is
// up. It may have been carried out all the same.
struct Unanswered {
  friend bool operator==(const Unanswered&, const Unanswered&) = default;
};
using ErrandOutcome = std::variant<Unanswered, pd::Reply, kv::NamespaceReply>;

}  // namespace flaredb::cluster

#endif  // FLAREDB_CORE_CLUSTER_ERRAND_H_
