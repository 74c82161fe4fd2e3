// SPDX-License-Identifier: Apache-2.0
// What clients ask of FlareDB's own machine: conditional writes, reads and scans on a few hot keys;
// and whether they are told the truth.
#ifndef FLAREDB_SIM_WORKLOAD_H_
#define FLAREDB_SIM_WORKLOAD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/kv/command.h"
#include "core/region/region.h"
#include "sim/clients.h"
#include "sim/eventual_ledger.h"
#include "sim/history/history.h"
#include "sim/invariants/kv_model.h"
#include "sim/world/network.h"
#include "sim/world/profile.h"
#include "sim/world/world.h"

namespace flaredb::sim {

// All attempts of an operation carry the same request id and seen_index; a write without an id has
// one attempt. Every answer names a place in the log, and is compared with the model there at once:
//   READ    what a read or the page of a scan shows is the state at that place, and all of it; and
//   a
//           page keeps its limits and tells where it ended
//   ANSWER  a write is told what the log made of it between the beginning of the attempt and there;
//           and no answer names a place that is not committed
class Workload : public Clients {
 public:
  // `model` is the region's history as the checkers know it, `ledger` takes what concerns eventual
  // namespaces; null: the run has none. `others_exist`: whether these are there yet. Everything
  // passed outlives this object.
  Workload(
      World* world, const Profile& profile, const Region& region, SimNetwork* network,
      const KvModel* model, EventualLedger* ledger = nullptr,
      std::function<bool()> others_exist = [] { return true; });

  const VersionedHistory& history() const override { return history_; }
  void JudgeHistory(bool double_check) override;
  void BeginAnew(bool double_check) override;

 private:
  // The latest that any client knows of a key: most conditional writes should succeed.
  struct Hint {
    kv::Version version;
    Index index;
  };

  void StartOperation(Client* client) override;
  void StartAudit(Client* client) override;
  void OnAsked(const Client& client, AttemptId attempt) override;
  void OnRefused(const Client& client, AttemptId attempt, const store::Error& error,
                 Index applied) override;
  void OnResult(Client* client, AttemptId attempt, const store::Result& result,
                Index applied) override;
  void OnEnd(const Client& client, bool unknown) override;

  void StartGet(Client* client, uint32_t key, kv::NamespaceId ns = kv::NamespaceId::kDefault);
  void StartScan(Client* client, std::string begin, std::string end);
  void StartWrite(Client* client, uint32_t key, bool deletes,
                  kv::NamespaceId ns = kv::NamespaceId::kDefault);

  // workload_eventual.cc
  std::string NamespaceName(const Client& client) const override;
  void StartInOtherNamespace(Client* client);
  void StartRawWrite(Client* client, uint32_t key, bool deletes, kv::NamespaceId ns);
  void StartEventualGet(Client* client, uint32_t key, kv::NamespaceId ns);
  void StartEventualScan(Client* client, std::string begin, std::string end, kv::NamespaceId ns);
  void AskAnybody(Client* client);
  void OnReply(Client* client, const store::AcceptedReply& reply);
  void OnEventualReply(Client* client, const store::GetReply& reply, Index applied);
  void OnEventualReply(Client* client, const store::ScanReply& reply, Index applied);
  void OnReply(Client* client, const store::GetReply& reply, Index applied);
  void OnReply(Client* client, const store::ScanReply& reply, Index applied);
  void OnReply(Client* client, const kv::WriteReply& reply, Index applied);

  // Each says what is wrong with an answer; empty: nothing.
  std::string WrongRead(kv::NamespaceId ns, const std::string& key,
                        const std::optional<kv::VersionedValue>& found, Index applied) const;
  std::string WrongPage(const store::ScanRequest& scan, const kv::ScanPage& page,
                        Index applied) const;
  std::string WrongDecision(const store::Operation& write, AttemptId attempt,
                            const kv::WriteReply& told, Index applied) const;
  // Whether `applied` is committed and the write was decided so; otherwise the run has failed.
  bool CheckDecision(const Client& client, AttemptId attempt, const kv::WriteReply& told,
                     Index applied);

  std::set<ValueId> RecordWhatIsLeft();
  void MayStillCome(const std::string& key, const VersionedOp& op);
  // Tells the history that `key` was read at log position `applied`, with the right result.
  void RecordRead(VersionedHistory::OpRef ref, uint32_t key, Index applied);
  Hint& HintOf(kv::NamespaceId ns, uint32_t key) { return hints_[ns][key]; }
  void Learn(kv::NamespaceId ns, uint32_t key, kv::Version version, Index applied);
  std::string KeyName(uint32_t key) const { return "k" + std::to_string(key); }
  std::string MakeValue(ValueId value);

  const KvModel* model_;
  EventualLedger* ledger_;
  const EventualProfile& eventual_;
  const bool by_name_;  // Namespaces are asked for by name, as a placement driver knows them.
  const std::function<bool()> others_exist_;
  // What clients believe of the namespaces that are not always strong.
  std::map<kv::NamespaceId, kv::Mode> modes_;
  std::map<kv::NamespaceId, std::map<uint32_t, Hint>> hints_;  // By key.
  std::vector<Index> asked_;  // What was committed when it began, by AttemptId - 1.
  VersionedHistory history_;
  ValueId last_value_ = 0;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORKLOAD_H_
