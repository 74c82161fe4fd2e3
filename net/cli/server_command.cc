// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "net/cli/commands.h"
#include "net/cli/option_checks.h"
#include "net/server/members.h"
#include "net/server/server.h"

namespace flaredb::net {
namespace {

struct ServerArguments {
  uint64_t store_id = 0;
  std::string address = "127.0.0.1:50051";
  std::string data_dir;
  std::string initial_cluster;
  std::optional<uint64_t> cluster_id;
};

// "" is what a shell makes of an unset variable. Taken for "not given" it would found a cluster.
CLI::Validator NotEmpty() {
  return CLI::Validator(
      [](const std::string& text) {
        return text.empty() ? "the value is empty: give one, or leave the option out"
                            : std::string();
      },
      "");
}

absl::Status Serve(const ServerArguments& arguments, const OpenDisk& open_disk) {
  StartFlags flags;
  flags.store = StoreId(arguments.store_id);
  flags.address = arguments.address;
  flags.data_dir = arguments.data_dir.empty()
                       ? "./flaredb-data/store-" + std::to_string(arguments.store_id)
                       : arguments.data_dir;
  flags.cluster_id = arguments.cluster_id;
  if (!arguments.initial_cluster.empty()) {
    absl::StatusOr<Members> members = ParseMembers(arguments.initial_cluster);
    if (!members.ok()) return members.status();
    flags.initial_cluster = *std::move(members);
  }
  return RunServer(flags, open_disk);
}

}  // namespace

void AddServerCommand(CLI::App* app, const OpenDisk& open_disk, CommandContext* context) {
  CLI::App* command = app->add_subcommand("server", "Run one store until Ctrl-C");
  auto arguments = std::make_shared<ServerArguments>();
  command->add_option("--store-id", arguments->store_id, "Number of this store, from 1 up")
      ->required()
      ->check(NumberFrom(1))
      ->type_name("N");
  command->add_option("--addr", arguments->address, "Where to listen, for clients and other stores")
      ->capture_default_str()
      ->type_name("HOST:PORT");
  command
      ->add_option("--data-dir", arguments->data_dir,
                   "Where the data is [./flaredb-data/store-N]; created when missing")
      ->check(NotEmpty())
      ->type_name("DIR");
  command
      ->add_option(
          "--initial-cluster", arguments->initial_cluster,
          "All stores of the cluster, this one included; the same list on each of them. "
          "Needed at the first start and when addresses change. Without it the first start "
          "founds a cluster of one store")
      ->check(NotEmpty())
      ->type_name("ID=HOST:PORT,...");
  command
      ->add_option("--cluster-id", arguments->cluster_id,
                   "Number of the cluster; by default it follows from --initial-cluster")
      ->check(NumberFrom(1))
      ->type_name("N");
  command->callback([arguments, &open_disk, context] {
    const absl::Status status = Serve(*arguments, open_disk);
    context->exit_code = status.ok() ? kExitOk : Fail(status);
  });
}

}  // namespace flaredb::net
