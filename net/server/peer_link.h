// SPDX-License-Identifier: Apache-2.0
// The way to one other store: a stream that is opened again whenever it breaks.
#ifndef FLAREDB_NET_SERVER_PEER_LINK_H_
#define FLAREDB_NET_SERVER_PEER_LINK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/store/message.h"
#include "net/event_loop.h"
#include "net/grpc_client.h"
#include "net/server/figures.h"
#include "net/server/members.h"

namespace raftpb {
class RaftBatch;
}

namespace flaredb::net {

// How every batch begins.
struct LinkHeader {
  uint64_t cluster_id = 0;
  StoreId from;
  StoreId to;
  uint64_t incarnation = 0;  // Of this process.
  std::string from_address;  // Where this process is to be reached; in the first batch only.
};

// Messages of one turn leave in one batch, if it does not become too large. What cannot leave now
// is lost, as Raft permits; a forwarded request is answered instead, so that its client learns the
// truth at once:
//   not sent               kNotLeader, not applied
//   sent, reply too large for what waits here already  kServerIsBusy, not applied
//   sent, link broken since  kReadNotReady for a read; kStaleCommand, unknown, for a write
class PeerLink : private ClientStreamReader {
 public:
  // Receives the answers to forwarded requests that met no store. Not called from inside Add;
  // may be called once more after the link's end.
  using Answer = std::function<void(store::ForwardedReply reply)>;

  // The other store says that this one is no member any more, and never will be again.
  using Expelled = std::function<void()>;
  // The other store says who called it, and where they said that they are.
  using Callers = std::function<void(const Members& callers)>;

  // `addresses`: where the store may be, at least one; after a failure the next one is tried.
  // `tls` nullptr: plain TCP.
  PeerLink(EventLoop* loop, const LinkHeader& header, std::vector<std::string> addresses,
           std::shared_ptr<const TlsContext> tls, Answer answer, Expelled expelled,
           Callers callers);
  ~PeerLink();
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;

  // Adds to the batch of this turn.
  void Add(const store::StoreMessage& message);
  // Sends the batch.
  void Flush();
  // The other store answered request `id`, whichever way the answer came.
  void NoteAnswered(uint64_t id) { in_flight_.erase(id); }
  LinkFigures figures() const;
  const std::vector<std::string>& addresses() const { return addresses_; }
  // Looks there from now on. False, and nothing changed: a new link would look sooner, or this one
  // is not where the other store may be.
  bool Follow(const std::vector<std::string>& addresses);

 private:
  enum class State : uint8_t { kDown, kOpening, kUp };
  static constexpr Duration kReopenPause = Duration::Milliseconds(100);

  void OnMessage(std::string_view message) override;
  void OnClosed(const GrpcStatus& status, Sent sent) override;

  const std::string& address() const { return addresses_[tried_]; }
  void Open();
  void AddInLittleRoom(const store::ForwardedReply& reply);
  void Append(const store::StoreMessage& message);
  // Runs when the opening message was answered.
  void BecomeUp();
  void SendBatch();
  void FillHeader(raftpb::RaftBatch* batch) const;
  // Whether more bytes may be queued for the other store.
  bool HasRoom() const;
  void AnswerUnsent(uint64_t id);
  void AnswerInFlight();
  void LogDown(const GrpcStatus& status);

  EventLoop* const loop_;
  const LinkHeader header_;
  std::vector<std::string> addresses_;
  const std::shared_ptr<const TlsContext> tls_;
  const Answer answer_;
  const Expelled expelled_;
  const Callers callers_;
  size_t tried_ = 0;  // Which address is.
  std::optional<GrpcChannel> channel_;
  ClientStream stream_;
  State state_ = State::kDown;
  std::optional<EventLoop::TimerId> reopen_;
  Duration pause_ = kReopenPause;  // Before a store that refused, or the next address, is tried.
  // Why the link is down, as last logged for each address; each reason is logged once.
  std::map<std::string, std::string> logged_reasons_;

  std::unique_ptr<raftpb::RaftBatch> batch_;
  size_t batch_bytes_ = 0;  // Of batch_, rather more than they are.
  // Requests sent and not answered: id -> whether it writes.
  std::map<uint64_t, bool> in_flight_;
  LinkFigures figures_;  // What is counted; figures() adds the rest.
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_PEER_LINK_H_
