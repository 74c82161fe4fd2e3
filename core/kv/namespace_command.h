// SPDX-License-Identifier: Apache-2.0
// Commands that concern a namespace in one region, and not one key: what eventual namespaces send
// through the log, and what the placement driver decides about a namespace.
#ifndef FLAREDB_CORE_KV_NAMESPACE_COMMAND_H_
#define FLAREDB_CORE_KV_NAMESPACE_COMMAND_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/base/variant.h"
#include "core/base/write_batch.h"
#include "core/kv/command.h"
#include "core/kv/hlc.h"
#include "core/kv/lww.h"
#include "core/kv/mode.h"
#include "core/kv/namespace_state.h"

namespace flaredb::kv {

// Rows that a store accepted and now has replicated. Repeating it changes nothing.
struct LwwBatch {
  NamespaceId ns = NamespaceId::kNone;
  ModeEpoch mode_epoch;      // Of the namespace when the first of the rows was accepted.
  std::vector<LwwRow> rows;  // At least one.

  friend bool operator==(const LwwBatch&, const LwwBatch&) = default;
};

// From this entry on the namespace has that mode in this region. One that is no newer than the
// fence that stands changes nothing.
struct ModeFence {
  NamespaceId ns = NamespaceId::kNone;
  Fence fence;

  friend bool operator==(const ModeFence&, const ModeFence&) = default;
};

// Removes the tombstones of an eventual namespace in [begin, end) whose time is before `before`,
// all of whose rows everybody has applied: no store holds one in its outbox any more. All replicas
// carry it out while nothing else happens, so it looks at some records only and its answer says
// where the next one is to begin. Where there is none to remove, the state stays as it is.
struct CollectTombstones {
  NamespaceId ns = NamespaceId::kNone;
  std::string begin;  // User keys.
  std::string end;    // Exclusive; empty: the end of the namespace.
  Hlc before;
  uint64_t records_max = 5000;  // At least 1.

  friend bool operator==(const CollectTombstones&, const CollectTombstones&) = default;
};

struct NamespaceCommand : std::variant<LwwBatch, ModeFence, CollectTombstones> {
  FLAREDB_DECLARE_VARIANT(NamespaceCommand)
};

NamespaceId NamespaceOf(const NamespaceCommand& command);
// About as many as it has in a log entry: for room, and for statistics.
size_t RoughBytes(const NamespaceCommand& command);

// The bytes of a command in a log entry (docs/FORMAT.md); see DecodeCommand.
std::string EncodeNamespaceCommand(const NamespaceCommand& command);
absl::StatusOr<NamespaceCommand> DecodeNamespaceCommand(std::string_view bytes);

// What became of it.
struct NamespaceReply {
  // False: the region's fence was against it, and nothing changed. The fence is then there.
  bool admitted = false;
  NamespaceState state;  // After the entry.
  // Of CollectTombstones: the user key at which it stopped; empty: it looked at all of its range.
  std::string next = {};

  friend bool operator==(const NamespaceReply&, const NamespaceReply&) = default;
};

// Carries out the entry at `index`: changes `state`, which is that of the command's namespace, and
// adds what becomes of records to `batch`. Fails only when the data cannot be read or decoded; then
// neither has changed.
absl::StatusOr<NamespaceReply> Apply(const NamespaceCommand& command, Index index,
                                     const DataReader& data, NamespaceState* state,
                                     WriteBatch* batch);

}  // namespace flaredb::kv

#endif  // FLAREDB_CORE_KV_NAMESPACE_COMMAND_H_
