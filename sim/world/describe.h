// SPDX-License-Identifier: Apache-2.0
// What travels and what is written, in words for a person.
#ifndef FLAREDB_SIM_WORLD_DESCRIBE_H_
#define FLAREDB_SIM_WORLD_DESCRIBE_H_

#include <string>

#include "core/raft/message.h"
#include "core/raft/view.h"
#include "core/store/effects.h"
#include "core/store/message.h"
#include "core/store/request.h"

namespace flaredb::sim {

// "append term 4 (prev 3:17, 2 entries to 19, commit 16, session 2, round 9) peer 101 to 102".
// Whose packet it is tells the stores.
std::string Describe(const raft::Message& message);
std::string Describe(const store::StoreMessage& message);
std::string Describe(const store::Request& request);
std::string Describe(const store::Reply& reply);
std::string Describe(const store::Error& error);
// "commit 9: region 1 term 4 vote for peer 102 truncate 17 append 4:17..19, 2 rows"
std::string Describe(const env::GroupCommit& commit);
// "leader term 4 log 4:19 durable 19 commit 18 handed out 18": without the configuration, which
// needs Names.
std::string Describe(const raft::View& view);
// "4:19"
std::string Describe(raft::LogId id);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_DESCRIBE_H_
