// SPDX-License-Identifier: Apache-2.0
// The way from the other stores to this one: raftpb.RaftService on a gRPC server.
#ifndef FLAREDB_NET_SERVER_PEER_ACCEPTOR_H_
#define FLAREDB_NET_SERVER_PEER_ACCEPTOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "core/base/types.h"
#include "core/store/message.h"
#include "core/store/recovery.h"
#include "net/grpc_server.h"
#include "net/server/members.h"

namespace raftpb {
class RaftBatch;
}

namespace flaredb::net {

// Lets in the members of the same cluster that mean this store, one stream each: a new one replaces
// the old one. Others, and whoever sends what cannot be decoded, get a status of one clear
// sentence.
class PeerAcceptor {
 public:
  using Deliver = std::function<void(StoreId from, store::StoreMessage message)>;

  // Registers the method; `server` must not be listening yet. Outlives `server`.
  //   want_certificates  only who shows a store's certificate is let in: clients have certificates
  //                      of the same authority, and one of them must not vote
  PeerAcceptor(GrpcServer* server, bool want_certificates, Deliver deliver);
  ~PeerAcceptor();
  PeerAcceptor(const PeerAcceptor&) = delete;
  PeerAcceptor& operator=(const PeerAcceptor&) = delete;

  // From now on streams are accepted. `incarnation` is this process's.
  void Start(const store::Identity& self, const Members& members, uint64_t incarnation);
  // Who may talk to us from now on. Streams of others end with their next batch.
  void SetMembers(const Members& members) { members_ = members; }
  // Ends all streams and accepts no more.
  void Stop();

 private:
  class Stream;

  // Why the sender of `batch` may not talk to us; OK when it may.
  GrpcStatus Check(const raftpb::RaftBatch& batch) const;
  // `stream` is now the one of store `from`.
  void Adopt(StoreId from, Stream* stream);
  void Forget(StoreId from, Stream* stream);

  const bool want_certificates_;
  const Deliver deliver_;
  bool accepting_ = false;
  store::Identity self_;
  Members members_;
  uint64_t incarnation_ = 0;
  std::map<StoreId, Stream*> streams_;        // Owned by their calls.
  std::vector<store::StoreMessage> decoded_;  // Reused.
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_PEER_ACCEPTOR_H_
