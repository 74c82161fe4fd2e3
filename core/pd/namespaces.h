// SPDX-License-Identifier: Apache-2.0
// Commands about namespaces and their modes.
#ifndef FLAREDB_CORE_PD_NAMESPACES_H_
#define FLAREDB_CORE_PD_NAMESPACES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/pd/cluster.h"
#include "core/pd/command.h"
#include "core/pd/query.h"
#include "core/pd/reply.h"
#include "core/region/state_machine.h"

namespace flaredb::pd {

// There is a namespace of this name from the beginning: kv::NamespaceId::kDefault.
inline constexpr std::string_view kDefaultNamespace = "default";
// Every store knows them all; so what creates a namespace for each user is told early.
inline constexpr uint64_t kNamespacesMax = 10000;
inline constexpr size_t kNameBytesMax = 255;

// 1 to 255 bytes of well-formed UTF-8 without control characters (U+0000 to U+001F, U+007F to
// U+009F) and without '/', which separates a namespace from a key where people write both. Equal
// names are equal bytes: there is no normalization.
bool IsNamespaceName(std::string_view name);

// A namespace that was not there. Requires a good name and room.
Namespace CreateNamespace(const EnsureNamespace& ensure, ClusterInfo* cluster,
                          MutableObjectRows* rows);

Reply Apply(const EnsureNamespace& ensure, ClusterInfo* cluster, MutableObjectRows* rows);
Reply Apply(const StartModeSwitch& start, ClusterInfo* cluster, MutableObjectRows* rows);
Reply Apply(const CancelModeSwitch& cancel, ClusterInfo* cluster, MutableObjectRows* rows);
Reply Apply(const AdvanceModeSwitch& advance, ClusterInfo* cluster, MutableObjectRows* rows);

Reply Answer(const GetNamespace& get, const ClusterInfo& cluster, const ObjectRows& rows);
Reply Answer(const ListNamespaces& list, const ClusterInfo& cluster, const ObjectRows& rows);

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_NAMESPACES_H_
