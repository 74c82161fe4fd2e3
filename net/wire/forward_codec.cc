// SPDX-License-Identifier: Apache-2.0
#include "net/wire/forward_codec.h"

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/base/check.h"
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

void EncodeRetry(const kv::Retry& retry, raftpb::Retry* out) {
  out->mutable_id()->set_client_hi(retry.id.client_hi);
  out->mutable_id()->set_client_lo(retry.id.client_lo);
  out->mutable_id()->set_seq(retry.id.seq);
  out->set_seen_index(retry.seen_index.value());
}
kv::Retry DecodeRetry(const raftpb::Retry& in) {
  return {{in.id().client_hi(), in.id().client_lo(), in.id().seq()}, Index(in.seen_index())};
}

kv::Mode ModeOf(bool eventual) { return eventual ? kv::Mode::kEventual : kv::Mode::kStrong; }

// A state goes as the one of some namespace; the default one is not listed.
std::string EncodeState(const kv::NamespaceState& state) {
  if (state == kv::NamespaceState()) return {};
  return kv::EncodeNamespaceStates({{kv::NamespaceId::kDefault, state}});
}
std::optional<kv::NamespaceState> DecodeState(std::string_view bytes) {
  if (bytes.empty()) return kv::NamespaceState();
  const absl::StatusOr<kv::NamespaceStates> states = kv::DecodeNamespaceStates(bytes);
  if (!states.ok() || states->size() != 1) return std::nullopt;
  return states->begin()->second;
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
      get.mode = ModeOf(in->get().eventual());
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
      scan.mode = ModeOf(from->eventual());
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
    case raftpb::ForwardedRequest::kExecute:
      *out = store::ExecuteRequest{std::move(*in->mutable_execute()->mutable_object()),
                                   std::move(*in->mutable_execute()->mutable_command())};
      return absl::OkStatus();
    case raftpb::ForwardedRequest::kQuery:
      *out = store::QueryRequest{std::move(*in->mutable_query()->mutable_object()),
                                 std::move(*in->mutable_query()->mutable_query())};
      return absl::OkStatus();
    case raftpb::ForwardedRequest::kNamespaceCommand: {
      absl::StatusOr<kv::NamespaceCommand> command =
          kv::DecodeNamespaceCommand(in->namespace_command());
      if (!command.ok()) return Bad("a forwarded command on a namespace that cannot be decoded");
      *out = *std::move(command);
      return absl::OkStatus();
    }
    case raftpb::ForwardedRequest::OPERATION_NOT_SET:
      return Bad("a forwarded request of an unknown kind");
  }
  return has_namespace ? absl::OkStatus() : Bad("a forwarded request without a namespace");
}

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
    case store::ErrorCode::kNamespaceMode:
      return raftpb::StoreError::NAMESPACE_MODE;
    case store::ErrorCode::kStoreFailed:
      return raftpb::StoreError::STORE_FAILED;
    case store::ErrorCode::kNamespaceNotFound:
      return raftpb::StoreError::NAMESPACE_NOT_FOUND;
    case store::ErrorCode::kNotAccepting:
      return raftpb::StoreError::NOT_ACCEPTING;
  }
  return raftpb::StoreError::CODE_UNSPECIFIED;
}

bool DecodeCode(raftpb::StoreError::Code code, store::ErrorCode* out) {
  for (auto candidate = store::ErrorCode::kNotLeader; candidate <= store::ErrorCode::kNotAccepting;
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

// Whether rows that the sender holds belong to the operation.
bool ReadsEventually(const store::Operation& operation) {
  if (const auto* get = std::get_if<store::GetRequest>(&operation)) {
    return get->mode == kv::Mode::kEventual;
  }
  const auto* scan = std::get_if<store::ScanRequest>(&operation);
  return scan != nullptr && scan->mode == kv::Mode::kEventual;
}

void EncodeHeld(const kv::LwwRow& row, raftpb::HeldRow* out) {
  out->set_key(row.key);
  out->set_value(row.value);
  out->set_deleted(row.deleted);
  out->set_hlc(row.hlc.value());
  out->set_origin_store(row.origin.value());
}

absl::Status TakeHeld(raftpb::ForwardedRequest* in, store::ForwardedRequest* out) {
  if (in->held_size() > 0 && !ReadsEventually(out->request.operation)) {
    return Bad("held rows with an operation that does not read them");
  }
  if (in->unseen_index() > 0 && !ReadsEventually(out->request.operation)) {
    return Bad("an unseen index with an operation that need not show it");
  }
  out->unseen = Index(in->unseen_index());
  for (raftpb::HeldRow& row : *in->mutable_held()) {
    if (row.hlc() == 0 || row.origin_store() == 0) return Bad("a held row that nobody stamped");
    if (row.deleted() && !row.value().empty())
      return Bad("a held row that is deleted and has a value");
    if (!out->held.empty() && row.key() <= out->held.back().key) {
      return Bad("held rows out of order");
    }
    out->held.push_back({std::move(*row.mutable_key()), std::move(*row.mutable_value()),
                         row.deleted(), kv::Hlc(row.hlc()), StoreId(row.origin_store())});
  }
  return absl::OkStatus();
}

size_t BytesOf(const store::Operation& operation) {
  return std::visit(
      [](const auto& op) {
        using Op = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<Op, store::ScanRequest>) {
          return op.begin.size() + op.end.size();
        } else if constexpr (std::is_same_v<Op, kv::CompareAndSwap>) {
          return op.key.size() + op.value.size();
        } else if constexpr (std::is_same_v<Op, store::ExecuteRequest>) {
          return op.object.size() + op.command.size();
        } else if constexpr (std::is_same_v<Op, store::QueryRequest>) {
          return op.object.size() + op.query.size();
        } else if constexpr (std::is_same_v<Op, kv::NamespaceCommand>) {
          return kv::RoughBytes(op);
        } else {
          return op.key.size();
        }
      },
      operation);
}

store::GetReply DecodeGet(raftpb::GetReply* in) {
  store::GetReply out;
  if (in->found()) {
    out.found = kv::VersionedValue{std::move(*in->mutable_value()), kv::Version(in->version()),
                                   kv::Hlc(in->hlc())};
  }
  return out;
}

store::ScanReply DecodeScan(raftpb::ScanReply* in) {
  store::ScanReply out;
  out.page.rows.reserve(static_cast<size_t>(in->rows_size()));
  for (raftpb::ScanRow& row : *in->mutable_rows()) {
    out.page.rows.push_back({std::move(*row.mutable_key()), std::move(*row.mutable_value()),
                             kv::Version(row.version()), kv::Hlc(row.hlc())});
  }
  out.page.next_key = std::move(*in->mutable_next_key());
  return out;
}

}  // namespace

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
                   out->mutable_get()->set_eventual(get.mode == kv::Mode::kEventual);
                 },
                 [&](const store::ScanRequest& scan) {
                   raftpb::Scan* to = out->mutable_scan();
                   to->set_namespace_id(static_cast<uint32_t>(scan.ns));
                   to->set_begin(scan.begin);
                   to->set_end(scan.end);
                   to->set_rows_max(scan.rows_max);
                   to->set_bytes_max(scan.bytes_max);
                   to->set_keys_only(scan.keys_only);
                   to->set_eventual(scan.mode == kv::Mode::kEventual);
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
                 [&](const store::ExecuteRequest& execute) {
                   out->mutable_execute()->set_object(execute.object);
                   out->mutable_execute()->set_command(execute.command);
                 },
                 [&](const store::QueryRequest& query) {
                   out->mutable_query()->set_object(query.object);
                   out->mutable_query()->set_query(query.query);
                 },
                 [](const store::RawWriteRequest&) {
                   INVARIANT(false) << "a store accepts it itself or refuses it";
                 },
                 [&](const kv::NamespaceCommand& command) {
                   out->set_namespace_command(kv::EncodeNamespaceCommand(command));
                 },
             },
             in.request.operation);
  for (const kv::LwwRow& row : in.held) EncodeHeld(row, out->add_held());
  out->set_unseen_index(in.unseen.value());
}

absl::Status TakeRequest(raftpb::ForwardedRequest* in, store::ForwardedRequest* out) {
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
  if (absl::Status s = DecodeOperation(in, &out->request.operation); !s.ok()) return s;
  return TakeHeld(in, out);
}

void EncodeReply(const store::ForwardedReply& in, raftpb::ForwardedReply* out) {
  out->set_id(in.id);
  out->set_applied_index(in.reply.applied_index.value());
  std::visit(
      Overloaded{
          [&](const store::GetReply& get) {
            raftpb::GetReply* to = out->mutable_get();
            to->set_found(get.found.has_value());
            if (!get.found.has_value()) return;
            to->set_value(get.found->value);
            to->set_version(get.found->version.value());
            to->set_hlc(get.found->hlc.value());
          },
          [&](const store::ScanReply& scan) {
            raftpb::ScanReply* to = out->mutable_scan();
            for (const kv::ScanRow& row : scan.page.rows) {
              raftpb::ScanRow* to_row = to->add_rows();
              to_row->set_key(row.key);
              to_row->set_value(row.value);
              to_row->set_version(row.version.value());
              to_row->set_hlc(row.hlc.value());
            }
            to->set_next_key(scan.page.next_key);
          },
          [&](const kv::WriteReply& write) {
            raftpb::WriteReply* to = out->mutable_write();
            to->set_result(EncodeResult(write.result));
            to->set_version(write.version.value());
            to->set_value(write.value);
          },
          [&](const MachineReply& own) {
            out->mutable_machine()->set_reply(own.bytes);
            out->mutable_machine()->set_index(own.index.value());
          },
          [](const store::AcceptedReply&) { INVARIANT(false) << "the request is never forwarded"; },
          [&](const kv::NamespaceReply& reply) {
            out->mutable_namespace_reply()->set_admitted(reply.admitted);
            out->mutable_namespace_reply()->set_states(EncodeState(reply.state));
            out->mutable_namespace_reply()->set_next(reply.next);
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
            if (const auto& is = error.namespace_mode) {
              to->mutable_namespace_mode()->set_eventual(is->mode == kv::Mode::kEventual);
              to->mutable_namespace_mode()->set_mode_epoch(is->mode_epoch.value());
              to->mutable_namespace_mode()->set_changing(is->changing);
            }
          },
      },
      in.reply.result);
}

absl::Status TakeReply(raftpb::ForwardedReply* in, store::ForwardedReply* out) {
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
    case raftpb::ForwardedReply::kMachine:
      out->reply.result = MachineReply{std::move(*in->mutable_machine()->mutable_reply()),
                                       Index(in->machine().index())};
      return absl::OkStatus();
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
      if (error.code == store::ErrorCode::kNamespaceMode && !in->error().has_namespace_mode()) {
        return Bad("a forwarded reply about a mode that does not say which");
      }
      if (in->error().has_namespace_mode()) {
        const raftpb::StoreError::NamespaceMode& is = in->error().namespace_mode();
        error.namespace_mode = store::NamespaceMode{ModeOf(is.eventual()),
                                                    kv::ModeEpoch(is.mode_epoch()), is.changing()};
      }
      out->reply.result = std::move(error);
      return absl::OkStatus();
    }
    case raftpb::ForwardedReply::kNamespaceReply: {
      const auto state = DecodeState(in->namespace_reply().states());
      if (!state) return Bad("a forwarded reply with a state that cannot be decoded");
      if (!in->namespace_reply().admitted() && !state->fence) {
        return Bad("a forwarded reply about a fence that is not there");
      }
      out->reply.result = kv::NamespaceReply{in->namespace_reply().admitted(), *state,
                                             in->namespace_reply().next()};
      return absl::OkStatus();
    }
    case raftpb::ForwardedReply::RESULT_NOT_SET:
      break;
  }
  return Bad("a forwarded reply of an unknown kind");
}

size_t PayloadBytes(const store::ForwardedRequest& request) {
  // What the fields of a held row add to its key and value.
  constexpr size_t kHeldRowOverhead = 32;
  size_t bytes = BytesOf(request.request.operation);
  for (const kv::LwwRow& row : request.held) {
    bytes += row.key.size() + row.value.size() + kHeldRowOverhead;
  }
  return bytes;
}

size_t PayloadBytes(const store::ForwardedReply& reply) {
  const store::Result& result = reply.reply.result;
  if (const auto* get = std::get_if<store::GetReply>(&result)) {
    return get->found.has_value() ? get->found->value.size() : 0;
  }
  if (const auto* write = std::get_if<kv::WriteReply>(&result)) return write->value.size();
  if (const auto* own = std::get_if<MachineReply>(&result)) return own->bytes.size();
  size_t bytes = 0;
  if (const auto* scan = std::get_if<store::ScanReply>(&result)) {
    for (const kv::ScanRow& row : scan->page.rows) bytes += row.key.size() + row.value.size();
  }
  return bytes;
}

}  // namespace flaredb::net
