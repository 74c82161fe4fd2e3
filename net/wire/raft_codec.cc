// SPDX-License-Identifier: Apache-2.0
#include "net/wire/raft_codec.h"

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/base/strings.h"
#include "net/wire/region_codec.h"
#include "proto/raftpb.pb.h"

namespace flaredb::net {
namespace {

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

absl::Status Bad(std::string_view what) { return absl::InvalidArgumentError(ToAbsl(what)); }

// ---- Raft messages

void EncodeLogId(raft::LogId id, raftpb::LogId* out) {
  out->set_term(id.term.value());
  out->set_index(id.index.value());
}
raft::LogId DecodeLogId(const raftpb::LogId& id) { return {Term(id.term()), Index(id.index())}; }

void EncodeSlice(const raft::EntrySlice& slice, raftpb::EntryRun* out) {
  out->set_term(slice.term().value());
  out->set_first_index(slice.first_index().value());
  out->mutable_kinds()->reserve(slice.size());
  out->mutable_payloads()->reserve(slice.bytes());
  for (uint32_t i = 0; i < slice.size(); ++i) {
    const raft::EntryView entry = slice.at(i);
    out->mutable_kinds()->push_back(static_cast<char>(entry.kind));
    out->mutable_payloads()->append(entry.payload);
    out->add_payload_ends(static_cast<uint32_t>(out->payloads().size()));
  }
}

// Appends one run that follows `last`, and moves `last` to its end.
absl::Status DecodeRun(const raftpb::EntryRun& run, raft::LogId* last, raft::EntrySlices* out) {
  const auto size = static_cast<size_t>(run.payload_ends_size());
  if (size == 0 || run.kinds().size() != size) return Bad("a run of entries without entries");
  if (run.first_index() != last->index.value() + 1) return Bad("entries with a gap before them");
  if (run.first_index() > Index::Max().value() - size) return Bad("entry indexes that overflow");
  if (run.term() < last->term.value() || run.term() == 0) return Bad("entry terms that go back");
  absl::InlinedVector<raft::NewEntry, 16> entries(size);
  const std::string_view payloads = run.payloads();
  uint32_t begin = 0;
  for (size_t i = 0; i < size; ++i) {
    const uint32_t end = run.payload_ends(static_cast<int>(i));
    if (end < begin || end > payloads.size()) return Bad("entry payloads out of bounds");
    const auto kind = static_cast<raft::EntryKind>(run.kinds()[i]);
    if (kind != raft::EntryKind::kNoop && kind != raft::EntryKind::kCommand) {
      return Bad("an entry of an unknown kind");
    }
    entries[i] = {kind, payloads.substr(begin, end - begin)};
    begin = end;
  }
  if (begin != payloads.size()) return Bad("entry payloads out of bounds");
  out->emplace_back(raft::EntryBlock::Create(Term(run.term()), Index(run.first_index()), entries));
  *last = {Term(run.term()), out->back().last_index()};
  return absl::OkStatus();
}

void EncodeBody(const raft::Body& body, raftpb::RaftMessage* out) {
  std::visit(
      Overloaded{
          [&](const raft::PreVoteRequest& in) {
            auto* to = out->mutable_pre_vote_request();
            to->set_campaign_term(in.campaign_term.value());
            EncodeLogId(in.last_log, to->mutable_last_log());
          },
          [&](const raft::PreVoteReply& in) {
            auto* to = out->mutable_pre_vote_reply();
            to->set_campaign_term(in.campaign_term.value());
            to->set_granted(in.granted);
          },
          [&](const raft::VoteRequest& in) {
            EncodeLogId(in.last_log, out->mutable_vote_request()->mutable_last_log());
          },
          [&](const raft::VoteReply& in) { out->mutable_vote_reply()->set_granted(in.granted); },
          [&](const raft::AppendRequest& in) {
            auto* to = out->mutable_append_request();
            to->set_session(in.session);
            to->set_round(in.round);
            EncodeLogId(in.prev, to->mutable_prev());
            to->set_commit_index(in.commit_index.value());
            for (const raft::EntrySlice& slice : in.entries) EncodeSlice(slice, to->add_entries());
          },
          [&](const raft::AppendReply& in) {
            auto* to = out->mutable_append_reply();
            to->set_session(in.session);
            to->set_round(in.round);
            if (const auto* accept = std::get_if<raft::AppendAccept>(&in.result)) {
              to->mutable_accept()->set_match_index(accept->match_index.value());
              to->mutable_accept()->set_commit_index(accept->commit_index.value());
            } else {
              const auto& reject = std::get<raft::AppendReject>(in.result);
              to->mutable_reject()->set_prev_index(reject.prev_index.value());
              EncodeLogId(reject.hint, to->mutable_reject()->mutable_hint());
            }
          },
          [&](const raft::HeartbeatRequest& in) {
            out->mutable_heartbeat_request()->set_session(in.session);
            out->mutable_heartbeat_request()->set_round(in.round);
          },
          [&](const raft::HeartbeatReply& in) {
            out->mutable_heartbeat_reply()->set_session(in.session);
            out->mutable_heartbeat_reply()->set_round(in.round);
            out->mutable_heartbeat_reply()->set_commit_index(in.commit_index.value());
          },
      },
      body);
}

absl::Status DecodeAppend(const raftpb::AppendRequest& in, Term sender_term, raft::Body* out) {
  raft::AppendRequest append{.session = in.session(),
                             .round = in.round(),
                             .prev = DecodeLogId(in.prev()),
                             .commit_index = Index(in.commit_index()),
                             .entries = {}};
  raft::LogId last = append.prev;
  for (const raftpb::EntryRun& run : in.entries()) {
    if (absl::Status s = DecodeRun(run, &last, &append.entries); !s.ok()) return s;
  }
  if (last.term > sender_term) return Bad("entries of a later term than their sender's");
  *out = std::move(append);
  return absl::OkStatus();
}

absl::Status DecodeBody(const raftpb::RaftMessage& in, raft::Body* out) {
  switch (in.body_case()) {
    case raftpb::RaftMessage::kPreVoteRequest:
      *out = raft::PreVoteRequest{Term(in.pre_vote_request().campaign_term()),
                                  DecodeLogId(in.pre_vote_request().last_log())};
      return absl::OkStatus();
    case raftpb::RaftMessage::kPreVoteReply:
      *out = raft::PreVoteReply{Term(in.pre_vote_reply().campaign_term()),
                                in.pre_vote_reply().granted()};
      return absl::OkStatus();
    case raftpb::RaftMessage::kVoteRequest:
      *out = raft::VoteRequest{DecodeLogId(in.vote_request().last_log())};
      return absl::OkStatus();
    case raftpb::RaftMessage::kVoteReply:
      *out = raft::VoteReply{in.vote_reply().granted()};
      return absl::OkStatus();
    case raftpb::RaftMessage::kAppendRequest:
      return DecodeAppend(in.append_request(), Term(in.term()), out);
    case raftpb::RaftMessage::kAppendReply: {
      const raftpb::AppendReply& reply = in.append_reply();
      raft::AppendReply to{reply.session(), reply.round(), {}};
      if (reply.has_accept()) {
        to.result = raft::AppendAccept{Index(reply.accept().match_index()),
                                       Index(reply.accept().commit_index())};
      } else if (reply.has_reject()) {
        to.result = raft::AppendReject{Index(reply.reject().prev_index()),
                                       DecodeLogId(reply.reject().hint())};
      } else {
        return Bad("an append reply without a result");
      }
      *out = to;
      return absl::OkStatus();
    }
    case raftpb::RaftMessage::kHeartbeatRequest:
      *out =
          raft::HeartbeatRequest{in.heartbeat_request().session(), in.heartbeat_request().round()};
      return absl::OkStatus();
    case raftpb::RaftMessage::kHeartbeatReply:
      *out = raft::HeartbeatReply{in.heartbeat_reply().session(), in.heartbeat_reply().round(),
                                  Index(in.heartbeat_reply().commit_index())};
      return absl::OkStatus();
    case raftpb::RaftMessage::BODY_NOT_SET:
      break;
  }
  return Bad("a Raft message of an unknown kind");
}

void EncodeEnvelope(const store::RaftEnvelope& in, raftpb::RaftMessage* out) {
  out->set_region_id(in.region.value());
  EncodeEpoch(in.epoch, out->mutable_region_epoch());
  out->mutable_from_peer()->set_id(in.message.from.value());
  out->mutable_to_peer()->set_id(in.message.to.value());
  out->set_term(in.message.term.value());
  out->set_from_incarnation(in.message.from_incarnation.value());
  out->set_to_incarnation(in.message.to_incarnation.value());
  EncodeBody(in.message.body, out);
}

absl::Status DecodeEnvelope(const raftpb::RaftMessage& in, store::RaftEnvelope* out) {
  if (in.region_id() == 0) return Bad("a Raft message without a region");
  if (!in.has_region_epoch()) return Bad("a Raft message without a region epoch");
  if (in.from_peer().id() == 0 || in.to_peer().id() == 0) {
    return Bad("a Raft message without its peers");
  }
  out->region = RegionId(in.region_id());
  out->epoch = DecodeEpoch(in.region_epoch());
  out->message.from = PeerId(in.from_peer().id());
  out->message.to = PeerId(in.to_peer().id());
  out->message.term = Term(in.term());
  out->message.from_incarnation = Incarnation(in.from_incarnation());
  out->message.to_incarnation = Incarnation(in.to_incarnation());
  return DecodeBody(in, &out->message.body);
}

// ---- Forwarded requests

void EncodeRetry(const kv::Retry& retry, raftpb::Retry* out) {
  out->mutable_id()->set_client_hi(retry.id.client_hi);
  out->mutable_id()->set_client_lo(retry.id.client_lo);
  out->mutable_id()->set_seq(retry.id.seq);
  out->set_seen_index(retry.seen_index.value());
}
kv::Retry DecodeRetry(const raftpb::Retry& in) {
  return {{in.id().client_hi(), in.id().client_lo(), in.id().seq()}, Index(in.seen_index())};
}

void EncodeRequest(const store::ForwardedRequest& in, raftpb::ForwardedRequest* out) {
  out->set_id(in.id);
  out->set_region_id(in.region.value());
  out->set_budget_ns(in.request.budget.nanoseconds());
  if (in.request.context.has_value()) {
    out->mutable_context()->set_region_id(in.request.context->region.value());
    EncodeEpoch(in.request.context->epoch, out->mutable_context()->mutable_epoch());
  }
  std::visit(Overloaded{
                 [&](const store::GetRequest& get) {
                   out->mutable_get()->set_namespace_id(static_cast<uint32_t>(get.ns));
                   out->mutable_get()->set_key(get.key);
                 },
                 [&](const store::ScanRequest& scan) {
                   raftpb::Scan* to = out->mutable_scan();
                   to->set_namespace_id(static_cast<uint32_t>(scan.ns));
                   to->set_begin(scan.begin);
                   to->set_end(scan.end);
                   to->set_rows_max(scan.rows_max);
                   to->set_bytes_max(scan.bytes_max);
                   to->set_keys_only(scan.keys_only);
                 },
                 [&](const kv::CompareAndSwap& cas) {
                   raftpb::CompareAndSwap* to = out->mutable_compare_and_swap();
                   to->set_namespace_id(static_cast<uint32_t>(cas.ns));
                   to->set_key(cas.key);
                   to->set_value(cas.value);
                   to->set_expected(cas.expected.value());
                   EncodeRetry(cas.retry, to->mutable_retry());
                 },
                 [&](const kv::CompareAndDelete& cas) {
                   raftpb::CompareAndDelete* to = out->mutable_compare_and_delete();
                   to->set_namespace_id(static_cast<uint32_t>(cas.ns));
                   to->set_key(cas.key);
                   to->set_expected(cas.expected.value());
                   EncodeRetry(cas.retry, to->mutable_retry());
                 },
             },
             in.request.operation);
}

// False for kNone. Whether a namespace exists is not for the codec to know.
bool TakeNamespace(uint32_t id, kv::NamespaceId* ns) {
  *ns = static_cast<kv::NamespaceId>(id);
  return *ns != kv::NamespaceId::kNone;
}

absl::Status DecodeOperation(raftpb::ForwardedRequest* in, store::Operation* out) {
  bool has_namespace = false;
  switch (in->operation_case()) {
    case raftpb::ForwardedRequest::kGet: {
      store::GetRequest get;
      has_namespace = TakeNamespace(in->get().namespace_id(), &get.ns);
      get.key = std::move(*in->mutable_get()->mutable_key());
      *out = std::move(get);
      break;
    }
    case raftpb::ForwardedRequest::kScan: {
      raftpb::Scan* from = in->mutable_scan();
      store::ScanRequest scan;
      has_namespace = TakeNamespace(from->namespace_id(), &scan.ns);
      scan.begin = std::move(*from->mutable_begin());
      scan.end = std::move(*from->mutable_end());
      scan.rows_max = from->rows_max();
      scan.bytes_max = from->bytes_max();
      scan.keys_only = from->keys_only();
      *out = std::move(scan);
      break;
    }
    case raftpb::ForwardedRequest::kCompareAndSwap: {
      raftpb::CompareAndSwap* from = in->mutable_compare_and_swap();
      kv::CompareAndSwap cas;
      has_namespace = TakeNamespace(from->namespace_id(), &cas.ns);
      cas.key = std::move(*from->mutable_key());
      cas.value = std::move(*from->mutable_value());
      cas.expected = kv::Version(from->expected());
      cas.retry = DecodeRetry(from->retry());
      *out = std::move(cas);
      break;
    }
    case raftpb::ForwardedRequest::kCompareAndDelete: {
      raftpb::CompareAndDelete* from = in->mutable_compare_and_delete();
      kv::CompareAndDelete cas;
      has_namespace = TakeNamespace(from->namespace_id(), &cas.ns);
      cas.key = std::move(*from->mutable_key());
      cas.expected = kv::Version(from->expected());
      cas.retry = DecodeRetry(from->retry());
      *out = std::move(cas);
      break;
    }
    case raftpb::ForwardedRequest::OPERATION_NOT_SET:
      return Bad("a forwarded request of an unknown kind");
  }
  return has_namespace ? absl::OkStatus() : Bad("a forwarded request without a namespace");
}

absl::Status DecodeRequest(raftpb::ForwardedRequest* in, store::ForwardedRequest* out) {
  if (in->region_id() == 0) return Bad("a forwarded request without a region");
  if (in->budget_ns() < 0) return Bad("a forwarded request with a negative budget");
  out->id = in->id();
  out->region = RegionId(in->region_id());
  out->request.budget = Duration::Nanoseconds(in->budget_ns());
  if (in->has_context()) {
    if (in->context().region_id() == 0 || !in->context().has_epoch()) {
      return Bad("a forwarded request with half a context");
    }
    out->request.context = store::RoutingContext{RegionId(in->context().region_id()),
                                                 DecodeEpoch(in->context().epoch())};
  }
  return DecodeOperation(in, &out->request.operation);
}

// ---- Forwarded replies

raftpb::StoreError::Code EncodeCode(store::ErrorCode code) {
  switch (code) {
    case store::ErrorCode::kNotLeader:
      return raftpb::StoreError::NOT_LEADER;
    case store::ErrorCode::kEpochNotMatch:
      return raftpb::StoreError::EPOCH_NOT_MATCH;
    case store::ErrorCode::kRegionNotFound:
      return raftpb::StoreError::REGION_NOT_FOUND;
    case store::ErrorCode::kKeyNotInRegion:
      return raftpb::StoreError::KEY_NOT_IN_REGION;
    case store::ErrorCode::kReadNotReady:
      return raftpb::StoreError::READ_NOT_READY;
    case store::ErrorCode::kServerIsBusy:
      return raftpb::StoreError::SERVER_IS_BUSY;
    case store::ErrorCode::kStaleCommand:
      return raftpb::StoreError::STALE_COMMAND;
    case store::ErrorCode::kDeadlineExceeded:
      return raftpb::StoreError::DEADLINE_EXCEEDED;
    case store::ErrorCode::kForgotten:
      return raftpb::StoreError::REQUEST_FORGOTTEN;
    case store::ErrorCode::kInvalidArgument:
      return raftpb::StoreError::INVALID_ARGUMENT;
    case store::ErrorCode::kStoreFailed:
      return raftpb::StoreError::STORE_FAILED;
  }
  return raftpb::StoreError::CODE_UNSPECIFIED;
}

bool DecodeCode(raftpb::StoreError::Code code, store::ErrorCode* out) {
  for (auto candidate = store::ErrorCode::kNotLeader; candidate <= store::ErrorCode::kStoreFailed;
       candidate = static_cast<store::ErrorCode>(static_cast<uint8_t>(candidate) + 1)) {
    if (EncodeCode(candidate) != code) continue;
    *out = candidate;
    return true;
  }
  return false;
}

raftpb::WriteReply::Result EncodeResult(kv::WriteResult result) {
  switch (result) {
    case kv::WriteResult::kApplied:
      return raftpb::WriteReply::APPLIED;
    case kv::WriteResult::kMismatch:
      return raftpb::WriteReply::MISMATCH;
    case kv::WriteResult::kOvertaken:
      return raftpb::WriteReply::OVERTAKEN;
    case kv::WriteResult::kForgotten:
      return raftpb::WriteReply::FORGOTTEN;
  }
  return raftpb::WriteReply::RESULT_UNSPECIFIED;
}

bool DecodeResult(raftpb::WriteReply::Result result, kv::WriteResult* out) {
  for (auto candidate : {kv::WriteResult::kApplied, kv::WriteResult::kMismatch,
                         kv::WriteResult::kOvertaken, kv::WriteResult::kForgotten}) {
    if (EncodeResult(candidate) != result) continue;
    *out = candidate;
    return true;
  }
  return false;
}

void EncodeReply(const store::ForwardedReply& in, raftpb::ForwardedReply* out) {
  out->set_id(in.id);
  out->set_applied_index(in.reply.applied_index.value());
  std::visit(Overloaded{
                 [&](const store::GetReply& get) {
                   raftpb::GetReply* to = out->mutable_get();
                   to->set_found(get.found.has_value());
                   if (!get.found.has_value()) return;
                   to->set_value(get.found->value);
                   to->set_version(get.found->version.value());
                 },
                 [&](const store::ScanReply& scan) {
                   raftpb::ScanReply* to = out->mutable_scan();
                   for (const kv::ScanRow& row : scan.page.rows) {
                     raftpb::ScanRow* to_row = to->add_rows();
                     to_row->set_key(row.key);
                     to_row->set_value(row.value);
                     to_row->set_version(row.version.value());
                   }
                   to->set_next_key(scan.page.next_key);
                 },
                 [&](const kv::WriteReply& write) {
                   raftpb::WriteReply* to = out->mutable_write();
                   to->set_result(EncodeResult(write.result));
                   to->set_version(write.version.value());
                   to->set_value(write.value);
                 },
                 [&](const store::Error& error) {
                   raftpb::StoreError* to = out->mutable_error();
                   to->set_code(EncodeCode(error.code));
                   to->set_outcome_unknown(error.outcome == store::Outcome::kUnknown);
                   to->set_message(error.message);
                   to->set_region_id(error.region_id.value());
                   to->set_leader_store(error.leader.value());
                   if (error.region.has_value()) EncodeRegion(*error.region, to->mutable_region());
                   to->set_backoff_ns(error.backoff.nanoseconds());
                 },
             },
             in.reply.result);
}

store::GetReply DecodeGet(raftpb::GetReply* in) {
  store::GetReply out;
  if (in->found()) {
    out.found = kv::VersionedValue{std::move(*in->mutable_value()), kv::Version(in->version())};
  }
  return out;
}

store::ScanReply DecodeScan(raftpb::ScanReply* in) {
  store::ScanReply out;
  out.page.rows.reserve(static_cast<size_t>(in->rows_size()));
  for (raftpb::ScanRow& row : *in->mutable_rows()) {
    out.page.rows.push_back({std::move(*row.mutable_key()), std::move(*row.mutable_value()),
                             kv::Version(row.version())});
  }
  out.page.next_key = std::move(*in->mutable_next_key());
  return out;
}

absl::Status DecodeReply(raftpb::ForwardedReply* in, store::ForwardedReply* out) {
  out->id = in->id();
  out->reply.applied_index = Index(in->applied_index());
  switch (in->result_case()) {
    case raftpb::ForwardedReply::kGet:
      out->reply.result = DecodeGet(in->mutable_get());
      return absl::OkStatus();
    case raftpb::ForwardedReply::kScan:
      out->reply.result = DecodeScan(in->mutable_scan());
      return absl::OkStatus();
    case raftpb::ForwardedReply::kWrite: {
      kv::WriteReply write;
      if (!DecodeResult(in->write().result(), &write.result)) {
        return Bad("a forwarded reply with an unknown result");
      }
      write.version = kv::Version(in->write().version());
      write.value = std::move(*in->mutable_write()->mutable_value());
      out->reply.result = std::move(write);
      return absl::OkStatus();
    }
    case raftpb::ForwardedReply::kError: {
      store::Error error;
      if (!DecodeCode(in->error().code(), &error.code)) {
        return Bad("a forwarded reply with an unknown error");
      }
      error.outcome =
          in->error().outcome_unknown() ? store::Outcome::kUnknown : store::Outcome::kNotApplied;
      error.message = std::move(*in->mutable_error()->mutable_message());
      error.region_id = RegionId(in->error().region_id());
      error.leader = StoreId(in->error().leader_store());
      if (in->error().has_region()) error.region = DecodeRegion(in->error().region());
      error.backoff = Duration::Nanoseconds(in->error().backoff_ns());
      out->reply.result = std::move(error);
      return absl::OkStatus();
    }
    case raftpb::ForwardedReply::RESULT_NOT_SET:
      break;
  }
  return Bad("a forwarded reply of an unknown kind");
}

}  // namespace

void AppendMessage(const store::StoreMessage& message, raftpb::RaftBatch* batch) {
  std::visit(
      Overloaded{
          [&](const store::RaftEnvelope& in) { EncodeEnvelope(in, batch->add_messages()); },
          [&](const store::ForwardedRequest& in) { EncodeRequest(in, batch->add_requests()); },
          [&](const store::ForwardedReply& in) { EncodeReply(in, batch->add_replies()); },
      },
      message);
}

size_t PayloadBytes(const store::StoreMessage& message) {
  if (const auto* envelope = std::get_if<store::RaftEnvelope>(&message)) {
    const auto* append = std::get_if<raft::AppendRequest>(&envelope->message.body);
    size_t bytes = 0;
    if (append == nullptr) return bytes;
    for (const raft::EntrySlice& slice : append->entries) bytes += slice.bytes();
    return bytes;
  }
  if (const auto* request = std::get_if<store::ForwardedRequest>(&message)) {
    return std::visit(
        [](const auto& operation) {
          using Op = std::decay_t<decltype(operation)>;
          if constexpr (std::is_same_v<Op, store::ScanRequest>) {
            return operation.begin.size() + operation.end.size();
          } else if constexpr (std::is_same_v<Op, kv::CompareAndSwap>) {
            return operation.key.size() + operation.value.size();
          } else {
            return operation.key.size();
          }
        },
        request->request.operation);
  }
  const store::Result& result = std::get<store::ForwardedReply>(message).reply.result;
  if (const auto* get = std::get_if<store::GetReply>(&result)) {
    return get->found.has_value() ? get->found->value.size() : 0;
  }
  if (const auto* write = std::get_if<kv::WriteReply>(&result)) return write->value.size();
  size_t bytes = 0;
  if (const auto* scan = std::get_if<store::ScanReply>(&result)) {
    for (const kv::ScanRow& row : scan->page.rows) bytes += row.key.size() + row.value.size();
  }
  return bytes;
}

absl::Status TakeMessages(raftpb::RaftBatch* batch, std::vector<store::StoreMessage>* messages) {
  const size_t before = messages->size();
  const auto take = [messages](auto* list, auto decode, auto empty) {
    for (auto& in : *list) {
      auto out = empty;
      if (absl::Status s = decode(&in, &out); !s.ok()) return s;
      messages->emplace_back(std::move(out));
    }
    return absl::OkStatus();
  };
  const auto decode_envelope = [](const raftpb::RaftMessage* in, store::RaftEnvelope* out) {
    return DecodeEnvelope(*in, out);
  };
  absl::Status s = take(batch->mutable_messages(), decode_envelope, store::RaftEnvelope());
  if (s.ok()) s = take(batch->mutable_requests(), DecodeRequest, store::ForwardedRequest());
  if (s.ok()) s = take(batch->mutable_replies(), DecodeReply, store::ForwardedReply());
  if (!s.ok()) messages->erase(messages->begin() + static_cast<ptrdiff_t>(before), messages->end());
  batch->clear_messages();
  batch->clear_requests();
  batch->clear_replies();
  return s;
}

}  // namespace flaredb::net
