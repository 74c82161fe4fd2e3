// SPDX-License-Identifier: Apache-2.0
// dns TABLE add|remove NAME ADDRESS, dns TABLE list [PREFIX]: the zone of the service flashdns in a
// service table.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "examples/metadata/zone.h"
#include "net/metadata/connect.h"
#include "net/metadata/flaredb_metadata_store.h"
#include "net/metadata/service_table.h"

namespace flaredb::examples {
namespace {

absl::Status List(Zone* zone, const std::string& prefix) {
  const auto names = zone->List(prefix);
  if (!names.ok()) return names.status();
  for (const auto& [name, addresses] : *names) {
    std::printf("%s %s\n", name.c_str(), absl::StrJoin(addresses, " ").c_str());
  }
  return absl::OkStatus();
}

absl::Status Run(const std::vector<std::string>& words) {
  const auto usage = absl::InvalidArgumentError(
      "usage: dns TABLE add|remove NAME ADDRESS, or dns TABLE list [PREFIX]");
  if (words.size() < 2) return usage;
  const auto table = metadata::ReadServiceTable(words[0]);
  if (!table.ok()) return table.status();
  const auto service = table->Find("flashdns");
  if (!service.ok()) return service.status();
  auto client = metadata::Connect(*table);
  if (!client.ok()) return client.status();
  metadata::FlaredbMetadataStore store(*std::move(client), *service);
  Zone zone(&store);
  if (words[1] == "add" && words.size() == 4) return zone.Add(words[2], words[3]);
  if (words[1] == "remove" && words.size() == 4) return zone.Remove(words[2], words[3]);
  if (words[1] == "list" && words.size() <= 3)
    return List(&zone, words.size() == 3 ? words[2] : "");
  return usage;
}

}  // namespace
}  // namespace flaredb::examples

int main(int argc, char** argv) {
  // `bazel run` starts programs elsewhere; relative paths are the caller's.
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (folder != nullptr && chdir(folder) != 0) return 3;
  const absl::Status status = flaredb::examples::Run({argv + 1, argv + argc});
  if (status.ok()) return 0;
  std::fprintf(stderr, "dns: %s\n", std::string(status.message()).c_str());
  return 1;
}
