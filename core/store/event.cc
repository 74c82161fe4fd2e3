// SPDX-License-Identifier: Apache-2.0
#include "core/store/event.h"

namespace flaredb::store {

FLAREDB_DEFINE_VARIANT(Event)

}  // namespace flaredb::store
