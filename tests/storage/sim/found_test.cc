// SPDX-License-Identifier: Apache-2.0
// What the storage simulation found in storage/, each as a case of its own.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/ordered_names.h"
#include "storage/sim/durability_oracle.h"
#include "storage/sim/sim_store.h"
#include "storage/sim/workload.h"
#include "storage/wal_check.h"

namespace flaredb::storage {
namespace {

// A store with its workload, of which everything follows from a seed.
class Subject {
 public:
  explicit Subject(uint64_t seed) : store(seed), workload_(seed, 2) { Start(); }

  void Start() {
    const absl::StatusOr<Content> content = store.Start();
    if (!content.ok() && store.machine().off()) return;
    ASSERT_TRUE(content.ok()) << content.status();
    const auto wrong = oracle_.Recovered(*content);
    ASSERT_FALSE(wrong) << *wrong;
  }
  void Commit() {
    const env::GroupCommit commit = workload_.Next(oracle_.next_token(), oracle_.image());
    oracle_.Issued(commit);
    if (store.Write({commit}).ok()) oracle_.Acknowledged();
  }
  // Another `variant` keeps something else.
  void LosePower(uint32_t kept_ppm, int variant = 0) {
    if (store.running()) store.Kill();
    // Draws, and next to never does anything.
    machine().rates[Fault::kBitRot] = 1;
    for (; variant > 0; --variant) machine().Age();
    machine().rates = {};
    store.machine().Restart(kept_ppm);
  }
  SimFileSystem& machine() { return store.machine(); }

  SimStore store;

 private:
  Workload workload_;
  DurabilityOracle oracle_;
};

// RocksDB syncs its files and their directory, and not the name of that directory.
TEST(Found, TheFolderOfAStoreIsThereAfterALossOfPower) {
  Subject subject(1);
  subject.Commit();
  subject.LosePower(0);
  subject.Start();
}

// A CURRENT that names a manifest which has no name yet.
TEST(Found, AFileIsNotRenamedBeforeEarlierNamesAreDurable) {
  const auto clock = std::make_shared<SimClock>();
  const auto machine = std::make_shared<SimFileSystem>(1, clock);
  machine->volume().MakeDirectory("/d");
  machine->volume().SyncDirectory("/");
  SimEnv env(machine, clock);
  const std::unique_ptr<rocksdb::Env> ordered = WithOrderedNames(&env);
  ASSERT_TRUE(rocksdb::WriteStringToFile(ordered.get(), "1", "/d/MANIFEST-1", true).ok());
  ASSERT_TRUE(rocksdb::WriteStringToFile(ordered.get(), "2", "/d/tmp", true).ok());
  ASSERT_TRUE(ordered->GetFileSystem()->RenameFile("/d/tmp", "/d/CURRENT", {}, nullptr).ok());
  machine->Restart(0);
  EXPECT_TRUE(machine->volume().Exists("/d/MANIFEST-1"));
  EXPECT_FALSE(machine->volume().Exists("/d/CURRENT"));
}

Volume::FileRef NewestFile(Subject& subject, const std::string& part) {
  Volume::FileRef newest;
  for (const auto& [path, file] : subject.machine().volume().Files()) {
    if (path.find(part) != std::string::npos) newest = file;
  }
  return newest;
}

// The number of the change that appended the first record to a file with `part` in its path that
// lies in two sectors. `next` makes the subject go on.
uint64_t ChangeOfLongRecord(uint64_t seed, const std::string& part,
                            const std::function<void(Subject&)>& next) {
  Subject subject(seed);
  for (int i = 0; i < 200; ++i) {
    const uint64_t before = subject.machine().changes();
    const uint64_t size = NewestFile(subject, part)->size();
    next(subject);
    if (NewestFile(subject, part)->size() / kSectorBytes == size / kSectorBytes) continue;
    // Once more, to find the change within the step.
    uint64_t last = size;
    for (uint64_t change = before + 1; change <= subject.machine().changes(); ++change) {
      Subject again(seed);
      again.machine().PowerOffAfter(change);
      for (int j = 0; j <= i && !again.machine().off(); ++j) next(again);
      const uint64_t now = NewestFile(again, part)->size();
      if (now / kSectorBytes != last / kSectorBytes) return change;
      last = now;
    }
  }
  ADD_FAILURE() << "no record of " << part << " lies in two sectors";
  return 0;
}

// Whether a record is torn and has a header: RocksDB passes over zeros by itself.
template <typename Scan>
bool TornBehindItsHeader(const Scan& scan, const std::string& bytes) {
  constexpr size_t kTypeAt = 6;
  return scan.end == LogEnd::kTorn && bytes[scan.good_bytes + kTypeAt] != 0;
}

void CommitAndFlush(Subject& subject) {
  subject.Commit();
  if (subject.machine().off()) return;
  EXPECT_TRUE(subject.store.Flush().ok() || subject.machine().off());
  for (int i = 0; i < 4 && !subject.machine().off(); ++i) subject.store.RunJob();
}

// RocksDB took the torn end of a manifest for damage.
TEST(Found, AStoreStartsBehindATornManifest) {
  const uint64_t change = ChangeOfLongRecord(5, "/MANIFEST-", CommitAndFlush);
  uint64_t torn = 0;
  for (int variant = 0; variant < 50; ++variant) {
    Subject subject(5);
    subject.machine().PowerOffAfter(change);
    while (!subject.machine().off()) CommitAndFlush(subject);
    subject.LosePower(600000, variant);
    const std::string manifest(NewestFile(subject, "/MANIFEST-")->bytes());
    torn += TornBehindItsHeader(ScanManifest(manifest), manifest) ? 1 : 0;
    subject.Start();
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(torn, 0u);
}

// The first start behind a torn end of the write-ahead log was interrupted: the second one found
// that the log goes on in a new file, and did not forgive the old one its end any more.
TEST(Found, AnInterruptedStartBehindATornLogIsRepeated) {
  const auto commit = [](Subject& subject) { subject.Commit(); };
  const uint64_t change = ChangeOfLongRecord(9, ".log", commit);
  uint64_t torn = 0;
  for (int variant = 0; variant < 50 && torn == 0; ++variant) {
    for (uint64_t place = 1; place < 60; ++place) {
      Subject subject(9);
      subject.machine().PowerOffAfter(change);
      while (!subject.machine().off()) subject.Commit();
      subject.LosePower(600000, variant);
      const std::string log(NewestFile(subject, ".log")->bytes());
      if (!TornBehindItsHeader(ScanWal(log), log)) break;
      ++torn;
      subject.machine().PowerOffAfter(subject.machine().changes() + place);
      subject.Start();
      subject.LosePower(1000000);
      subject.Start();
      if (HasFatalFailure()) FAIL() << "interrupted after write " << place << " of the start";
    }
  }
  EXPECT_GT(torn, 0u);
}

}  // namespace
}  // namespace flaredb::storage
