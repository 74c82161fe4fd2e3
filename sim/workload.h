// SPDX-License-Identifier: Apache-2.0
// What clients do: conditional writes, reads and scans on a few hot keys, through any store.
#ifndef FLAREDB_SIM_WORKLOAD_H_
#define FLAREDB_SIM_WORKLOAD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/kv/command.h"
#include "core/region/region.h"
#include "sim/client.h"
#include "sim/history/history.h"
#include "sim/invariants/kv_model.h"
#include "sim/network.h"
#include "sim/profile.h"
#include "sim/world.h"

namespace flaredb::sim {

// Attempts time out and are repeated at another store with the same request id and seen_index, each
// with twice the time of the one before, so that an impatient client does not drown the stores;
// refusals are repeated after a pause; when an operation has taken too long its outcome stays
// unknown, and a new logical client takes the place of the old one.
class Workload {
 public:
  // `model` is the region's history as the checkers know it: every answer is compared with it at
  // once. Everything passed outlives this object.
  Workload(World* world, const Profile& profile, const Region& region, SimNetwork* network,
           const KvModel* model);

  // Endpoints that the workload needs after those of the stores.
  static uint32_t Endpoints(const WorkloadProfile& profile, uint32_t stores) {
    return profile.clients > stores ? profile.clients : stores;
  }

  void Start();
  // An answer arrives at a client.
  void Deliver(Packet packet);
  // On kClient.
  void OnTimer(uint32_t slot, uint64_t timer);

  // No new operation from now on.
  void Drain() { draining_ = true; }
  // Every client goes away; what it had asked for stays unknown.
  void Leave();
  // One client for each of `stores` reads every key through it. Requires done().
  void Audit(const std::vector<uint32_t>& stores);
  // Every client has finished. Always comes true after Drain or Audit if stores answer.
  bool done() const { return active_ == 0; }
  // The longest that a store may keep a call of a client that is gone without saying so.
  Duration longest_budget() const { return profile_.attempt_timeout_max * 4; }
  // Operations that were completed, well or not. Rises while the workload makes progress.
  uint64_t finished() const { return finished_; }

  const VersionedHistory& history() const { return history_; }
  uint32_t operations() const { return operations_; }
  // Their numbers, but for those that were left out (Reduction).
  const std::vector<uint32_t>& made() const { return made_; }
  uint32_t unknown() const { return unknown_; }
  // One line for each client that is not done, for the report of a run that is stuck.
  std::string Describe() const;

 private:
  // The latest that any client knows of a key: most conditional writes should succeed.
  struct Hint {
    kv::Version version;
    Index index;
  };

  void Think(Client* client);
  void StartOperation(Client* client);
  void StartGet(Client* client, uint32_t key);
  void StartScan(Client* client, std::string begin);
  void StartWrite(Client* client, uint32_t key, bool deletes);
  void StartAttempt(Client* client);
  AttemptId Ask(const Client& client, uint32_t target);
  Duration AttemptTimeout(const Client& client) const;
  void PauseBeforeRetry(Client* client);
  void Replace(Client* client);
  void GiveUp(Client* client);
  void Finish(Client* client);

  void OnReply(Client* client, const store::GetReply& reply, Index applied);
  void OnReply(Client* client, const store::ScanReply& reply, Index applied);
  void OnReply(Client* client, const kv::WriteReply& reply, Index applied);
  void OnReply(Client* client, const MachineReply& reply, Index applied);
  void OnReply(Client* client, const store::Error& error, Index applied);
  void Forgotten(Client* client);

  // Tells the history that `key` was read at log position `applied` with this result.
  void RecordRead(VersionedHistory::OpRef ref, uint32_t key, Index applied,
                  const std::optional<kv::VersionedValue>& found);
  void Learn(uint32_t key, kv::Version version, Index applied);
  std::string KeyName(uint32_t key) const { return "k" + std::to_string(key); }
  std::string MakeValue(ValueId value);
  static std::optional<ValueId> ParseValue(const std::string& value);
  void SetTimer(Client* client, Duration delay);
  void Fail(const char* invariant, std::string sentence);

  World* world_;
  const WorkloadProfile& profile_;
  Region route_;  // The latest that any client heard of.
  SimNetwork* network_;
  const KvModel* model_;
  uint32_t stores_;
  std::vector<Client> clients_;
  std::vector<Hint> hints_;  // By key.
  VersionedHistory history_;
  uint32_t last_number_ = 0;
  AttemptId last_attempt_ = 0;
  ValueId last_value_ = 0;
  uint32_t operations_ = 0;
  std::vector<uint32_t> made_;
  uint32_t unknown_ = 0;
  uint32_t active_ = 0;
  uint64_t finished_ = 0;
  bool draining_ = false;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORKLOAD_H_
