// SPDX-License-Identifier: Apache-2.0
// What travels and what is written, as numbers for the hash of a run.
#ifndef FLAREDB_SIM_WORLD_TRACE_HASH_H_
#define FLAREDB_SIM_WORLD_TRACE_HASH_H_

#include "core/base/hash.h"
#include "core/env/disk.h"
#include "core/store/message.h"
#include "core/store/request.h"

namespace flaredb::sim {

// Every field that decides anything; of entries their positions, because the payload of a position
// was hashed when it was proposed; of snapshots their checksums.
void AddTo(Hasher* hash, const store::StoreMessage& message);
void AddTo(Hasher* hash, const store::Request& request);
void AddTo(Hasher* hash, const store::Reply& reply);
void AddTo(Hasher* hash, const env::GroupCommit& commit);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_TRACE_HASH_H_
