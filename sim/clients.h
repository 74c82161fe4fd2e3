// SPDX-License-Identifier: Apache-2.0
// The clients of a run, whatever they ask for: attempts, time limits, repetitions, giving up.
#ifndef FLAREDB_SIM_CLIENTS_H_
#define FLAREDB_SIM_CLIENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/region/region.h"
#include "sim/client.h"
#include "sim/cluster/standstill.h"
#include "sim/history/history.h"
#include "sim/world/failure.h"
#include "sim/world/network.h"
#include "sim/world/profile.h"
#include "sim/world/world.h"

namespace flaredb::sim {

// Attempts time out and are repeated at another store with the same bytes, each with twice the time
// of the one before, so that an impatient client does not drown the stores; refusals are repeated
// after a pause; when an operation has taken too long its outcome stays unknown, and a new logical
// client takes the place of the old one.
class Clients {
 public:
  // Everything passed outlives this object.
  Clients(World* world, const Profile& profile, const Region& region, SimNetwork* network);
  virtual ~Clients() = default;
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // Endpoints that the clients need after those of the stores.
  static uint32_t Endpoints(const WorkloadProfile& profile, uint32_t stores) {
    return profile.clients > stores ? profile.clients : stores;
  }

  void Start();
  // An answer arrives at a client.
  void Deliver(Packet packet);
  // On kClient.
  void OnTimer(uint32_t slot, uint64_t timer);

  // No new operation from now on: those who think of one have finished.
  void Drain();
  // Every client goes away; what it had asked for stays unknown.
  void Leave();
  // One client for each of `stores` reads everything through it, and more if the subclass wants: it
  // asks this store alone, as often as it takes. Requires done().
  void Audit(const std::vector<uint32_t>& stores);
  // The same, but an auditor that is refused or not answered goes on to the next of `stores`: one
  // good one is enough.
  void AuditAny(const std::vector<uint32_t>& stores);
  // Auditors of all other stores have finished, well or not: nobody promises an answer there.
  void AuditOnly(const std::vector<uint32_t>& stores);
  // Every client has finished. Always comes true after Drain or Audit if stores answer.
  bool done() const { return active_ == 0; }
  // A majority of the stores was lost, and the others have recovered: what clients saw before is
  // judged now, as far as it goes, and what they see from now on by itself, beginning with what is
  // left. Requires that all of them left.
  virtual void BeginAnew(bool double_check) = 0;
  // When all is over and no answer comes any more: the verdict on what the clients saw.
  //   double_check  a second checker has to agree
  virtual void JudgeHistory(bool double_check) = 0;
  // For the page of a run; empty for a machine of the user's own.
  virtual const VersionedHistory& history() const = 0;

  // The longest that a store may keep a call of a client that is gone without saying so.
  Duration longest_budget() const { return profile_.attempt_timeout_max * 4; }
  // Operations that were completed, well or not. Rises while the clients make progress.
  uint64_t finished() const { return finished_; }
  uint32_t operations() const { return operations_; }
  // Their numbers, but for those that were left out (Reduction).
  const std::vector<uint32_t>& made() const { return made_; }
  uint32_t unknown() const { return unknown_; }
  // Adds every client that is not done.
  void Show(Standstill* all) const;

 protected:
  // --- What they ask for.

  // The client is to do something: draw its next operation and Begin it; or Think, if the operation
  // is left out (Makes).
  virtual void StartOperation(Client* client) = 0;
  // An auditor is to begin, or to go on after an operation whose outcome it did not learn. It asks,
  // never giving up, until it calls Finish.
  virtual void StartAudit(Client* client) = 0;
  // One attempt of the operation in progress leaves. Every attempt is refused or answered at most
  // once; if neither, nobody knows its outcome.
  virtual void OnAsked(const Client& client, AttemptId attempt) {
    static_cast<void>(client), static_cast<void>(attempt);
  }
  virtual void OnRefused(const Client& client, AttemptId attempt, const store::Error& error,
                         Index applied) {
    static_cast<void>(client), static_cast<void>(attempt);
    static_cast<void>(error), static_cast<void>(applied);
  }
  // The operation in progress has a result, which is no Error: note it, then Think, or what an
  // auditor does.
  virtual void OnResult(Client* client, AttemptId attempt, const store::Result& result,
                        Index applied) = 0;
  // Of the namespace that the operation in progress is for; empty: its id says so.
  virtual std::string NamespaceName(const Client& client) const {
    static_cast<void>(client);
    return "";
  }
  // It ended without: it may have taken effect (then it is a write), or certainly has not.
  virtual void OnEnd(const Client& client, bool unknown) = 0;

  // --- What subclasses use.

  // Whether the operation that is being started is made at all; see Reduction. Asked once for each.
  bool Makes();
  // Asks for client->op.operation, from now on until it has taken too long.
  void Begin(Client* client);
  // Has nothing to do for a while.
  void Think(Client* client);
  void Finish(Client* client);
  // Ends the operation in progress without a result; an auditor begins another one.
  void GiveUp(Client* client);
  uint32_t stores() const { return stores_; }
  // An auditor has read something.
  void NoteProgress() { ++finished_; }
  void Fail(const char* invariant, std::string sentence);

  World* const world_;
  const WorkloadProfile& profile_;

 private:
  void Replace(Client* client);
  void StartAttempt(Client* client);
  bool MayRetry(const Client& client);
  AttemptId Ask(const Client& client, uint32_t target);
  void OnError(Client* client, const store::Error& error);
  Duration AttemptTimeout(const Client& client) const;
  void LookElsewhere(Client* client);
  void PauseBeforeRetry(Client* client);
  void SetTimer(Client* client, Duration delay);

  Region route_;  // The latest that any client heard of.
  SimNetwork* network_;
  uint32_t stores_;
  std::vector<Client> clients_;
  uint32_t last_number_ = 0;
  AttemptId last_attempt_ = 0;
  uint32_t operations_ = 0;
  std::vector<uint32_t> made_;
  uint32_t unknown_ = 0;
  uint32_t active_ = 0;
  uint64_t finished_ = 0;
  bool draining_ = false;
  std::vector<uint32_t> audited_;  // Among which auditors look around; empty: they do not.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CLIENTS_H_
