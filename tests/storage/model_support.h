// SPDX-License-Identifier: Apache-2.0
// What a disk should hold, and a random life of it.
#ifndef FLAREDB_TESTS_STORAGE_MODEL_SUPPORT_H_
#define FLAREDB_TESTS_STORAGE_MODEL_SUPPORT_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/rng.h"
#include "core/env/disk.h"
#include "storage/rocks_disk.h"

namespace flaredb::storage {

// One entry per payload, of one term, from `first` on.
raft::EntrySlices Entries(Term term, Index first, const std::vector<std::string>& payloads);

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
    std::vector<Entry> log;  // From index 1.
    friend bool operator==(const Replica&, const Replica&) = default;
  };
  std::map<RegionId, Replica> replicas;
  std::map<std::string, std::string> data;

  void Apply(const env::GroupCommit& commit);
  friend bool operator==(const Content&, const Content&) = default;
};

// Reads all that `disk` holds; calls its RecoverLogs. Any error of the disk is returned.
absl::StatusOr<Content> ReadAll(RocksDisk& disk);

// A sequence of group commits over three regions that a seed decides: appends, truncations with
// and without new entries, votes, rows. The row "last_token" holds each commit's token.
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
  env::LogWrite RandomWrite(RegionId region);

  Rng rng_;
  size_t payload_bytes_max_;
  IoToken token_;
  Content content_;
};

// The token of the newest commit in `content`; zero in an empty one.
IoToken LastToken(const Content& content);

}  // namespace flaredb::storage

#endif  // FLAREDB_TESTS_STORAGE_MODEL_SUPPORT_H_
