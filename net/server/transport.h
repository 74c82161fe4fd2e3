// SPDX-License-Identifier: Apache-2.0
// Carries messages between this store and the others of its cluster.
#ifndef FLAREDB_NET_SERVER_TRANSPORT_H_
#define FLAREDB_NET_SERVER_TRANSPORT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/store/message.h"
#include "core/store/recovery.h"
#include "net/event_loop.h"
#include "net/grpc_server.h"
#include "net/server/figures.h"
#include "net/server/members.h"
#include "net/server/peer_acceptor.h"
#include "net/server/peer_link.h"

namespace flaredb::net {

// One stream in each direction for each pair of stores, opened by its sender. Messages may be lost.
class Transport {
 public:
  // Receives messages in step 2 of the loop. Also the stand-in answers of PeerLink, as if they came
  // from the store that was asked.
  using Deliver = std::function<void(StoreId from, store::StoreMessage message)>;
  using Expelled = PeerLink::Expelled;

  // Registers raftpb.RaftService; `server` must not be listening yet. Outlives `server`.
  //   tls  of the links to other stores; nullptr: plain TCP
  Transport(
      EventLoop* loop, GrpcServer* server, std::shared_ptr<const TlsContext> tls, Deliver deliver,
      Expelled expelled = [] {});

  // Opens the links. `incarnation` is this process's: random, not 0. `hints`: where an operator
  // says that members are; where one is not found at its known address, it is looked for there as
  // well.
  void Start(const store::Identity& self, const Members& members, uint64_t incarnation,
             Members hints = {});
  // From now on these are the members: links to new ones and to new addresses are opened, those to
  // others are closed. A store that calls from somewhere else, or is not known yet, is answered
  // there until this says otherwise: without an answer it could not tell what is new.
  //   gone  see PeerAcceptor
  void SetMembers(const Members& members, const std::set<StoreId>& gone = {});
  // Closes the links in both directions.
  void Stop();

  // Adds to what leaves at the next Flush. A store that is no member gets nothing.
  void Send(StoreId to, const store::StoreMessage& message);
  void Flush();

  // Empty when the store is no member.
  std::string AddressOf(StoreId store) const;
  // Of every link, by store.
  std::vector<LinkFigures> figures() const;

 private:
  void OnMessage(StoreId from, store::StoreMessage message);
  void OnGreeting(StoreId from, const std::string& address);
  void OnCallers(StoreId of, const Members& callers);
  // Where to look for a member.
  std::vector<std::string> AddressesOf(StoreId store, const std::string& known) const;
  // Links as `addresses_`, `hints_` and `hearsay_` say.
  void Link();

  EventLoop* const loop_;
  const std::shared_ptr<const TlsContext> tls_;
  const Deliver deliver_;
  const Expelled expelled_;
  PeerAcceptor acceptor_;
  store::Identity self_;
  std::string self_address_;
  uint64_t incarnation_ = 0;
  Members members_;    // As last told.
  Members addresses_;  // Of those and of who called since.
  Members hints_;
  Members callers_;  // Those who called since the start.
  Members hearsay_;  // Where others say that they were called from.
  std::map<StoreId, std::unique_ptr<PeerLink>> links_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_TRANSPORT_H_
