// SPDX-License-Identifier: Apache-2.0
// What a store knows of its cluster: who is in it and where, which namespaces there are and in
// which mode, where the placement driver is. It learns it from roll calls and keeps it on its disk,
// so that it knows after a restart whom to call and, what matters more, which writes it may accept.
//
// It only ever goes forward: an old call that comes late changes nothing.
#ifndef FLAREDB_CORE_CLUSTER_DIRECTORY_H_
#define FLAREDB_CORE_CLUSTER_DIRECTORY_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/kv/command.h"
#include "core/pd/cluster.h"
#include "core/pd/reply.h"
#include "core/region/region.h"

namespace flaredb::cluster {

// Where the directory lies among a store's system rows.
inline constexpr std::string_view kDirectoryRowKey =
    "\x01"
    "c";

class Directory {
 public:
  // The placement driver's region, as somebody who leads it in `term` knows it; `leader` is his
  // store. True if that is news; false, and without effect, if a later term is known.
  bool SetPd(Term term, StoreId leader, const Region& region);
  // True if something changed. Nothing happens if `view` is of another cluster than the directory,
  // begins after what is known here, or ends no later. O(rows of the view * log n).
  bool Apply(const pd::ClusterView& view);

  // A member says that `store` is none any more, which is for ever: it is lost here, too, until a
  // view says more. True if that is news.
  bool Expel(StoreId store);

  // Zero before the first view.
  pd::ClusterId cluster() const { return cluster_; }
  pd::Revision revision() const { return revision_; }
  // Of the placement driver's group; zero before the first call. Calls of lower ones are over.
  Term pd_term() const { return pd_term_; }
  StoreId pd_leader() const { return pd_leader_; }
  const Region& pd() const { return pd_; }  // Uninitialized before the first call.

  const std::map<StoreId, pd::StoreInfo>& stores() const { return stores_; }
  const std::map<std::string, pd::Namespace, std::less<>>& namespaces() const {
    return namespaces_;
  }
  // Null: it is not known here. Borrowed until the next change.
  const pd::StoreInfo* Find(StoreId store) const;
  const pd::Namespace* Find(std::string_view name) const;
  const pd::Namespace* Find(kv::NamespaceId ns) const;  // O(log n).

  friend bool operator==(const Directory&, const Directory&) = default;

 private:
  pd::ClusterId cluster_;
  pd::Revision revision_;
  Term pd_term_;
  StoreId pd_leader_;
  Region pd_;
  std::map<StoreId, pd::StoreInfo> stores_;
  std::map<std::string, pd::Namespace, std::less<>> namespaces_;
  std::map<kv::NamespaceId, std::string> names_;
};

// docs/FORMAT.md. Decoding refuses anything that EncodeDirectory does not produce with DATA_LOSS.
std::string EncodeDirectory(const Directory& directory);
absl::StatusOr<Directory> DecodeDirectory(std::string_view bytes);

}  // namespace flaredb::cluster

#endif  // FLAREDB_CORE_CLUSTER_DIRECTORY_H_
