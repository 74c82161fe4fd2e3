// SPDX-License-Identifier: Apache-2.0
// APPLY: in order, gapless, once, and to the same rows everywhere.
#ifndef FLAREDB_SIM_INVARIANTS_ROWS_H_
#define FLAREDB_SIM_INVARIANTS_ROWS_H_

#include <map>
#include <optional>
#include <string>

#include "core/base/types.h"
#include "core/base/write_batch.h"
#include "sim/invariants/commits.h"

namespace flaredb::sim {

// Looks at the rows of one group commit of a replica that had applied up to `*applied`, and moves
// `*applied`. A sentence unless the batch says that entries up to some committed index were applied
// and holds exactly the rows that these entries change, with the contents that the models give them
// at that index.
std::optional<std::string> BrokenBatch(RegionId region, const std::string& store,
                                       const WriteBatch& batch, const Commits& commits,
                                       Index* applied);

// The same of a commit that creates, destroys or replaces a replica by a snapshot: its rows are
// judged when they are on the disk (BrokenRows); here only that what it says it covers is
// committed. `*applied` becomes zero when the replica goes.
std::optional<std::string> BrokenTurnover(RegionId region, const std::string& store,
                                          const WriteBatch& batch, const Commits& commits,
                                          Index* applied);

// What the rows say was applied; zero when there is no replica.
Index AppliedIn(RegionId region, const std::map<std::string, std::string, std::less<>>& rows);
// Who is the replica that the rows describe; zero when there is none.
PeerId PeerIn(RegionId region, const std::map<std::string, std::string, std::less<>>& rows);
// The last replica that was there, if it was removed; else zero.
PeerId RemovedIn(RegionId region, const std::map<std::string, std::string, std::less<>>& rows);

// A sentence unless `rows` of a store that applied everything up to `applied` are those of the
// models, no more and no fewer; those of the store's own outbox are nobody's business here.
std::optional<std::string> BrokenRows(RegionId region, const std::string& store,
                                      const std::map<std::string, std::string, std::less<>>& rows,
                                      Index applied, const Commits& commits);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_ROWS_H_
