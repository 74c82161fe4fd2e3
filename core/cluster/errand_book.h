// SPDX-License-Identifier: Apache-2.0
// The driver's errands: which are under way, and when one may run again.
#ifndef FLAREDB_CORE_CLUSTER_ERRAND_BOOK_H_
#define FLAREDB_CORE_CLUSTER_ERRAND_BOOK_H_

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/cluster/errand.h"

namespace flaredb::cluster {

// Whoever looks and finds that something is missing wants an errand, each time that he looks, until
// it is there. This keeps one from running twice at once, or again and again without success.
class ErrandBook {
 public:
  // Errands have ids after `last`.
  // An errand ends `timeout` after its begin if nobody says how it ended; another one for the same
  // `purpose` begins at least `pause` after its end.
  ErrandBook(ErrandId last, Duration timeout, Duration pause)
      : timeout_(timeout), pause_(pause), last_(last) {}

  // Adds it to `errands` unless one for that purpose is under way, or was a moment ago. O(log n).
  void Want(Instant now, const std::string& purpose,
            const std::variant<pd::Command, RegionErrand>& what, std::vector<Errand>* errands);
  // It ended. Returns what it was; nullopt if it is not under way.
  std::optional<Errand> End(Instant now, ErrandId errand);
  // Forgets what is over at `now`.
  void Expire(Instant now);

  // When Want may do what it did not do before. Max: never.
  Instant next_deadline() const;

 private:
  struct Entry {
    ErrandId under_way;  // Zero: it ended.
    Instant until;       // Its timeout, or the end of the pause.
  };
  struct UnderWay {
    std::string purpose;
    Errand errand;
  };

  const Duration timeout_;
  const Duration pause_;
  ErrandId last_;
  std::map<std::string, Entry> entries_;  // By purpose.
  std::map<ErrandId, UnderWay> under_way_;
};

}  // namespace flaredb::cluster

#endif  // FLAREDB_CORE_CLUSTER_ERRAND_BOOK_H_
