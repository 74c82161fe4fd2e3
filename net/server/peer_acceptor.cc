// SPDX-License-Identifier: Apache-2.0
#include "net/server/peer_acceptor.h"

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/strings.h"
#include "net/server/log.h"
#include "net/server/members.h"
#include "net/wire/raft_codec.h"
#include "proto/raftpb.pb.h"

namespace flaredb::net {
namespace {

GrpcStatus GivenUp(StoreId store) {
  return {kExpelled,
          "store " + std::to_string(store.value()) +
              " was given up for lost or removed, which is for ever: stop it, and start it with an "
              "empty data folder and a --store-id that was never used"};
}

}  // namespace

// One other store's stream into this one.
class PeerAcceptor::Stream : public StreamReader {
 public:
  Stream(PeerAcceptor* acceptor, ServerStream stream)
      : acceptor_(acceptor),
        stream_(std::move(stream)),
        batch_(std::make_unique<raftpb::RaftBatch>()) {}
  ~Stream() override {
    if (from_) acceptor_->Forget(from_, this);
  }

  void OnMessage(std::string_view message) override {
    if (message.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
        !batch_->ParseFromArray(message.data(), static_cast<int>(message.size()))) {
      return Refuse({absl::StatusCode::kInvalidArgument,
                     "the message is not a valid raftpb.RaftBatch: run the same version of the "
                     "program on all stores"});
    }
    if (GrpcStatus status = acceptor_->Check(*batch_); !status.ok()) return Refuse(status);
    const StoreId sender(batch_->from_store());
    if (!from_) {
      Open(sender);
    } else if (sender != from_) {
      return Refuse({absl::StatusCode::kInvalidArgument, "the stream changed its sending store"});
    }
    Deliver();
  }

  void OnHalfClose() override { stream_.Finish({}); }

  void Refuse(const GrpcStatus& status) {
    Log(LogLevel::kWarn, "refused a store's stream",
        {{"peer", stream_.peer()}, {"reason", status.message}});
    stream_.Finish(status);
  }

  void Acknowledge() {
    raftpb::RaftBatchAck ack;
    ack.set_from_store(acceptor_->self_.store.value());
    ack.set_store_incarnation(acceptor_->incarnation_);
    for (const auto& [store, address] : acceptor_->callers_) {
      raftpb::RaftBatchAck::Caller& caller = *ack.add_callers();
      caller.set_store_id(store.value());
      caller.set_address(address);
    }
    stream_.Send(ack.SerializeAsString());
  }

  void End(std::string reason) {
    stream_.Finish({absl::StatusCode::kUnavailable, std::move(reason)});
  }

 private:
  void Open(StoreId sender) {
    from_ = sender;
    stream_.Exempt();
    acceptor_->Adopt(from_, this);
    Acknowledge();
    if (!batch_->from_address().empty()) acceptor_->greet_(from_, batch_->from_address());
  }

  void Deliver() {
    std::vector<store::StoreMessage>& messages = acceptor_->decoded_;
    messages.clear();
    if (absl::Status s = TakeMessages(batch_.get(), &messages); !s.ok()) {
      return Refuse({absl::StatusCode::kInvalidArgument,
                     "store " + std::to_string(from_.value()) + " sent " +
                         std::string(FromAbsl(s.message())) +
                         ": run the same version of the program on all stores"});
    }
    for (store::StoreMessage& message : messages) acceptor_->deliver_(from_, std::move(message));
  }

  PeerAcceptor* const acceptor_;
  ServerStream stream_;
  StoreId from_;  // Zero until the first batch was accepted.
  const std::unique_ptr<raftpb::RaftBatch> batch_;
};

PeerAcceptor::PeerAcceptor(GrpcServer* server, Deliver deliver, Greet greet)
    : deliver_(std::move(deliver)), greet_(std::move(greet)) {
  server->RegisterStream("/raftpb.RaftService/Batch", [this](ServerStream stream) {
    return std::make_unique<Stream>(this, std::move(stream));
  });
}

PeerAcceptor::~PeerAcceptor() = default;

void PeerAcceptor::Start(const store::Identity& self, uint64_t incarnation) {
  self_ = self;
  incarnation_ = incarnation;
  accepting_ = true;
}

void PeerAcceptor::SetCallers(const Members& callers) {
  callers_ = callers;
  for (const auto& [from, stream] : streams_) stream->Acknowledge();
}

void PeerAcceptor::SetGone(const std::set<StoreId>& gone) {
  gone_ = gone;
  // One that has nothing to say would not be told.
  const std::map<StoreId, Stream*> streams = streams_;
  for (const auto& [from, stream] : streams) {
    if (gone_.contains(from)) stream->Refuse(GivenUp(from));
  }
}

void PeerAcceptor::Stop() {
  accepting_ = false;
  const std::map<StoreId, Stream*> streams = std::exchange(streams_, {});
  for (const auto& [from, stream] : streams) stream->End("the store is stopping");
}

GrpcStatus PeerAcceptor::Check(const raftpb::RaftBatch& batch) const {
  if (!accepting_) return {absl::StatusCode::kUnavailable, "the store is stopping"};
  const std::string here = "store " + std::to_string(self_.store.value()) + " of cluster " +
                           std::to_string(self_.cluster_id);
  if (batch.cluster_id() != self_.cluster_id) {
    return {absl::StatusCode::kFailedPrecondition,
            "this is " + here + ", and the caller belongs to cluster " +
                std::to_string(batch.cluster_id()) +
                ": check its --peer, and that no address moved from one cluster to another"};
  }
  if (batch.to_store() != self_.store.value()) {
    return {absl::StatusCode::kFailedPrecondition,
            "this is " + here + ", not store " + std::to_string(batch.to_store()) +
                ": check that no two stores were given the same address"};
  }
  if (batch.from_store() == self_.store.value()) {
    return {absl::StatusCode::kFailedPrecondition,
            "this is " + here +
                ", and the caller says that it is the same store: give every "
                "store its own --store-id and folder"};
  }
  if (batch.from_store() == 0) {
    return {absl::StatusCode::kPermissionDenied,
            "the caller does not say which store it is: give it a --store-id"};
  }
  if (const StoreId from(batch.from_store()); gone_.contains(from)) return GivenUp(from);
  return {};
}

void PeerAcceptor::Adopt(StoreId from, Stream* stream) {
  Stream*& current = streams_[from];
  Stream* const old = std::exchange(current, stream);
  if (old != nullptr) old->End("replaced by a newer stream of the same store");
}

void PeerAcceptor::Forget(StoreId from, Stream* stream) {
  const auto it = streams_.find(from);
  if (it != streams_.end() && it->second == stream) streams_.erase(it);
}

}  // namespace flaredb::net
