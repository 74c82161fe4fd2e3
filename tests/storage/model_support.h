// SPDX-License-Identifier: Apache-2.0
// What a disk should hold, and a random life of it.
#ifndef FLAREDB_TESTS_STORAGE_MODEL_SUPPORT_H_
#define FLAREDB_TESTS_STORAGE_MODEL_SUPPORT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/rng.h"
#include "core/base/write_batch.h"
#include "core/env/disk.h"
#include "core/raft/types.h"
#include "storage/rocks_disk.h"

namespace flaredb::storage {

// One command per payload, of one term, from `first` on.
raft::EntrySlices Entries(Term term, Index first, const std::vector<std::string>& payloads);

// One entry that holds `conf`.
raft::EntrySlices ConfEntry(Term term, Index index, const raft::ConfState& conf);

// A configuration of `voters`.
raft::ConfState Voters(std::vector<PeerId> voters);

// For Persist::base.
std::shared_ptr<const raft::LogBase> BaseAt(Term term, Index index, raft::ConfState conf = {});

// The content of a disk, in the simplest form.
struct Content {
  struct Entry {
    Term term;
    raft::EntryKind kind = raft::EntryKind::kNoop;
    std::string payload;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  struct Replica {
    Incarnation incarnation;
    raft::HardState hard_state;
    raft::LogBase base;
    std::vector<Entry> log;           // After the base.
    std::vector<raft::ConfAt> confs;  // Of the kConf entries among them.

    Index last_index() const { return base.last.index + log.size(); }
    friend bool operator==(const Replica&, const Replica&) = default;
  };
  std::map<RegionId, Replica> replicas;
  std::map<std::string, std::string> data;

  void Apply(const env::LogWrite& write);
  void Apply(const WriteBatch& batch);
  friend bool operator==(const Content&, const Content&) = default;
};

// Reads all that `disk` holds; calls its RecoverLogs. Any error of the disk is returned.
absl::StatusOr<Content> ReadAll(RocksDisk& disk);

// A sequence of group commits over three regions that a seed decides: appends, truncations with
// and without new entries, configurations, votes, new bases, installs, replicas that are created
// (some of them with a base), destroyed and created again, rows; at times two writes of one region
// in one commit. The row "last_token" holds each commit's token.
class Life {
 public:
  explicit Life(uint64_t seed, size_t payload_bytes_max = 300)
      : rng_(seed), payload_bytes_max_(payload_bytes_max) {}

  env::GroupCommit Next();
  // After all commits made so far.
  const Content& content() const { return content_; }
  IoToken last_token() const { return token_; }

 private:
  std::string RandomBytes();
  raft::ConfState RandomConf();
  // A write that `content_` can take.
  env::LogWrite RandomWrite(RegionId region);
  // Its part that concerns the base; the log's end after it.
  Index RandomBase(const Content::Replica& replica, Term term, raft::Persist* persist);

  Rng rng_;
  size_t payload_bytes_max_;
  IoToken token_;
  Content content_;
};

// The token of the newest commit in `content`; zero in an empty one.
IoToken LastToken(const Content& content);

}  // namespace flaredb::storage

#endif  // FLAREDB_TESTS_STORAGE_MODEL_SUPPORT_H_
