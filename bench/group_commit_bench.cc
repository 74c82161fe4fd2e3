// SPDX-License-Identifier: Apache-2.0
// Durable group commits a second, with a number of them kept queued. Each one appends an entry of
// 160 bytes to one region's log and writes the row of it, as a put of 100 bytes does.
//
//   ./bazelw run --config=opt //bench:group_commit
#include <benchmark/benchmark.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>

#include "storage/rocks_disk.h"

namespace flaredb::storage {
namespace {

// Commit number `n`, from 1.
env::GroupCommit MakeCommit(uint64_t n) {
  static const std::string payload(160, 'p');
  const raft::NewEntry entry{raft::EntryKind::kCommand, payload};
  env::GroupCommit commit;
  commit.token = IoToken(n);
  env::LogWrite& write = commit.log.emplace_back();
  write.region = RegionId(1);
  if (n == 1) {
    write.create = Incarnation(1);
    write.persist.hard_state = {Term(1), PeerId(1)};
  }
  write.persist.append.push_back(
      raft::EntrySlice(raft::EntryBlock::Create(Term(1), Index(n), {&entry, 1})));
  commit.data.Put("z0000key" + std::to_string(n % 10000), std::string(130, 'v'));
  return commit;
}

void GroupCommit(benchmark::State& state) {
  const uint64_t queued_max = static_cast<uint64_t>(state.range(0));
  std::string folder = (std::filesystem::temp_directory_path() / "group_commit_XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return state.SkipWithError("no scratch folder");

  std::mutex mutex;
  std::condition_variable changed;
  uint64_t done = 0;
  RocksDiskOptions options;
  options.on_done = [&](IoToken token) {
    const std::lock_guard lock(mutex);
    done = token.value();
    changed.notify_one();
  };
  options.on_failed = [](absl::Status s) {
    std::fprintf(stderr, "%s\n", s.ToString().c_str());
    std::abort();
  };
  options.on_fetched = [](env::LogFetched) {};
  {
    auto disk = RocksDisk::Open(folder, std::move(options));
    if (!disk.ok() || !(*disk)->RecoverLogs().ok()) return state.SkipWithError("cannot open");
    uint64_t written = 0;
    for (auto _ : state) {
      (*disk)->Write(MakeCommit(++written));
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return written - done < queued_max; });
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done == written; });
    const WriteStats stats = (*disk)->stats();
    state.counters["commits"] =
        benchmark::Counter(static_cast<double>(stats.commits), benchmark::Counter::kIsRate);
    state.counters["syncs"] =
        benchmark::Counter(static_cast<double>(stats.syncs), benchmark::Counter::kIsRate);
  }
  std::filesystem::remove_all(folder);
}

BENCHMARK(GroupCommit)->ArgName("queued")->Arg(1)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace flaredb::storage

BENCHMARK_MAIN();
