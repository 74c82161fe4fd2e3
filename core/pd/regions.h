// SPDX-License-Identifier: Apache-2.0
// Where regions are: what their leaders report, and who asks for it.
#ifndef FLAREDB_CORE_PD_REGIONS_H_
#define FLAREDB_CORE_PD_REGIONS_H_

#include <string>
#include <string_view>

#include "core/pd/cluster.h"
#include "core/pd/command.h"
#include "core/pd/query.h"
#include "core/pd/reply.h"
#include "core/region/region.h"
#include "core/region/state_machine.h"

namespace flaredb::pd {

// How far regions that are shown in their order hold all keys from some key on.
class Coverage {
 public:
  explicit Coverage(std::string_view begin) : next_(begin) {}

  // The next region: it ends behind all those before.
  void Add(const Region& region) {
    has_hole_ = has_hole_ || region.start_key > next_;
    next_ = region.end_key;
    ended_ = next_.empty();
  }

  // Whether some key before the end of the last region is in none of them.
  bool has_hole() const { return has_hole_; }
  // The end of the last region; where it all begins, if there was none.
  const std::string& next() const { return next_; }
  // Whether every key up to `end` is in a region. An empty end: without end.
  bool Reaches(std::string_view end) const {
    return !has_hole_ && (ended_ || (!end.empty() && next_ >= end));
  }

 private:
  std::string next_;
  bool ended_ = false;
  bool has_hole_ = false;
};

Reply Apply(const PutRegion& put, ClusterInfo* cluster, MutableObjectRows* rows);

Reply Answer(const GetRegion& get, const ClusterInfo& cluster, const ObjectRows& rows);
Reply Answer(const ScanRegions& scan, const ClusterInfo& cluster, const ObjectRows& rows);

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_REGIONS_H_
