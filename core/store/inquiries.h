// SPDX-License-Identifier: Apache-2.0
// What calls have to be told by the placement driver before they can be routed.
#ifndef FLAREDB_CORE_STORE_INQUIRIES_H_
#define FLAREDB_CORE_STORE_INQUIRIES_H_

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/pd/cluster.h"
#include "core/pd/reply.h"
#include "core/store/call_table.h"
#include "core/store/call_view.h"
#include "core/store/request.h"

namespace flaredb::store {

// Keeps the questions; somebody else sends them, as requests like any other. One question for all
// who want to know the same, and a few at a time. A question without a useful answer is dropped:
// whoever still wants to know comes again.
class Inquiries {
 public:
  // The answer to a question, for the calls that waited for it.
  struct Answer {
    // Monostate: none; the calls may ask again.
    std::variant<std::monostate, pd::RegionInfo, pd::Namespace, Error> what;
    std::vector<CallKey> calls;
  };

  // Somebody wants to know the region of this encoded key.
  void WantRegion(std::string key);
  // `call` waits until it is told which namespace `name` stands for; `create`: there is to be one.
  void WantNamespace(const std::string& name, bool create, CallKey call);

  // The next question, which is asked as `as`; nullopt: there is none now.
  std::optional<Operation> Next(OwnId as);
  // Whether `id` is a question that has no answer yet.
  bool Asks(OwnId id) const { return names_asked_.contains(id) || id == region_asked_; }
  // Requires Asks(id).
  Answer OnReply(OwnId id, const Reply& reply);

  // Whether the call waits for a name. O(calls that do).
  bool Holds(CallKey call) const;

 private:
  struct Name {
    std::string name;
    bool create = false;

    friend auto operator<=>(const Name&, const Name&) = default;
  };

  std::set<std::string> keys_;  // Wanted; a bounded number.
  OwnId region_asked_;          // Zero: none is.
  std::string last_key_;        // Asked last; the others come first.
  std::map<Name, std::vector<CallKey>> names_;
  std::map<OwnId, Name> names_asked_;
  std::set<Name> unasked_;
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_INQUIRIES_H_
