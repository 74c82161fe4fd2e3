// SPDX-License-Identifier: Apache-2.0
#include "net/server/start_plan.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "net/address.h"

namespace flaredb::net {
namespace {

absl::StatusOr<StartPlan> PlanFirstStart(const StartFlags& flags, uint64_t random_id) {
  StartPlan plan;
  plan.identity.store = flags.store;
  if (!flags.peers.empty()) {
    plan.self_managed = true;
    plan.joins = true;
    return plan;
  }
  if (flags.initial_cluster.has_value()) {
    plan.members = *flags.initial_cluster;
    plan.identity.cluster_id = DeriveClusterId(plan.members);
  } else {
    plan.members = {{flags.store, flags.address}};
    plan.identity.cluster_id = random_id == 0 ? 1 : random_id;
    plan.self_managed = true;
  }
  if (flags.cluster_id.has_value()) plan.identity.cluster_id = *flags.cluster_id;
  return plan;
}

// Whether the flags mean the cluster of the folder. An explicit id decides; without one, a list
// counts if it is the one remembered or the one that the cluster's id was derived from.
absl::Status CheckCluster(const StartFlags& flags, const FoundStore& found) {
  const uint64_t actual = found.identity.cluster_id;
  if (flags.cluster_id.has_value()) {
    if (*flags.cluster_id == actual) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        "the data folder ", flags.data_dir, " belongs to cluster ", actual, ", not to cluster ",
        *flags.cluster_id, ": give the folder of that cluster to --data-dir"));
  }
  if (!flags.initial_cluster.has_value() || flags.initial_cluster == found.remembered ||
      DeriveClusterId(*flags.initial_cluster) == actual) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "the data folder ", flags.data_dir, " belongs to another cluster (", actual,
      ") than --initial-cluster names: give this cluster's folder to --data-dir, or, if only "
      "addresses changed, add --cluster-id ",
      actual));
}

absl::StatusOr<StartPlan> PlanLaterStart(const StartFlags& flags, const FoundStore& found) {
  if (found.identity.store != flags.store) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the data folder ", flags.data_dir, " belongs to store ", found.identity.store.value(),
        ", not to store ", flags.store.value(), ": give store ", flags.store.value(),
        "'s folder to --data-dir, or --store-id ", found.identity.store.value()));
  }
  if (absl::Status s = CheckCluster(flags, found); !s.ok()) return s;

  StartPlan plan{.identity = found.identity, .members = {}, .self_managed = false};
  if (found.identity.instance) {
    if (flags.initial_cluster.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the cluster of ", flags.data_dir,
                       " knows by itself who is in it: leave --initial-cluster out"));
    }
    plan.self_managed = true;
    // Until the cluster has called it, a store that joined knows nobody but its peers.
    plan.members = found.known.empty() ? flags.peers : found.known;
    plan.members[flags.store] = flags.address;
    return plan;
  }
  if (flags.initial_cluster.has_value()) {
    plan.members = *flags.initial_cluster;
  } else if (found.remembered.has_value()) {
    plan.members = *found.remembered;
    plan.members[flags.store] = flags.address;
  } else if (found.members.size() == 1) {
    plan.members = {{flags.store, flags.address}};
  } else {
    return absl::InvalidArgumentError(absl::StrCat("the addresses of the other stores are not in ",
                                                   flags.data_dir,
                                                   ": start once with --initial-cluster"));
  }
  std::vector<StoreId> ids;
  for (const auto& [id, address] : plan.members) ids.push_back(id);
  if (ids != found.members) {
    return absl::FailedPreconditionError(
        absl::StrCat("--initial-cluster names other stores than the ", found.members.size(),
                     " that the cluster was founded with: a founded cluster takes new addresses, "
                     "not new stores"));
  }
  return plan;
}

}  // namespace

absl::Status CheckFlags(const StartFlags& flags) {
  const absl::StatusOr<HostPort> address = ParseHostPort(flags.address);
  if (!address.ok()) return address.status();
  if (address->port == 0) {
    return absl::InvalidArgumentError(
        "port 0 in --addr means any port, and nobody could find the store: choose one from 1 up");
  }
  if (flags.initial_cluster.has_value() && !flags.initial_cluster->contains(flags.store)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--initial-cluster does not name store ", flags.store.value(),
                     ", the one to start: list all stores, this one included"));
  }
  if (!flags.peers.empty() && flags.initial_cluster.has_value()) {
    return absl::InvalidArgumentError(
        "--peer joins a cluster that there is, and --initial-cluster founds one: give one of them");
  }
  if (flags.peers.contains(flags.store)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--peer names store ", flags.store.value(),
                     ", the one to start: name another store of the cluster"));
  }
  return absl::OkStatus();
}

absl::StatusOr<StartPlan> PlanStart(const StartFlags& flags, const std::optional<FoundStore>& found,
                                    uint64_t random_id) {
  return found.has_value() ? PlanLaterStart(flags, *found) : PlanFirstStart(flags, random_id);
}

Region FirstRegion(const Members& members) {
  Region region;
  region.id = RegionId(1);
  region.epoch = {.conf_version = 1, .version = 1};
  for (const auto& [id, address] : members) region.peers.push_back({PeerId(id.value()), id});
  return region;
}

}  // namespace flaredb::net
