// SPDX-License-Identifier: Apache-2.0
// Shows what a store's folder holds, and checks it. Changes nothing; the store should be stopped.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/strings.h"
#include "core/env/disk.h"
#include "core/raft/types.h"
#include "core/store/recovery.h"
#include "rocksdb/db.h"
#include "storage/log_reader.h"
#include "storage/open_folder.h"
#include "storage/record_codec.h"
#include "storage/rocks_error.h"
#include "storage/sealed_reader.h"
#include "storage/slices.h"

namespace flaredb::storage {
namespace {

constexpr int kOk = 0;
constexpr int kError = 1;
constexpr int kUsage = 2;
constexpr int kCorrupt = 5;

constexpr std::string_view kHelp =
    "usage: inspect [--verify] DIR\n"
    "Prints the identity, the regions and the Raft logs of the store in the folder DIR, with the\n"
    "configurations that each log holds: members as PEER@STORE#INCARNATION, as far as known.\n"
    "  --verify   also reads every file and every record and checks its checksum\n"
    "Exit codes: 0 fine, 1 cannot be opened, 2 usage, 5 damaged.\n";

int Report(const absl::Status& status) {
  std::fprintf(stderr, "inspect: %s\n", std::string(status.message()).c_str());
  return absl::IsDataLoss(status) ? kCorrupt : kError;
}

// One group of a configuration: each member with its store and its life, where they are known.
void Print(const char* part, const std::vector<PeerId>& ids, const raft::ConfState& conf) {
  if (ids.empty()) return;
  std::printf(" %s", part);
  for (const PeerId id : ids) {
    const raft::Member member = conf.Find(id);
    std::printf(" %lu", id.value());
    if (member.store) std::printf("@%lu", member.store.value());
    if (member.incarnation) std::printf("#%016lx", member.incarnation.value());
  }
}

void Print(Index index, const raft::ConfState& conf) {
  std::printf("  configuration at %lu:", index.value());
  Print("voters", conf.voters, conf);
  Print("outgoing", conf.voters_outgoing, conf);
  Print("learners", conf.learners, conf);
  std::printf("%s\n", conf.Everybody().empty() ? " nobody" : "");
}

void Print(const env::LogState& log) {
  const raft::LogId base = log.base.last;
  std::printf("region %lu: incarnation %016lx term %lu vote %lu\n", log.region.value(),
              log.incarnation.value(), log.hard_state.term.value(), log.hard_state.vote.value());
  const Term last_term = log.terms.empty() ? base.term : log.terms.back().term;
  std::printf("  log: base %lu (term %lu), %lu entries, last %lu (term %lu), %zu terms\n",
              base.index.value(), base.term.value(), log.last_index - base.index,
              log.last_index.value(), last_term.value(), log.terms.size());
  Print(base.index, log.base.conf);
  for (const raft::ConfAt& at : log.confs) Print(at.index, at.conf);
}

void Print(const store::RecoveredStore& recovered) {
  std::printf("identity: cluster %lu store %lu\n", recovered.identity.cluster_id,
              recovered.identity.store.value());
  for (const store::RecoveredRegion& r : recovered.regions) {
    std::printf("region %lu: range [%s, %s) epoch %lu.%lu applied %lu peers", r.region.id.value(),
                Hex(r.region.start_key).c_str(), Hex(r.region.end_key).c_str(),
                r.region.epoch.conf_version, r.region.epoch.version, r.applied.index.value());
    for (const Peer& peer : r.region.peers) {
      std::printf(" %lu@%lu", peer.id.value(), peer.store.value());
    }
    std::printf("\n");
  }
}

// Reads what the listing did not: all data rows, and the blocks of all files.
absl::Status Verify(const OpenedFolder& folder, const SealedReader& data) {
  uint64_t rows = 0;
  const absl::Status scanned = data.Scan("", "", [&rows](std::string_view, std::string_view) {
    ++rows;
    return true;
  });
  if (!scanned.ok()) return scanned;
  const rocksdb::Status files = folder.db().VerifyChecksum();
  if (!files.ok()) return ErrorFromRocks(files, "checking the files");
  std::printf("verified: all log entries, all files, %lu data rows\n", rows);
  return absl::OkStatus();
}

// A server keeps its database in the folder `db` of its data folder; either may be given.
std::string DatabaseIn(const std::string& path) {
  const std::string inner = path + "/db";
  return access((inner + "/CURRENT").c_str(), F_OK) == 0 ? inner : path;
}

int Inspect(const std::string& path, bool verify) {
  const absl::StatusOr<std::unique_ptr<OpenedFolder>> folder =
      OpenFolder(rocksdb::Env::Default(), DatabaseIn(path), OpenMode::kReadOnly);
  if (!folder.ok()) return Report(folder.status());
  const SealedReader data(**folder);

  const absl::StatusOr<std::vector<env::LogState>> logs = ReadLogStates(**folder);
  if (!logs.ok()) return Report(logs.status());
  for (const env::LogState& log : *logs) Print(log);

  const absl::StatusOr<store::RecoveredStore> recovered = store::Recover(data, *logs);
  if (absl::IsNotFound(recovered.status())) {
    std::printf("identity: none, the store was never bootstrapped\n");
  } else if (!recovered.ok()) {
    return Report(recovered.status());
  } else {
    Print(*recovered);
  }
  if (verify) {
    if (absl::Status s = Verify(**folder, data); !s.ok()) return Report(s);
  }
  return kOk;
}

int Main(const std::vector<std::string_view>& arguments) {
  bool verify = false;
  std::optional<std::string> path;
  for (std::string_view argument : arguments) {
    if (argument == "--help") {
      std::printf("%s", kHelp.data());
      return kOk;
    }
    if (argument == "--verify") {
      verify = true;
    } else if (argument.substr(0, 1) == "-" || path) {
      std::fprintf(stderr, "inspect: unexpected argument %s; see --help\n",
                   std::string(argument).c_str());
      return kUsage;
    } else {
      path = argument;
    }
  }
  if (!path) {
    std::fprintf(stderr, "inspect: no folder given; see --help\n");
    return kUsage;
  }
  // Bazel runs programs elsewhere: a relative path is the caller's.
  const char* caller = std::getenv("BUILD_WORKING_DIRECTORY");
  if (caller != nullptr && path->substr(0, 1) != "/") path = absl::StrCat(caller, "/", *path);
  return Inspect(*path, verify);
}

}  // namespace
}  // namespace flaredb::storage

int main(int argc, char** argv) {
  return flaredb::storage::Main(std::vector<std::string_view>(argv + 1, argv + argc));
}
