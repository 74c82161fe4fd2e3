// SPDX-License-Identifier: Apache-2.0
// What each fault does to whoever uses the file system.
#include "storage/sim/sim_file_system.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/sim/sim_env.h"

namespace flaredb::storage {
namespace {

constexpr uint32_t kAlways = 1000000;

class SimFileSystemTest : public testing::Test {
 protected:
  SimFileSystemTest() {
    machine_->volume().MakeDirectory("/d");
    machine_->volume().SyncDirectory("/");
    EXPECT_TRUE(machine_->NewWritableFile("/d/f", {}, &file_, nullptr).ok());
    SyncDirectory();
  }

  void SyncDirectory() {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    ASSERT_TRUE(machine_->NewDirectory("/d", {}, &directory, nullptr).ok());
    directory->Fsync({}, nullptr).PermitUncheckedError();
  }
  rocksdb::IOStatus Append(const std::string& text) { return file_->Append(text, {}, nullptr); }
  rocksdb::IOStatus Sync() { return file_->Sync({}, nullptr); }
  // The content, or the error as text.
  std::string Read() {
    std::string text;
    const rocksdb::Status s = rocksdb::ReadFileToString(env_.get(), "/d/f", &text);
    return s.ok() ? text : s.ToString();
  }
  uint64_t Fired(Fault fault) { return machine_->counts().fired[static_cast<size_t>(fault)]; }
  uint64_t Mattered(Fault fault) { return machine_->counts().mattered[static_cast<size_t>(fault)]; }

  std::shared_ptr<SimClock> clock_ = std::make_shared<SimClock>();
  std::shared_ptr<SimFileSystem> machine_ = std::make_shared<SimFileSystem>(1, clock_);
  std::unique_ptr<SimEnv> env_ = std::make_unique<SimEnv>(machine_, clock_);
  std::unique_ptr<rocksdb::FSWritableFile> file_;
};

TEST_F(SimFileSystemTest, AFileHoldsWhatIsAppended) {
  ASSERT_TRUE(Append("one").ok());
  ASSERT_TRUE(Append("two").ok());
  EXPECT_EQ(Read(), "onetwo");
}

TEST_F(SimFileSystemTest, AReadErrorIsReportedAndPasses) {
  ASSERT_TRUE(Append("text").ok());
  machine_->rates[Fault::kReadError] = kAlways;
  EXPECT_NE(Read().find("Input/output error"), std::string::npos);
  machine_->Settle(/*errors_mattered=*/true, false);
  machine_->rates = {};
  EXPECT_EQ(Read(), "text");
  EXPECT_EQ(Mattered(Fault::kReadError), Fired(Fault::kReadError));
}

TEST_F(SimFileSystemTest, AWriteErrorWritesNothing) {
  machine_->rates[Fault::kWriteError] = kAlways;
  EXPECT_TRUE(Append("text").IsIOError());
  EXPECT_EQ(Read(), "");
}

TEST_F(SimFileSystemTest, AShortWriteWritesAPart) {
  machine_->rates[Fault::kShortWrite] = kAlways;
  EXPECT_TRUE(Append(std::string(1000, 'x')).IsIOError());
  EXPECT_LT(Read().size(), 1000u);
  EXPECT_EQ(Fired(Fault::kShortWrite), 1u);
}

TEST_F(SimFileSystemTest, AFullDiskStaysFullForAWhile) {
  machine_->rates[Fault::kNoSpace] = kAlways;
  EXPECT_TRUE(Append("text").IsNoSpace());
  machine_->rates = {};
  int tries = 0;
  while (!Append("text").ok()) ++tries;
  EXPECT_LE(tries, 12);
  EXPECT_EQ(Read(), "text");
}

TEST_F(SimFileSystemTest, AFailedSyncLosesWhatALaterOneReports) {
  ASSERT_TRUE(Append("text").ok());
  machine_->rates[Fault::kSyncError] = kAlways;
  EXPECT_FALSE(Sync().ok());
  machine_->rates = {};
  EXPECT_TRUE(Sync().ok());
  EXPECT_EQ(Read(), "text");
  machine_->Restart(kAlways);
  EXPECT_EQ(Read(), std::string(4, '\0'));
}

TEST_F(SimFileSystemTest, AStallTakesSimulatedTime) {
  machine_->rates[Fault::kStall] = kAlways;
  const uint64_t before = clock_->NowMicros();
  ASSERT_TRUE(Append("text").ok());
  EXPECT_GT(clock_->NowMicros() - before, 1000u);
  machine_->Settle(false, /*stalls_mattered=*/true);
  EXPECT_EQ(Mattered(Fault::kStall), 1u);
}

TEST_F(SimFileSystemTest, ALostWriteIsThereUntilThePowerFails) {
  machine_->rates[Fault::kLostWrite] = kAlways;
  ASSERT_TRUE(Append("text").ok());
  ASSERT_TRUE(Sync().ok());
  EXPECT_EQ(Read(), "text");
  machine_->Restart(kAlways);
  EXPECT_EQ(Read(), std::string(4, '\0'));
  EXPECT_EQ(Mattered(Fault::kLostWrite), 1u);
}

TEST_F(SimFileSystemTest, AMisdirectedWriteHitsAnotherPlace) {
  ASSERT_TRUE(Append(std::string(8 * kSectorBytes, 'a')).ok());
  ASSERT_TRUE(Sync().ok());
  machine_->rates[Fault::kMisdirectedWrite] = kAlways;
  // Half of them look for a place in another file, and there is none.
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Append(std::string(kSectorBytes, 'b')).ok());
  EXPECT_NE(Read().substr(0, 8 * kSectorBytes), std::string(8 * kSectorBytes, 'a'));
}

TEST_F(SimFileSystemTest, AgeDamagesTheDisk) {
  ASSERT_TRUE(Append(std::string(100, 'a')).ok());
  machine_->rates[Fault::kBitRot] = kAlways;
  machine_->Age();
  EXPECT_EQ(Fired(Fault::kBitRot), 0u) << "what is dirty is not on the disk";
  ASSERT_TRUE(Sync().ok());
  machine_->Age();
  EXPECT_EQ(Fired(Fault::kBitRot), 1u);
  EXPECT_NE(Read(), std::string(100, 'a'));
  machine_->rates = {};
  machine_->rates[Fault::kLatentSector] = kAlways;
  machine_->Age();
  EXPECT_NE(Read().find("Input/output error"), std::string::npos);
}

TEST_F(SimFileSystemTest, AgeLosesAFileWhoseNameIsDurable) {
  std::unique_ptr<rocksdb::FSWritableFile> unsynced;
  ASSERT_TRUE(machine_->NewWritableFile("/d/g", {}, &unsynced, nullptr).ok());
  machine_->rates[Fault::kLostFile] = kAlways;
  machine_->Age();
  machine_->Age();
  EXPECT_EQ(Fired(Fault::kLostFile), 1u) << "nobody promised that the other one is there";
  std::vector<std::string> names;
  EXPECT_TRUE(machine_->GetChildren("/d", {}, &names, nullptr).ok());
  EXPECT_EQ(names, std::vector<std::string>{"g"});
  EXPECT_EQ(Mattered(Fault::kLostFile), 1u);
  machine_->Restart(kAlways);
  EXPECT_FALSE(machine_->volume().Exists("/d/f"));
}

TEST_F(SimFileSystemTest, NothingWorksWithoutPower) {
  ASSERT_TRUE(Append("one").ok());
  machine_->PowerOffAfter(machine_->changes() + 2);
  ASSERT_TRUE(Sync().ok());
  EXPECT_FALSE(Append("two").ok());
  EXPECT_TRUE(machine_->off());
  EXPECT_FALSE(Sync().ok());
  machine_->Restart(0);
  EXPECT_EQ(Read(), "one");
}

TEST_F(SimFileSystemTest, ALockKeepsOthersOutUntilItsProcessDies) {
  rocksdb::FileLock* lock = nullptr;
  rocksdb::FileLock* second = nullptr;
  ASSERT_TRUE(machine_->LockFile("/d/LOCK", {}, &lock, nullptr).ok());
  EXPECT_FALSE(machine_->LockFile("/d/LOCK", {}, &second, nullptr).ok());
  machine_->ProcessDied();
  ASSERT_TRUE(machine_->LockFile("/d/LOCK", {}, &second, nullptr).ok());
  ASSERT_TRUE(machine_->UnlockFile(second, {}, nullptr).ok());
  ASSERT_TRUE(machine_->UnlockFile(lock, {}, nullptr).ok());
}

}  // namespace
}  // namespace flaredb::storage
