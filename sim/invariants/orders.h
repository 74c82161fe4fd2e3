// SPDX-License-Identifier: Apache-2.0
// ORDER: what makes sense is begun as it was meant, and what makes none is refused.
#ifndef FLAREDB_SIM_INVARIANTS_ORDERS_H_
#define FLAREDB_SIM_INVARIANTS_ORDERS_H_

#include <optional>
#include <string>

#include "core/raft/view.h"
#include "core/store/order.h"

namespace flaredb::sim {

// A sentence if an order got the wrong answer. To learners in a hurry either is right: whether one
// has caught up in time is the leader's to know (REIGN looks at those that are promoted).
//   store      whom it was given to, in words
//   leader     the replica there, when the order came, whether it leads or not
//   own_entry  whether that has an entry of its own term committed
//   refusal    the answer; empty: begun
std::optional<std::string> BrokenOrder(const std::string& store, const raft::View& leader,
                                       bool own_entry, const store::Order& order,
                                       const std::string& refusal);

// A sentence if the leader, in view `before` when an order to change members came and in `after`
// when it had begun, has not given everybody the place that the order wishes for them.
std::optional<std::string> BrokenChange(const std::string& store, const raft::View& before,
                                        const raft::View& after, const store::ChangePeers& order);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_ORDERS_H_
