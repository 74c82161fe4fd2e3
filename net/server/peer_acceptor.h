// SPDX-License-Identifier: Apache-2.0
// The way from the other stores to this one: raftpb.RaftService on a gRPC server.
#ifndef FLAREDB_NET_SERVER_PEER_ACCEPTOR_H_
#define FLAREDB_NET_SERVER_PEER_ACCEPTOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
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

// Lets in the stores of the same cluster that mean this store, one stream each: a new one replaces
// the old one. Others, and whoever sends what cannot be decoded, get a status of one clear
// sentence.
//
// A store that is not known may have joined since this one heard of the cluster last, and may be
// the very one that is to tell it so: it is let in. Those that are known to have gone are not.
class PeerAcceptor {
 public:
  using Deliver = std::function<void(StoreId from, store::StoreMessage message)>;
  // Store `from` opened a stream and says where it is to be reached: "host:port".
  using Greet = std::function<void(StoreId from, const std::string& address)>;

  // Registers the method; `server` must not be listening yet, and lets stores alone in
  // (net/access/door.h). Outlives `server`.
  PeerAcceptor(GrpcServer* server, Deliver deliver, Greet greet);
  ~PeerAcceptor();
  PeerAcceptor(const PeerAcceptor&) = delete;
  PeerAcceptor& operator=(const PeerAcceptor&) = delete;

  // From now on streams are accepted. `incarnation` is this process's.
  void Start(const store::Identity& self, uint64_t incarnation);
  // Who were members once, and never will be again. Their streams end with their next batch.
  void SetGone(const std::set<StoreId>& gone);
  // Who called since the start, and from where: told to all who call. After a move of all stores
  // one that two others found is the only one to know both.
  void SetCallers(const Members& callers);
  // Ends all streams and accepts no more.
  void Stop();

 private:
  class Stream;

  // Why the sender of `batch` may not talk to us; OK when it may.
  GrpcStatus Check(const raftpb::RaftBatch& batch) const;
  // `stream` is now the one of store `from`.
  void Adopt(StoreId from, Stream* stream);
  void Forget(StoreId from, Stream* stream);

  const Deliver deliver_;
  const Greet greet_;
  bool accepting_ = false;
  store::Identity self_;
  std::set<StoreId> gone_;
  uint64_t incarnation_ = 0;
  Members callers_;
  std::map<StoreId, Stream*> streams_;        // Owned by their calls.
  std::vector<store::StoreMessage> decoded_;  // Reused.
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_PEER_ACCEPTOR_H_
