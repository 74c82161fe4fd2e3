// SPDX-License-Identifier: Apache-2.0
// What a loss of power leaves of files and names.
#include "storage/sim/volume.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/rng.h"
#include "storage/sim/sector_file.h"

namespace flaredb::storage {
namespace {

using testing::ElementsAre;

constexpr uint32_t kHalf = 500000;
constexpr uint32_t kAll = 1000000;

std::string Sectors(const std::string& letters) {
  std::string bytes;
  for (const char c : letters) bytes.append(kSectorBytes, c);
  return bytes;
}

// One letter for each sector, '?' for one that holds more than one.
std::string Letters(const SectorFile& file) {
  std::string letters;
  for (size_t at = 0; at < file.size(); at += kSectorBytes) {
    const std::string_view sector = file.bytes().substr(at, kSectorBytes);
    const bool same = sector.find_first_not_of(sector[0]) == std::string_view::npos;
    letters.push_back(!same ? '?' : sector[0] == '\0' ? '0' : sector[0]);
  }
  return letters;
}

struct Loss {
  std::string letters;
  FaultCounts counts;
};
Loss LosePower(SectorFile file, uint64_t seed, uint32_t kept_ppm) {
  Loss loss;
  Rng rng(seed);
  file.LosePower(rng, kept_ppm, &loss.counts);
  loss.letters = Letters(file);
  return loss;
}

uint64_t Fired(const FaultCounts& counts, Fault fault) {
  return counts.fired[static_cast<size_t>(fault)];
}

TEST(SectorFile, KeepsWhatWasSynced) {
  SectorFile file;
  file.Write(0, Sectors("abc"));
  file.Sync();
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Loss loss = LosePower(file, seed, 0);
    EXPECT_EQ(loss.letters, "abc");
    EXPECT_EQ(Fired(loss.counts, Fault::kLostSector), 0u);
  }
}

TEST(SectorFile, LosesEachDirtySectorOnItsOwnAndNeverApartOfOne) {
  SectorFile file;
  file.Write(0, Sectors("aaaa"));
  file.Sync();
  file.Write(0, Sectors("bbbb"));
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const Loss loss = LosePower(file, seed, kHalf);
    seen.insert(loss.letters);
    const bool torn = loss.letters != "aaaa" && loss.letters != "bbbb";
    EXPECT_EQ(Fired(loss.counts, Fault::kTornWrite), torn ? 1u : 0u);
    EXPECT_EQ(Fired(loss.counts, Fault::kLostSector),
              static_cast<uint64_t>(std::count(loss.letters.begin(), loss.letters.end(), 'a')));
  }
  EXPECT_EQ(seen.size(), 16u);  // Also those that are no prefix.
}

TEST(SectorFile, MayKeepAnEarlierStateOfASector) {
  SectorFile file;
  file.Write(0, Sectors("a"));
  file.Write(0, Sectors("b"));
  file.Write(0, Sectors("c"));
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 100; ++seed) seen.insert(LosePower(file, seed, kHalf).letters);
  EXPECT_THAT(seen, ElementsAre("", "0", "a", "b", "c"));
}

TEST(SectorFile, ReadsAsZerosWhereOnlyTheSizeSurvived) {
  SectorFile file;
  file.Write(0, Sectors("ab"));
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 100; ++seed) seen.insert(LosePower(file, seed, kHalf).letters);
  EXPECT_THAT(seen, ElementsAre("", "00", "0b", "a0", "ab"));
}

TEST(SectorFile, NeverBringsToTheDiskWhatAFailedSyncDropped) {
  SectorFile file;
  file.Write(0, Sectors("a"));
  file.Sync();
  file.Write(0, Sectors("b"));
  file.DropDirty();
  EXPECT_EQ(Letters(file), "b");
  file.Sync();  // Reports success.
  EXPECT_EQ(LosePower(file, 1, kAll).letters, "a");
}

TEST(SectorFile, ShowsALostWriteUntilTheCacheIsGone) {
  SectorFile file;
  file.Write(0, Sectors("aa"));
  file.Sync();
  file.WriteLost(kSectorBytes, Sectors("b"), Fault::kLostWrite);
  file.Sync();
  EXPECT_EQ(Letters(file), "ab");
  EXPECT_TRUE(file.damaged());
  EXPECT_EQ(LosePower(file, 1, kAll).letters, "aa");
  file.DropCache();
  EXPECT_EQ(Letters(file), "aa");
  EXPECT_THAT(file.MeetMarks(0, 2 * kSectorBytes), ElementsAre(Fault::kLostWrite));
  EXPECT_TRUE(file.MeetMarks(0, 2 * kSectorBytes).empty()) << "a fault is met once";
}

TEST(SectorFile, RotsInOneBit) {
  SectorFile file;
  file.Write(0, Sectors("ab"));
  EXPECT_FALSE(file.FlipBit(1, 8)) << "a dirty sector will be written anew";
  file.Sync();
  ASSERT_TRUE(file.FlipBit(1, 8));
  std::string wanted = Sectors("ab");
  wanted[kSectorBytes + 1] ^= 1;
  EXPECT_EQ(file.bytes(), wanted);
  EXPECT_EQ(LosePower(file, 1, 0).letters, "a?");
}

TEST(SectorFile, CannotBeReadWhereASectorIsBadUntilThatIsWritten) {
  SectorFile file;
  file.Write(0, Sectors("abc"));
  file.Sync();
  ASSERT_TRUE(file.MakeUnreadable(1));
  EXPECT_FALSE(file.Unreadable(0, kSectorBytes));
  EXPECT_TRUE(file.Unreadable(0, kSectorBytes + 1));
  EXPECT_FALSE(file.Unreadable(2 * kSectorBytes, kSectorBytes));
  file.Write(kSectorBytes, Sectors("d"));
  file.Sync();
  EXPECT_FALSE(file.Unreadable(0, 3 * kSectorBytes));
}

TEST(SectorFile, TakesWhatWasMeantForAnotherPlace) {
  SectorFile file;
  file.Write(0, Sectors("ab"));
  file.Sync();
  ASSERT_TRUE(file.Clobber(0, Sectors("x")));
  EXPECT_EQ(Letters(file), "xb");
  EXPECT_EQ(LosePower(file, 1, 0).letters, "xb");
}

// Names of "/d" after a loss of power.
std::vector<std::string> NamesAfter(Volume volume, uint64_t seed, uint32_t kept_ppm) {
  Rng rng(seed);
  FaultCounts counts;
  volume.LosePower(rng, kept_ppm, &counts);
  return volume.List("/d");
}

Volume WithFile() {
  Volume volume;
  volume.MakeDirectory("/d");
  volume.SyncDirectory("/");
  volume.Create("/d/a")->Write(0, "text");
  volume.Find("/d/a")->Sync();
  return volume;
}

TEST(Volume, ForgetsANameWhoseDirectoryWasNotSynced) {
  Volume volume = WithFile();
  EXPECT_TRUE(NamesAfter(volume, 1, 0).empty());
  volume.SyncDirectory("/d");
  EXPECT_THAT(NamesAfter(volume, 1, 0), ElementsAre("a"));
}

TEST(Volume, ForgetsADirectoryWithAllThatIsInIt) {
  Volume volume;
  volume.MakeDirectory("/d");
  volume.Create("/d/a");
  volume.SyncDirectory("/d");
  EXPECT_TRUE(NamesAfter(volume, 1, 0).empty());
  volume.SyncDirectory("/");
  EXPECT_THAT(NamesAfter(volume, 1, 0), ElementsAre("a"));
}

TEST(Volume, LosesEachChangeOfANameOnItsOwn) {
  Volume volume = WithFile();
  volume.SyncDirectory("/d");
  volume.Create("/d/b");
  volume.Rename("/d/a", "/d/c");
  volume.Remove("/d/c");
  std::set<std::vector<std::string>> seen;
  for (uint64_t seed = 0; seed < 200; ++seed) seen.insert(NamesAfter(volume, seed, kHalf));
  // A renaming never loses both names.
  EXPECT_THAT(seen, ElementsAre(std::vector<std::string>{}, std::vector<std::string>{"a"},
                                std::vector<std::string>{"a", "b"}, std::vector<std::string>{"b"},
                                std::vector<std::string>{"b", "c"}, std::vector<std::string>{"c"}));
}

TEST(Volume, KeepsTheContentOfAFileUnderEachOfItsNames) {
  Volume volume = WithFile();
  volume.Link("/d/a", "/d/b");
  volume.SyncDirectory("/d");
  volume.Remove("/d/a");
  volume.SyncDirectory("/d");
  Rng rng(1);
  FaultCounts counts;
  volume.LosePower(rng, 0, &counts);
  ASSERT_THAT(volume.List("/d"), ElementsAre("b"));
  EXPECT_EQ(volume.Find("/d/b")->bytes(), "text");
}

}  // namespace
}  // namespace flaredb::storage
