// SPDX-License-Identifier: Apache-2.0
// The placement driver, once more: maps in memory, no rows, no index, everything looked through.
#ifndef FLAREDB_SIM_PD_PD_MODEL_H_
#define FLAREDB_SIM_PD_PD_MODEL_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/pd/cluster.h"
#include "core/pd/command.h"
#include "core/pd/query.h"
#include "core/pd/reply.h"

namespace flaredb::sim {

// A SequentialObject (sim/machine_spec.h).
class PdModel {
 public:
  std::string Execute(std::string_view command);
  std::string Query(std::string_view query) const;
  std::string State() const;

 private:
  pd::Reply On(const pd::Bootstrap& bootstrap);
  pd::Reply On(const pd::PutStore& put);
  pd::Reply On(const pd::SetStoreState& set);
  pd::Reply On(const pd::AllocateIds& allocate);
  pd::Reply On(const pd::EnsureNamespace& ensure);
  pd::Reply On(const pd::StartModeSwitch& start);
  pd::Reply On(const pd::CancelModeSwitch& cancel);
  pd::Reply On(const pd::AdvanceModeSwitch& advance);
  pd::Reply On(const pd::PutRegion& put);

  pd::Reply On(const pd::GetCluster& get) const;
  pd::Reply On(const pd::GetRegion& get) const;
  pd::Reply On(const pd::ScanRegions& scan) const;
  pd::Reply On(const pd::GetNamespace& get) const;
  pd::Reply On(const pd::ListNamespaces& list) const;

  pd::Reply Put(pd::StoreInfo store);
  pd::Reply Put(pd::Namespace ns);
  pd::Reply Enter(pd::ModeState state, pd::Namespace ns);
  pd::Namespace* Find(const std::string& name);
  static bool ShareKeys(const Region& a, const Region& b);
  // In the order of their keys.
  std::vector<pd::RegionInfo> Regions() const;

  pd::ClusterId cluster_;  // 0: none yet.
  StoreId founder_;
  pd::Revision revision_;
  uint64_t next_id_ = 1;
  std::map<StoreId, pd::StoreInfo> stores_;
  std::map<std::string, pd::Namespace> namespaces_;
  std::map<RegionId, pd::RegionInfo> regions_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_PD_PD_MODEL_H_
