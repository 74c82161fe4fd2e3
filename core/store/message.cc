// SPDX-License-Identifier: Apache-2.0
#include "core/store/message.h"

namespace flaredb::store {

FLAREDB_DEFINE_VARIANT(StoreMessage)

}  // namespace flaredb::store
