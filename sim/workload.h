// SPDX-License-Identifier: Apache-2.0
// What clients ask of FlareDB's own machine: conditional writes, reads and scans on a few hot keys.
#ifndef FLAREDB_SIM_WORKLOAD_H_
#define FLAREDB_SIM_WORKLOAD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/kv/command.h"
#include "core/region/region.h"
#include "sim/clients.h"
#include "sim/history/history.h"
#include "sim/invariants/kv_model.h"
#include "sim/network.h"
#include "sim/profile.h"
#include "sim/world.h"

namespace flaredb::sim {

// All attempts of an operation carry the same request id and seen_index.
class Workload : public Clients {
 public:
  // `model` is the region's history as the checkers know it: every answer is compared with it at
  // once. Everything passed outlives this object.
  Workload(World* world, const Profile& profile, const Region& region, SimNetwork* network,
           const KvModel* model);

  const VersionedHistory& history() const override { return history_; }
  void JudgeHistory(bool double_check) override;

 private:
  // The latest that any client knows of a key: most conditional writes should succeed.
  struct Hint {
    kv::Version version;
    Index index;
  };

  void StartOperation(Client* client) override;
  void StartAudit(Client* client) override { StartGet(client, 0); }
  void OnResult(Client* client, AttemptId attempt, const store::Result& result,
                Index applied) override;
  void OnEnd(const Client& client, bool unknown) override;

  void StartGet(Client* client, uint32_t key);
  void StartScan(Client* client, std::string begin);
  void StartWrite(Client* client, uint32_t key, bool deletes);
  void OnReply(Client* client, const store::GetReply& reply, Index applied);
  void OnReply(Client* client, const store::ScanReply& reply, Index applied);
  void OnReply(Client* client, const kv::WriteReply& reply, Index applied);

  // Tells the history that `key` was read at log position `applied` with this result.
  void RecordRead(VersionedHistory::OpRef ref, uint32_t key, Index applied,
                  const std::optional<kv::VersionedValue>& found);
  void Learn(uint32_t key, kv::Version version, Index applied);
  std::string KeyName(uint32_t key) const { return "k" + std::to_string(key); }
  std::string MakeValue(ValueId value);
  static std::optional<ValueId> ParseValue(const std::string& value);

  const KvModel* model_;
  std::vector<Hint> hints_;  // By key.
  VersionedHistory history_;
  ValueId last_value_ = 0;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORKLOAD_H_
