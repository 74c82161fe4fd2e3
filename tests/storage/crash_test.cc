// SPDX-License-Identifier: Apache-2.0
// kill -9 in the middle of writing, again and again on one folder.
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/storage/disk_support.h"
#include "tests/storage/model_support.h"

namespace flaredb::storage {
namespace {

constexpr uint64_t kSeed = 42;

// The Life of seed kSeed up to `token`.
Life LifeUntil(IoToken token) {
  Life life(kSeed);
  while (life.last_token() < token) life.Next();
  return life;
}

// The process that gets killed: continues the life of `folder` for ever and writes each watermark
// to standard output, 8 bytes.
[[noreturn]] void WriteForever(const std::string& folder) {
  RocksDiskOptions options;
  options.on_done = [](IoToken token) {
    const uint64_t value = token.value();
    if (write(STDOUT_FILENO, &value, sizeof value) != sizeof value) std::abort();
  };
  options.on_failed = [](absl::Status) { std::abort(); };
  options.on_fetched = [](env::LogFetched) {};
  auto disk = RocksDisk::Open(folder, std::move(options));
  if (!disk.ok()) std::abort();
  const absl::StatusOr<Content> content = ReadAll(**disk);
  if (!content.ok()) std::abort();
  Life life = LifeUntil(LastToken(*content));
  for (;;) {
    for (int i = 0; i < 20; ++i) (*disk)->Write(life.Next());
    usleep(500);
  }
}

struct Killed {
  IoToken done;  // The last watermark that was reported.
  bool killed = false;
};

// Starts WriteForever and kills it `micros` after its first watermark.
Killed WriteAndKill(const std::string& folder, useconds_t micros) {
  int report[2];
  EXPECT_EQ(pipe(report), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(report[1], STDOUT_FILENO);
    close(report[0]);
    close(report[1]);
    execl("/proc/self/exe", "crash_test", "--write-forever", folder.c_str(), nullptr);
    _exit(1);
  }
  close(report[1]);
  Killed run;
  uint64_t value = 0;
  std::thread killer;
  while (read(report[0], &value, sizeof value) == sizeof value) {
    run.done = IoToken(value);
    if (!killer.joinable()) {
      killer = std::thread([child, micros] {
        usleep(micros);
        kill(child, SIGKILL);
      });
    }
  }
  if (killer.joinable()) killer.join();
  close(report[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  run.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  return run;
}

TEST(Crash, EverythingReportedDoneIsThereAndNothingIsHalfThere) {
  const std::string folder = ScratchFolder();
  Rng rng(7);
  IoToken done;
  for (int round = 0; round < 12; ++round) {
    const Killed run = WriteAndKill(folder, static_cast<useconds_t>(rng.Below(60000)));
    ASSERT_TRUE(run.killed) << "round " << round;
    ASSERT_GT(run.done, done) << "round " << round;
    done = run.done;

    TestDisk disk(folder);
    ASSERT_TRUE(disk.opened().ok()) << disk.opened();
    const absl::StatusOr<Content> content = ReadAll(*disk);
    ASSERT_TRUE(content.ok()) << content.status();
    ASSERT_GE(LastToken(*content), done) << "round " << round;
    EXPECT_EQ(*content, LifeUntil(LastToken(*content)).content()) << "round " << round;
  }
}

}  // namespace
}  // namespace flaredb::storage

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--write-forever") == 0) {
    flaredb::storage::WriteForever(argv[2]);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
