// SPDX-License-Identifier: Apache-2.0
#include "core/store/wall_clock.h"

#include <algorithm>
#include <variant>

namespace flaredb::store {

void TellWallClock(std::vector<Event>* events, absl::FunctionRef<uint64_t()> unix_ms) {
  const bool of_roll = std::any_of(events->begin(), events->end(), [](const Event& event) {
    const auto* received = std::get_if<MessageReceived>(&event);
    return received != nullptr && (std::holds_alternative<cluster::RollCall>(received->message) ||
                                   std::holds_alternative<cluster::RollAnswer>(received->message));
  });
  if (of_roll) events->insert(events->begin(), WallClock{unix_ms()});
}

}  // namespace flaredb::store
