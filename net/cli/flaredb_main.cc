// SPDX-License-Identifier: Apache-2.0
// flaredb: the program. Here, and only here, the runtime meets the storage.
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "net/cli/commands.h"
#include "net/cli/exit_code.h"
#include "net/cli/text.h"
#include "net/server/disk.h"
#include "storage/rocks_disk.h"

namespace flaredb::net {
namespace {

class RocksDisk : public Disk {
 public:
  explicit RocksDisk(std::unique_ptr<storage::RocksDisk> disk) : disk_(std::move(disk)) {}

  absl::StatusOr<std::vector<env::LogState>> RecoverLogs() override { return disk_->RecoverLogs(); }
  const DataSource& data() const override { return disk_->data(); }
  void Write(env::GroupCommit commit) override { disk_->Write(std::move(commit)); }
  void ReadLog(env::LogFetch fetch) override { disk_->ReadLog(std::move(fetch)); }

 private:
  const std::unique_ptr<storage::RocksDisk> disk_;
};

absl::StatusOr<std::unique_ptr<Disk>> OpenRocksDisk(const std::string& path, DiskEvents events) {
  storage::RocksDiskOptions options;
  options.on_done = [events](IoToken token) { events(store::DiskDone{token}); };
  options.on_failed = [events](absl::Status s) { events(store::DiskFailed{std::move(s)}); };
  options.on_fetched = [events](env::LogFetched fetched) { events(std::move(fetched)); };
  auto disk = storage::RocksDisk::Open(path, std::move(options));
  if (!disk.ok()) return disk.status();
  return std::make_unique<RocksDisk>(*std::move(disk));
}

ExitCode Run(int argc, char** argv) {
  // `bazel run` starts programs elsewhere; relative paths are the caller's.
  if (const char* folder = std::getenv("BUILD_WORKING_DIRECTORY"); folder != nullptr) {
    if (chdir(folder) != 0) {
      PrintError(std::string("cannot enter the current folder ") + folder);
      return kExitUnavailable;
    }
  }
  CLI::App app("FlareDB: a replicated key-value and metadata store", "flaredb");
  app.set_version_flag("--version", std::string(kVersion));
  app.require_subcommand(0, 1);
  const OpenDisk open_disk = OpenRocksDisk;
  CommandContext context;
  AddPlaygroundCommand(&app, &context);
  AddServerCommand(&app, open_disk, &context);
  AddClusterCommands(&app, &context);
  AddConfigCommand(&app, &context);
  AddCertCommand(&app, &context);
  AddTokenCommand(&app, &context);
  AddShellCommand(&app, &context);
  AddDocumentCommands(&app, &context);
  return ParseAndRun(&app, {argv + 1, argv + argc}, &context);
}

}  // namespace
}  // namespace flaredb::net

int main(int argc, char** argv) {
  try {
    return flaredb::net::Run(argc, argv);
  } catch (const std::exception& e) {
    // A broken invariant that no owner caught: nothing in this process can be trusted any more.
    flaredb::net::PrintError(e.what());
    return flaredb::net::kExitCorrupt;
  }
}
