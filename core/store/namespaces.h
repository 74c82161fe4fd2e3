// SPDX-License-Identifier: Apache-2.0
// What a store knows of namespaces: what they are called, and whom it lets in.
#ifndef FLAREDB_CORE_STORE_NAMESPACES_H_
#define FLAREDB_CORE_STORE_NAMESPACES_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/kv/command.h"
#include "core/pd/cluster.h"
#include "core/pd/namespaces.h"
#include "core/store/request.h"

namespace flaredb::store {

// The fences of the regions decide (kv::Fence); this keeps those out early who would meet one, and
// is all that decides whether a write to an eventual namespace is accepted, which meets no region.
class Namespaces {
 public:
  // Nothing if more is known already.
  void Set(kv::NamespaceId ns, const NamespaceMode& mode);
  // What the placement driver says of one.
  void Learn(const pd::Namespace& ns);
  // The namespace of that name; kNone when it is not known. "default" always is.
  kv::NamespaceId Find(std::string_view name) const;
  // Of one that was never set: strong, at epoch 0.
  const NamespaceMode& Of(kv::NamespaceId ns) const;

  // Why the operation may not begin now; nullopt: it may.
  std::optional<Error> Refusal(const Operation& operation) const;

 private:
  std::map<kv::NamespaceId, NamespaceMode> modes_;
  std::map<std::string, kv::NamespaceId, std::less<>> names_ = {
      {std::string(pd::kDefaultNamespace), kv::NamespaceId::kDefault}};
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_NAMESPACES_H_
