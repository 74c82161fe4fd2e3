// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/directory.h"

#include <utility>
#include <variant>

#include "core/base/codec.h"

namespace flaredb::cluster {

namespace {

constexpr uint8_t kFormat = 1;

}  // namespace

bool Directory::SetPd(Term term, StoreId leader, const Region& region) {
  if (term < pd_term_) return false;
  if (term == pd_term_ && leader == pd_leader_ && region == pd_) return false;
  pd_term_ = term;
  pd_leader_ = leader;
  pd_ = region;
  return true;
}

bool Directory::Apply(const pd::ClusterView& view) {
  if (cluster_ && view.cluster != cluster_) return false;
  if (view.since > revision_ || view.revision <= revision_) return false;
  cluster_ = view.cluster;
  revision_ = view.revision;
  for (const pd::StoreInfo& store : view.stores) stores_.insert_or_assign(store.id, store);
  for (const pd::Namespace& ns : view.namespaces) {
    namespaces_.insert_or_assign(ns.name, ns);
    names_.insert_or_assign(ns.id, ns.name);
  }
  return true;
}

bool Directory::Expel(StoreId store) {
  const auto at = stores_.find(store);
  if (at == stores_.end() || !pd::IsMember(at->second)) return false;
  at->second.state = pd::StoreState::kLost;
  return true;
}

const pd::StoreInfo* Directory::Find(StoreId store) const {
  const auto at = stores_.find(store);
  return at == stores_.end() ? nullptr : &at->second;
}

const pd::Namespace* Directory::Find(std::string_view name) const {
  const auto at = namespaces_.find(name);
  return at == namespaces_.end() ? nullptr : &at->second;
}

const pd::Namespace* Directory::Find(kv::NamespaceId ns) const {
  const auto at = names_.find(ns);
  return at == names_.end() ? nullptr : Find(at->second);
}

std::string EncodeDirectory(const Directory& directory) {
  pd::ClusterView view{directory.cluster(), pd::Revision(), directory.revision(), {}, {}};
  for (const auto& [id, store] : directory.stores()) view.stores.push_back(store);
  for (const auto& [name, ns] : directory.namespaces()) view.namespaces.push_back(ns);
  ByteWriter out;
  out.U8(kFormat);
  out.Varint(directory.pd_term().value());
  out.Varint(directory.pd_leader().value());
  out.Bytes(directory.pd().initialized() ? EncodeRegion(directory.pd()) : "");
  out.Raw(pd::EncodeReply(view));
  return out.Take();
}

absl::StatusOr<Directory> DecodeDirectory(std::string_view bytes) {
  ByteReader in(bytes);
  in.FormatVersion(kFormat);
  const Term term(in.Varint());
  const StoreId leader(in.Varint());
  const std::string_view region_bytes = in.Bytes();
  absl::StatusOr<Region> region = Region();
  if (!region_bytes.empty()) region = DecodeRegion(region_bytes);
  in.Require(region.ok(), "it contains a region");
  const absl::StatusOr<pd::Reply> reply = pd::DecodeReply(in.Rest());
  const auto* view = reply.ok() ? std::get_if<pd::ClusterView>(&*reply) : nullptr;
  in.Require(view != nullptr, "it contains a view of a cluster");
  Directory directory;
  if (in.ok()) {
    directory.SetPd(term, leader, *region);
    directory.Apply(*view);
  }
  // Rows out of order, of a revision that is not there, or twice.
  in.Require(EncodeDirectory(directory) == bytes, "it is what a directory writes");
  if (absl::Status status = in.Finish("the directory"); !status.ok()) return status;
  return directory;
}

}  // namespace flaredb::cluster
