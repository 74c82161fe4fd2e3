// SPDX-License-Identifier: Apache-2.0
#include "net/server/start_plan.h"

#include "absl/strings/str_cat.h"
#include "net/address.h"

namespace flaredb::net {
namespace {

StartPlan PlanFirstStart(const StartFlags& flags, uint64_t random_id) {
  StartPlan plan;
  plan.identity.store = flags.store;
  if (!flags.peers.empty()) {
    plan.joins = true;
    return plan;
  }
  plan.members = {{flags.store, flags.address}};
  plan.identity.cluster_id = flags.cluster_id.value_or(random_id == 0 ? 1 : random_id);
  return plan;
}

absl::StatusOr<StartPlan> PlanLaterStart(const StartFlags& flags, const FoundStore& found) {
  const store::Identity& identity = found.identity;
  if (identity.store != flags.store) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the data folder ", flags.data_dir, " belongs to store ", identity.store.value(),
        ", not to store ", flags.store.value(), ": give store ", flags.store.value(),
        "'s folder to --data-dir, or --store-id ", identity.store.value()));
  }
  if (flags.cluster_id.value_or(identity.cluster_id) != identity.cluster_id) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the data folder ", flags.data_dir, " belongs to cluster ", identity.cluster_id,
        ", not to cluster ", *flags.cluster_id, ": give the folder of that cluster to --data-dir"));
  }
  if (!identity.instance) {
    return absl::FailedPreconditionError(
        absl::StrCat("the data folder ", flags.data_dir,
                     " is of a release before clusters knew their members: start that release, and "
                     "copy its keys to a new cluster"));
  }
  StartPlan plan{identity, found.known.empty() ? flags.peers : found.known};
  plan.members[flags.store] = flags.address;
  return plan;
}

}  // namespace

absl::Status CheckListenAddress(const std::string& address) {
  const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
  if (!parsed.ok()) return parsed.status();
  if (parsed->port == 0) {
    return absl::InvalidArgumentError(
        "port 0 in --addr means any port, and nobody could find the store: choose one from 1 up");
  }
  return absl::OkStatus();
}

absl::Status CheckFlags(const StartFlags& flags) {
  if (absl::Status s = CheckListenAddress(flags.address); !s.ok()) return s;
  if (flags.peers.contains(flags.store)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--peer names store ", flags.store.value(),
                     ", the one to start: name another store of the cluster"));
  }
  return absl::OkStatus();
}

absl::StatusOr<StartPlan> PlanStart(const StartFlags& flags, const std::optional<FoundStore>& found,
                                    uint64_t random_id) {
  if (!found.has_value()) return PlanFirstStart(flags, random_id);
  return PlanLaterStart(flags, *found);
}

}  // namespace flaredb::net
