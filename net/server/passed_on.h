// SPDX-License-Identifier: Apache-2.0
// Which calls other stores carried out for this one.
#ifndef FLAREDB_NET_SERVER_PASSED_ON_H_
#define FLAREDB_NET_SERVER_PASSED_ON_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/base/types.h"
#include "core/store/message.h"

namespace flaredb::net {

// Watches what the stores tell each other: a store's reply to its client is the same whoever made
// it. What is found out is a hint, about a key and not about a call.
class PassedOn {
 public:
  // The oldest of more calls under way are forgotten: many of them will never be answered, and one
  // that is answered is enough.
  static constexpr size_t kUnderWayMax = 1024;

  struct Answer {
    RegionId region;
    StoreId from;  // It led the region.
  };

  void OnSent(const store::StoreMessage& message);
  void OnReceived(StoreId from, const store::StoreMessage& message);
  // What answered a call about the encoded key, a scan's first one, in this turn. Null: nobody else
  // did. Borrowed.
  const Answer* Find(std::string_view encoded_key) const;
  void EndTurn() { answered_.clear(); }

 private:
  struct UnderWay {
    RegionId region;
    std::string key;
  };

  std::map<uint64_t, UnderWay> under_way_;  // By ForwardedRequest::id, which ascends.
  std::map<std::string, Answer, std::less<>> answered_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_PASSED_ON_H_
