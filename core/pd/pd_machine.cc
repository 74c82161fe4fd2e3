// SPDX-License-Identifier: Apache-2.0
#include "core/pd/pd_machine.h"

#include <optional>
#include <variant>

#include "core/pd/bootstrap.h"
#include "core/pd/cluster.h"
#include "core/pd/command.h"
#include "core/pd/ids.h"
#include "core/pd/namespaces.h"
#include "core/pd/query.h"
#include "core/pd/regions.h"
#include "core/pd/reply.h"
#include "core/pd/rows.h"
#include "core/pd/stores.h"

namespace flaredb::pd {

namespace {

Reply Execute(const Command& command, MutableObjectRows* rows) {
  const std::optional<ClusterInfo> before = ReadCluster(*rows);
  if (!before) {
    const auto* bootstrap = std::get_if<Bootstrap>(&command);
    return bootstrap != nullptr ? Found(*bootstrap, rows) : Refused{Refusal::kNotBootstrapped};
  }
  ClusterInfo cluster = *before;
  const Reply reply = std::visit([&](const auto& c) { return Apply(c, &cluster, rows); }, command);
  if (cluster != *before) WriteCluster(cluster, rows);
  return reply;
}

Reply Answer(const GetCluster& get, const ClusterInfo& cluster, const ObjectRows& rows) {
  ClusterView view;
  view.cluster = cluster.id;
  view.since = get.known <= cluster.revision ? get.known : Revision();
  view.revision = cluster.revision;
  if (view.since == view.revision) return view;
  for (const StoreInfo& store : ReadStores(rows)) {
    if (store.changed > view.since) view.stores.push_back(store);
  }
  VisitNamespaces("", rows, [&](const Namespace& ns) {
    if (ns.changed > view.since) view.namespaces.push_back(ns);
    return true;
  });
  return view;
}

}  // namespace

std::string PdMachine::Apply(std::string_view command, MutableObjectRows* rows) const {
  const absl::StatusOr<Command> decoded = DecodeCommand(command);
  return EncodeReply(decoded.ok() ? Execute(*decoded, rows) : Refused{Refusal::kNotUnderstood});
}

std::string PdMachine::Query(std::string_view query, const ObjectRows& rows) const {
  const absl::StatusOr<pd::Query> decoded = DecodeQuery(query);
  if (!decoded.ok()) return EncodeReply(Refused{Refusal::kNotUnderstood});
  const std::optional<ClusterInfo> cluster = ReadCluster(rows);
  if (!cluster) return EncodeReply(Refused{Refusal::kNotBootstrapped});
  return EncodeReply(
      std::visit([&](const auto& q) { return Answer(q, *cluster, rows); }, *decoded));
}

}  // namespace flaredb::pd
