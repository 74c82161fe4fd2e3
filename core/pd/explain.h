// SPDX-License-Identifier: Apache-2.0
// A refusal for people: what, why, and what to do about it.
#ifndef FLAREDB_CORE_PD_EXPLAIN_H_
#define FLAREDB_CORE_PD_EXPLAIN_H_

#include <string>

#include "core/pd/command.h"
#include "core/pd/query.h"
#include "core/pd/reply.h"

namespace flaredb::pd {

// One sentence about what was asked and refused so.
std::string Explain(const Command& command, const Refused& refused);
std::string Explain(const Query& query, const Refused& refused);

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_EXPLAIN_H_
