// SPDX-License-Identifier: Apache-2.0
// A leader's transfer of one snapshot to one follower.
#ifndef FLAREDB_CORE_RAFT_SNAPSHOT_SEND_H_
#define FLAREDB_CORE_RAFT_SNAPSHOT_SEND_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/hash.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/message.h"
#include "core/raft/types.h"

namespace flaredb::raft {

// The checksum of a piece: of its bytes, and by `before` of all pieces that went before it (0 for
// the first).
inline uint64_t ChecksumChunk(uint64_t before, std::string_view data) {
  return Hasher().Add(before).Add(data).value();
}

// The owner takes a view; then its pieces are read, sent and answered one by one.
struct SnapshotSend {
  PeerId follower;
  SnapshotId id;
  Instant began;
  Instant moved;                // When it began, or its owner last read a piece.
  std::optional<LogBase> base;  // Absent while the view is being taken.
  // The piece that is being read (absent: none is), and that which is sent and not answered.
  std::optional<uint64_t> reading;
  SnapshotChunkRef outstanding;
  Instant sent;
  uint64_t checksum = 0;  // Of the pieces before the one that is read.
};

// What a follower remembers of the pieces that came so far, which its owner has staged.
struct SnapshotReceived {
  Term term;  // Snapshots are named within their term.
  SnapshotId id;
  LogBase base;
  uint64_t number = 0;    // Of the last piece,
  uint64_t checksum = 0;  // and that of all up to it.
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_SNAPSHOT_SEND_H_
