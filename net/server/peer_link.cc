// SPDX-License-Identifier: Apache-2.0
#include "net/server/peer_link.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "net/server/log.h"
#include "net/server/members.h"
#include "net/wire/raft_codec.h"
#include "proto/raftpb.pb.h"

namespace flaredb::net {
namespace {

constexpr char kMethod[] = "/raftpb.RaftService/Batch";
// A batch is sent before it grows beyond this; a message that is larger travels alone, and may be
// as large as the message limit allows.
constexpr size_t kBatchBytes = 1 << 20;
// A message beside its payload, the text of a refusal included; more than any takes.
constexpr size_t kMessageBytes = 512;
// What may wait for a store that does not read fast enough. Above the bytes that Raft leaves
// unanswered, below the connection's own limit, which would cost us the connection.
constexpr size_t kUnsentBytesMax = 32 << 20;
// Replies up to this are sent even then. As many as calls may wait (at most 50,000) stay below
// what the connection has left.
constexpr size_t kSmallReplyBytes = 512;
// A store that refuses us has yet to hear of us, or one of both has to be configured anew: pauses
// double up to this.
constexpr Duration kRefusedPauseMax = Duration::Seconds(2);
// A store that comes back should be part of the cluster again at once.
constexpr Duration kAbsentPauseMax = Duration::Milliseconds(500);

GrpcChannelOptions ChannelOptions(const LinkHeader& header, std::shared_ptr<const TlsContext> tls) {
  GrpcChannelOptions options;
  options.tls = std::move(tls);
  // A peer that vanished without a word is noticed in 5 s; a live one speaks more often.
  options.http2.keepalive_interval = Duration::Seconds(2);
  options.http2.keepalive_timeout = Duration::Seconds(3);
  options.connect_timeout = Duration::Seconds(2);
  options.backoff_max = kAbsentPauseMax;
  options.seed = header.incarnation ^ header.to.value();
  return options;
}

store::ForwardedReply Refusal(uint64_t id, store::ErrorCode code, store::Outcome outcome,
                              std::string message) {
  store::Error error;
  error.code = code;
  error.outcome = outcome;
  error.message = std::move(message);
  return {id, {std::move(error), Index()}};
}

bool IsRefusal(absl::StatusCode code) {
  return code == absl::StatusCode::kFailedPrecondition ||
         code == absl::StatusCode::kPermissionDenied || code == kExpelled ||
         code == absl::StatusCode::kInvalidArgument || code == absl::StatusCode::kUnimplemented;
}

}  // namespace

PeerLink::PeerLink(EventLoop* loop, const LinkHeader& header, std::vector<std::string> addresses,
                   std::shared_ptr<const TlsContext> tls, Answer answer, Expelled expelled,
                   Callers callers)
    : loop_(loop),
      header_(header),
      addresses_(std::move(addresses)),
      tls_(std::move(tls)),
      answer_(std::move(answer)),
      expelled_(std::move(expelled)),
      callers_(std::move(callers)),
      batch_(std::make_unique<raftpb::RaftBatch>()) {
  Open();
}

PeerLink::~PeerLink() {
  if (reopen_.has_value()) loop_->CancelTimer(*reopen_);
}

void PeerLink::Open() {
  reopen_.reset();
  state_ = State::kOpening;
  // One channel for as long as there is one address: it knows how often it failed.
  if (!channel_ || channel_->address() != address()) {
    channel_.emplace(loop_, address(), ChannelOptions(header_, tls_));
  }
  stream_ = channel_->OpenStream(kMethod, {}, this);
  raftpb::RaftBatch hello;
  FillHeader(&hello);
  hello.set_from_address(header_.from_address);
  stream_.Send(hello.SerializeAsString());
}

void PeerLink::FillHeader(raftpb::RaftBatch* batch) const {
  batch->set_cluster_id(header_.cluster_id);
  batch->set_from_store(header_.from.value());
  batch->set_to_store(header_.to.value());
  batch->set_store_incarnation(header_.incarnation);
}

bool PeerLink::HasRoom() const {
  return state_ == State::kUp && stream_.unsent_bytes() + batch_bytes_ < kUnsentBytesMax;
}

LinkFigures PeerLink::figures() const {
  LinkFigures figures = figures_;
  figures.store = header_.to;
  figures.address = address();
  figures.up = state_ == State::kUp;
  figures.unsent_bytes = stream_.unsent_bytes();
  return figures;
}

void PeerLink::Add(const store::StoreMessage& message) {
  const auto* request = std::get_if<store::ForwardedRequest>(&message);
  if (!HasRoom()) {
    const auto* reply = std::get_if<store::ForwardedReply>(&message);
    if (reply != nullptr && state_ == State::kUp) return AddInLittleRoom(*reply);
    ++figures_.messages_dropped;
    if (request != nullptr) AnswerUnsent(request->id);
    return;
  }
  if (request != nullptr) in_flight_[request->id] = IsWrite(request->request.operation);
  Append(message);
}

// Somebody waits for this one. What is large only shows what is there, so asking again is harmless.
void PeerLink::AddInLittleRoom(const store::ForwardedReply& reply) {
  const bool small = PayloadBytes(reply) <= kSmallReplyBytes;
  Append(small ? reply
               : Refusal(reply.id, store::ErrorCode::kServerIsBusy, store::Outcome::kNotApplied,
                         "the link from the leader is full of large replies: try again after a "
                         "pause, or ask the leader itself"));
}

void PeerLink::Append(const store::StoreMessage& message) {
  const size_t bytes = PayloadBytes(message) + kMessageBytes;
  if (batch_bytes_ + bytes > kBatchBytes) Flush();
  ++figures_.messages_sent;
  AppendMessage(message, batch_.get());
  batch_bytes_ += bytes;
}

void PeerLink::Flush() {
  if (batch_bytes_ > 0) SendBatch();
}

void PeerLink::SendBatch() {
  FillHeader(batch_.get());
  const std::string bytes = batch_->SerializeAsString();
  figures_.bytes_sent += bytes.size();
  stream_.Send(bytes);
  batch_->Clear();
  batch_bytes_ = 0;
}

// The first message of the other side says that the link is accepted.
void PeerLink::OnMessage(std::string_view message) {
  if (state_ == State::kOpening) BecomeUp();
  raftpb::RaftBatchAck ack;
  if (!ack.ParseFromString(std::string(message))) return;
  Members callers;
  for (const auto& caller : ack.callers()) callers[StoreId(caller.store_id())] = caller.address();
  callers_(callers);
}

bool PeerLink::Follow(const std::vector<std::string>& addresses) {
  const auto at = std::find(addresses.begin(), addresses.end(), address());
  if (state_ != State::kUp || at == addresses.end()) return false;
  tried_ = static_cast<size_t>(at - addresses.begin());
  addresses_ = addresses;
  return true;
}

void PeerLink::BecomeUp() {
  state_ = State::kUp;
  pause_ = kReopenPause;
  ++figures_.opened;
  logged_reasons_.clear();
  Log(LogLevel::kInfo, "linked to store", {{"store", header_.to}, {"address", address()}});
}

void PeerLink::OnClosed(const GrpcStatus& status, Sent) {
  LogDown(status);
  state_ = State::kDown;
  batch_->Clear();
  batch_bytes_ = 0;
  Duration pause = kReopenPause;
  if (IsRefusal(status.code) || addresses_.size() > 1) {
    pause = pause_;
    pause_ = std::min(pause_ * 2, IsRefusal(status.code) ? kRefusedPauseMax : kAbsentPauseMax);
  }
  tried_ = (tried_ + 1) % addresses_.size();
  reopen_ = loop_->StartTimer(loop_->now() + pause, [this] { Open(); });
  AnswerInFlight();
  if (status.code == kExpelled) expelled_();
}

void PeerLink::LogDown(const GrpcStatus& status) {
  std::string& logged = logged_reasons_[address()];
  if (status.message == logged) return;
  // That a store is not there yet is no news while the cluster starts.
  const bool news = state_ == State::kUp || IsRefusal(status.code);
  logged = status.message;
  Log(news ? LogLevel::kWarn : LogLevel::kInfo,
      IsRefusal(status.code) ? "refused by store" : "no link to store",
      {{"store", header_.to}, {"address", address()}, {"reason", status.message}});
}

void PeerLink::AnswerUnsent(uint64_t id) {
  loop_->Defer([answer = answer_, id] {
    answer(Refusal(id, store::ErrorCode::kNotLeader, store::Outcome::kNotApplied,
                   "the leader can't be reached at the moment: try again"));
  });
}

void PeerLink::AnswerInFlight() {
  const std::map<uint64_t, bool> lost = std::exchange(in_flight_, {});
  for (const auto& [id, writes] : lost) {
    answer_(writes ? Refusal(id, store::ErrorCode::kStaleCommand, store::Outcome::kUnknown,
                             "the link to the leader broke before it answered: retry with the "
                             "same request id, or read the key and decide")
                   : Refusal(id, store::ErrorCode::kReadNotReady, store::Outcome::kNotApplied,
                             "the link to the leader broke before it answered: try again"));
  }
}

}  // namespace flaredb::net
