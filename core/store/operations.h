// SPDX-License-Identifier: Apache-2.0
// What routing has to know of an operation.
#ifndef FLAREDB_CORE_STORE_OPERATIONS_H_
#define FLAREDB_CORE_STORE_OPERATIONS_H_

#include <cstddef>
#include <string>

#include "core/kv/command.h"
#include "core/region/region.h"
#include "core/store/request.h"

namespace flaredb::store {

// The encoded key whose region has to carry the operation out.
std::string RoutingKey(const Operation& operation);
// Whether a region may carry the operation out: it holds all its keys; or some keys of the
// namespace, when the operation is about every region that does. A scan only begins in the region.
bool Concerns(const Region& region, const Operation& operation);
// Any replica may answer it.
bool IsEventualRead(const Operation& operation);
// Whether the operation brings a namespace into being: not if it could not be carried out there,
// since what is created by use is strong.
bool CreatesNamespace(const Operation& operation);
// What its keys, values and the like take. Nothing, for what only stores ask for.
size_t BytesOf(const Operation& operation);
// Of operations that have one of their own.
void SetNamespace(kv::NamespaceId ns, Operation* operation);

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_OPERATIONS_H_
