// SPDX-License-Identifier: Apache-2.0
// What somebody wants of the mode of a namespace, and what would come of it.
#ifndef FLAREDB_NET_SERVER_MODE_WISH_H_
#define FLAREDB_NET_SERVER_MODE_WISH_H_

#include <optional>
#include <string>
#include <variant>

#include "core/pd/cluster.h"
#include "core/pd/command.h"
#include "core/pd/mode_switch.h"
#include "core/pd/reply.h"

namespace flaredb::net {

struct ModeWish {
  std::string name;              // Of the namespace.
  std::optional<pd::Mode> mode;  // Nullopt: the switch that is under way is to be turned back.
  pd::ModeEpoch seen;            // Zero: whatever it is.
};

// The command that a wish becomes, for who saw the namespace at mode epoch `at`.
pd::Command CommandOf(const ModeWish& wish, pd::ModeEpoch at);

// The state that `ns` would enter, or why it would not: what the placement driver would decide
// (core/pd/namespaces.cc) about CommandOf(wish). The present state: nothing would change.
std::variant<pd::ModeState, pd::Refused> Foresee(const ModeWish& wish, const pd::Namespace& ns);

// What a namespace in `state` waits for, as the rest of a sentence: "every region of it to ...".
// Empty for one that waits for nothing.
std::string WaitsFor(pd::ModeState state);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_MODE_WISH_H_
