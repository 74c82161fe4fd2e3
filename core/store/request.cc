// SPDX-License-Identifier: Apache-2.0
#include "core/store/request.h"

namespace flaredb::store {

FLAREDB_DEFINE_VARIANT(Operation)
FLAREDB_DEFINE_VARIANT(Result)

}  // namespace flaredb::store
