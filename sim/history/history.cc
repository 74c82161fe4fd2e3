// SPDX-License-Identifier: Apache-2.0
#include "sim/history/history.h"

#include <sstream>
#include <utility>

#include "core/base/check.h"

namespace flaredb::sim {

std::string Describe(const VersionedOp& op) {
  std::ostringstream out;
  out << "client " << op.client << "'s ";
  switch (op.kind) {
    case OpKind::kGet:
      out << "Get";
      break;
    case OpKind::kCas:
      out << "CAS(expected " << op.expected << ", value " << op.value << ")";
      break;
    case OpKind::kCasDelete:
      out << "CAS-delete(expected " << op.expected << ")";
      break;
  }
  out << " -> ";
  switch (op.outcome) {
    case Outcome::kUnknown:
      out << "unknown";
      break;
    case Outcome::kNotApplied:
      out << "refused";
      break;
    case Outcome::kMismatch:
      out << "mismatch with version " << op.version;
      break;
    case Outcome::kOk:
      if (op.kind == OpKind::kCasDelete) {
        out << "deleted";
      } else if (op.kind == OpKind::kGet && op.version == 0) {
        out << "not found";
      } else {
        out << "version " << op.version;
        if (op.kind == OpKind::kGet) out << ", value " << op.value;
      }
      break;
  }
  out << " [events " << op.invoke << "..";
  if (op.complete != kNever) out << op.complete;
  out << "]";
  return out.str();
}

VersionedHistory::OpRef VersionedHistory::Invoke(std::string_view key, const VersionedOp& op) {
  INVARIANT(op.group <= groups());
  auto it = key_numbers_.find(key);
  if (it == key_numbers_.end()) {
    it = key_numbers_.emplace(key, static_cast<uint32_t>(keys_.size())).first;
    keys_.emplace_back(key);
    ops_.emplace_back();
  }
  std::vector<VersionedOp>& ops = ops_[it->second];
  ops.push_back(op);
  ops.back().invoke = ++last_event_;
  ++operations_;
  return {it->second, static_cast<uint32_t>(ops.size() - 1)};
}

VersionedOp& VersionedHistory::Complete(OpRef ref, Outcome outcome) {
  INVARIANT(ref.key < ops_.size() && ref.op < ops_[ref.key].size());
  VersionedOp& op = ops_[ref.key][ref.op];
  INVARIANT(op.outcome == Outcome::kUnknown && op.complete == kNever)
      << "an operation completes once: " << Describe(op);
  op.outcome = outcome;
  op.complete = ++last_event_;
  return op;
}

uint32_t VersionedHistory::StartGroup(std::string what) {
  groups_.push_back(std::move(what));
  return groups();
}

void VersionedHistory::Remark(uint32_t group, std::string_view remark) {
  INVARIANT(group >= 1 && group <= groups());
  groups_[group - 1].append(", ").append(remark);
}

VersionedHistory::OpRef VersionedHistory::InvokeGet(uint32_t client, std::string_view key,
                                                    uint32_t group) {
  return Invoke(key, {.kind = OpKind::kGet, .client = client, .group = group});
}

VersionedHistory::OpRef VersionedHistory::InvokeCas(uint32_t client, std::string_view key,
                                                    uint64_t expected, ValueId value,
                                                    uint32_t group) {
  return Invoke(key, {.kind = OpKind::kCas,
                      .client = client,
                      .expected = expected,
                      .value = value,
                      .group = group});
}

VersionedHistory::OpRef VersionedHistory::InvokeCasDelete(uint32_t client, std::string_view key,
                                                          uint64_t expected, uint32_t group) {
  return Invoke(
      key, {.kind = OpKind::kCasDelete, .client = client, .expected = expected, .group = group});
}

void VersionedHistory::OkFound(OpRef get, uint64_t version, ValueId value) {
  INVARIANT(version >= 1);
  VersionedOp& op = Complete(get, Outcome::kOk);
  INVARIANT(op.kind == OpKind::kGet);
  op.version = version;
  op.value = value;
}

void VersionedHistory::OkNotFound(OpRef get) {
  const VersionedOp& op = Complete(get, Outcome::kOk);
  INVARIANT(op.kind == OpKind::kGet);
}

void VersionedHistory::OkCas(OpRef cas, uint64_t version) {
  VersionedOp& op = Complete(cas, Outcome::kOk);
  INVARIANT(op.kind == OpKind::kCas);
  op.version = version;
}

void VersionedHistory::OkCasDelete(OpRef cas_delete) {
  const VersionedOp& op = Complete(cas_delete, Outcome::kOk);
  INVARIANT(op.kind == OpKind::kCasDelete);
}

void VersionedHistory::Mismatch(OpRef write, uint64_t current_version) {
  VersionedOp& op = Complete(write, Outcome::kMismatch);
  INVARIANT(op.kind != OpKind::kGet);
  op.version = current_version;
}

void VersionedHistory::Fail(OpRef op) { Complete(op, Outcome::kNotApplied); }

void VersionedHistory::Info(OpRef ref) {
  INVARIANT(ref.key < ops_.size() && ref.op < ops_[ref.key].size());
  const VersionedOp& op = ops_[ref.key][ref.op];
  INVARIANT(op.complete == kNever) << "an operation completes once: " << Describe(op);
  ++last_event_;
}

}  // namespace flaredb::sim
