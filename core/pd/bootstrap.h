// SPDX-License-Identifier: Apache-2.0
// The first command of a cluster.
#ifndef FLAREDB_CORE_PD_BOOTSTRAP_H_
#define FLAREDB_CORE_PD_BOOTSTRAP_H_

#include "core/pd/cluster.h"
#include "core/pd/command.h"
#include "core/pd/reply.h"
#include "core/region/state_machine.h"

namespace flaredb::pd {

// Where there is no cluster yet.
Reply Found(const Bootstrap& bootstrap, MutableObjectRows* rows);
// Where there is one: whether it is this founding's.
Reply Apply(const Bootstrap& bootstrap, ClusterInfo* cluster, MutableObjectRows* rows);

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_BOOTSTRAP_H_
